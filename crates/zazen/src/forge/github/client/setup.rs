//! Makes a GitHub App by GitHub's manifest flow, with one click of a person.
//!
//! A [`Door`] on loopback shows one page to whoever has its link. The page posts
//! to GitHub what the App is to be; GitHub sends the browser back with a code,
//! which is exchanged here for the App's number, key and secret. Nothing is kept
//! before all of it is there. What is printed meanwhile is `cli`'s.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;
use zazen_core::secret::Secret;

use super::app::AppKey;
use super::call::Call;
use super::pace::Limits;
use super::token::Bearer;
use super::transport::Transport;
use super::wire;
use crate::home::atomic;

/// What App is to be made, and where.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub api: Url,
    /// Where the pages of that GitHub are.
    pub web: Url,
    /// The name that is proposed; the person can change it.
    pub name: String,
    /// The organisation that it is to belong to, in place of the person.
    pub organization: Option<String>,
    /// Where GitHub is to send webhooks. Without it, none are sent.
    pub hook: Option<Url>,
}

/// The place on loopback where the person's browser comes and GitHub sends it back to.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    page: Arc<Page>,
    codes: mpsc::Receiver<String>,
}

/// An App, just made.
#[derive(Debug)]
pub struct NewApp {
    pub id: u64,
    pub slug: String,
    /// The account that it belongs to.
    pub owner: String,
    pem: Secret,
    webhook_secret: Option<Secret>,
}

/// What a request is answered from.
struct Page {
    /// `127.0.0.1:PORT`. A request that names another host was led here by a foreign page.
    host: String,
    /// The path of the page, which nobody can guess.
    path: String,
    /// Comes back with the code, and proves that it is ours.
    state: String,
    html: String,
    /// The origin to which the page may post.
    target: String,
    found: mpsc::Sender<String>,
}

#[derive(Deserialize)]
struct Conversion {
    id: u64,
    slug: String,
    pem: String,
    webhook_secret: Option<String>,
    owner: Option<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    #[serde(default)]
    login: String,
}

/// How long a person may take. GitHub's code is good for an hour.
pub const PERSON_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How long the last page may take to get to the browser.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many codes may wait: there is one, and a browser that asks twice.
const CODES_MAX: usize = 2;

/// GitHub's codes are forty characters.
const CODE_BYTES_MAX: usize = 200;

/// GitHub's limit on the name of an App.
const NAME_CHARS_MAX: usize = 34;

/// What the App may do. The workflows of a repository are not among it.
const PERMISSIONS: &[(&str, &str)] = &[
    ("actions", "write"),
    ("checks", "write"),
    ("contents", "write"),
    ("issues", "write"),
    ("metadata", "read"),
    ("pull_requests", "write"),
    ("statuses", "read"),
];

/// What GitHub tells of by itself.
const EVENTS: &[&str] = &[
    "check_run",
    "check_suite",
    "delete",
    "issue_comment",
    "issues",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "status",
];

impl Door {
    /// Opens the door. It is on this machine only.
    pub async fn open(wanted: &Wanted) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("listen on 127.0.0.1 for the browser")?;
        let host = listener.local_addr().context("find the port")?.to_string();
        let (path, state) = (format!("/{}", random()?), random()?);
        let html = html(wanted, &host, &state)?;
        let (found, codes) = mpsc::channel(CODES_MAX);
        let target = wanted.web.origin().ascii_serialization();
        let page = Arc::new(Page { host, path, state, html, target, found });
        Ok(Self { listener, page, codes })
    }

    /// The one link that the person opens.
    pub fn link(&self) -> String {
        format!("http://{}{}", self.page.host, self.page.path)
    }

    /// Waits for the person, and for GitHub's code.
    pub async fn code(mut self, limit: Duration) -> anyhow::Result<Secret> {
        let router = Router::new().fallback(answer).with_state(self.page.clone());
        let closing = CancellationToken::new();
        let closed = closing.clone().cancelled_owned();
        let mut serving = JoinSet::new();
        let listener = self.listener;
        serving.spawn(
            async move { axum::serve(listener, router).with_graceful_shutdown(closed).await },
        );
        let code = timeout(limit, self.codes.recv()).await;
        closing.cancel();
        // Whether the browser has seen the last page changes nothing.
        let _served = timeout(GOODBYE_TIMEOUT, serving.join_next()).await;
        match code {
            Ok(Some(code)) => Ok(Secret::new(code)),
            Ok(None) | Err(_) => bail!(
                "nobody made the App within {} minutes; run `zazen github setup` again",
                limit.as_secs() / 60
            ),
        }
    }
}

