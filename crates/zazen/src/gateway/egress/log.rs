//! The log of what a run reached and what it was refused: lines of JSON.
//!
//! A decision is on the disk before a byte goes to the host; what cannot be
//! logged is refused. The file has a limit, and when it is reached nothing more
//! is allowed, so that no run can hide a connection behind a flood of refusals.
//! The format is described in docs/formats/egress.md.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{mpsc, oneshot};
use zazen_core::host::{Rule, Traffic};
use zazen_core::text::one_line;

use super::Denied;
use super::flow::{End, Flow};
use super::head::Head;
use super::wanted::Wanted;
use crate::gateway::record;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The version of the format: [`EGRESS_VERSION`].
    pub v: u32,
    /// The number of the decision. The end of what was allowed has the same.
    pub n: u64,
    pub at_ms: u64,
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ev", rename_all = "kebab-case")]
pub enum What {
    Allowed {
        method: String,
        authority: String,
        /// The entry of the list, as its owner has written it.
        rule: String,
        /// The address that is connected to first.
        address: String,
    },
    Refused {
        method: String,
        /// What was asked for: text, whatever it claims to be.
        authority: String,
        rule: String,
        why: String,
    },
    /// A connection that was allowed has ended.
    Ended { up: u64, down: u64, ms: u64, end: String },
    /// The limit of the file is reached: nothing more is allowed in this run.
    Full,
}

/// The end of the log that connections hold.
#[derive(Debug)]
pub(super) struct Log {
    drafts: mpsc::Sender<Draft>,
    n_next: AtomicU64,
}

#[derive(Debug)]
struct Draft {
    line: Line,
    /// Told when the line is in the file.
    written: Option<oneshot::Sender<()>>,
}

/// The end that writes.
#[derive(Debug)]
pub(in crate::gateway) struct Writer {
    drafts: mpsc::Receiver<Draft>,
    file: tokio::fs::File,
    path: PathBuf,
    n_bytes: u64,
    is_full: bool,
}

/// The version of the lines that are written.
pub const EGRESS_VERSION: u32 = 1;

/// How large the log may get: tens of thousands of decisions, where an ordinary
/// run makes some hundreds.
const LOG_BYTES_MAX: u64 = 8 << 20;

/// How many lines may wait to be written. Who allows waits for its line anyway.
const DRAFTS_MAX: usize = 64;

/// How long a decision waits to be written. A disk that takes longer is broken.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of what was asked for is kept, in characters. The longest name fits.
const SHOWN_CHARS_MAX: usize = 260;

/// Stands for what could not be read.
const UNREADABLE: &str = "(unreadable)";

/// How long a line can be that is ours, with room to spare.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// Opens a log, new or begun.
pub(super) async fn open(path: &Path) -> anyhow::Result<(Log, Writer)> {
    let begun = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let (file, n_lines) = record::open_file(&begun)?;
        let n_bytes = file.metadata()?.len();
        std::io::Result::Ok((file, n_lines, n_bytes))
    });
    let (file, n_lines, n_bytes) = opened
        .await
        .context("open an egress log")?
        .with_context(|| format!("open the egress log `{}`", path.display()))?;
    let (sender, drafts) = mpsc::channel(DRAFTS_MAX);
    let log = Log { drafts: sender, n_next: AtomicU64::new(n_lines) };
    let file = tokio::fs::File::from_std(file);
    Ok((log, Writer { drafts, file, path: path.to_owned(), n_bytes, is_full: false }))
}

impl Log {
    /// Writes that a request is allowed. Returns its number when it is written.
    pub(super) async fn allowed(
        &self,
        head: &Head,
        wanted: &Wanted,
        rule: &Rule,
        addresses: &[SocketAddr],
    ) -> Result<u64, Denied> {
        let what = What::Allowed {
            method: head.method.clone(),
            authority: wanted.authority.to_string(),
            rule: rule.entry.clone(),
            address: addresses.first().map(ToString::to_string).unwrap_or_default(),
        };
        self.note(what).await
    }

    /// Writes that a server of tools is asked. Returns its number when it is written.
    pub(super) async fn asked(
        &self,
        method: &str,
        authority: String,
        rule: String,
    ) -> Result<u64, Denied> {
        let method = method.to_owned();
        self.note(What::Allowed { method, authority, rule, address: String::new() }).await
    }

