//! What all parts of the double hold together, and how they ask emulate.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::deliveries::{Examples, Hook};
use super::description::{Description, Matched};
use super::emulate;
use super::faults::Fault;
use super::git::Git;
use super::state::{APP_LOGIN, APP_USER, Holder, MACHINE, NAME, OWNER, State, person_token};
use super::wire::{Ask, Reply};

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    /// `http://127.0.0.1:PORT`, the double's own.
    pub(super) url: String,
    /// Where emulate listens.
    pub(super) emulate: String,
    /// Another server, which logs are kept on: it is not to get a token.
    pub(super) storage: String,
    /// The App's private key.
    pub(super) key: String,
    pub(super) git: Git,
    pub(super) examples: Examples,
    pub(super) state: Mutex<State>,
    /// Effects come one after another.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) hook: Mutex<Hook>,
    pub(super) outbox: mpsc::Sender<u64>,
}

/// One request on its way: who asks for what.
#[derive(Debug)]
pub(super) struct Cx<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) holder: Holder,
    /// Their token at emulate.
    pub(super) inner: String,
    pub(super) ask: &'a Ask,
    pub(super) at: Matched,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with it")
    }

    /// Takes the fault that is planned for a request.
    pub(super) fn next_fault(&self, method: &str, template: &str) -> Option<Fault> {
        let mut state = self.state();
        let at = state.faults.iter().position(|planned| planned.fits(method, template))?;
        state.faults[at].times -= 1;
        let fault = state.faults[at].fault.clone();
        if state.faults[at].times == 0 {
            state.faults.remove(at);
        }
        Some(fault)
    }

    /// Runs git's server off the threads that answer.
    pub(super) async fn git_backend(&self, ask: Ask, is_app: bool) -> Reply {
        let git = self.git.clone();
        let answer = tokio::task::spawn_blocking(move || git.backend(&ask, is_app)).await;
        answer.expect("git's server does not panic")
    }

    /// Asks emulate as the owner.
    pub(super) async fn inner(&self, method: &str, target: &str, body: Option<&Value>) -> Reply {
        self.inner_as(&person_token(OWNER), method, target, body).await
    }

    /// Asks emulate with one of its tokens.
    pub(super) async fn inner_as(
        &self,
        token: &str,
        method: &str,
        target: &str,
        body: Option<&Value>,
    ) -> Reply {
        let mut ask = Ask::new(method, target);
        if let Some(body) = body {
            ask = ask.json(body);
        }
        emulate::forward(&self.emulate, &ask, token).await
    }

    /// Reads something of the repository at emulate, as the owner.
    pub(super) async fn read(&self, path: &str) -> Option<Value> {
        let reply = self.inner("GET", &format!("{}{path}", repo_path()), None).await;
        reply.is_success().then(|| reply.value())
    }

    /// Reads all pages of a list of the repository at emulate.
    pub(super) async fn read_all(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let sign = if path.contains('?') { '&' } else { '?' };
        for page in 1.. {
            let target = format!("{path}{sign}per_page=100&page={page}");
            let Some(Value::Array(items)) = self.read(&target).await else { break };
            let is_last = items.len() < 100;
            all.extend(items);
            if is_last {
                break;
            }
        }
        all
    }

    /// A user as GitHub shows them in a list.
    pub(super) async fn user(&self, login: &str) -> Value {
        let path = format!("/users/{}", login.replace('[', "%5B").replace(']', "%5D"));
        let known = self.inner("GET", &path, None).await;
        let known = if known.is_success() { known.value() } else { Value::Null };
        let is_bot = login.ends_with("[bot]");
        let url = format!("{}/users/{login}", self.url);
        json!({
            "login": login,
            "id": known["id"].as_u64().filter(|_| login != APP_LOGIN).unwrap_or(APP_USER),
            "node_id": "U_kgDOA",
            "avatar_url": format!("{}/avatars/{login}", self.url),
            "gravatar_id": "",
            "url": url,
            "html_url": format!("{}/{login}", self.url),
            "followers_url": format!("{url}/followers"),
            "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"),
            "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"),
            "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"),
            "type": if is_bot { "Bot" } else { "User" },
            "site_admin": false,
        })
    }

    /// Notes that an item changed now, where emulate does not.
    pub(super) fn touch(&self, number: u64) {
        let now = super::state::now();
        self.state().touched.insert(number, now);
    }

    /// How somebody belongs to the repository, in the API's words.
    pub(super) fn association(&self, login: &str) -> &'static str {
        if login == OWNER {
            return "OWNER";
        }
        if self.state().people.contains_key(login) || login == MACHINE {
            return "COLLABORATOR";
        }
        "NONE"
    }
}

impl Cx<'_> {
    /// `POST /repos/{owner}/{repo}/issues`
    pub(super) fn route(&self) -> (&str, &str) {
        (self.ask.method.as_str(), &self.at.template)
    }

    /// Hands the request on to emulate, as it is.
    pub(super) async fn forward(&self) -> Reply {
        emulate::forward(&self.shared.emulate, self.ask, &self.inner).await
    }

    /// Asks emulate for something else, as whoever asks.
    pub(super) async fn inner(&self, method: &str, target: &str, body: Option<&Value>) -> Reply {
        self.shared.inner_as(&self.inner, method, target, body).await
    }

    /// An answer of the double's own, which is held against the description.
    pub(super) fn own(&self, status: u16, body: &Value) -> Reply {
        let found = Description::get().check_answer(&self.ask.method, &self.at, status, body);
        self.shared.state().violations.extend(found);
        Reply::json(status, body)
    }

    /// A page of a list of the double's own, with the links to the others.
    pub(super) fn page(&self, items: &[Value], wrap: impl Fn(&[Value]) -> Value) -> Reply {
        let number = |name: &str, default: usize| {
            self.ask.query(name).and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let (size, page) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
        let n_pages = items.len().div_ceil(size).max(1);
        let from = ((page - 1) * size).min(items.len());
        let shown = &items[from..(from + size).min(items.len())];
        let mut reply = self.own(200, &wrap(shown));
        let link = |page: usize, rel: &str| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in self.ask.queries().iter().filter(|(name, _)| name != "page") {
                query.append_pair(name, value);
            }
            query.append_pair("page", &page.to_string());
            format!("<{}{}?{}>; rel=\"{rel}\"", self.shared.url, self.ask.path, query.finish())
        };
        let mut links = Vec::new();
        if page > 1 {
            links.push(link(page - 1, "prev"));
            links.push(link(1, "first"));
        }
        if page < n_pages {
            links.push(link(page + 1, "next"));
            links.push(link(n_pages, "last"));
        }
        if !links.is_empty() {
            reply.set("link", &links.join(", "));
        }
        reply
    }

    /// A page of a plain list.
    pub(super) fn list(&self, items: &[Value]) -> Reply {
        self.page(items, |shown| Value::Array(shown.to_vec()))
    }
}

/// The path of the one repository.
pub(super) fn repo_path() -> String {
    format!("/repos/{OWNER}/{NAME}")
}