/// Exchanges the code for the App that GitHub has made. It works once.
pub async fn convert(api: &Url, code: &Secret) -> anyhow::Result<NewApp> {
    let transport = Transport::new(api.clone(), Limits::AsTold)?;
    let call = Call::conversion(code.expose());
    let answer = transport.exchange(&call, &Bearer::none()).await?;
    let made: Conversion = wire::parse(&answer.body, &transport.asked(&call))?;
    anyhow::ensure!(made.id != 0 && !made.slug.is_empty(), "GitHub's answer names no App");
    let _checked = AppKey::from_pem(&made.pem)?;
    Ok(NewApp {
        id: made.id,
        slug: wire::line(made.slug),
        owner: wire::line(made.owner.map(|owner| owner.login)),
        pem: Secret::new(made.pem),
        webhook_secret: made.webhook_secret.filter(|text| !text.is_empty()).map(Secret::new),
    })
}

/// Makes the folder for an App's secrets, and sees that they can be written there.
pub fn prepare(dir: &Path) -> anyhow::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).with_context(|| format!("make `{}`", parent.display()))?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        made => made.with_context(|| format!("make the folder `{}`", dir.display()))?,
    }
    let trial = dir.join("trial");
    write_private(&trial, b"").with_context(|| format!("write into `{}`", dir.display()))?;
    fs::remove_file(&trial).with_context(|| format!("remove `{}`", trial.display()))
}

impl NewApp {
    /// Keeps the key and the secret where only their owner can read them. The key comes
    /// last: where it is, all is.
    pub fn store(&self, key: &Path, webhook_secret: &Path) -> anyhow::Result<()> {
        if let Some(secret) = &self.webhook_secret {
            write_private(webhook_secret, secret.expose().as_bytes())
                .with_context(|| format!("write `{}`", webhook_secret.display()))?;
        }
        write_private(key, self.pem.expose().as_bytes())
            .with_context(|| format!("write `{}`", key.display()))
    }

    /// Where the App is installed on repositories.
    pub fn install_link(&self, web: &Url) -> String {
        let folder = if is_github(web) { "apps" } else { "github-apps" };
        format!("{web}{folder}/{}/installations/new", self.slug)
    }

    /// Where its owner can change or remove it.
    pub fn settings_link(&self, wanted: &Wanted) -> String {
        let whose = wanted.organization.as_ref();
        let whose = whose.map(|name| format!("organizations/{name}/")).unwrap_or_default();
        format!("{}{whose}settings/apps/{}", wanted.web, self.slug)
    }
}

/// Writes a file that only its owner may read, from its first byte on; whole or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temp = path.with_file_name(name);
    // What is left of an attempt that was killed makes room.
    match fs::remove_file(&temp) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temp, path)?;
    path.parent().map_or(Ok(()), atomic::sync_dir)
}

async fn answer(State(page): State<Arc<Page>>, request: Request) -> Response {
    let is_ours = request.headers().get(header::HOST).is_some_and(|host| *host == *page.host);
    let path = request.uri().path();
    if !is_ours || request.method() != axum::http::Method::GET {
        return page.say(StatusCode::FORBIDDEN, "This is not the place.");
    }
    if path == page.path {
        return page.reply(StatusCode::OK, page.html.clone());
    }
    if path != DONE {
        return page.say(StatusCode::NOT_FOUND, "There is nothing here.");
    }
    let query = request.uri().query().unwrap_or_default();
    let Some(code) = page.code(query) else {
        let says = "This answer is not to what zazen asked. Open the link that it printed again.";
        return page.say(StatusCode::BAD_REQUEST, says);
    };
    // A second one, from a browser that asks twice, is not needed.
    let _taken = page.found.try_send(code);
    page.say(StatusCode::OK, "GitHub has made the App. zazen says in your terminal what is next.")
}

