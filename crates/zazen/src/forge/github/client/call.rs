//! One call that is to be made: its address, what it carries, who may make it.
//!
//! Addresses are built of parts that are each encoded, so that no name from
//! outside reaches another address. What is sent and when is `transport`.

use reqwest::Method;
use serde_json::Value;
use url::Url;
use zazen_core::id::RepoName;

use super::error::{self, CallError, Result};

/// A call, not yet made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    parts: Vec<String>,
    /// The part that is in no message.
    secret_part: Option<usize>,
    query: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    pub(super) who: Who,
    pub(super) kind: Kind,
    pub(super) rank: Rank,
    /// An etag that the caller has kept; with it, what is kept here is not looked at.
    pub(super) etag: Option<String>,
}

/// In whose name a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// The App itself.
    App,
    /// The installation on this repository, with no more than this.
    Repo(RepoName, Grant),
    /// Whoever the token is; without a word where only an App is known.
    Anyone,
}

/// What a token is asked for. Each is the least that its calls need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Grant {
    /// Who may do what.
    Who,
    /// Issues, pull requests and what is written there.
    Look,
    /// The code, for git.
    Code,
    /// The code, to push.
    Push,
    /// To write comments, labels, reviews.
    Talk,
    /// To open and change pull requests.
    Propose,
    /// Checks of commits.
    Checks,
    /// To report checks of our own.
    Report,
    /// Statuses of commits.
    Statuses,
    /// To put a status on a commit.
    Mark,
    /// Logs of jobs.
    Logs,
    /// To start jobs again.
    Rerun,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes nothing that anybody sees, so it may be repeated.
    Look,
    /// It changes something: it is sent once.
    Act,
}

/// What goes first where calls have to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// What a person waits for at the end: branches, pull requests, checks.
    Publish,
    Ordinary,
}

impl Grant {
    /// The permissions of an installation token, as GitHub names them.
    pub(super) fn permissions(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Who => &[("metadata", "read")],
            Self::Look => &[("issues", "read"), ("metadata", "read"), ("pull_requests", "read")],
            Self::Code => &[("contents", "read"), ("metadata", "read")],
            Self::Push => &[("contents", "write"), ("metadata", "read")],
            Self::Talk => &[("issues", "write"), ("metadata", "read"), ("pull_requests", "write")],
            Self::Propose => {
                &[("contents", "read"), ("metadata", "read"), ("pull_requests", "write")]
            }
            Self::Checks => &[("checks", "read"), ("metadata", "read")],
            Self::Report => &[("checks", "write"), ("metadata", "read")],
            Self::Statuses => &[("metadata", "read"), ("statuses", "read")],
            Self::Mark => &[("metadata", "read"), ("statuses", "write")],
            Self::Logs => &[("actions", "read"), ("metadata", "read")],
            Self::Rerun => &[("actions", "write"), ("metadata", "read")],
        }
    }
}

impl Call {
    fn new(method: Method, who: Who, kind: Kind) -> Self {
        Self {
            method,
            parts: Vec::new(),
            secret_part: None,
            query: Vec::new(),
            body: None,
            who,
            kind,
            rank: Rank::Ordinary,
            etag: None,
        }
    }

    /// Looks at something below a repository.
    pub(super) fn look(repo: &RepoName, grant: Grant) -> Self {
        let call = Self::new(Method::GET, Who::Repo(repo.clone(), grant), Kind::Look);
        call.at(&["repos", repo.owner(), repo.name()])
    }

    /// Does something below a repository.
    pub(super) fn act(method: Method, repo: &RepoName, grant: Grant) -> Self {
        let call = Self::new(method, Who::Repo(repo.clone(), grant), Kind::Act);
        call.at(&["repos", repo.owner(), repo.name()])
    }

    /// A call of the App itself that may be repeated.
    pub(super) fn app(method: Method) -> Self {
        Self::new(method, Who::App, Kind::Look)
    }

    /// The exchange of the code for a new App, which works once.
    pub(super) fn conversion(code: &str) -> Self {
        let call = Self::new(Method::POST, Who::Anyone, Kind::Act);
        Self { secret_part: Some(1), ..call.at(&["app-manifests", code, "conversions"]) }
    }

    /// A look for which anybody will do.
    pub(super) fn anyone() -> Self {
        Self::new(Method::GET, Who::Anyone, Kind::Look)
    }

    /// Adds parts of the address.
    pub(super) fn at(mut self, parts: &[&str]) -> Self {
        self.parts.extend(parts.iter().map(|part| (*part).to_owned()));
        self
    }

    /// Adds a number to the address.
    pub(super) fn n(self, n: u64) -> Self {
        self.at(&[&n.to_string()])
    }

    pub(super) fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Takes the query of another address in place of its own: that of a next page.
    pub(super) fn with_query_of(mut self, url: &Url) -> Self {
        self.query = url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        self
    }

    pub(super) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Lets the call go before others.
    pub(super) fn publishing(mut self) -> Self {
        self.rank = Rank::Publish;
        self
    }

    pub(super) fn etag(mut self, etag: Option<&str>) -> Self {
        self.etag = etag.map(str::to_owned);
        self
    }

    /// The whole address, below that of the API.
    pub(super) fn url(&self, api: &Url) -> Result<Url> {
        let mut url = api.clone();
        let invalid = || CallError::Invalid {
            why: format!("`{}` is not a path at GitHub", error::short(&self.path())),
        };
        // A part like these would be taken for a step up, or for none.
        if self.parts.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) {
            return Err(invalid());
        }
        url.path_segments_mut().map_err(|()| invalid())?.pop_if_empty().extend(&self.parts);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// The path for messages.
    pub(super) fn path(&self) -> String {
        let mut parts = self.parts.clone();
        if let Some(part) = self.secret_part.and_then(|at| parts.get_mut(at)) {
            "…".clone_into(part);
        }
        parts.join("/")
    }
}

#[cfg(test)]
mod tests;
