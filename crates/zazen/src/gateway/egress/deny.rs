//! How a request to a host is refused: a status, the rule, and what to do.
//!
//! The reason phrase names the rule too, as it is all that some clients show.
//! Nothing of what is behind the gateway is said: no address, no error of the
//! system.

use zazen_core::host::{Class, InvalidAuthority};

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::gateway) enum Denied {
    #[error("the request is not HTTP as it has to be: {0}")]
    Head(&'static str),
    #[error("the head of the request is too large")]
    TooLarge,
    #[error("the head of the request did not arrive in time")]
    Slow,
    #[error("this run has too many connections open; close some")]
    Busy,
    #[error("this is not the token of this run, or the run is over; use the proxy as it is set")]
    Token,
    #[error("only GET and HEAD go out as plain HTTP; use https for anything else")]
    Method,
    #[error("`https` goes through CONNECT; this is a plain request")]
    Scheme,
    #[error("the host cannot be read: {0}")]
    Authority(#[from] InvalidAuthority),
    #[error("the header `Host` names another host than the request")]
    OtherHost,
    #[error(
        "hosts: `{authority}` is not on the list of repository {repo}; \
         add it to `hosts` in zazen.toml"
    )]
    Hosts { authority: String, repo: String },
    #[error(
        "`{authority}` has an address of the kind `{kind}`, which is not reached; \
         a host of the house goes into `private` in zazen.toml"
    )]
    Address { authority: String, kind: &'static str },
    #[error("`{authority}` is not known to the name system")]
    UnknownName { authority: String },
    #[error("the host cannot be reached")]
    Unreachable,
    #[error("the host did not answer in time")]
    Silent,
    #[error("the host did not answer as HTTP has it")]
    BadAnswer,
    #[error(
        "this run has moved as much as it may; \
         `limits.download` and `limits.upload` in zazen.toml say how much that is"
    )]
    Spent,
    #[error("this decision could not be logged")]
    NoLog,
    #[error("the gateway failed at this request")]
    Bug,
}

/// The word for an address that this machine has itself.
pub(super) const OWN: &str = "own";

impl Denied {
    /// A host's address is of a kind that may not be reached.
    pub(super) fn address(authority: &impl ToString, class: Class) -> Self {
        Self::Address { authority: authority.to_string(), kind: class.word() }
    }

    /// The rule that was broken.
    pub(super) fn rule(&self) -> &'static str {
        match self {
            Self::Head(_) | Self::TooLarge | Self::Slow => "http",
            Self::Busy => "connections",
            Self::Token => "run-token",
            Self::Method | Self::Scheme => "plain-http",
            Self::Authority(_) | Self::OtherHost => "authority",
            Self::Hosts { .. } => "hosts",
            Self::Address { .. } => "address",
            Self::UnknownName { .. } | Self::Unreachable | Self::Silent | Self::BadAnswer => "host",
            Self::Spent => "transfer",
            Self::NoLog => "egress-log",
            Self::Bug => "bug",
        }
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Head(_) | Self::Authority(_) | Self::OtherHost | Self::Scheme => 400,
            Self::Hosts { .. } | Self::Address { .. } | Self::Spent => 403,
            Self::Method => 405,
            Self::Token => 407,
            Self::Slow => 408,
            Self::TooLarge => 431,
            Self::NoLog | Self::Bug => 500,
            Self::UnknownName { .. } | Self::Unreachable | Self::BadAnswer => 502,
            Self::Busy => 503,
            Self::Silent => 504,
        }
    }

    /// The whole answer, as it goes over the wire.
    pub(in crate::gateway) fn answer(&self) -> Vec<u8> {
        let (status, rule) = (self.status(), self.rule());
        let body = format!("zazen gateway: {self} (rule `{rule}`)\n");
        let more = if *self == Self::Token {
            "proxy-authenticate: Basic realm=\"zazen\"\r\n"
        } else if *self == Self::Method {
            "allow: GET, HEAD\r\n"
        } else {
            ""
        };
        format!(
            "HTTP/1.1 {status} refused by zazen, rule {rule}\r\n\
             content-type: text/plain; charset=utf-8\r\n\
             content-length: {}\r\nconnection: close\r\n{more}\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}
