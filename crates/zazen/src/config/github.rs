//! What of `zazen.toml` is about GitHub: where it is, how zazen logs in, how news come.
//!
//! The keys and tokens themselves are never in the file. Who reads them is the daemon.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;
use zazen_core::id::RepoName;

use super::{Check, Error, raw, units};
use crate::http;

/// GitHub, as the owner wants it used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Github {
    /// Where its API is: `https://api.github.com`, or `https://HOST/api/v3`.
    pub api: Url,
    pub login: GithubLogin,
    /// Where webhooks are listened for; nothing, if none come.
    pub listen: Option<SocketAddr>,
    /// The file with the secret that webhooks are signed with.
    pub webhook_secret: PathBuf,
    pub poll: Poll,
    /// Whether a pull request closes its issue when it is merged.
    pub closes: bool,
    /// Whether the limits of github.com are kept, beyond what the server says.
    pub keeps_limits: bool,
}

/// How zazen proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GithubLogin {
    /// Not yet.
    None,
    App {
        id: u64,
        key: PathBuf,
    },
    Variable(String),
    File(PathBuf),
    /// By the token that `gh` has.
    Gh,
}

/// How often GitHub is asked what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// Often where much happens, seldom elsewhere.
    Auto,
    /// Never: only webhooks count.
    Off,
    Every(Duration),
}

/// Where a repository's issues and pull requests are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forge {
    /// In the home.
    Local,
    Github,
}

/// The folder below a home in which the secrets for GitHub are kept. Git never sees it.
pub const GITHUB_DIR: &str = ".zazen/github";

/// The names of the files in there.
pub const APP_KEY_FILE: &str = "app.pem";
pub const WEBHOOK_SECRET_FILE: &str = "webhook-secret";

/// The default of `github.api`.
pub const GITHUB_API: &str = "https://api.github.com";

/// The host of github.com's API, which is not the one of its pages and repositories.
const API_HOST: &str = "api.github.com";

impl Github {
    /// The address at which people find a page or git a repository, without the API's path.
    pub fn web(&self) -> Url {
        web_of(&self.api)
    }

    /// Where git finds a repository.
    pub fn git_url(&self, repo: &RepoName) -> String {
        format!("{}{repo}.git", self.web())
    }
}

/// The address of the pages that belong to an API.
pub fn web_of(api: &Url) -> Url {
    let mut web = api.clone();
    web.set_path("/");
    let host = api.host_str().unwrap_or_default();
    // `api.github.com`, and `api.NAME.ghe.com` of companies that GitHub hosts.
    let own = host.strip_prefix("api.").filter(|own| host == API_HOST || own.ends_with(".ghe.com"));
    if let Some(own) = own {
        // A part of a host's name is a host's name, so this does not fail.
        let _set = web.set_host(Some(own));
    }
    web
}

