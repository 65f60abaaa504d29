//! Whether an agent goes round in circles.
//!
//! A [`Watch`] sees the events of one run, in order, and says so when they add up
//! to nothing: the same call again and again, the same failure, a file changed to
//! and fro, a service that is only retried. It is a function of what happened and
//! when: whoever reads the same lines again comes to the same [`Verdict`].
//!
//! The limits are far beyond what agents do that get somewhere. One that is in
//! need of a person costs a few calls more; one that is stopped in the middle of
//! its work costs all of it.

mod edits;
mod seen;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::edits::Edits;
use self::seen::{Mark, Seen};
use crate::id::Time;
use crate::task::TroubleKind;
use crate::text::{one_line, plain};
use crate::trace::Event;

/// That an agent gets nowhere, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub why: Why,
    /// How often it happened.
    pub times: u32,
    /// What was repeated, in one line.
    pub what: String,
}

/// In which way an agent gets nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// One call, with one result, and no other call between.
    SameCall,
    /// One tool fails in one way, whatever it is given.
    SameFailure,
    /// All that tools gave was known before.
    NothingNew,
    /// A file is changed to and fro between the same two texts.
    BackAndForth,
    /// The same words, and no call between.
    SameWords,
    /// Turns that are paid for and hold nothing.
    EmptyTurns,
    /// The harness tries to reach the service, and nothing else.
    OnlyRetries,
}

/// How often one call may have one result, with no other call between. The eager loops of
/// models go on for ever; a test that is flaky is rarely run more than five times.
pub const SAME_CALLS_MAX: u32 = 10;

/// A call that takes as long as this is a wait, and is not counted among those in a row:
/// agents look at a build again and again until it is done.
pub const WAIT_MIN_MS: u64 = 3_000;

/// How often one tool may fail in one way without succeeding between. Agents that learn from
/// a failure need two or three tries; the worst that got through needed six.
pub const SAME_FAILURES_MAX: u32 = 12;

/// How many results in a row may be ones that were there before. An agent that reads itself in
/// again after its context was cut down reads a dozen files or two.
pub const NOTHING_NEW_MAX: u32 = 40;

/// How often a file may go to and fro between two texts. To show that a test fails without
/// the change takes two moves; four tests, one by one, take eight.
pub const TO_AND_FRO_MAX: u32 = 10;

/// How often the same words may be said with no call between. It is enough for lines that
/// look alike, and a model that is caught in its own words says them hundreds of times.
pub const SAME_WORDS_MAX: u32 = 20;

/// Shorter words are parts of a text that is streamed, like a bullet or the line of a table.
const WORDS_BYTES_MIN: usize = 80;

/// How many turns in a row may hold neither words nor thoughts nor calls. One is a hiccup of
/// the service; a harness that does not notice a cut stream asks without end.
pub const EMPTY_TURNS_MAX: u32 = 25;

/// How long nothing but retries may come. Harnesses that give up by themselves do so within
/// four minutes; this is twice as long.
pub const RETRYING_MAX_MS: u64 = 8 * 60 * 1000;

/// How many retries there must have been by then. Two may be the edges of one long wait.
pub const RETRIES_MIN: u32 = 3;

/// How many calls without a result are remembered. Agents make a dozen at once.
const OPEN_MAX: usize = 256;

/// How many tools are remembered that failed last.
const TOOLS_MAX: usize = 64;

/// How long what was repeated is told, in characters.
const WHAT_CHARS_MAX: usize = 300;

/// Watches the events of one run.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Calls whose result is still to come.
    open: BTreeMap<String, Call>,
    /// The last call with its result, and how often it came in a row.
    last: Option<Row>,
    /// How each tool fails, since it last succeeded.
    failures: BTreeMap<String, Row>,
    seen: Seen,
    /// How many results in a row were there before.
    n_old: u32,
    edits: Edits,
    words: Option<Row>,
    n_empty: u32,
    /// Since when there is nothing but retries, and how many there were.
    retrying: Option<(Time, u32)>,
}

#[derive(Debug, Clone)]
struct Call {
    name: String,
    input: String,
    at: Time,
}

/// Something that comes again and again.
#[derive(Debug, Clone)]
struct Row {
    mark: Mark,
    n: u32,
}

impl Row {
    /// Counts one more of the same, or begins anew.
    fn count(row: &mut Option<Self>, mark: Mark) -> u32 {
        let n = row.take().filter(|row| row.mark == mark).map_or(0, |row| row.n).saturating_add(1);
        *row = Some(Self { mark, n });
        n
    }
}

