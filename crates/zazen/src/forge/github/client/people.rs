//! Who zazen is at GitHub, and what others may do in a repository.
//!
//! What follows from a permission is decided elsewhere.

use reqwest::Method;
use serde::Deserialize;
use zazen_core::id::{PullNumber, RepoName};
use zazen_core::trust::Permission;

use super::call::{Call, Grant};
use super::token::Login;
use super::wire::{self, Actor, WireActor};
use super::{CallError, Client, Result};

#[derive(Debug, Deserialize)]
struct App {
    slug: String,
}

#[derive(Debug, Deserialize)]
struct WirePermission {
    permission: Option<String>,
    role_name: Option<String>,
    user: Option<WireActor>,
}

/// How long a login may be; GitHub's own are shorter.
const LOGIN_BYTES_MAX: usize = 100;

impl Client {
    /// Who writes the comments of this zazen. Asked once.
    pub async fn me(&self) -> Result<Actor> {
        self.inner.me.get_or_try_init(|| self.ask_me()).await.cloned()
    }

    async fn ask_me(&self) -> Result<Actor> {
        if !matches!(self.inner.tokens.login(), Login::App { .. }) {
            let me: WireActor = self.get(&Call::anyone().at(&["user"])).await?;
            return Ok(me.into_actor());
        }
        let call = Call::app(Method::GET).at(&["app"]);
        let app: App = self.get(&call).await?;
        if !is_login(&app.slug) {
            let why = format!("{} names no App", self.inner.transport.asked(&call));
            return Err(CallError::Broken { why });
        }
        let login = format!("{}[bot]", app.slug);
        // Without the id, the login does: nobody else can have one with brackets.
        let known = self.get::<WireActor>(&Call::anyone().at(&["users", &login])).await;
        let id = known.map(WireActor::into_actor).ok().filter(|actor| actor.login == login);
        Ok(Actor { login, id: id.map_or(0, |actor| actor.id), is_bot: true })
    }

    /// What somebody may do in a repository, by GitHub's word of this moment.
    pub async fn permission(&self, repo: &RepoName, login: &str) -> Result<Permission> {
        if !is_login(login) {
            return Ok(Permission::None);
        }
        let call = Call::look(repo, Grant::Who).at(&["collaborators", login, "permission"]);
        let found: WirePermission = match self.get(&call).await {
            Err(CallError::NotFound { .. }) => return Ok(Permission::None),
            found => found?,
        };
        let whose = wire::actor(found.user).login;
        if !whose.is_empty() && !whose.eq_ignore_ascii_case(login) {
            let why = format!("{} is answered for another", self.inner.transport.asked(&call));
            return Err(CallError::Broken { why });
        }
        Ok(permission(found.permission.as_deref(), found.role_name.as_deref()))
    }

    /// Asks people to review a pull request.
    pub async fn request_reviewers(
        &self,
        repo: &RepoName,
        n: PullNumber,
        logins: &[&str],
    ) -> Result<()> {
        if let Some(wrong) = logins.iter().find(|login| !is_login(login)) {
            let why = format!("`{}` is nobody's login", super::error::short(wrong));
            return Err(CallError::Invalid { why });
        }
        let call = Call::act(Method::POST, repo, Grant::Propose)
            .at(&["pulls"])
            .n(n.0)
            .at(&["requested_reviewers"])
            .json(serde_json::json!({ "reviewers": logins }));
        self.done(&call).await
    }
}

/// The role, where it is one of GitHub's. One of the organisation's own counts as what
/// stands beside it, whatever its name says.
fn permission(word: Option<&str>, role: Option<&str>) -> Permission {
    let parse = |word: Option<&str>| word.and_then(|word| word.parse::<Permission>().ok());
    let beside = parse(word).unwrap_or_default();
    let coarse = |role: Permission| match role {
        Permission::Triage => Permission::Read,
        Permission::Maintain => Permission::Write,
        role @ (Permission::None | Permission::Read | Permission::Write | Permission::Admin) => {
            role
        }
    };
    parse(role).filter(|role| coarse(*role) == beside).unwrap_or(beside)
}

/// Whether a text can be a login. What else it may be has no business in an address.
fn is_login(text: &str) -> bool {
    let plain = text.strip_suffix("[bot]").unwrap_or(text);
    !plain.is_empty()
        && text.len() <= LOGIN_BYTES_MAX
        && plain.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
