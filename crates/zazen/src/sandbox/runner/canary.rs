//! Tries what must fail, before anything is started that would profit.
//!
//! If any of it succeeds the sandbox is not what it says it is, and the run is
//! refused. Nothing here leaves the machine: addresses outside are tried only
//! where there is no interface but loopback, and where there is one, that
//! alone is the failure.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType, socket};

use crate::sandbox::event::{Outcome, Tried};
use crate::sandbox::inside::Inside;

/// How long a connection may take that must not come about. In an empty
/// network it fails at once; a wait means that something took the packet.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// The address where clouds hand out credentials, and a public name server.
const OUTSIDE: [SocketAddr; 2] = [
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80),
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)), 53),
];

/// Sockets that no network namespace keeps from the host: to its virtual
/// machines, and to its kernel. The filter of system calls does.
const FILTERED: [(&str, AddressFamily); 2] =
    [("vsock", AddressFamily::VSOCK), ("alg", AddressFamily::from_raw(38))];

/// Tries everything that the orders forbid.
pub(super) fn try_all(inside: &Inside) -> Vec<Tried> {
    let forbidden = &inside.canary;
    let isolated = inside.engine.is_isolated();
    let mut tried = Vec::new();
    let mut note = |what: String, act: &dyn Fn() -> Outcome| {
        let outcome = if isolated { act() } else { Outcome::NotTried };
        tried.push(Tried { what, outcome });
    };
    for path in &forbidden.read {
        note(format!("read {}", path.display()), &|| read(path));
    }
    for path in &forbidden.write {
        note(format!("write {}", path.display()), &|| write(path));
    }
    let host = SocketAddr::from((Ipv4Addr::LOCALHOST, forbidden.host_port));
    note("see a network interface".to_owned(), &|| allowed_if(has_interface()));
    note("connect to the host's loopback".to_owned(), &|| connect(host));
    for address in OUTSIDE {
        note(format!("connect to {address}"), &|| outside(address));
    }
    note("have a capability".to_owned(), &|| allowed_if(has_capability()));
    for (name, family) in FILTERED {
        let opened = || socket(family, SocketType::DGRAM, None).is_ok();
        note(format!("open a socket of the family {name}"), &|| allowed_if(opened()));
    }
    tried
}

fn allowed_if(allowed: bool) -> Outcome {
    if allowed { Outcome::Allowed } else { Outcome::Refused }
}

fn read(path: &Path) -> Outcome {
    // A folder that stands there empty, as the way to a mounted tool, shows nothing.
    let shows_entries =
        || fs::read_dir(path).is_ok_and(|mut entries| entries.any(|entry| entry.is_ok()));
    let kind = fs::symlink_metadata(path).map(|metadata| metadata.file_type());
    allowed_if(match kind {
        Ok(kind) if kind.is_dir() => shows_entries(),
        // It cannot be opened, and whoever gets through to it needs no more.
        Ok(kind) if kind.is_socket() => UnixStream::connect(path).is_ok(),
        Ok(_) | Err(_) => fs::File::open(path).is_ok(),
    })
}

fn write(path: &Path) -> Outcome {
    // Never truncates, never writes: to be able to open is enough.
    let opened = OpenOptions::new().write(true).create(!path.exists()).truncate(false).open(path);
    if opened.is_ok() && !path.starts_with("/proc") {
        fs::remove_file(path).ok();
    }
    allowed_if(opened.is_ok())
}

fn connect(address: SocketAddr) -> Outcome {
    match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
        Ok(_) => Outcome::Allowed,
        Err(err) => allowed_if(err.kind() == ErrorKind::TimedOut),
    }
}

/// Tries TCP and UDP. A datagram that is refused has not been sent.
fn outside(address: SocketAddr) -> Outcome {
    if has_interface() {
        return Outcome::Allowed;
    }
    let datagram =
        UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| socket.connect(address));
    match connect(address) {
        Outcome::Refused => allowed_if(datagram.is_ok()),
        other @ (Outcome::Allowed | Outcome::NotTried) => other,
    }
}

/// Whether there is any interface but loopback. If nobody can say, there is.
fn has_interface() -> bool {
    let Ok(interfaces) = fs::read_to_string("/proc/net/dev") else { return true };
    let names = interfaces.lines().filter_map(|line| Some(line.split_once(':')?.0.trim()));
    names.into_iter().any(|name| name != "lo")
}

fn has_capability() -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return true };
    let has = |field: &str, none: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(field));
        value.is_none_or(|value| value.trim() != none)
    };
    has("CapEff:", "0000000000000000")
        || has("CapPrm:", "0000000000000000")
        || has("NoNewPrivs:", "1")
}
