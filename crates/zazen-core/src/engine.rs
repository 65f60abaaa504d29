//! All tasks: facts in, effects out.
//!
//! [`Engine`] is the only owner of the tasks. The daemon tells it what happened,
//! in facts that are in the journal already, and performs the effects that it
//! asks for. It holds two things: the [`Book`], which is what the journal says
//! and nothing else, and what is under way in this process, which a restart
//! forgets.

mod book;
mod choose;
mod ledger;

use std::collections::{BTreeMap, BTreeSet};

pub use self::book::{
    Book, Cause, Change, Fact, IssueRef, IssueState, LAYOUT, Opened, Seen, Unfit,
};
use self::choose::{Choice, choose};
pub use self::ledger::Ledger;
use crate::decide::{WantedRun, Wish, decide};
use crate::effect::{Effect, Key};
use crate::id::{TaskId, Time};
use crate::roster::{Closed, Roster};
use crate::task::Event;

/// What the owner allows.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How many runs may be under way at once.
    pub n_runs_max: usize,
    /// Who acts in which phase.
    pub roster: Roster,
    pub patience: Patience,
}

/// What becomes of tasks whose agents may not act for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Whether the next agent of the role takes over.
    pub fails_over: bool,
    /// Whether a task that waits goes on by itself.
    pub resumes: bool,
    /// How long a task may wait in all, in milliseconds.
    pub wait_max_ms: u64,
}

/// All tasks, and what is under way for them.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    book: Book,
    /// The tasks that want something. Most tasks want nothing, and are not looked at.
    wishes: BTreeMap<TaskId, Wish>,
    under_way: BTreeMap<Key, Effect>,
    /// Effects that failed and may be tried again at a later moment.
    waits: BTreeMap<Key, Wait>,
    /// Whether runs may be started. Not while the daemon is draining.
    starting: bool,
    /// The agents that may not be begun now.
    closed: Closed,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    until: Time,
    n_failed: u32,
}

/// The first wait after a failed effect, in milliseconds. Doubles each time.
const WAIT_FIRST_MS: u64 = 250;

/// The longest wait after a failed effect: a forge that is down for hours is asked this often.
const WAIT_MAX_MS: u64 = 5 * 60 * 1000;

impl Patience {
    /// What holds where the owner says nothing: a task waits for its agent, and goes on by
    /// itself. What is used up on the first of a month is free again within the longest wait.
    pub const STANDARD: Self =
        Self { fails_over: false, resumes: true, wait_max_ms: 32 * 24 * 60 * 60 * 1000 };
}

impl Engine {
    /// Takes up the book as the journal tells it.
    pub fn new(policy: Policy, book: Book) -> Self {
        let mut engine = Self {
            policy,
            book,
            wishes: BTreeMap::new(),
            under_way: BTreeMap::new(),
            waits: BTreeMap::new(),
            starting: true,
            closed: Closed::default(),
        };
        let all: Vec<TaskId> = engine.book.tasks().map(|task| task.id).collect();
        for id in all {
            engine.look_at(id);
        }
        engine
    }

    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Checks that `fact` fits, without taking it in.
    pub fn check(&self, fact: &Fact, at: Time) -> Result<(), Unfit> {
        self.book.check(fact, at)
    }

    /// Takes in one fact. One that does not fit changes nothing.
    pub fn take_in(&mut self, fact: Fact, at: Time) -> Result<BTreeSet<TaskId>, Unfit> {
        let touched = self.book.take_in(fact, at)?;
        for &id in &touched {
            self.look_at(id);
        }
        Ok(touched)
    }

    /// Says which agents may not be begun now. What was said before does not count any more.
    pub fn close(&mut self, closed: Closed) {
        self.closed = closed;
    }

    /// No more runs are started. Those under way go on.
    pub fn drain(&mut self) {
        self.starting = false;
    }

    /// An effect was performed, or given up; it may be asked for again.
    pub fn ended(&mut self, key: &Key) {
        self.under_way.remove(key);
        self.waits.remove(key);
    }

    /// An effect failed in a way that may pass. It is asked for again later.
    pub fn failed(&mut self, key: &Key, at: Time) {
        self.under_way.remove(key);
        let n_failed = self.waits.get(key).map_or(0, |wait| wait.n_failed);
        let wait = (WAIT_FIRST_MS << n_failed.min(20)).min(WAIT_MAX_MS);
        let until = Time(at.0.saturating_add(wait));
        self.waits.insert(key.clone(), Wait { until, n_failed: n_failed.saturating_add(1) });
    }

    /// When the engine should be asked again though nothing happened.
    pub fn wake_at(&self) -> Option<Time> {
        let waiting = self.waits.iter().filter(|(key, _)| !self.under_way.contains_key(key));
        let waits = waiting.map(|(_, wait)| wait.until);
        let parked = self.parked().filter(|(id, _)| {
            let key = Key::Resume(*id);
            !self.under_way.contains_key(&key) && !self.waits.contains_key(&key)
        });
        waits.chain(parked.map(|(_, until)| until)).min()
    }

