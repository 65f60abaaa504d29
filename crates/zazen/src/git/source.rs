//! Where a repository comes from and goes to, and how we prove who we are.
//!
//! A [`Source`] can only be made from text that is checked, so that no later
//! code has to think about `ext::`, options in disguise or passwords in URLs.
//! The secret travels beside it, in [`Auth`], and reaches git when git asks for
//! it (see `credential`): never by a file, an argument, an environment or a log.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::{Host, Url};

/// A repository to read from or to push to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A repository on this machine, by its absolute path.
    Path(PathBuf),
    /// A repository elsewhere.
    Url(RepoUrl),
}

/// A URL that git may be given: `https`, `ssh`, `file`, or `user@host:path`.
///
/// Without encryption there is `http` to an address of this machine's own loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoUrl(String);

/// The user and the token for one remote. The token is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    user: String,
    token: String,
}

/// Where a secret may go: a scheme, and a host with its port, as git names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) protocol: String,
    pub(super) host: String,
}

/// A text that does not name a repository, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a repository's address {why}")]
pub struct InvalidSource {
    // The text itself is left out, since what is wrong may be a password in it.
    why: &'static str,
}

/// How long an address may be; git hosts refuse far less.
const URL_BYTES_MAX: usize = 2_000;

impl Source {
    /// The words that git understands.
    pub(super) fn as_arg(&self) -> &std::ffi::OsStr {
        match self {
            Self::Path(path) => path.as_os_str(),
            Self::Url(url) => url.0.as_ref(),
        }
    }

    /// Whether reaching it means leaving this machine.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Url(url) if !url.0.starts_with("file:"))
    }

    /// The one way of reaching it, in git's word.
    pub(super) fn protocol(&self) -> &str {
        match self {
            Self::Path(_) => "file",
            Self::Url(url) => url.0.split_once("://").map_or("ssh", |(protocol, _)| protocol),
        }
    }

    /// Who is given the secret for it; nobody, where no secret of ours is asked for.
    pub(super) fn origin(&self) -> Option<Origin> {
        let Self::Url(url) = self else { return None };
        let (protocol, rest) = url.0.split_once("://")?;
        let host = rest.split('/').next().unwrap_or_default();
        let is_asked = matches!(protocol, "http" | "https");
        is_asked.then(|| Origin { protocol: protocol.to_owned(), host: host.to_owned() })
    }
}

impl RepoUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Auth {
    /// HTTP basic authentication: what forges accept for a token.
    ///
    /// GitHub wants the user `x-access-token`, GitLab `oauth2`; Forgejo takes any.
    pub fn basic(user: &str, token: &str) -> Self {
        Self { user: user.to_owned(), token: token.to_owned() }
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whether both can be told to git, whose answers are lines.
    pub(super) fn is_one_line(&self) -> bool {
        let is_fine = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        is_fine(&self.user) && is_fine(&self.token)
    }
}

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        if Path::new(text).is_absolute() {
            return path(text).map(Self::Path);
        }
        text.parse().map(Self::Url)
    }
}

impl FromStr for RepoUrl {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        let invalid = |why| Err(InvalidSource { why });
        if text.is_empty() || text.len() > URL_BYTES_MAX {
            return invalid("is empty or longer than 2,000 bytes");
        }
        if text.starts_with('-') {
            return invalid("must not start with `-`");
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return invalid("must be plain ASCII, without spaces or control characters");
        }
        if text.contains("::") {
            return invalid("must not contain `::` (git would start a helper program)");
        }
        if text.contains("://") { check_url(text) } else { check_scp(text) }?;
        Ok(Self(text.to_owned()))
    }
}

fn path(text: &str) -> Result<PathBuf, InvalidSource> {
    if text.chars().any(char::is_control) {
        return Err(InvalidSource { why: "must not contain control characters" });
    }
    Ok(PathBuf::from(text))
}

fn check_url(text: &str) -> Result<(), InvalidSource> {
    let invalid = |why| Err(InvalidSource { why });
    let Ok(url) = Url::parse(text) else {
        return invalid("is not a URL that can be read");
    };
    if url.password().is_some() {
        return invalid("must not contain a password; configure a token instead");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return invalid("must not contain `?` or `#`");
    }
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" | "http" if !url.username().is_empty() => {
            invalid("must not contain a user or token; configure a token instead")
        }
        "https" if host.is_empty() => invalid("needs a host"),
        "http" if !is_loopback(&url) => {
            invalid("must begin with `https://`; without encryption anybody could read a token")
        }
        "ssh" if !is_ssh_name(host) => invalid("needs a plain host name"),
        "ssh" if !url.username().is_empty() && !is_ssh_name(url.username()) => {
            invalid("has an unusual user name")
        }
        "file" if !host.is_empty() => invalid("must not name a host after `file:`"),
        "https" | "http" | "ssh" | "file" => Ok(()),
        _ => invalid("must be an absolute path, `https://…`, `ssh://…` or `git@host:path`"),
    }
}

/// Whether it is this machine by its address. A name could be somebody else's tomorrow.
fn is_loopback(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Ipv4(address)) if address.is_loopback())
}

/// Checks `user@host:path`, which ssh is started for.
fn check_scp(text: &str) -> Result<(), InvalidSource> {
    let why = "must be an absolute path, `https://…`, `ssh://…` or `git@host:path`";
    let (user, rest) = text.split_once('@').ok_or(InvalidSource { why })?;
    let (host, path) = rest.split_once(':').ok_or(InvalidSource { why })?;
    let is_fine = is_ssh_name(user) && is_ssh_name(host) && !path.is_empty();
    if is_fine && !path.starts_with('-') { Ok(()) } else { Err(InvalidSource { why }) }
}

/// Whether ssh takes this for a name, and never for an option.
fn is_ssh_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(&url.0),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth(…)")
    }
}

#[cfg(test)]
mod tests;
