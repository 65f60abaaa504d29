//! The words that open doors at GitHub: who mints them, who keeps them, for how long.
//!
//! An App has a token for each repository and each purpose, with the fewest
//! permissions, minted once however many ask, and again shortly before it ends.
//! A person's token, or that of `gh`, is the same for everything.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use zazen_core::id::{RepoName, Time};
use zazen_core::secret::Secret;

use super::app::AppKey;
use super::call::{Call, Grant, Who};
use super::error::{CallError, Result};
use super::queue::Account;
use super::transport::Transport;
use super::wire;
use crate::exec;

/// How zazen proves to GitHub who it is.
#[derive(Debug, Clone)]
pub enum Login {
    /// As an App, which is best: its tokens are short-lived and narrow.
    App { id: u64, key: AppKey },
    /// With a person's fine-grained token.
    Token(Secret),
    /// With the token that `gh` has.
    Gh(Gh),
}

/// The program `gh`, and what it needs to find its login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gh {
    pub program: PathBuf,
    pub env: BTreeMap<String, String>,
}

/// A word with which calls can be made.
#[derive(Debug, Clone)]
pub(super) struct Bearer {
    pub(super) secret: Option<Secret>,
    /// Tells tokens apart without looking at them.
    pub(super) serial: u64,
    pub(super) account: Account,
    /// When it ends, by GitHub's clock.
    ends: Option<Time>,
}

/// All that there is.
#[derive(Debug)]
pub(super) struct Tokens {
    transport: Arc<Transport>,
    login: Login,
    minted: Mutex<HashMap<Key, Slot>>,
    installations: Mutex<HashMap<RepoName, u64>>,
    next: AtomicU64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Repo(RepoName, Grant),
    /// Of the login itself: the person's, or `gh`'s.
    Own,
}

/// The lock is held while a token is minted: whoever else wants it waits for that one.
type Slot = Arc<tokio::sync::Mutex<Option<Bearer>>>;

#[derive(Debug, Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: Option<String>,
}

/// How long before its end a token is not used any more: longer than any call or push
/// should take that begins with it.
const EARLY: u64 = 5 * 60 * 1_000;

/// How long `gh` may take; it only reads a file or asks a keyring.
const GH_TIMEOUT: Duration = Duration::from_secs(20);

/// No token is longer. The newest kind is a few hundred bytes.
const TOKEN_BYTES_MAX: usize = 8 << 10;

impl Bearer {
    /// No word at all, for what needs none.
    pub(super) fn none() -> Self {
        Self { secret: None, serial: 0, account: Account::Nobody, ends: None }
    }
}

impl Tokens {
    pub(super) fn new(transport: Arc<Transport>, login: Login) -> Self {
        Self {
            transport,
            login,
            minted: Mutex::default(),
            installations: Mutex::default(),
            next: AtomicU64::new(1),
        }
    }

    pub(super) fn login(&self) -> &Login {
        &self.login
    }

    /// The word for a call, minted if need be.
    pub(super) async fn bearer(&self, who: &Who) -> Result<Bearer> {
        match (&self.login, who) {
            (Login::App { .. }, Who::App) => self.sign(),
            (Login::App { .. }, Who::Repo(repo, grant)) => self.minted(repo, *grant).await,
            (Login::App { .. }, Who::Anyone) => Ok(self.any()),
            (Login::Token(secret), _) => Ok(Bearer {
                secret: Some(secret.clone()),
                serial: 0,
                account: Account::Person,
                ends: None,
            }),
            (Login::Gh(gh), _) => self.of_gh(gh).await,
        }
    }

    /// Does not give this token out again. Says whether there may be another.
    pub(super) async fn forget(&self, bearer: &Bearer, who: &Who) -> bool {
        let key = match (&self.login, who) {
            // The clock was read off the refusal, so that the next word may be better dated.
            (Login::App { .. }, Who::App) => return true,
            (Login::App { .. }, Who::Repo(repo, grant)) => Key::Repo(repo.clone(), *grant),
            (Login::Gh(_), _) => Key::Own,
            (Login::App { .. }, Who::Anyone) | (Login::Token(_), _) => return false,
        };
        let slot = self.slot(key);
        let mut slot = slot.lock().await;
        if slot.as_ref().is_some_and(|now| now.serial == bearer.serial) {
            *slot = None;
        }
        self.transport.kept.forget(bearer.serial);
        true
    }