/// Whether an address can be that of an API to which a token is sent.
pub fn check_api(text: &str) -> Result<Url, String> {
    let wrong = |why: &str| Err(format!("`{text}` cannot be the address of GitHub's API: {why}"));
    let Ok(mut url) = Url::parse(text) else {
        return wrong("write it like `https://HOST/api/v3`");
    };
    if !http::may_carry_secrets(&url) {
        return wrong("it has to be `https`; only an address of this machine may be `http`");
    }
    let has_login = !url.username().is_empty() || url.password().is_some();
    if has_login || url.query().is_some() || url.fragment().is_some() {
        return wrong("no login, `?` or `#` may be in it");
    }
    // People copy the address of the pages. Nothing else is at the root of that host.
    if url.host_str() == Some("github.com") {
        return wrong(
            "that is where the pages are; leave it out, or write `https://api.github.com`",
        );
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

impl Check<'_> {
    pub(super) fn github(&self, raw: Option<raw::Github>) -> Result<Option<Github>, Error> {
        let Some(raw) = raw else { return Ok(None) };
        let wrong = |key: &str, why: &str| self.wrong(&["github", key], why);
        let api = check_api(raw.api.as_deref().unwrap_or(GITHUB_API));
        let listen = raw.listen.as_deref().map(str::parse).transpose().map_err(|_| {
            let why = "`listen` is not an address and a port, like `127.0.0.1:7171`";
            wrong("listen", why)
        })?;
        let poll = self.poll(raw.poll.as_deref().unwrap_or("auto"))?;
        if poll == Poll::Off && listen.is_none() {
            let why = "with `poll = \"off\"` and without `listen`, zazen would hear of nothing";
            return Err(wrong("poll", why));
        }
        let keeps_limits = match raw.limits.as_deref().unwrap_or("github") {
            "github" => true,
            "as-told" => false,
            other => {
                let why = format!("`{other}` is not a kind of limits; write `github` or `as-told`");
                return Err(wrong("limits", &why));
            }
        };
        let own = |name: &str| self.root.join(GITHUB_DIR).join(name);
        Ok(Some(Github {
            api: api.map_err(|why| wrong("api", &why))?,
            listen,
            webhook_secret: raw
                .webhook_secret_file
                .as_ref()
                .map_or_else(|| own(WEBHOOK_SECRET_FILE), |path| self.host_path(path)),
            poll,
            closes: raw.closes.unwrap_or(false),
            keeps_limits,
            login: self.github_login(raw)?,
        }))
    }

    /// The first that is written counts: an App before a token.
    fn github_login(&self, raw: raw::Github) -> Result<GithubLogin, Error> {
        let key = raw.app_key_file.map_or_else(
            || self.root.join(GITHUB_DIR).join(APP_KEY_FILE),
            |path| self.host_path(&path),
        );
        Ok(match (raw.app_id, raw.token_env, raw.token_file) {
            (Some(0), ..) => {
                let why = "`app_id` is 0; write the number that the App's page at GitHub shows";
                return Err(self.wrong(&["github", "app_id"], why));
            }
            (Some(id), ..) => GithubLogin::App { id, key },
            (None, Some(name), _) => GithubLogin::Variable(name),
            (None, None, Some(path)) => GithubLogin::File(self.host_path(&path)),
            (None, None, None) if raw.gh.unwrap_or(false) => GithubLogin::Gh,
            (None, None, None) => GithubLogin::None,
        })
    }

    fn poll(&self, text: &str) -> Result<Poll, Error> {
        match text {
            "auto" => Ok(Poll::Auto),
            "off" => Ok(Poll::Off),
            span => units::duration(span).map(Poll::Every).map_err(|_| {
                let why =
                    format!("`{span}` is not how often to poll; write `auto`, `off` or `60s`");
                self.wrong(&["github", "poll"], &why)
            }),
        }
    }

    /// Where a repository is, and where its code comes from.
    pub(super) fn forge(
        &self,
        raw: &raw::Repo,
        (place, github): (&str, Option<&Github>),
    ) -> Result<(Forge, String), Error> {
        let wrong = |key: &str, why: &str| self.wrong(&["repo", place, key], why);
        match (raw.forge.as_deref().unwrap_or("local"), &raw.source) {
            ("local", Some(source)) => Ok((Forge::Local, source.clone())),
            ("local", None) => Err(wrong(
                "name",
                &format!("`{}` has no `source`: write the path or the URL of its code", raw.name),
            )),
            ("github", source) => {
                let github = github.filter(|github| github.login != GithubLogin::None);
                let Some(github) = github else {
                    let why = format!(
                        "`{}` is at GitHub, and `[github]` does not say how zazen logs in there; \
                         `zazen github setup` makes an App, or write `token_env`",
                        raw.name
                    );
                    return Err(wrong("forge", &why));
                };
                let url = raw.name.parse().map(|name| github.git_url(&name)).unwrap_or_default();
                Ok((Forge::Github, source.clone().unwrap_or(url)))
            }
            (other, _) => {
                let why = format!("`{other}` is not a forge; there are `local` and `github`");
                Err(wrong("forge", &why))
            }
        }
    }
}
