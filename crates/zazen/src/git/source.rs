//! Where a repository comes from and goes to, and how we prove who we are.
//!
//! A [`Source`] can only be made from text that is checked, so that no later
//! code has to think about `ext::`, options in disguise or passwords in URLs.
//! The secret travels beside it, in [`Auth`], and reaches git through the
//! environment of one process: never a file, never an argument, never a log.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

/// A repository to read from or to push to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A repository on this machine, by its absolute path.
    Path(PathBuf),
    /// A repository elsewhere.
    Url(RepoUrl),
}

/// A URL that git may be given: `https`, `ssh`, `file`, or `user@host:path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoUrl(String);

/// The `Authorization` header for one remote. Its text is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Auth(String);

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
        Self(format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{token}"))))
    }

    /// The whole header line, for the environment of one git process.
    pub(super) fn header(&self) -> &str {
        &self.0
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
        "https" if !url.username().is_empty() => {
            invalid("must not contain a user or token; configure a token instead")
        }
        "https" if host.is_empty() => invalid("needs a host"),
        "ssh" if !is_ssh_name(host) => invalid("needs a plain host name"),
        "ssh" if !url.username().is_empty() && !is_ssh_name(url.username()) => {
            invalid("has an unusual user name")
        }
        "file" if !host.is_empty() => invalid("must not name a host after `file:`"),
        "https" | "ssh" | "file" => Ok(()),
        _ => invalid("must be an absolute path, `https://…`, `ssh://…` or `git@host:path`"),
    }
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
