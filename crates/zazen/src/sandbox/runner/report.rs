//! The runner's frames, on its stdout, or on a socket where it has no such pipe.

use std::io::{BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::Context;

use crate::sandbox::event::{Ev, Event, Frame, LINE_BYTES_MAX, TRUNCATED};

/// Where frames go, if not to stdout.
static CHANNEL: OnceLock<Mutex<UnixStream>> = OnceLock::new();

/// Sends all frames to a socket from now on. Returns its other direction.
pub(super) fn to(channel: UnixStream) -> anyhow::Result<UnixStream> {
    let orders = channel.try_clone().context("listen to the supervisor")?;
    CHANNEL.get_or_init(|| Mutex::new(channel));
    Ok(orders)
}

/// Sends one frame. Blocks while the supervisor is slow, which slows the work
/// down with it; nothing is lost and nothing piles up.
pub(super) fn report(frame: &Frame) {
    let mut line = serde_json::to_vec(frame).expect("a frame has only string keys");
    line.push(b'\n');
    // If the supervisor is gone we are about to go too.
    if let Some(channel) = CHANNEL.get() {
        channel.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line).ok();
        return;
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&line).and_then(|()| stdout.flush()).ok();
}

/// Sends one event.
pub(super) fn report_event(ev: Ev) {
    report(&Frame::Event(Event { ev }));
}

/// Reads lines to the end, with anything that is not UTF-8 replaced, and with
/// what is over the limit dropped.
pub(super) fn read_lines(from: impl Read, mut take: impl FnMut(String)) {
    let mut from = BufReader::with_capacity(64 << 10, from);
    let mut line = Vec::new();
    let mut cut = false;
    loop {
        let chunk = match std::io::BufRead::fill_buf(&mut from) {
            Ok([]) | Err(_) => break,
            Ok(chunk) => chunk,
        };
        let (part, n_used, whole) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&chunk[..end], end + 1, true),
            None => (chunk, chunk.len(), false),
        };
        let n_kept = part.len().min(LINE_BYTES_MAX - line.len());
        line.extend_from_slice(&part[..n_kept]);
        cut |= n_kept < part.len();
        if whole {
            take(print(&line, cut));
            line.clear();
            cut = false;
        }
        std::io::BufRead::consume(&mut from, n_used);
    }
    if !line.is_empty() {
        take(print(&line, cut));
    }
}

fn print(line: &[u8], cut: bool) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut text = String::from_utf8_lossy(line).into_owned();
    if cut {
        text.push_str(TRUNCATED);
    }
    text
}

#[cfg(test)]
mod tests;
