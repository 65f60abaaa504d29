//! From a host to addresses that may be connected to.
//!
//! A name is looked up once. All of its addresses are checked, one that may not
//! be reached refuses the name, and what is connected to is an address of that
//! very answer: no second lookup could say something else.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use zazen_core::host::{Authority, Host, Reach};

use super::deny::{Denied, OWN};
use super::{Means, Times};

/// Finds the addresses of a name.
pub(in crate::gateway) trait Resolve: Send + Sync + fmt::Debug {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's own resolver.
#[derive(Debug)]
pub(in crate::gateway) struct System;

/// How many addresses of a host are tried.
const ADDRESSES_MAX: usize = 4;

impl Resolve for System {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        let found = async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        };
        found.boxed()
    }
}

/// The addresses that may be connected to for this host, the first to be tried first.
pub(super) async fn addresses(
    means: &Means,
    authority: &Authority,
    reach: Reach,
) -> Result<Vec<SocketAddr>, Denied> {
    let mut found = match authority.host() {
        Host::Address(address) => vec![*address],
        Host::Name(name) => {
            let found = timeout(means.times.lookup, means.resolver.resolve(name.as_str()));
            match found.await {
                Ok(Ok(found)) => found,
                Ok(Err(err)) => {
                    tracing::debug!("the host {authority} has no address: {err}");
                    Vec::new()
                }
                Err(_) => return Err(Denied::Silent),
            }
        }
    };
    if found.is_empty() {
        return Err(Denied::UnknownName { authority: authority.to_string() });
    }
    for address in &found {
        reach.check(*address).map_err(|class| Denied::address(authority, class))?;
        if !reach.includes_own() && is_own(*address) {
            return Err(Denied::Address { authority: authority.to_string(), kind: OWN });
        }
    }
    found.truncate(ADDRESSES_MAX);
    Ok(found.into_iter().map(|address| SocketAddr::new(address, authority.port())).collect())
}

/// Whether an address is this machine's own: whether a socket can have it.
///
/// The kernel is asked, for the one address and at this moment, so that nothing
/// can change between a list of interfaces and its use. A system that lets
/// sockets have the addresses of others (`ip_nonlocal_bind`) says yes to all,
/// and then no host is reached. So does any other doubt.
fn is_own(address: IpAddr) -> bool {
    match UdpSocket::bind((address, 0)) {
        Ok(_) => true,
        Err(err) => {
            let no_such_family = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
            err.kind() != io::ErrorKind::AddrNotAvailable
                && err.raw_os_error() != Some(no_such_family)
        }
    }
}

/// Connects to the first address that answers.
pub(super) async fn dial(addresses: &[SocketAddr], times: &Times) -> Result<TcpStream, Denied> {
    let mut why = Denied::Unreachable;
    for address in addresses {
        match timeout(times.connect, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A tunnel carries what was meant to go out at once.
                stream.set_nodelay(true).map_err(|_| Denied::Unreachable)?;
                return Ok(stream);
            }
            Ok(Err(_)) => why = Denied::Unreachable,
            Err(_) => why = Denied::Silent,
        }
    }
    Err(why)
}
