//! Answers from a recording, with no network and no tokens.
//!
//! An answer depends on the question alone, so that a retry or a restart gets the
//! same one. Where a label and a turn have several (a retry, a side question to a
//! small model), the one to the very same request counts, then the one to a request
//! that is alike but for what varies from run to run, then the one of the same
//! model, then one that succeeded, then the last. Who replays a run can ask
//! afterwards how each question was answered: see [`Heard`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde::Serialize;
use zazen_core::likeness::{self, Difference, Places};

use super::record::{Call, FORMAT_VERSION};
use super::request::Facts;
use super::route::Endpoint;

/// A recording that has been read.
pub struct Recording {
    calls: Vec<Call>,
    places: BTreeMap<(String, u32, Endpoint), Vec<usize>>,
    /// The paths of the run that was recorded, and of the one that asks now.
    paths: (Places, Places),
    heard: Mutex<Vec<Heard>>,
}

/// A question that was asked of a recording, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// How many answers of the model it quotes.
    pub turn: u32,
    /// The path after the route's name.
    pub path: &'static str,
    pub by: By,
    /// Where it differs from the question that has this answer, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<Difference>,
}

/// By what an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The very same request was recorded.
    Same,
    /// One that differs only in what varies from run to run.
    Alike,
    /// One that stands at the same place, and asks something else.
    Place,
    /// There was none.
    Nothing,
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

/// How many questions are remembered. A run has some hundreds; what asks more is not a run
/// that can be told about question by question.
const HEARD_MAX: usize = 10_000;

impl Recording {
    /// Reads a recording; a line that is not one of its calls is an error.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut recording = Self {
            calls: Vec::new(),
            places: BTreeMap::new(),
            paths: (Places::default(), Places::default()),
            heard: Mutex::default(),
        };
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

    /// The same, where the paths of the run that was recorded and of the one that will ask
    /// are known.
    #[must_use]
    pub fn of_run(self, was: Places, is: Places) -> Self {
        Self { paths: (was, is), ..self }
    }

    /// What was asked until now, and how it was answered.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All calls, in the order they stand in the recording.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The answer to a question of which no more is known.
    pub fn answer(&self, label: &str, turn: u32, path: &str) -> Option<&Call> {
        let calls = self.calls_at(label, turn, Endpoint::of_path(path)?);
        best(calls.into_iter(), "")
    }

    /// The answer to this very question.
    pub(super) fn answer_to(
        &self,
        label: &str,
        endpoint: Endpoint,
        facts: &Facts,
        model: &str,
    ) -> Option<&Call> {
        let calls = self.calls_at(label, facts.turn, endpoint);
        let is_same = |call: &&Call| call.request.hash == facts.hash;
        let (found, by, differs) =
            if let Some(call) = best(calls.iter().copied().filter(is_same), model) {
                (Some(call), By::Same, None)
            } else {
                let (was, is) = &self.paths;
                let asked = likeness::like(&facts.body, is);
                let like = |call: &Call| likeness::like(&call.request.body, was);
                let alike = calls.iter().copied().filter(|call| like(call) == asked);
                if let Some(call) = best(alike, model) {
                    (Some(call), By::Alike, None)
                } else {
                    let found = best(calls.into_iter(), model);
                    let differs =
                        found.and_then(|call| likeness::first_difference(&like(call), &asked));
                    (found, if found.is_some() { By::Place } else { By::Nothing }, differs)
                }
            };
        self.hear(Heard { turn: facts.turn, path: endpoint.path(), by, differs });
        found
    }

    fn calls_at(&self, label: &str, turn: u32, endpoint: Endpoint) -> Vec<&Call> {
        let places = self.places.get(&(label.to_owned(), turn, endpoint));
        places.into_iter().flatten().map(|place| &self.calls[*place]).collect()
    }

    fn hear(&self, heard: Heard) {
        let mut all = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < HEARD_MAX {
            all.push(heard);
        }
    }
}

/// The call with the best answer: of the same model, then whole, then the last.
fn best<'a>(calls: impl Iterator<Item = &'a Call>, model: &str) -> Option<&'a Call> {
    calls.max_by_key(|call| {
        let is_good = call.response.complete && (200..300).contains(&call.response.status);
        (call.request.model == model, is_good, call.n)
    })
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
