//! Reads the first request of a connection, and says whose business it is.
//!
//! What is meant for a host is parsed here and by nothing else, strictly: one
//! form of everything, and an error for what two programs could read in two
//! ways (folded lines, bare line feeds, two lengths, bodies). What is meant for
//! a model goes on to hyper with the bytes that were read.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use super::Denied;

/// Whose business a connection is.
#[derive(Debug)]
pub(in crate::gateway) enum First {
    /// A model call, or nothing known; the bytes so far.
    Model(Bytes),
    /// A request to a host, and what came after its head.
    Host(Head, Bytes),
    Wrong(Denied),
    /// The client left, or was idle for too long.
    Gone,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gateway) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) is_http_1_0: bool,
    /// The names in small letters.
    pub(super) headers: Vec<(String, String)>,
}

/// How large a head may be. Those of package managers have a kilobyte or two.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// How many headers it may have.
const HEADERS_MAX: usize = 64;

/// How long a method may be; the longest known ones have about as many letters.
const METHOD_BYTES_MAX: usize = 20;

impl First {
    /// Reads until it is clear. `idle` is for the first byte, `slow` for the rest.
    pub(in crate::gateway) async fn read(
        stream: &mut (impl AsyncRead + Unpin),
        (idle, slow): (Duration, Duration),
    ) -> Self {
        let mut begun = BytesMut::with_capacity(1 << 10);
        match timeout(idle, stream.read_buf(&mut begun)).await {
            Ok(Ok(n)) if n > 0 => {}
            Ok(Ok(_) | Err(_)) | Err(_) => return Self::Gone,
        }
        timeout(slow, rest(stream, begun)).await.unwrap_or(Self::Wrong(Denied::Slow))
    }
}

async fn rest(stream: &mut (impl AsyncRead + Unpin), mut begun: BytesMut) -> First {
    loop {
        match is_for_host(&begun) {
            Some(false) => return First::Model(begun.freeze()),
            Some(true) => match split(&mut begun) {
                Ok(Some(head)) => {
                    return match Head::parse(&head) {
                        Ok(head) => First::Host(head, begun.freeze()),
                        Err(denied) => First::Wrong(denied),
                    };
                }
                Ok(None) => {}
                Err(denied) => return First::Wrong(denied),
            },
            None => {}
        }
        match stream.read_buf(&mut begun).await {
            Ok(n) if n > 0 => {}
            Ok(_) | Err(_) => return First::Gone,
        }
    }
}

/// Whether this is the beginning of a request to a host. None is not clear yet.
fn is_for_host(begun: &[u8]) -> Option<bool> {
    let Some(at) = begun.iter().position(|b| *b == b' ') else {
        let cannot = begun.len() > METHOD_BYTES_MAX || begun.contains(&b'\n');
        return cannot.then_some(false);
    };
    if begun[..at].contains(&b'\n') {
        return Some(false);
    }
    let first = *begun.get(at + 1)?;
    Some(&begun[..at] == b"CONNECT" || !matches!(first, b'/' | b'*'))
}

/// Takes the head off the bytes, if it is whole.
fn split(begun: &mut BytesMut) -> Result<Option<BytesMut>, Denied> {
    let mut line_start = 0;
    for (at, _) in begun.iter().enumerate().filter(|(_, b)| **b == b'\n') {
        if at == 0 || begun[at - 1] != b'\r' {
            return Err(Denied::Head("a line ends without a carriage return"));
        }
        if at > HEAD_BYTES_MAX {
            break;
        }
        if at == line_start + 1 {
            return Ok(Some(begun.split_to(at + 1)));
        }
        line_start = at + 1;
    }
    if begun.len() > HEAD_BYTES_MAX { Err(Denied::TooLarge) } else { Ok(None) }
}

impl Head {
    /// Parses a head with the empty line at its end.
    fn parse(bytes: &[u8]) -> Result<Self, Denied> {
        let wrong = |why| Err(Denied::Head(why));
        if bytes.iter().any(|b| !matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n')) {
            return wrong("it has a character that is not plain ASCII");
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Denied::Bug)?;
        let text = text.strip_suffix("\r\n\r\n").ok_or(Denied::Bug)?;
        let mut lines = text.split("\r\n");
        let mut parts = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return wrong("its first line does not have three parts");
        };
        if method.is_empty()
            || method.len() > METHOD_BYTES_MAX
            || !method.bytes().all(|b| b.is_ascii_uppercase())
        {
            return wrong("its method is none");
        }
        let is_http_1_0 = match version {
            "HTTP/1.0" => true,
            "HTTP/1.1" => false,
            _ => return wrong("its version is not 1.1 or 1.0"),
        };
        let headers = lines.map(header).collect::<Result<Vec<_>, _>>()?;
        if headers.len() > HEADERS_MAX {
            return Err(Denied::TooLarge);
        }
        let (method, target) = (method.to_owned(), target.to_owned());
        let head = Self { method, target, is_http_1_0, headers };
        head.check_no_body()?;
        Ok(head)
    }

    /// The one value of a header. Two are an error, even if they are the same.
    pub(super) fn only(&self, name: &str) -> Result<Option<&str>, Denied> {
        let mut values = self.headers.iter().filter(|(n, _)| n == name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Denied::Head("a header is there twice that can only be there once"));
        }
        Ok(first.map(|(_, value)| value.as_str()))
    }

    fn check_no_body(&self) -> Result<(), Denied> {
        if self.only("transfer-encoding")?.is_some() {
            return Err(Denied::Head("it has a body"));
        }
        match self.only("content-length")? {
            None | Some("0") => Ok(()),
            Some(_) => Err(Denied::Head("it has a body")),
        }
    }
}

fn header(line: &str) -> Result<(String, String), Denied> {
    let wrong = |why| Err(Denied::Head(why));
    if line.contains('\r') {
        return wrong("a carriage return stands alone");
    }
    if line.starts_with([' ', '\t']) {
        return wrong("a line is folded");
    }
    let Some((name, value)) = line.split_once(':') else {
        return wrong("a header has no colon");
    };
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(is_token) {
        return wrong("the name of a header is none");
    }
    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
}

#[cfg(test)]
mod tests;
