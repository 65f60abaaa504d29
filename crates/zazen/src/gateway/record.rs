//! Keeps what was said: one line of JSON for each call.
//!
//! Lines are made and written by one task a run, away from the streams. A
//! draft waits for a place in its queue, so nothing is lost; a recording that
//! cannot be written ends the run's calls, as an unrecorded call could never be
//! replayed. No header is kept, and neither the run's token nor a key.
//! `playback` reads it again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use zazen_core::budget::Exceeded;
use zazen_core::limit::Closing;
use zazen_core::usage::{Tokens, Usage};

use super::begun::Begun;
use super::refuse::Refusal;
use super::request::{Asked, Facts};
use super::secret::Veil;

/// One recorded call: a line of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The version of the format: [`FORMAT_VERSION`].
    pub v: u32,
    /// The place of the call among those of its recording, in the order they were made.
    pub n: u64,
    /// What the run was for, as the grant says.
    pub label: String,
    /// How many answers of the model the request quotes.
    pub turn: u32,
    pub at_ms: u64,
    pub request: CallRequest,
    pub response: CallResponse,
    /// What the service said it used, as far as it was seen.
    pub tokens: Tokens,
    /// What is charged for the call. None for calls that cost nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill: Option<Bill>,
    /// The budget that the call was refused for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Exceeded>,
    /// That the service answers nothing for a while, as it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
    /// How long it took, from the request to the end of the answer.
    #[serde(default)]
    pub latency_ms: u64,
}

/// What is charged for a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// The model whose price counts.
    pub model: String,
    pub usage: Usage,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRequest {
    /// The path after the route's name, like `v1/messages`.
    pub path: String,
    pub model: String,
    /// The blake3 hash of `body`, in hexadecimal.
    pub hash: String,
    /// The body with its keys sorted, without secrets; null where there was none.
    pub body: Value,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallResponse {
    pub status: u16,
    pub content_type: String,
    pub body: String,
    /// Whether the answer came to its own end.
    pub complete: bool,
    /// How long the service wants to be left alone, as it says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// What the service said went wrong after the answer had begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The version of the recordings that are written.
pub const FORMAT_VERSION: u32 = 1;

/// A call that has ended, before it is made into a line.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) n: u64,
    pub(super) at_ms: u64,
    pub(super) asked: Asked,
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Bytes,
    pub(super) complete: bool,
    pub(super) retry_after: Option<String>,
    pub(super) error: Option<String>,
    pub(super) tokens: Tokens,
    pub(super) bill: Option<Bill>,
    pub(super) refused: Option<Exceeded>,
    pub(super) closing: Option<Closing>,
    pub(super) latency_ms: u64,
    /// The memory that the request takes, given back when the line is written.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// The end of a recording that calls hold.
#[derive(Debug)]
pub(super) struct Recorder {
    drafts: mpsc::Sender<Draft>,
    n_next: AtomicU64,
    pub(super) begun: Begun,
}

/// The end that writes.
pub(super) struct Writer {
    drafts: mpsc::Receiver<Draft>,
    file: tokio::fs::File,
    label: String,
    veil: Veil,
}

/// How many calls may wait to be written. A disk that is this far behind slows
/// the run down, and the memory of waiting answers is bounded by it.
const DRAFTS_MAX: usize = 8;

const SCAN_BYTES: usize = 64 << 10;

/// Opens a recording, new or begun.
pub(super) async fn open(
    path: &Path,
    label: &str,
    veil: Veil,
) -> anyhow::Result<(Recorder, Writer)> {
    let begun = path.to_owned();
    let (file, n_lines, begun) = tokio::task::spawn_blocking(move || {
        let (file, n_lines) = open_file(&begun)?;
        let (begun, n_begun) = Begun::open(&begun)?;
        io::Result::Ok((file, n_lines.max(n_begun), begun))
    })
    .await
    .context("open a recording")?
    .with_context(|| format!("open the recording `{}`", path.display()))?;
    let (sender, drafts) = mpsc::channel(DRAFTS_MAX);
    let recorder = Recorder { drafts: sender, n_next: AtomicU64::new(n_lines), begun };
    let file = tokio::fs::File::from_std(file);
    Ok((recorder, Writer { drafts, file, label: label.to_owned(), veil }))
}

impl Recorder {
    /// The next call's number.
    pub(super) fn next(&self) -> u64 {
        self.n_next.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether lines can still be written.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.drafts.is_closed() { Err(Refusal::NoRecording) } else { Ok(()) }
    }

    pub(super) async fn record(&self, draft: Draft) {
        if self.drafts.send(draft).await.is_err() {
            tracing::error!("a call is not in the recording, as its writer has failed");
        }
    }
}

impl Writer {
    /// Writes lines until nobody is left who could draft one.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        while let Some(draft) = self.drafts.recv().await {
            let (label, veil) = (self.label.clone(), self.veil.clone());
            // Reading a request of many megabytes would hold up other runs' streams.
            let line = tokio::task::spawn_blocking(move || print(draft, label, &veil))
                .await
                .context("print a call")??;
            self.file.write_all(line.as_bytes()).await.context("write the recording")?;
            self.file.flush().await.context("write the recording")?;
        }
        self.file.sync_all().await.context("sync the recording")
    }
}

fn print(draft: Draft, label: String, veil: &Veil) -> anyhow::Result<String> {
    let Draft { n, at_ms, asked, status, content_type, body, complete, retry_after, .. } = draft;
    let facts = Facts::read(asked.endpoint, &asked.body, veil);
    let body = veil.over_stream(String::from_utf8_lossy(&body).into_owned());
    let call = Call {
        v: FORMAT_VERSION,
        n,
        label,
        turn: facts.turn,
        at_ms,
        request: CallRequest {
            path: veil.over(asked.endpoint.path_of(&asked.model)),
            model: veil.over(asked.model),
            hash: facts.hash,
            body: facts.body,
        },
        response: CallResponse {
            status,
            content_type,
            body,
            complete,
            retry_after,
            error: draft.error.map(|error| veil.over(error)),
        },
        tokens: draft.tokens,
        bill: draft.bill,
        refused: draft.refused,
        closing: draft.closing,
        latency_ms: draft.latency_ms,
    };
    let mut line = serde_json::to_string(&call).context("print a call")?;
    line.push('\n');
    drop(draft.room);
    Ok(line)
}

/// Opens the file at its end and counts its lines. A line that a crash left
/// without its end is cut off: its call is asked again, or was never answered.
pub(super) fn open_file(path: &Path) -> io::Result<(File, u64)> {
    let mut file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let (mut n_lines, mut n_read, mut end) = (0u64, 0u64, 0u64);
    let mut buffer = vec![0; SCAN_BYTES];
    loop {
        let n_bytes = file.read(&mut buffer)?;
        if n_bytes == 0 {
            break;
        }
        for (at, _) in buffer[..n_bytes].iter().enumerate().filter(|(_, b)| **b == b'\n') {
            n_lines += 1;
            end = n_read + at as u64 + 1;
        }
        n_read += n_bytes as u64;
    }
    if end < n_read {
        tracing::warn!(path = %path.display(), "cut a torn line off a recording");
        file.set_len(end)?;
    }
    file.seek(SeekFrom::End(0))?;
    Ok((file, n_lines))
}

#[cfg(test)]
mod tests;