    /// Forgets everything about installations: they were changed.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
        self.installations.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// All secrets that are in use now.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let own = match &self.login {
            Login::App { key, .. } => Some(key.pem().clone()),
            Login::Token(secret) => Some(secret.clone()),
            Login::Gh(_) => None,
        };
        let slots: Vec<Slot> = self.lock().values().cloned().collect();
        // One that is being minted now is in nobody's hands yet.
        let minted = slots.iter().filter_map(|slot| {
            slot.try_lock().ok()?.as_ref().and_then(|bearer| bearer.secret.clone())
        });
        own.into_iter().chain(minted).collect()
    }

    /// How many tokens there were so far: a number that grows with each new secret.
    pub(super) fn n_minted(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn sign(&self) -> Result<Bearer> {
        let Login::App { id, key } = &self.login else {
            let why = "a token cannot do what only an App can; `zazen github setup` makes one";
            return Err(CallError::Unauthorized { why: why.to_owned() });
        };
        let now = self.transport.now().0 / 1_000;
        let jwt = key.jwt(*id, now).map_err(|err| CallError::Unauthorized {
            why: format!("{err:#}; `zazen github setup` makes a new App"),
        })?;
        Ok(Bearer { secret: Some(jwt), serial: 0, account: Account::App, ends: None })
    }

    async fn minted(&self, repo: &RepoName, grant: Grant) -> Result<Bearer> {
        let slot = self.slot(Key::Repo(repo.clone(), grant));
        let mut slot = slot.lock().await;
        if let Some(bearer) = slot.as_ref().filter(|bearer| self.is_good(bearer)) {
            return Ok(bearer.clone());
        }
        if let Some(old) = slot.take() {
            self.transport.kept.forget(old.serial);
        }
        let bearer = self.mint(repo, grant).await?;
        *slot = Some(bearer.clone());
        Ok(bearer)
    }

    async fn mint(&self, repo: &RepoName, grant: Grant) -> Result<Bearer> {
        let id = self.installation(repo).await?;
        let permissions: BTreeMap<_, _> = grant.permissions().iter().copied().collect();
        let call = Call::app(Method::POST)
            .at(&["app", "installations"])
            .n(id)
            .at(&["access_tokens"])
            .json(json!({ "repositories": [repo.name()], "permissions": permissions }));
        let answer = self.as_app(&call).await.inspect_err(|err| {
            if err.is_absent() {
                // It was installed anew since, under another number.
                self.known().remove(repo);
            }
        })?;
        let minted: Minted = wire::parse(&answer, &self.transport.asked(&call))?;
        if minted.token.is_empty() || minted.token.len() > TOKEN_BYTES_MAX {
            let why = format!("{}: that is not a token", self.transport.asked(&call));
            return Err(CallError::Broken { why });
        }
        // One that does not say when it ends is used once.
        let ends = minted.expires_at.as_deref().and_then(wire::time).unwrap_or_default();
        Ok(Bearer {
            secret: Some(Secret::new(minted.token)),
            serial: self.next.fetch_add(1, Ordering::Relaxed),
            account: Account::Installation(id),
            ends: Some(ends),
        })
    }

    async fn installation(&self, repo: &RepoName) -> Result<u64> {
        if let Some(id) = self.known().get(repo) {
            return Ok(*id);
        }
        let call = Call::app(Method::GET).at(&["repos", repo.owner(), repo.name(), "installation"]);
        let answer = self.as_app(&call).await?;
        let found: Installation = wire::parse(&answer, &self.transport.asked(&call))?;
        self.known().insert(repo.clone(), found.id);
        Ok(found.id)
    }

    /// Makes a call of the App; once more if its word was not taken, as the clocks may differ.
    async fn as_app(&self, call: &Call) -> Result<bytes::Bytes> {
        let answered = match self.transport.exchange(call, &self.sign()?).await {
            Err(CallError::Unauthorized { .. }) => {
                self.transport.exchange(call, &self.sign()?).await
            }
            answered => answered,
        };
        answered.map(|answer| answer.body)
    }

    async fn of_gh(&self, gh: &Gh) -> Result<Bearer> {
        let slot = self.slot(Key::Own);
        let mut slot = slot.lock().await;
        if let Some(bearer) = slot.as_ref() {
            return Ok(bearer.clone());
        }
        let secret = ask_gh(gh, &self.transport.api)
            .await
            .map_err(|err| CallError::Unauthorized { why: format!("{err:#}") })?;
        let bearer = Bearer {
            secret: Some(secret),
            serial: self.next.fetch_add(1, Ordering::Relaxed),
            account: Account::Person,
            ends: None,
        };
        *slot = Some(bearer.clone());
        Ok(bearer)
    }

    /// Any token that is there, for what everybody may see.
    fn any(&self) -> Bearer {
        let slots: Vec<Slot> = self.lock().values().cloned().collect();
        let good = slots.iter().filter_map(|slot| {
            let slot = slot.try_lock().ok()?;
            slot.as_ref().filter(|bearer| self.is_good(bearer)).cloned()
        });
        good.into_iter().next().unwrap_or_else(Bearer::none)
    }

    fn is_good(&self, bearer: &Bearer) -> bool {
        bearer.ends.is_none_or(|ends| ends.millis_since(self.transport.now()) > EARLY)
    }

    fn slot(&self, key: Key) -> Slot {
        self.lock().entry(key).or_default().clone()
    }

    /// Held for a look into the map.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Slot>> {
        self.minted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held for a look into the map.
    fn known(&self) -> MutexGuard<'_, HashMap<RepoName, u64>> {
        self.installations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks `gh` for its token. It comes by a pipe, and is in no argument and no variable.
async fn ask_gh(gh: &Gh, api: &url::Url) -> anyhow::Result<Secret> {
    let host = match api.host_str().unwrap_or_default() {
        "api.github.com" => "github.com",
        host => host,
    };
    let mut command = exec::Command::new(&gh.program)
        .args(["auth", "token", "--hostname", host])
        .timeout(GH_TIMEOUT)
        .output_bytes_max(TOKEN_BYTES_MAX);
    for (name, value) in &gh.env {
        command = command.env(name, value);
    }
    let output = exec::run(command).await?;
    let text = output.stdout_text();
    let token = text.trim();
    // What it printed is not quoted: it may be a token all the same.
    anyhow::ensure!(
        output.status.success() && !output.truncated && is_token(token),
        "`gh auth token` gave no token for `{host}`; `gh auth login` makes one"
    );
    Ok(Secret::new(token))
}

/// Whether a text can be a token: one word of plain characters.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= TOKEN_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic())
}
