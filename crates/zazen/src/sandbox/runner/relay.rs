//! The way to the gateway: a port on the sandbox's own loopback, a unix socket
//! behind it.
//!
//! It carries bytes and knows nothing of them. When the gateway is not there
//! (the daemon is being restarted, say) a connection waits for it to come
//! back, so that a restart is only a slow call.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

/// How long a connection waits for the gateway. Restarting a daemon takes
/// seconds; upgrading the machine's package takes a minute.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(120);

/// How often it is tried meanwhile.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// How many connections are carried at a time. Harnesses open a dozen; what is
/// over it waits in the listener's queue.
const N_CONNECTIONS_MAX: usize = 256;

/// The stack of a thread that only copies.
const STACK_BYTES: usize = 128 << 10;

/// Opens the port, and carries connections for as long as the runner lives.
pub(super) fn start(gateway: PathBuf) -> anyhow::Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("open the gateway's port")?;
    let port = listener.local_addr().context("open the gateway's port")?.port();
    thread::spawn(move || accept(&listener, &gateway));
    Ok(port)
}

fn accept(listener: &TcpListener, gateway: &Path) {
    let n_open = Arc::new(AtomicUsize::new(0));
    loop {
        if n_open.load(Ordering::Relaxed) >= N_CONNECTIONS_MAX {
            thread::sleep(RETRY_PAUSE);
            continue;
        }
        let Ok((client, _)) = listener.accept() else {
            // Out of descriptors, most likely: others have to end first.
            thread::sleep(RETRY_PAUSE);
            continue;
        };
        let open = Open::one_more(&n_open);
        let gateway = gateway.to_owned();
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        // A connection that gets no thread is closed, as any server may do.
        thread.spawn(move || carry(&client, &gateway, &open)).ok();
    }
}

fn carry(client: &TcpStream, gateway: &Path, _open: &Open) {
    let Some(gateway) = connect(gateway) else { return };
    client.set_nodelay(true).ok();
    let there = || copy(client, &gateway, || gateway.shutdown(Shutdown::Write));
    let back = || copy(&gateway, client, || client.shutdown(Shutdown::Write));
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        if thread.spawn_scoped(scope, there).is_ok() {
            back();
        }
    });
}

/// Copies one way to the end, and passes the end on. After an error there is
/// no way back either, or the other side would wait for ever.
fn copy(mut from: impl io::Read, mut to: impl io::Write, end: impl Fn() -> io::Result<()>) {
    io::copy(&mut from, &mut to).ok();
    end().ok();
}

fn connect(gateway: &Path) -> Option<UnixStream> {
    let deadline = Instant::now() + GATEWAY_TIMEOUT;
    loop {
        match UnixStream::connect(gateway) {
            Ok(stream) => return Some(stream),
            Err(_) if Instant::now() < deadline => thread::sleep(RETRY_PAUSE),
            Err(_) => return None,
        }
    }
}

/// One open connection, counted until it is dropped.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn one_more(n_open: &Arc<AtomicUsize>) -> Self {
        n_open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(n_open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
