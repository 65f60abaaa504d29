//! Where a request wants to go, parsed once.
//!
//! An [`Authority`] can only be made by its parser, and the same value is
//! compared with a list, looked up, connected to, logged and sent on; no part
//! of zazen reads the text a second time, so no two can read it differently.
//! What is written in an unusual way is refused, never put right. Which hosts
//! may be reached is in [`Hosts`], which addresses in [`Reach`].

mod address;
mod list;
mod traffic;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use self::address::{Class, Reach};
pub use self::list::{Hosts, InvalidHost, Rule, SETS, Way};
pub use self::traffic::{Moved, Traffic};

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Authority {
    host: Host,
    port: u16,
}

/// A host, by its name or by its address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    Name(Name),
    Address(IpAddr),
}

/// The name of a host: labels of ASCII letters, digits and `-`, in small letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// A text is not a host and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuthority {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than a host can be")]
    TooLong,
    #[error("it has characters beyond ASCII; write the name in its `xn--` form")]
    NotAscii,
    #[error("it has a user in front of `@`")]
    User,
    #[error("it has an escape with `%`")]
    Escape,
    #[error("it has a character that no host has")]
    Character,
    #[error("its brackets do not hold an IPv6 address")]
    Brackets,
    #[error("its port is missing")]
    NoPort,
    #[error("its port is not a number from 1 to 65535")]
    Port,
    #[error("it ends in a dot")]
    TrailingDot,
    #[error("it has an empty label between two dots, or at its beginning")]
    EmptyLabel,
    #[error("one of its labels is too long, or begins or ends with `-`")]
    Label,
    #[error("it is a number, but not an address like `192.0.2.1`")]
    Number,
}

/// How long a name may be, and each of its labels: the limits of the name system.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// How long the text may be: the longest name with the longest port.
const TEXT_BYTES_MAX: usize = NAME_BYTES_MAX + ":65535".len();

impl Authority {
    /// Parses `host:port`, or `host` alone where there is a port that it then means.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, InvalidAuthority> {
        check_characters(text)?;
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inner, rest) = rest.split_once(']').ok_or(InvalidAuthority::Brackets)?;
                let address: Ipv6Addr = inner.parse().map_err(|_| InvalidAuthority::Brackets)?;
                let port = match rest.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if rest.is_empty() => None,
                    None => return Err(InvalidAuthority::Brackets),
                };
                (Host::Address(address.into()), port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (Host::parse(host)?, Some(port)),
                None => (Host::parse(text)?, None),
            },
        };
        let port = match port {
            Some(port) => parse_port(port)?,
            None => default_port.ok_or(InvalidAuthority::NoPort)?,
        };
        Ok(Self { host, port })
    }

    pub fn host(&self) -> &Host {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Host {
    /// Parses a name or an IPv4 address.
    fn parse(text: &str) -> Result<Self, InvalidAuthority> {
        let last = text.rsplit('.').next().unwrap_or_default();
        let is_hex = last.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("0x"))
            && last[2..].bytes().all(|b| b.is_ascii_hexdigit());
        let is_number = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
        if is_number || is_hex {
            // Resolvers read `127.1`, `0177.0.0.1`, `2130706433` and `0x7f.1` as addresses, too.
            let address: Ipv4Addr = text.parse().map_err(|_| InvalidAuthority::Number)?;
            return Ok(Self::Address(address.into()));
        }
        Ok(Self::Name(Name::parse(text)?))
    }
}

impl Name {
    fn parse(text: &str) -> Result<Self, InvalidAuthority> {
        if text.is_empty() {
            return Err(InvalidAuthority::Empty);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(InvalidAuthority::TooLong);
        }
        if text.ends_with('.') {
            return Err(InvalidAuthority::TrailingDot);
        }
        for label in text.split('.') {
            check_label(label)?;
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name lies below `parent`, at any depth.
    fn is_below(&self, parent: &Self) -> bool {
        self.0.strip_suffix(&parent.0).is_some_and(|rest| rest.ends_with('.'))
    }
}

fn check_characters(text: &str) -> Result<(), InvalidAuthority> {
    if text.is_empty() {
        return Err(InvalidAuthority::Empty);
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(InvalidAuthority::TooLong);
    }
    let wrong = text
        .bytes()
        .find(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'[' | b']')));
    Err(match wrong {
        None => return Ok(()),
        Some(b'@') => InvalidAuthority::User,
        // A zone of an IPv6 address is written with one, too.
        Some(b'%') => InvalidAuthority::Escape,
        Some(b) if !b.is_ascii() => InvalidAuthority::NotAscii,
        Some(_) => InvalidAuthority::Character,
    })
}

fn check_label(label: &str) -> Result<(), InvalidAuthority> {
    if label.is_empty() {
        return Err(InvalidAuthority::EmptyLabel);
    }
    if label.bytes().any(|b| !(b.is_ascii_alphanumeric() || b == b'-')) {
        return Err(InvalidAuthority::Character);
    }
    if label.len() > LABEL_BYTES_MAX || label.starts_with('-') || label.ends_with('-') {
        return Err(InvalidAuthority::Label);
    }
    Ok(())
}

fn parse_port(text: &str) -> Result<u16, InvalidAuthority> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let port = is_plain.then(|| text.parse().ok()).flatten();
    port.ok_or(InvalidAuthority::Port)
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&name.0),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests;