    async fn note(&self, what: What) -> Result<u64, Denied> {
        let n = self.n_next.fetch_add(1, Ordering::Relaxed);
        let (sender, written) = oneshot::channel();
        let draft = Draft { line: line(n, what), written: Some(sender) };
        self.drafts.send(draft).await.map_err(|_| Denied::NoLog)?;
        match tokio::time::timeout(WRITE_TIMEOUT, written).await {
            Ok(Ok(())) => Ok(n),
            Ok(Err(_)) | Err(_) => Err(Denied::NoLog),
        }
    }

    /// Writes that a request was refused. There may be none that could be read.
    pub(super) async fn refused(&self, head: Option<&Head>, denied: &Denied) {
        let (method, authority) = match head {
            Some(head) => (head.method.as_str(), one_line(target(head), SHOWN_CHARS_MAX)),
            None => (UNREADABLE, UNREADABLE.to_owned()),
        };
        let what = What::Refused {
            method: method.to_owned(),
            authority,
            rule: denied.rule().to_owned(),
            why: one_line(&denied.to_string(), SHOWN_CHARS_MAX),
        };
        let n = self.n_next.fetch_add(1, Ordering::Relaxed);
        // A writer that is gone has said why. What is refused stays refused.
        drop(self.drafts.send(Draft { line: line(n, what), written: None }).await);
    }

    /// Writes how a connection ended that was allowed.
    pub(super) async fn ended(&self, n: u64, flow: &Flow<'_>, took: Duration, end: End) {
        let (up, down) = flow.moved();
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let what = What::Ended { up, down, ms, end: end.word().to_owned() };
        drop(self.drafts.send(Draft { line: line(n, what), written: None }).await);
    }
}

impl Writer {
    /// Writes lines until nobody is left who could draft one.
    pub(in crate::gateway) async fn run(mut self) -> anyhow::Result<()> {
        while let Some(Draft { line, written }) = self.drafts.recv().await {
            let what = || format!("write the egress log `{}`", self.path.display());
            let is_end = matches!(line.what, What::Ended { .. });
            let over = self.n_bytes + LINE_BYTES_MAX > LOG_BYTES_MAX;
            let line = match (over && !is_end, self.is_full) {
                (false, _) => line,
                (true, false) => Line { what: What::Full, ..line },
                (true, true) => continue,
            };
            let mut text = serde_json::to_string(&line).context("print a line")?;
            text.push('\n');
            self.file.write_all(text.as_bytes()).await.with_context(what)?;
            self.file.flush().await.with_context(what)?;
            self.n_bytes += text.len() as u64;
            self.is_full |= line.what == What::Full;
            if let (Some(written), false) = (written, line.what == What::Full) {
                // Who waited may have left with its run.
                written.send(()).ok();
            }
        }
        self.file.sync_all().await.context("sync an egress log")
    }
}

/// What a request asked for, without its path.
fn target(head: &Head) -> &str {
    let target = head.target.as_str();
    let start = target.find("://").map_or(0, |at| at + 3);
    let rest = &target[start..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    &rest[..end]
}

fn line(n: u64, what: What) -> Line {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let at_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Line { v: EGRESS_VERSION, n, at_ms, what }
}

/// Adds what a log says to the traffic of other runs. Lines that cannot be read are passed over.
pub fn add_traffic(path: &Path, traffic: &mut Traffic) -> std::io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(err),
    };
    let mut authorities = std::collections::BTreeMap::new();
    // The ends of what was allowed come on top of the limit.
    for text in BufReader::new(file.take(2 * LOG_BYTES_MAX)).lines() {
        let Ok(Line { n, what, .. }) = serde_json::from_str(&text?) else { continue };
        match what {
            What::Allowed { authority, .. } => {
                traffic.reach(&authority);
                authorities.insert(n, authority);
            }
            What::Refused { authority, .. } => traffic.refuse(&authority),
            What::Ended { up, down, .. } => {
                if let Some(authority) = authorities.remove(&n) {
                    traffic.moved(&authority, (up, down));
                }
            }
            What::Full => {}
        }
    }
    Ok(())
}