    /// How many runs are under way.
    pub fn n_runs(&self) -> usize {
        self.under_way.keys().filter(|key| matches!(key, Key::Run(_))).count()
    }

    /// Gives out what is to be done now and is not under way yet.
    ///
    /// For each run that has not begun, the fact that it begins is in the second
    /// list; it must be in the journal and taken in before the effect is performed.
    pub fn next_effects(&mut self, now: Time) -> (Vec<Effect>, Vec<Fact>) {
        let mut effects: Vec<Effect> =
            self.wishes.values().flat_map(|wish| &wish.effects).cloned().collect();
        effects.extend(self.book.replies());
        effects.extend(self.due(now));
        let (runs, put_off) = self.runs_with_places(now);
        effects.extend(put_off);
        effects.extend(runs.iter().map(|(effect, _)| effect.clone()));
        self.forget_waits(&effects);

        let mut given = Vec::new();
        let mut facts = Vec::new();
        for effect in effects {
            let key = effect.key();
            if !self.may_start(&key, now) {
                continue;
            }
            facts.extend(
                runs.iter().find(|(run, _)| *run == effect).and_then(|(_, fact)| fact.clone()),
            );
            self.under_way.insert(key, effect.clone());
            given.push(effect);
        }
        (given, facts)
    }

    /// The tasks whose waits are over. That they go on is recorded before anything else is.
    fn due(&self, now: Time) -> impl Iterator<Item = Effect> {
        let due = self.parked().filter(move |(_, until)| *until <= now);
        due.map(|(task, until)| Effect::Resume { task, until })
    }

    /// The tasks that go on at a certain time. Not while the daemon is draining.
    fn parked(&self) -> impl Iterator<Item = (TaskId, Time)> {
        let wishes = self.wishes.iter().filter(|_| self.starting);
        wishes.filter_map(|(&id, wish)| Some((id, wish.resume?)))
    }

    /// The runs that should be under way now. Those that have not begun have the fact that
    /// they begin beside them. Runs that nobody may begin take no place; their tasks are put off.
    fn runs_with_places(&self, now: Time) -> (Vec<(Effect, Option<Fact>)>, Vec<Effect>) {
        let mut put_off = Vec::new();
        let mut runs = Vec::new();
        for (&id, wish) in &self.wishes {
            match &wish.run {
                Some(WantedRun { begun: Some(run), phase, from, urgent }) => {
                    let effect = Effect::Run { run: run.id, phase: *phase, from: from.clone() };
                    runs.push((false, !urgent, id, effect, None));
                }
                Some(run) if self.starting => match self.begin(id, run, now) {
                    Ok((effect, fact)) => runs.push((true, !run.urgent, id, effect, Some(fact))),
                    Err(effect) => put_off.push(effect),
                },
                Some(_) | None => {}
            }
        }
        // Runs that have begun keep their places; then the approved; then the oldest.
        runs.sort_by_key(|(new, idle, id, ..)| (*new, *idle, *id));
        let n_places = self.policy.n_runs_max.saturating_sub(self.n_stopping());
        let runs = runs.into_iter().take(n_places);
        (runs.map(|(_, _, _, effect, fact)| (effect, fact)).collect(), put_off)
    }

    /// The next run of a task, and the fact that it begins; or what is done as nobody may
    /// begin it.
    fn begin(&self, id: TaskId, wanted: &WantedRun, now: Time) -> Result<(Effect, Fact), Effect> {
        let (phase, from) = (wanted.phase, wanted.from.clone());
        let task = self.book.task(id).expect("only tasks of the book have wishes");
        match choose(&self.policy, &self.closed, (&task, phase), now) {
            Choice::Begin { agent, passed } => {
                let run = task.next_run();
                let begun = Event::RunBegun { run, phase, from: from.clone(), agent, passed };
                Ok((Effect::Run { run, phase, from }, Fact::of(id, begun)))
            }
            Choice::Nobody { hold, passed } => Err(Effect::PutOff { task: id, hold, passed }),
        }
    }

    /// What is not wanted any more is not waited for either: it would wake the daemon for nothing.
    fn forget_waits(&mut self, wanted: &[Effect]) {
        if !self.waits.is_empty() {
            let keys: BTreeSet<Key> = wanted.iter().map(Effect::key).collect();
            self.waits.retain(|key, _| keys.contains(key));
        }
    }

    fn may_start(&self, key: &Key, now: Time) -> bool {
        !self.under_way.contains_key(key)
            && self.waits.get(key).is_none_or(|wait| wait.until <= now)
    }

    /// Runs that are being stopped keep their places until they have stopped.
    fn n_stopping(&self) -> usize {
        self.wishes
            .values()
            .flat_map(|wish| &wish.effects)
            .filter(|effect| matches!(effect, Effect::StopRun { .. }))
            .count()
    }

    fn look_at(&mut self, id: TaskId) {
        let wish = self.book.task(id).map(|task| decide(&task, &self.book.around(&task)));
        let wish = wish.unwrap_or_default();
        if wish == Wish::default() {
            self.wishes.remove(&id);
        } else {
            self.wishes.insert(id, wish);
        }
    }
}

#[cfg(test)]
mod tests;
