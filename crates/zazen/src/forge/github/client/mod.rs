//! What zazen says to GitHub's HTTP API, and what it hears.
//!
//! A [`Client`] is one for a home, and cheap to clone. Looks may be repeated in
//! here; an act is sent once, and its error says whether something may have
//! happened, so a caller looks before it tries again. What is decided from the
//! answers is not known here.
//!
//! Read on: `call` is one call, `token` who may make it, `queue` and `pace` when,
//! `transport` how. The calls themselves are in `items`, `pulls`, `reviews`,
//! `checks` and `people`; making an App is [`setup`].

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zazen_core::id::RepoName;
use zazen_core::secret::Secret;

use self::call::{Call, Grant, Who};
use self::token::Tokens;
use self::transport::{Answer, Transport};
use crate::git;

mod app;
mod call;
mod checks;
mod deliveries;
mod error;
mod items;
mod kept;
mod pace;
mod people;
mod pulls;
mod queue;
mod reviews;
mod runs;
pub mod setup;
mod statuses;
mod token;
mod transport;
mod wire;

pub use self::app::AppKey;
pub use self::checks::{CheckRun, CheckState, Conclusion, NewCheck};
pub use self::error::{CallError, Result};
pub use self::items::{Changed, Item, ItemEvent, NewIssue, Target, Text};
pub use self::pace::{Limits, Why};
pub use self::pulls::{EditPull, NewPull, Pull};
pub use self::queue::Waiting;
pub use self::reviews::{Inline, NewReview, Review, ReviewComment, ReviewEvent, ReviewState, Side};
pub use self::statuses::Status;
pub use self::token::{Gh, Login};
pub use self::wire::Actor;

/// Speaks to one GitHub for one home.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    transport: Arc<Transport>,
    tokens: Tokens,
    me: tokio::sync::OnceCell<Actor>,
}

/// What a client is made with.
#[derive(Debug, Clone)]
pub struct Options {
    /// `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise server.
    pub api: Url,
    pub login: Login,
    pub limits: Limits,
}

/// What git is to do with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Read,
    Push,
}

/// How many entries a page has. Where a page is too large, the smaller number fits
/// whatever people wrote.
const PAGE_SIZES: [usize; 2] = [100, 10];

/// How many entries are read in all. Who writes more than this into one place does
/// it on purpose.
const ENTRIES_MAX: usize = 5_000;

impl Client {
    /// Makes a client. Nothing is sent yet.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let transport = Arc::new(Transport::new(options.api, options.limits)?);
        if let Login::Token(secret) = &options.login {
            anyhow::ensure!(
                token::is_token(secret.expose()),
                "the token for GitHub is empty or has characters that no token has"
            );
        }
        let tokens = Tokens::new(transport.clone(), options.login);
        let me = tokio::sync::OnceCell::new();
        Ok(Self { inner: Arc::new(Inner { transport, tokens, me }) })
    }

    /// What git needs to reach a repository, for about an hour.
    pub async fn git_auth(&self, repo: &RepoName, purpose: Purpose) -> Result<git::Auth> {
        let grant = match purpose {
            Purpose::Read => Grant::Code,
            Purpose::Push => Grant::Push,
        };
        let bearer = self.inner.tokens.bearer(&Who::Repo(repo.clone(), grant)).await?;
        let token = bearer.secret.as_ref().map_or("", Secret::expose);
        Ok(git::Auth::basic("x-access-token", token))
    }

    /// Asks for new tokens from now on: an installation was changed.
    pub fn forget_tokens(&self) {
        self.inner.tokens.forget_all();
    }

    /// What waits for GitHub's limits, for `zazen status`.
    pub fn waits(&self) -> Vec<Waiting> {
        self.inner.transport.queues.waits()
    }

    /// All secrets that are in use now, for whoever takes secrets out of texts.
    pub fn secrets(&self) -> Vec<Secret> {
        self.inner.tokens.secrets()
    }

    /// A number that grows whenever there is a new secret.
    pub fn secrets_version(&self) -> u64 {
        self.inner.tokens.n_minted()
    }

    /// Makes a call.
    async fn call(&self, call: &Call) -> Result<Answer> {
        let Inner { transport, tokens, .. } = &*self.inner;
        let bearer = tokens.bearer(&call.who).await?;
        match transport.exchange(call, &bearer).await {
            // A refused token did nothing, so even an act may be sent with a new one.
            Err(err @ CallError::Unauthorized { .. }) => {
                if !tokens.forget(&bearer, &call.who).await {
                    return Err(err);
                }
                let bearer = tokens.bearer(&call.who).await?;
                transport.exchange(call, &bearer).await
            }
            answered => answered,
        }
    }

    /// Makes a call and reads the answer.
    async fn get<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.call(call).await?;
        let asked = self.inner.transport.asked(call);
        let read = if answer.elsewhere.is_some() {
            Err(error::of_status(302, &asked, ""))
        } else {
            wire::parse(&answer.body, &asked)
        };
        read.map_err(|err| match (err, call.kind) {
            // It was done; only what came of it is not known.
            (CallError::Broken { why }, call::Kind::Act) => transport::after(why),
            (err, _) => err,
        })
    }

    /// Makes a call of which only success counts.
    async fn done(&self, call: &Call) -> Result<()> {
        self.call(call).await.map(|_answer| ())
    }

    /// Reads all pages of a list.
    async fn list<T: DeserializeOwned>(&self, call: &Call, key: Option<&str>) -> Result<Vec<T>> {
        let mut read = Err(CallError::Broken { why: String::new() });
        for size in PAGE_SIZES {
            read = self.pages(call, key, size).await;
            // A page may be too large because of what hostile people wrote.
            if !matches!(read, Err(CallError::Broken { .. })) {
                break;
            }
        }
        read
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        call: &Call,
        key: Option<&str>,
        size: usize,
    ) -> Result<Vec<T>> {
        let asked = self.inner.transport.asked(call);
        let mut all = Vec::new();
        let mut page = call.clone().query("per_page", size.to_string());
        let mut n_pages = 1_usize;
        loop {
            let answer = self.call(&page).await?;
            let entries: Vec<T> = entries(&answer, key, &asked)?;
            let n_entries = entries.len();
            all.extend(entries);
            n_pages += 1;
            page = match &answer.next {
                Some(next) => call.clone().with_query_of(next),
                // Not every server says which page is next; a full one has one after it.
                None if n_entries >= size => call
                    .clone()
                    .query("per_page", size.to_string())
                    .query("page", n_pages.to_string()),
                None => return Ok(all),
            };
            if all.len() >= ENTRIES_MAX || n_pages > ENTRIES_MAX / size {
                let why = format!("{asked} has more than {ENTRIES_MAX} entries; it is left alone");
                return Err(CallError::Denied { why });
            }
        }
    }
}

/// The entries of a page: the list itself, or the one under a key.
fn entries<T: DeserializeOwned>(answer: &Answer, key: Option<&str>, asked: &str) -> Result<Vec<T>> {
    let Some(key) = key else { return wire::parse(&answer.body, asked) };
    let mut whole: Value = wire::parse(&answer.body, asked)?;
    let list = whole.get_mut(key).map(Value::take).unwrap_or_default();
    let broken = || CallError::Broken { why: format!("{asked} is answered without `{key}`") };
    serde_json::from_value(list).map_err(|_| broken())
}

#[cfg(test)]
mod tests;
