//! Who waits for GitHub's limits, and in which order.
//!
//! There is one queue for each installation. Writes go one at a time, publishing
//! first; looks only keep the pace. Nobody waits long in here: who would, is told
//! until when, and comes again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};
use zazen_core::id::Time;

use super::call::{Kind, Rank};
use super::error::{CallError, Result};
use super::pace::{Heard, Limits, Pace, Why};

/// Whose limits a call counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Account {
    /// The App's own calls.
    App,
    Installation(u64),
    /// A person's token.
    Person,
    /// Calls without a word of who we are.
    Nobody,
}

/// All queues. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Queues {
    limits: Limits,
    all: Arc<Mutex<BTreeMap<Account, Arc<Queue>>>>,
    begun: Instant,
    begun_at: Time,
}

/// Calls that wait, for displays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waiting {
    /// Whose calls they are.
    pub whose: String,
    pub n_waiting: usize,
    /// When the next may go on.
    pub until: Time,
    pub why: Why,
}

#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    is_writing: bool,
    /// The writes that wait, and the looks, by their numbers.
    writes: Vec<(Rank, u64)>,
    n_looks: usize,
    next: u64,
}

/// The right to make one call now. Dropping it lets the next one go.
#[derive(Debug)]
pub(super) struct Turn {
    queue: Arc<Queue>,
    queues: Queues,
    kind: Kind,
    /// A write that still waits has a place in the queue.
    place: Option<u64>,
}

/// How long a call waits in here. Longer waits are the caller's, who can tell
/// people of them and does not hold anything up meanwhile.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// How long a call waits in here because GitHub said so: a moment, not a minute.
const TOLD_WAIT_MAX: Duration = Duration::from_secs(10);

/// How many writes wait at once. At one a second, more could not get their turn in time.
const WRITES_WAITING_MAX: usize = 48;

/// How many looks wait at once: several screens full of issues.
const LOOKS_WAITING_MAX: usize = 256;

impl Queues {
    pub(super) fn new(limits: Limits, now: Time) -> Self {
        Self { limits, all: Arc::default(), begun: Instant::now(), begun_at: now }
    }

    /// Waits for the turn of a call.
    pub(super) async fn turn(&self, of: Account, kind: Kind, rank: Rank) -> Result<Turn> {
        let deadline = Instant::now() + WAIT_MAX;
        let mut turn = self.place(of, kind, rank)?;
        loop {
            let queue = turn.queue.clone();
            let changed = queue.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match turn.step(rank, self.now()) {
                Step::Go => return Ok(turn),
                Step::At(at, why) => {
                    let at = self.begun + Duration::from_millis(at);
                    let is_told = why == Why::Told && at > Instant::now() + TOLD_WAIT_MAX;
                    if at > deadline || is_told {
                        return Err(CallError::Limited { until: self.time(at) });
                    }
                    // A change in the queue may mean that it is another's turn, or ours sooner.
                    let _changed = timeout_at(at, changed).await;
                }
                Step::Behind => {
                    if timeout_at(deadline, changed).await.is_err() {
                        return Err(CallError::Limited { until: self.time(deadline + WAIT_MAX) });
                    }
                }
            }
            // Whoever was woken with us gets a chance to come first.
            sleep(Duration::ZERO).await;
        }
    }

    /// Takes a place at the end, if there is one.
    fn place(&self, of: Account, kind: Kind, rank: Rank) -> Result<Turn> {
        let queue = self.of(of);
        let mut state = queue.lock();
        let is_full = match kind {
            Kind::Act => state.writes.len() >= WRITES_WAITING_MAX,
            Kind::Look => state.n_looks >= LOOKS_WAITING_MAX,
        };
        if is_full {
            return Err(CallError::Limited { until: self.time(Instant::now() + WAIT_MAX) });
        }
        let place = state.next;
        state.next += 1;
        match kind {
            Kind::Act => {
                state.writes.push((rank, place));
                state.writes.sort_unstable();
            }
            Kind::Look => state.n_looks += 1,
        }
        drop(state);
        Ok(Turn { queue, queues: self.clone(), kind, place: Some(place) })
    }

    /// What waits now.
    pub(super) fn waits(&self) -> Vec<Waiting> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.now();
        let waiting = all.iter().filter_map(|(of, queue)| {
            let state = queue.lock();
            let n_waiting = state.writes.len() + state.n_looks;
            let closed = state.pace.closed_until(now);
            if n_waiting == 0 && closed.is_none() {
                return None;
            }
            let first = state.writes.first().map(|(rank, _)| (Kind::Act, *rank));
            let (kind, rank) = first.unwrap_or((Kind::Look, Rank::Ordinary));
            let (at, why) = state.pace.ready_at(kind, rank, now);
            let until = self.time(self.begun + Duration::from_millis(at.max(now)));
            Some(Waiting { whose: of.words(), n_waiting, until, why })
        });
        waiting.collect()
    }

    fn of(&self, of: Account) -> Arc<Queue> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let pace = Pace::new(self.limits);
            let state = State { pace, is_writing: false, writes: Vec::new(), n_looks: 0, next: 0 };
            Arc::new(Queue { state: Mutex::new(state), changed: Notify::new() })
        };
        all.entry(of).or_insert_with(new).clone()
    }

    /// Milliseconds since there are queues. The system's clock may be set back; this one is not.
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn time(&self, at: Instant) -> Time {
        let millis = at.saturating_duration_since(self.begun).as_millis();
        Time(self.begun_at.0.saturating_add(u64::try_from(millis).unwrap_or(u64::MAX)))
    }
}

/// What a call that waits is to do.
enum Step {
    Go,
    At(u64, Why),
    Behind,
}

impl Turn {
    fn step(&mut self, rank: Rank, now: u64) -> Step {
        let mut state = self.queue.lock();
        if self.kind == Kind::Act {
            let is_first = state.writes.first().map(|(_, place)| *place) == self.place;
            if state.is_writing || !is_first {
                return Step::Behind;
            }
        }
        let (at, why) = state.pace.ready_at(self.kind, rank, now);
        if at > now {
            return Step::At(at, why);
        }
        state.pace.begin(self.kind, now);
        state.leave(self.kind, self.place.take());
        state.is_writing |= self.kind == Kind::Act;
        Step::Go
    }

    /// Takes in what the answer says of limits. If it is a refusal, says until when to wait.
    pub(super) fn hear(&self, heard: Heard) -> Option<Time> {
        let until = self.queue.lock().pace.hear(heard, self.queues.now())?;
        Some(self.queues.time(self.queues.begun + Duration::from_millis(until)))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        match self.place.take() {
            Some(place) => state.leave(self.kind, Some(place)),
            None if self.kind == Kind::Act => {
                state.is_writing = false;
                state.pace.end_write(self.queues.now());
            }
            None => {}
        }
        drop(state);
        self.queue.changed.notify_waiters();
    }
}

impl Queue {
    /// Held for a few comparisons; never while waiting.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes one that waited out of the queue.
    fn leave(&mut self, kind: Kind, place: Option<u64>) {
        match kind {
            Kind::Act => self.writes.retain(|(_, other)| Some(*other) != place),
            Kind::Look => self.n_looks = self.n_looks.saturating_sub(1),
        }
    }
}

impl Account {
    fn words(self) -> String {
        match self {
            Self::App => "the App".to_owned(),
            Self::Installation(id) => format!("installation {id}"),
            Self::Person => "the token".to_owned(),
            Self::Nobody => "calls without a token".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