/// The path to which GitHub sends the browser back.
const DONE: &str = "/done";

impl Page {
    /// The code in a query, if the query is an answer to ours.
    fn code(&self, query: &str) -> Option<String> {
        let mut code = None;
        let mut is_ours = false;
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                // blake3 compares its hashes in constant time.
                "state" => {
                    is_ours = blake3::hash(value.as_bytes()) == blake3::hash(self.state.as_bytes());
                }
                "code" => code = Some(value.into_owned()),
                _ => {}
            }
        }
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        code.filter(|code| {
            is_ours
                && !code.is_empty()
                && code.len() <= CODE_BYTES_MAX
                && code.bytes().all(is_plain)
        })
    }

    fn say(&self, status: StatusCode, words: &str) -> Response {
        self.reply(status, format!("<!doctype html><title>zazen</title><p>{words}</p>"))
    }

    fn reply(&self, status: StatusCode, html: String) -> Response {
        let policy = format!("default-src 'none'; form-action {}", self.target);
        let headers = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::REFERRER_POLICY, "no-referrer".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
            (header::X_FRAME_OPTIONS, "DENY".to_owned()),
        ];
        (status, headers, Html(html)).into_response()
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").field("host", &self.host).finish_non_exhaustive()
    }
}

/// The page with one button, which posts the manifest to GitHub.
fn html(wanted: &Wanted, host: &str, state: &str) -> anyhow::Result<String> {
    let mut target = wanted.web.clone();
    let path: &[&str] = &["settings", "apps", "new"];
    target
        .path_segments_mut()
        .map_err(|()| anyhow::anyhow!("`{}` cannot have pages", wanted.web))?
        .pop_if_empty()
        .extend(wanted.organization.iter().flat_map(|name| ["organizations", name]))
        .extend(path);
    target.query_pairs_mut().append_pair("state", state);
    let manifest = escaped(&manifest(wanted, host).to_string());
    let target = escaped(target.as_str());
    Ok(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>zazen</title>\n\
         <h1>A GitHub App for zazen</h1>\n\
         <p>GitHub shows you its name and asks you to make it. It will be yours alone.</p>\n\
         <form action=\"{target}\" method=\"post\">\n\
         <input type=\"hidden\" name=\"manifest\" value=\"{manifest}\">\n\
         <button autofocus>Go on to GitHub</button></form></html>\n"
    ))
}

fn manifest(wanted: &Wanted, host: &str) -> Value {
    let permissions: serde_json::Map<String, Value> =
        PERMISSIONS.iter().map(|(name, level)| ((*name).to_owned(), json!(level))).collect();
    let name: String = wanted.name.chars().take(NAME_CHARS_MAX).collect();
    let mut manifest = json!({
        "name": name,
        "url": wanted.web.as_str(),
        "description": "Turns issues into checked draft pull requests while nobody watches.",
        "redirect_url": format!("http://{host}{DONE}"),
        "public": false,
        "default_permissions": permissions,
    });
    if let Some(hook) = &wanted.hook {
        manifest["hook_attributes"] = json!({ "url": hook.as_str(), "active": true });
        manifest["default_events"] = json!(EVENTS);
    }
    manifest
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn is_github(web: &Url) -> bool {
    web.host_str().is_some_and(|host| host == "github.com" || host.ends_with(".ghe.com"))
}

/// A word that nobody guesses: 256 bits of the system's random numbers.
pub(in crate::forge::github) fn random() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.context("read the system's random numbers")?;
    Ok(blake3::Hash::from_bytes(bytes).to_hex().to_string())
}

#[cfg(test)]
mod tests;
