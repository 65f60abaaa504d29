//! A double of GitHub that may be trusted: most of it was not written here.
//!
//! State is kept by `emulate`, requests are judged by GitHub's published description, git is
//! real git, webhooks are made of GitHub's own examples. What those lack is answered here
//! and held against the same description. Its verbs are what people do on GitHub.

mod access;
mod answers;
pub(crate) mod deliveries;
mod description;
mod effects;
mod emulate;
pub(crate) mod faults;
mod front;
mod git;
mod patch;
pub(crate) mod people;
mod reading;
mod shared;
pub(crate) mod state;
mod storage;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use self::deliveries::{Delivering, Examples, Hook, OUTBOX_MAX};
use self::emulate::{Emulate, Tools};
use self::faults::{Fault, Planned};
use self::git::Git;
use self::people::Person;
use self::shared::{Shared, repo_path};
use self::state::{
    APP_ID, CAST, Call, Holder, INSTALLATION, MACHINE, NAME, OWNER, Permission, State, Token,
    WEBHOOK_SECRET, person_token,
};
use crate::harness::machine::skip;

/// How long anything that is waited for may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);

/// GitHub, for one test.
#[derive(Debug)]
pub(crate) struct Double {
    shared: Arc<Shared>,
    emulate: Emulate,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
    _dir: TempDir,
}

/// What a double is started with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Setup {
    /// Whether the repository is private.
    pub(crate) is_private: bool,
    /// Whether draft pull requests are refused, as in private repositories without a plan.
    pub(crate) has_no_drafts: bool,
}

impl Double {
    /// GitHub with one public repository, `ada/tally`. Says loudly if it cannot be had.
    pub(crate) fn start() -> Option<Self> {
        Self::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Option<Self> {
        match Tools::find() {
            Ok(tools) => Some(Self::begin(&tools, setup)),
            Err(why) => {
                skip(&why);
                None
            }
        }
    }

    fn begin(tools: &Tools, setup: Setup) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let listen = || {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
            let address = listener.local_addr().expect("an address");
            (listener, address)
        };
        let ((listener, address), (storage, elsewhere)) = (listen(), listen());
        let url = format!("http://{address}");
        let dir = tempfile::Builder::new().prefix("zazen-github-").tempdir().expect("a folder");
        let git = Git { root: dir.path().to_owned() };
        git.seed(OWNER, NAME);
        let emulate = Emulate::start(tools, &url, setup.is_private);
        let (outbox, deliveries) = mpsc::channel(OUTBOX_MAX);
        let shared = Arc::new(Shared {
            url,
            emulate: emulate.address.clone(),
            storage: format!("http://{elsewhere}"),
            key: emulate.key.clone(),
            git,
            examples: Examples::read(&tools.examples),
            state: Mutex::new(first_state(setup)),
            turn: tokio::sync::Mutex::new(()),
            hook: Mutex::new(Hook::default()),
            outbox,
        });
        runtime.handle().spawn(front::serve(listener, shared.clone()));
        runtime.handle().spawn(storage::serve(storage, shared.clone()));
        runtime.handle().spawn(deliveries::deliver_all(shared.clone(), deliveries));
        Self { shared, emulate, address, runtime: Some(runtime), _dir: dir }
    }

    /// The base of the API, and of git: `URL/ada/tally.git`.
    pub(crate) fn url(&self) -> String {
        self.shared.url.clone()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn git_url(&self) -> String {
        format!("{}/{OWNER}/{NAME}.git", self.shared.url)
    }

    /// The App's private key, as PEM (PKCS#1, as GitHub gives it).
    pub(crate) fn app_key(&self) -> &str {
        &self.emulate.key
    }

    /// A fine-grained token of `zazen-machine`, who may write.
    pub(crate) fn token(&self) -> String {
        let permissions = emulate::GRANTED.iter().filter(|(name, _)| *name != "checks");
        let mut pairs: Vec<(&str, &str)> = permissions.copied().collect();
        // Where checks are for Apps only, this is what there is.
        pairs.retain(|(name, _)| *name != "statuses");
        pairs.push(("statuses", "write"));
        self.token_with(&pairs)
    }

    /// A fine-grained token of `zazen-machine` with these permissions.
    pub(crate) fn token_with(&self, permissions: &[(&str, &str)]) -> String {
        let permissions: std::collections::BTreeMap<String, String> =
            permissions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let hash = blake3::hash(format!("{permissions:?}").as_bytes()).to_hex();
        let token = format!("github_pat_11canary_{}", &hash[..59]);
        let holder = Holder::Machine { login: MACHINE.to_owned(), permissions };
        let known = Token { holder, inner: person_token(MACHINE), is_dead: false };
        self.shared.state().tokens.insert(token.clone(), known);
        token
    }

    /// Everything that nobody but zazen may see: tokens, the key, the webhooks' secret.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let state = self.shared.state();
        let tokens =
            state.tokens.iter().filter(|(_, token)| !matches!(token.holder, Holder::Person { .. }));
        let mut secrets: Vec<String> = tokens.map(|(token, _)| token.clone()).collect();
        secrets.push(WEBHOOK_SECRET.to_owned());
        secrets.extend(self.emulate.key.lines().nth(1).map(str::to_owned));
        secrets
    }

