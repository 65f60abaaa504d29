//! What a request wants: which way, which host, and for plain HTTP which path.
//!
//! The authority is parsed here, once. The header `Host` has to say the same,
//! as a host behind the gateway would believe it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zazen_core::host::{Authority, Way};

use super::Denied;
use super::head::Head;

/// What a request wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) way: Way,
    pub(super) authority: Authority,
    /// The path with its query; empty for a tunnel.
    pub(super) path: String,
    /// Nothing but the head of the answer.
    pub(super) is_head: bool,
}

/// How the target of a plain request begins.
const SCHEME: &str = "http://";

impl Wanted {
    pub(super) fn check(head: &Head) -> Result<Self, Denied> {
        if head.method == "CONNECT" {
            return tunnel(head);
        }
        let is_head = match head.method.as_str() {
            "GET" => false,
            "HEAD" => true,
            _ => return Err(Denied::Method),
        };
        let (scheme, rest) = head
            .target
            .split_at_checked(SCHEME.len())
            .ok_or(Denied::Head("its target is no address"))?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(Denied::Scheme);
        }
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let way = Way::Plain;
        let authority = Authority::parse(authority, Some(way.port()))?;
        let host = head.only("host")?;
        if host.is_none() && !head.is_http_1_0 {
            return Err(Denied::Head("it has no header `Host`"));
        }
        check_host(&authority, host, way.port())?;
        if path.contains('#') {
            return Err(Denied::Head("its target has a fragment"));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { way, authority, path, is_head })
    }
}

fn tunnel(head: &Head) -> Result<Wanted, Denied> {
    let authority = Authority::parse(&head.target, None)?;
    check_host(&authority, head.only("host")?, authority.port())?;
    Ok(Wanted { way: Way::Tunnel, authority, path: String::new(), is_head: false })
}

fn check_host(authority: &Authority, host: Option<&str>, port: u16) -> Result<(), Denied> {
    let Some(host) = host else { return Ok(()) };
    if Authority::parse(host, Some(port))? == *authority { Ok(()) } else { Err(Denied::OtherHost) }
}

/// The secret in `Proxy-Authorization`: the password of `Basic`, whoever the user is, or
/// what is borne.
pub(super) fn credential(header: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = STANDARD.decode(rest).ok()?;
    let colon = text.iter().position(|b| *b == b':')?;
    Some(text[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests;
