//! What the double knows beside emulate: who may what, and all that emulate has no place for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::faults::Planned;

/// Who owns the repository, and may do everything in it.
pub(crate) const OWNER: &str = "ada";
/// The repository's name.
pub(crate) const NAME: &str = "tally";
/// The account whose fine-grained token zazen may be given.
pub(crate) const MACHINE: &str = "zazen-machine";
/// What the App's own comments are by.
pub(crate) const APP_LOGIN: &str = "zazen-test[bot]";
/// The id of the App's account. emulate has one only once the App has written something.
pub(super) const APP_USER: u64 = 9_000_001;
/// Everybody else who may come up in a test.
pub(crate) const CAST: &[&str] =
    &["alice", "bob", "carol", "dave", "erin", "mallory", "renovate[bot]"];
pub(super) const APP_ID: u64 = 4711;
pub(super) const INSTALLATION: u64 = 8086;
/// What webhooks are signed with.
pub(crate) const WEBHOOK_SECRET: &str = "canary-webhook-2f1d9c40b7";

/// What somebody may do in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Permission {
    /// Nobody to the repository: may read it where it is public.
    None,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// A person at the web page.
    Person { login: String },
    /// An account with a fine-grained token.
    Machine { login: String, permissions: BTreeMap<String, String> },
    /// The App in one installation.
    Installation { permissions: BTreeMap<String, String>, repos: Option<Vec<String>> },
    /// The App itself.
    App,
}

/// A token, and what it opens.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) holder: Holder,
    /// The one that emulate knows.
    pub(super) inner: String,
    pub(super) is_dead: bool,
}

/// What is true of a pull request and emulate cannot know: it has no git.
#[derive(Debug, Clone, Default)]
pub(super) struct PullFacts {
    pub(super) head_owner: String,
    pub(super) head: String,
    pub(super) head_commit: String,
    pub(super) base: String,
    pub(super) base_commit: String,
    pub(super) is_closed: bool,
    /// The commit, by whom, and when.
    pub(super) merged: Option<(String, String, String)>,
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// The path as GitHub's description has it; `git/upload-pack` and the like for git.
    pub(crate) template: String,
    pub(crate) body: Value,
    /// Who, and what the token may do: `installation contents:read`. Never the token.
    pub(crate) who: String,
    /// 0 if no answer was sent.
    pub(crate) status: u16,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) people: BTreeMap<String, Permission>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) calls: Vec<Call>,
    pub(super) violations: Vec<String>,
    pub(super) faults: Vec<Planned>,
    pub(super) last_id: u64,
    pub(super) pulls: BTreeMap<u64, PullFacts>,
    /// Items that changed in a way emulate does not note, and when.
    pub(super) touched: BTreeMap<u64, String>,
    /// `(issue, number)`, `(comment, id)`, `(review-comment, id)`.
    pub(super) reactions: Vec<((String, u64), Value)>,
    pub(super) events: Vec<(u64, Value)>,
    pub(super) review_comments: Vec<(u64, Value)>,
    pub(super) check_runs: Vec<Value>,
    /// Each with its commit.
    pub(super) statuses: Vec<(String, Value)>,
    pub(super) runs: Vec<Value>,
    pub(super) jobs: Vec<Value>,
    pub(super) logs: BTreeMap<u64, String>,
    pub(super) deliveries: Vec<super::deliveries::Delivery>,
    /// Issues that are not there any more, with the status that says so.
    pub(super) gone: BTreeMap<u64, u16>,
    pub(super) forks: BTreeSet<String>,
    /// How many requests of each token counted against its limit.
    pub(super) used: BTreeMap<String, u64>,
    /// What an App made from a manifest can be had with.
    pub(super) manifest_code: Option<String>,
    /// The parts of issues, by their numbers.
    pub(super) sub_issues: BTreeMap<u64, Vec<u64>>,
    pub(super) no_drafts: bool,
    pub(super) is_private: bool,
}

impl Permission {
    /// What the API says of it, the old way: `maintain` is `write`, `triage` is `read`.
    pub(super) fn coarse(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read | Self::Triage => "read",
            Self::Write | Self::Maintain => "write",
            Self::Admin => "admin",
        }
    }

    /// The name of the role.
    pub(super) fn role(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

impl Holder {
    /// Who their texts are by.
    pub(super) fn login(&self) -> &str {
        match self {
            Self::Person { login } | Self::Machine { login, .. } => login,
            Self::Installation { .. } | Self::App => APP_LOGIN,
        }
    }

    /// For people who read a test's failure.
    pub(super) fn shown(&self) -> String {
        let list = |permissions: &BTreeMap<String, String>| {
            permissions.iter().map(|(k, v)| format!("{k}:{v}")).collect::<Vec<_>>().join(",")
        };
        match self {
            Self::Person { login } => login.clone(),
            Self::Machine { login, permissions } => format!("{login} {}", list(permissions)),
            Self::Installation { permissions, .. } => format!("installation {}", list(permissions)),
            Self::App => "app".to_owned(),
        }
    }

    pub(super) fn is_app(&self) -> bool {
        matches!(self, Self::Installation { .. } | Self::App)
    }
}

impl State {
    /// The next id of something that emulate does not number.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        9000 + self.last_id
    }

    /// What somebody may do, the public's right to read included.
    pub(super) fn permission(&self, login: &str) -> Permission {
        let least = if self.is_private { Permission::None } else { Permission::Read };
        self.people.get(login).copied().unwrap_or(Permission::None).max(least)
    }
}

/// The token that a person's own requests carry, here and at emulate.
pub(super) fn person_token(login: &str) -> String {
    format!("ghp_{}", blake3::hash(login.as_bytes()).to_hex().get(..36).expect("it has 64"))
}

/// Now, as GitHub writes it.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