impl Watch {
    /// Sees what happened at `at`, and says so if the agent gets nowhere.
    pub fn see(&mut self, event: &Event, at: Time) -> Option<Verdict> {
        match event {
            Event::Retry { why, .. } => return self.retried(why, at),
            Event::Usage { .. } => return self.paid(),
            Event::ToolCall { id, name, input, .. } => {
                self.alive();
                self.words = None;
                if self.open.len() >= OPEN_MAX {
                    self.open.pop_first();
                }
                let (name, input) = (name.clone(), input.clone());
                self.open.insert(id.clone(), Call { name, input, at });
            }
            Event::ToolResult { id, ok, exit, output } => {
                self.alive();
                let call = self.open.remove(id)?;
                return self.came_back(&call, (*ok, *exit, output), at);
            }
            Event::Text { text } => {
                self.alive();
                return self.said(text);
            }
            Event::Sub { event, .. } => return self.see(event, at),
            Event::Thinking { .. } | Event::Delta { .. } => self.alive(),
            // They are said of a harness that only retries, too.
            Event::Started { .. }
            | Event::RateLimit(_)
            | Event::Error { .. }
            | Event::End(_)
            | Event::Unknown { .. }
            // They come beside the calls and results that are counted.
            | Event::Files { .. }
            | Event::Todo { .. }
            | Event::Told { .. }
            | Event::Denied { .. }
            | Event::Notice { .. } => {}
        }
        None
    }

    /// The model did something.
    fn alive(&mut self) {
        self.retrying = None;
        self.n_empty = 0;
    }

    fn retried(&mut self, why: &str, at: Time) -> Option<Verdict> {
        let (since, n) = self.retrying.unwrap_or((at, 0));
        let n = n.saturating_add(1);
        self.retrying = Some((since, n));
        let is_long = at.millis_since(since) >= RETRYING_MAX_MS;
        (is_long && n >= RETRIES_MIN).then(|| verdict(Why::OnlyRetries, n, why))
    }

    /// A turn was paid for. What it held came before it.
    fn paid(&mut self) -> Option<Verdict> {
        self.n_empty = self.n_empty.saturating_add(1);
        let n = self.n_empty.saturating_sub(1);
        (n >= EMPTY_TURNS_MAX).then(|| verdict(Why::EmptyTurns, n, ""))
    }

    fn said(&mut self, text: &str) -> Option<Verdict> {
        if text.len() < WORDS_BYTES_MIN {
            return None;
        }
        let n = Row::count(&mut self.words, Mark::of(&[text]));
        (n >= SAME_WORDS_MAX).then(|| verdict(Why::SameWords, n, text))
    }

    fn came_back(
        &mut self,
        call: &Call,
        (ok, exit, output): (bool, Option<i32>, &str),
        at: Time,
    ) -> Option<Verdict> {
        let Call { name, input, at: begun } = call;
        let status = format!("{ok} {exit:?}");
        let mark = Mark::of(&[name, input, &status, output]);
        let what = format!("{name} {input}");
        let is_new = self.seen.note(mark);
        self.n_old = if is_new { 0 } else { self.n_old.saturating_add(1) };
        let is_wait = at.millis_since(*begun) >= WAIT_MIN_MS;
        let n_same = if is_wait { 0 } else { Row::count(&mut self.last, mark) };
        if n_same >= SAME_CALLS_MAX {
            return Some(verdict(Why::SameCall, n_same, &what));
        }
        if let Some(n) = self.failed(name, (ok, output)) {
            let output = one_line(&plain(output), WHAT_CHARS_MAX);
            return Some(verdict(Why::SameFailure, n, &format!("{name}: {output}")));
        }
        if self.n_old >= NOTHING_NEW_MAX {
            return Some(verdict(Why::NothingNew, self.n_old, &what));
        }
        let (path, n) = self.edits.note(input).filter(|_| ok)?;
        (n >= TO_AND_FRO_MAX).then(|| verdict(Why::BackAndForth, n, &path))
    }

    /// Counts a failure, and says how many there are where they are too many.
    fn failed(&mut self, name: &str, (ok, output): (bool, &str)) -> Option<u32> {
        if ok {
            self.failures.remove(name);
            return None;
        }
        if self.failures.len() >= TOOLS_MAX && !self.failures.contains_key(name) {
            self.failures.pop_first();
        }
        let mut row = self.failures.remove(name);
        let n = Row::count(&mut row, Mark::of(&[&without_numbers(output)]));
        self.failures.extend(row.map(|row| (name.to_owned(), row)));
        (n >= SAME_FAILURES_MAX).then_some(n)
    }
}

impl Verdict {
    /// What it is for the task.
    pub fn kind(&self) -> TroubleKind {
        match self.why {
            Why::OnlyRetries => TroubleKind::Hung,
            Why::SameCall
            | Why::SameFailure
            | Why::NothingNew
            | Why::BackAndForth
            | Why::SameWords
            | Why::EmptyTurns => TroubleKind::Stuck,
        }
    }
}

fn verdict(why: Why, times: u32, what: &str) -> Verdict {
    Verdict { why, times, what: one_line(&plain(what), WHAT_CHARS_MAX) }
}

/// How a failure reads when lines, times and numbers of processes do not count.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_number = false;
    for c in text.chars() {
        let is_digit = c.is_ascii_digit();
        if !(is_digit && in_number) {
            out.push(if is_digit { '#' } else { c });
        }
        in_number = is_digit;
    }
    out
}

#[cfg(test)]
mod tests;