    /// Has an App made from a manifest: the code that it can be had with.
    pub(crate) fn makes_app(&self) -> String {
        let code = "canary-manifest-code".to_owned();
        self.shared.state().manifest_code = Some(code.clone());
        code
    }

    /// Gives somebody their place in the repository, and lets them act. Who they may be is
    /// in [`CAST`]; `ada` owns the repository.
    pub(crate) fn person(&self, login: &str, permission: Permission) -> Person<'_> {
        assert!(CAST.contains(&login) || login == OWNER, "`{login}` is not in the cast {CAST:?}");
        if login != OWNER {
            self.admit(login, permission);
        }
        Person::new(self, login)
    }

    /// The owner of the repository.
    pub(crate) fn owner(&self) -> Person<'_> {
        Person::new(self, OWNER)
    }

    /// The account whose fine-grained token zazen may be given, as a person at the web page.
    pub(crate) fn machine(&self) -> Person<'_> {
        Person::new(self, MACHINE)
    }

    /// Sends a delivery once more, from anybody, after `spoil`: what the listener answers.
    pub(crate) fn sends(
        &self,
        delivery: &deliveries::Delivery,
        spoil: impl FnOnce(&mut wire::Ask),
    ) -> u16 {
        let target = self.shared.hook.lock().expect("no test panics with it").target.clone();
        let (address, path) = target.expect("there is a listener");
        let mut ask = deliveries::request(delivery, &path);
        spoil(&mut ask);
        self.block_on(wire::fetch(&address, &ask)).expect("it is answered").status
    }

    fn admit(&self, login: &str, permission: Permission) {
        // What somebody has is not taken from them, not even for a moment.
        if self.shared.state().people.get(login) == Some(&permission) {
            return;
        }
        self.shared.state().people.remove(login);
        let path = format!(
            "{}/collaborators/{}",
            repo_path(),
            login.replace('[', "%5B").replace(']', "%5D")
        );
        if permission == Permission::None {
            self.block_on(self.shared.inner("DELETE", &path, None));
            return;
        }
        let role = match permission {
            Permission::None | Permission::Read => "pull",
            Permission::Triage => "triage",
            Permission::Write => "push",
            Permission::Maintain => "maintain",
            Permission::Admin => "admin",
        };
        let body = json!({ "permission": role });
        let reply = self.block_on(self.shared.inner("PUT", &path, Some(&body)));
        assert!(reply.is_success(), "{}", reply.text());
        self.shared.state().people.insert(login.to_owned(), permission);
    }

    /// Lets the next request of a kind go wrong: its method (or `*`), and its path as the
    /// description has it (`/repos/{owner}/{repo}/pulls`, `git/receive-pack`, or `*`).
    pub(crate) fn fault(&self, method: &str, template: &str, fault: Fault) {
        self.faults(method, template, fault, 1);
    }

    /// Lets so many requests of a kind go wrong.
    pub(crate) fn faults(&self, method: &str, template: &str, fault: Fault, times: usize) {
        let planned =
            Planned { method: method.to_owned(), template: template.to_owned(), fault, times };
        self.shared.state().faults.push(planned);
    }

    /// Whether a planned fault has not come up yet.
    pub(crate) fn has_faults_left(&self) -> bool {
        !self.shared.state().faults.is_empty()
    }

    /// How many planned faults have not come up yet.
    pub(crate) fn n_faults_left(&self) -> usize {
        self.shared.state().faults.iter().map(|planned| planned.times).sum()
    }

    /// Has a rule of the repository refuse every push, with these words.
    pub(crate) fn refuses_pushes(&self, why: &str) {
        self.shared.git.refuse(OWNER, NAME, why);
    }

    /// Makes every installation token invalid, as after its hour.
    pub(crate) fn expire_tokens(&self) {
        for token in self.shared.state().tokens.values_mut() {
            if matches!(token.holder, Holder::Installation { .. }) {
                token.is_dead = true;
            }
        }
    }

    /// Sends webhooks to a listener: `http://127.0.0.1:PORT/path`.
    pub(crate) fn hook_to(&self, url: &str) {
        let rest = url.strip_prefix("http://").expect("it is on loopback");
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut hook = self.shared.hook.lock().expect("no test panics with it");
        hook.target = Some((address.to_owned(), format!("/{path}")));
    }

    /// What happens to webhooks from now on.
    pub(crate) fn deliver(&self, how: Delivering) {
        self.shared.hook.lock().expect("no test panics with it").how = how;
    }

    /// Sends what was held, the last one first.
    pub(crate) fn release_shuffled(&self) {
        self.deliver(Delivering::AtOnce);
        let held: Vec<u64> = {
            let state = self.shared.state();
            state.deliveries.iter().rev().filter(|d| !d.is_done).map(|d| d.id).collect()
        };
        for id in held {
            self.block_on(self.shared.outbox.send(id)).expect("somebody delivers");
        }
    }

    /// Waits until every webhook that is not held was answered, or refused.
    pub(crate) fn settle(&self) {
        let began = std::time::Instant::now();
        while self.shared.state().deliveries.iter().any(|delivery| !delivery.is_done) {
            assert!(began.elapsed() < PATIENCE, "a webhook is still not answered");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Every request that came in, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// The requests of one kind.
    pub(crate) fn calls_of(&self, method: &str, template: &str) -> Vec<Call> {
        let all = self.calls().into_iter();
        all.filter(|call| call.method == method && call.template == template).collect()
    }

    /// Takes what was not as GitHub describes it. For tests of the double.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().violations)
    }

    /// Ends a test: nothing was asked that GitHub would not know.
    pub(crate) fn finish(self) {
        let violations = self.take_violations();
        assert!(violations.is_empty(), "not as GitHub describes it:\n{}", violations.join("\n"));
    }

    /// Makes a request as anybody, past the network but not past the rules.
    pub(crate) fn ask(&self, ask: &wire::Ask) -> wire::Reply {
        let address = self.address.to_string();
        self.block_on(wire::fetch(&address, ask)).expect("the double answers")
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("it runs until it is dropped").block_on(future)
    }

    pub(crate) fn handle(&self) -> &tokio::runtime::Handle {
        self.runtime.as_ref().expect("it runs until it is dropped").handle()
    }

    /// What emulate knows of minted tokens: scopes, no secrets.
    pub(crate) fn minted(&self) -> Vec<Value> {
        let reply = self.block_on(self.shared.inner("GET", "/_emulate/installation-tokens", None));
        reply.value()["installation_tokens"].as_array().cloned().unwrap_or_default()
    }
}

#[expect(clippy::unused_self, reason = "a test reads them off the double it has")]
impl Double {
    /// `ada/tally`
    pub(crate) fn repo(&self) -> String {
        format!("{OWNER}/{NAME}")
    }

    pub(crate) fn app_id(&self) -> u64 {
        APP_ID
    }

    pub(crate) fn installation(&self) -> u64 {
        INSTALLATION
    }

    /// What webhooks are signed with.
    pub(crate) fn webhook_secret(&self) -> &'static str {
        WEBHOOK_SECRET
    }
}

fn first_state(setup: Setup) -> State {
    let mut state =
        State { no_drafts: setup.has_no_drafts, is_private: setup.is_private, ..State::default() };
    state.people.insert(OWNER.to_owned(), Permission::Admin);
    state.people.insert(MACHINE.to_owned(), Permission::Write);
    for login in CAST.iter().chain([&OWNER, &MACHINE]) {
        let token = person_token(login);
        let holder = Holder::Person { login: (*login).to_owned() };
        state.tokens.insert(token.clone(), Token { holder, inner: token, is_dead: false });
    }
    state
}

impl Drop for Double {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
