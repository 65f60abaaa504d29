//! Answers from a recording, with no network and no tokens.
//!
//! Playback has no memory: an answer depends on the question alone, so that a
//! retry or a restart gets the same one. Where a label and a turn have several
//! (a retry, a side question to a small model), the one to the very same
//! request counts, then the one of the same model, then one that succeeded,
//! then the last.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::record::{Call, FORMAT_VERSION};
use super::request::Facts;
use super::route::Endpoint;

/// A recording that has been read.
pub struct Recording {
    calls: Vec<Call>,
    places: BTreeMap<(String, u32, Endpoint), Vec<usize>>,
}

/// A line of a recording cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the recording: {why}")]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    pub why: String,
}

/// The pause before each frame, so that what reads a stream sees a stream.
/// Short, as a replay is waited for.
const FRAME_PAUSE: Duration = Duration::from_millis(1);

impl Recording {
    /// Reads a recording; a line that is not one of its calls is an error.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut recording = Self { calls: Vec::new(), places: BTreeMap::new() };
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let call = parse_call(line).map_err(|why| ParseError { line: at + 1, why })?;
            let endpoint = Endpoint::of_path(&call.request.path).ok_or_else(|| ParseError {
                line: at + 1,
                why: format!("`{}` is not a call that is recorded", call.request.path),
            })?;
            let place = (call.label.clone(), call.turn, endpoint);
            recording.places.entry(place).or_default().push(recording.calls.len());
            recording.calls.push(call);
        }
        Ok(recording)
    }

    /// All calls, in the order they stand in the recording.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The answer to a question of which no more is known.
    pub fn answer(&self, label: &str, turn: u32, path: &str) -> Option<&Call> {
        self.best(label, turn, Endpoint::of_path(path)?, ("", ""))
    }

    /// The answer to this very question.
    pub(super) fn answer_to(
        &self,
        label: &str,
        endpoint: Endpoint,
        facts: &Facts,
        model: &str,
    ) -> Option<&Call> {
        self.best(label, facts.turn, endpoint, (&facts.hash, model))
    }

    fn best(
        &self,
        label: &str,
        turn: u32,
        endpoint: Endpoint,
        (hash, model): (&str, &str),
    ) -> Option<&Call> {
        let places = self.places.get(&(label.to_owned(), turn, endpoint))?;
        places.iter().map(|place| &self.calls[*place]).min_by_key(|call| {
            let is_good = call.response.complete && (200..300).contains(&call.response.status);
            let is_same = (call.request.hash == hash, call.request.model == model);
            Reverse((is_same, is_good, call.n))
        })
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording({} calls)", self.calls.len())
    }
}

/// The body of a recorded answer, in the frames it is made of.
pub(super) fn frames(call: &Call) -> BoxStream<'static, Result<Bytes, String>> {
    let is_stream = call.response.content_type.starts_with("text/event-stream");
    let body = Bytes::from(call.response.body.clone());
    let mut frames: Vec<Result<Bytes, String>> = if is_stream {
        ends(&body).windows(2).map(|ends| Ok(body.slice(ends[0]..ends[1]))).collect()
    } else {
        vec![Ok(body)]
    };
    if !call.response.complete {
        frames.push(Err("the recorded answer broke off here".to_owned()));
    }
    stream::iter(frames)
        .then(|frame| async move {
            tokio::time::sleep(FRAME_PAUSE).await;
            frame
        })
        .boxed()
}

/// Where frames begin and end: after each empty line, and at both ends.
fn ends(body: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    for at in 1..body.len() {
        let before = &body[..at];
        if before.ends_with(b"\n\n") || before.ends_with(b"\r\n\r\n") {
            ends.push(at);
        }
    }
    ends.push(body.len());
    ends
}

fn parse_call(line: &str) -> Result<Call, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }

    let Version { v } = serde_json::from_str(line).map_err(|err| err.to_string())?;
    if v != FORMAT_VERSION {
        return Err(format!("version {v} is unknown, this zazen reads {FORMAT_VERSION}"));
    }
    serde_json::from_str(line).map_err(|err| err.to_string())
}

#[cfg(test)]
mod tests;
