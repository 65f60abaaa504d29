//! Who pays for a call, asked before it is made.
//!
//! The accounts themselves are `zazen_core::budget`; this is what makes them
//! one for all runs: a lock, a clock, and waiting. A call that might overshoot
//! together with those under way waits until they have ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;
use zazen_core::budget::{Accounts, Answer, Budget, Exceeded, Hold, Payer};
use zazen_core::engine::Ledger;
use zazen_core::id::{RunId, Time};
use zazen_core::usage::{Amount, Cost, Usage};

use super::call::now_ms;
use super::refuse::Refusal;

/// What all runs together have spent, and may spend.
#[derive(Debug)]
pub(super) struct Purse {
    /// Held only to look and to count.
    accounts: Mutex<Accounts>,
    /// A call has ended.
    ended: Notify,
}

/// The room that is held for one call. Dropped, it counts as its worst case.
#[derive(Debug)]
pub(super) struct Held {
    purse: Arc<Purse>,
    hold: Option<Hold>,
    worst: Amount,
}

/// How long a call waits for those that use what is left. Somewhat longer than the
/// longest single call takes; then the client may ask again.
const WAIT_TIMEOUT: Duration = Duration::from_secs(15 * 60);

impl Purse {
    pub(super) fn new(budget: Budget) -> Self {
        let accounts = Accounts::new(budget, &Ledger::default(), now());
        Self { accounts: Mutex::new(accounts), ended: Notify::new() }
    }

    /// Begins anew, with what the journal says was spent.
    pub(super) fn start_from(&self, ledger: &Ledger) {
        let mut accounts = self.lock();
        let budget = accounts.budget().clone();
        *accounts = Accounts::new(budget, ledger, now());
    }

    pub(super) fn open(&self, payer: &Payer, task: &Usage, so_far: &Usage) {
        self.lock().open(payer, task, so_far, now());
    }

    pub(super) fn count(&self, payer: &Payer, usage: &Usage) {
        self.lock().count(payer, usage, now());
    }

    pub(super) fn close(&self, run: RunId) {
        self.lock().close(run);
    }

    pub(super) fn check(&self, payer: &Payer) -> Result<(), Exceeded> {
        self.lock().check(payer, now())
    }

    /// Waits until a call may be made that comes to `worst` at most.
    pub(super) async fn hold(
        self: &Arc<Self>,
        payer: &Payer,
        worst: Amount,
    ) -> Result<Held, Refusal> {
        let held = timeout(WAIT_TIMEOUT, self.wait(payer, worst)).await;
        held.unwrap_or(Err(Refusal::Waited))
    }

    async fn wait(self: &Arc<Self>, payer: &Payer, worst: Amount) -> Result<Held, Refusal> {
        loop {
            // Made before looking, so that no end is missed.
            let ended = self.ended.notified();
            let answer = self.lock().begin(payer, worst, now());
            match answer {
                Answer::Go(hold) => {
                    return Ok(Held { purse: Arc::clone(self), hold: Some(hold), worst });
                }
                Answer::No(exceeded) => return Err(Refusal::Budget(exceeded)),
                Answer::Wait => ended.await,
            }
        }
    }

    fn end(&self, hold: Hold, usage: &Usage) {
        self.lock().end(hold, usage, now());
        self.ended.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Gives the room back: the call came to this.
    pub(super) fn settle(mut self, usage: &Usage) {
        if let Some(hold) = self.hold.take() {
            self.purse.end(hold, usage);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(hold) = self.hold.take() {
            let cost = Cost::Unknown { known_micros: 0 };
            let usage = Usage { n_calls: 1, cost, assumed: self.worst, ..Usage::default() };
            self.purse.end(hold, &usage);
        }
    }
}

fn now() -> Time {
    Time(now_ms())
}

#[cfg(test)]
mod tests;
