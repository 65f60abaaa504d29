//! What was spent, by what has a limit; and what is under way.
//!
//! A call is let in when nothing that it would be paid from is used up, and when
//! the calls under way leave room for its worst case. Where they do not, it waits
//! for them; alone, it may begin as long as anything is left. So what is spent
//! beyond a limit is never more than one call.

use std::collections::BTreeMap;

use super::{Budget, Day, Exceeded, Month, Payer, Scope, Unit};
use crate::engine::Ledger;
use crate::id::{RepoName, RunId, TaskId, Time};
use crate::usage::{Amount, Usage};

/// See the module.
#[derive(Debug)]
pub struct Accounts {
    budget: Budget,
    sums: BTreeMap<Account, Sum>,
    /// What each run has spent so far. Those of the last time, too: a run that is
    /// looked at again must not be counted twice.
    runs: BTreeMap<RunId, Spent>,
}

/// Whether a call may begin.
#[derive(Debug)]
pub enum Answer {
    /// It may. The hold is to be given back with what it came to.
    Go(Hold),
    /// Not while the others are under way.
    Wait,
    No(Exceeded),
}

/// The room that is held for a call under way.
#[derive(Debug)]
#[must_use = "what is held has to be given back"]
pub struct Hold {
    payer: Payer,
    accounts: Vec<Account>,
    worst: Amount,
}

/// What has a limit of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Account {
    Run(RunId),
    Task(TaskId),
    RepoDay(RepoName, Day),
    RepoMonth(RepoName, Month),
    Day(Day),
    Month(Month),
    Total,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    spent: Spent,
    held: Amount,
    n_held: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    counted: Amount,
    assumed: Amount,
}

/// How many runs are remembered: far more than are ever looked at again.
const RUNS_MAX: usize = 4096;

impl Accounts {
    /// Accounts that begin with what the journal says was spent.
    pub fn new(budget: Budget, ledger: &Ledger, at: Time) -> Self {
        let mut accounts = Self { budget, sums: BTreeMap::new(), runs: BTreeMap::new() };
        accounts.add(Account::Total, ledger.total().into());
        let today = Day::of(at);
        for (day, repo, usage) in ledger.days() {
            if day == today {
                accounts.add(Account::Day(day), usage.into());
                accounts.add(Account::RepoDay(repo.clone(), day), usage.into());
            }
            if day.month() == today.month() {
                accounts.add(Account::Month(day.month()), usage.into());
                accounts.add(Account::RepoMonth(repo.clone(), day.month()), usage.into());
            }
        }
        accounts
    }

    /// What the owner allows.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// A run is about to make calls. `task` is what its task used before it, `so_far` what the
    /// run itself did; that counts where the run is not known from before.
    pub fn open(&mut self, payer: &Payer, task: &Usage, so_far: &Usage, at: Time) {
        self.count(payer, so_far, at);
        let run = self.runs.get(&payer.run).copied().unwrap_or_default();
        self.sums.entry(Account::Run(payer.run)).or_default().spent = run;
        let before: Spent = (*task).into();
        let task = self.sums.entry(Account::Task(payer.run.task)).or_default();
        task.spent = before.plus(run);
    }

    /// Counts what a run used that nobody here has seen at work. Once, however often it is told.
    pub fn count(&mut self, payer: &Payer, so_far: &Usage, at: Time) {
        if self.runs.contains_key(&payer.run) {
            return;
        }
        self.forget_old(at);
        self.runs.insert(payer.run, (*so_far).into());
        for account in accounts(payer, at) {
            if !matches!(account, Account::Run(_) | Account::Task(_)) {
                self.add(account, (*so_far).into());
            }
        }
    }

    /// A run makes no more calls.
    pub fn close(&mut self, run: RunId) {
        for account in [Account::Run(run), Account::Task(run.task)] {
            if self.sums.get(&account).is_some_and(|sum| sum.n_held == 0) {
                self.sums.remove(&account);
            }
        }
    }

    /// What is used up that a call would be paid from.
    pub fn check(&self, payer: &Payer, at: Time) -> Result<(), Exceeded> {
        accounts(payer, at).iter().try_for_each(|account| self.check_one(account, payer))
    }

    /// Asks for a call that comes to `worst` at most.
    pub fn begin(&mut self, payer: &Payer, worst: Amount, at: Time) -> Answer {
        if let Err(exceeded) = self.check(payer, at) {
            return Answer::No(exceeded);
        }
        let accounts = accounts(payer, at);
        if !accounts.iter().all(|account| self.has_room(account, payer, worst)) {
            return Answer::Wait;
        }
        for account in &accounts {
            let sum = self.sums.entry(account.clone()).or_default();
            sum.held += worst;
            sum.n_held += 1;
        }
        Answer::Go(Hold { payer: payer.clone(), accounts, worst })
    }

    /// A call has ended, and came to this.
    pub fn end(&mut self, hold: Hold, usage: &Usage, at: Time) {
        let Hold { payer, accounts: all, worst } = hold;
        for account in &all {
            if let Some(sum) = self.sums.get_mut(account) {
                sum.held = sum.held.minus(worst);
                sum.n_held = sum.n_held.saturating_sub(1);
            }
        }
        let spent: Spent = (*usage).into();
        let run = self.runs.entry(payer.run).or_default();
        *run = run.plus(spent);
        for account in accounts(&payer, at) {
            self.add(account, spent);
        }
    }

    fn add(&mut self, account: Account, spent: Spent) {
        let sum = self.sums.entry(account).or_default();
        sum.spent = sum.spent.plus(spent);
    }

    fn check_one(&self, account: &Account, payer: &Payer) -> Result<(), Exceeded> {
        let scope = account.scope();
        let limit = self.budget.limit_for(scope, payer);
        let Spent { counted, assumed } =
            self.sums.get(account).map(|sum| sum.spent).unwrap_or_default();
        for (unit, limit, spent, assumed) in [
            (Unit::Money, limit.micros, counted.micros, assumed.micros),
            (Unit::Tokens, limit.tokens, counted.tokens, assumed.tokens),
        ] {
            let Some(limit) = limit else { continue };
            let reserve = self.budget.reserve(scope, payer, limit);
            if spent >= limit - reserve {
                return Err(Exceeded { scope, unit, limit, spent, assumed, reserve });
            }
        }
        Ok(())
    }

    /// Whether the worst case fits beside those under way. Alone, it always does.
    fn has_room(&self, account: &Account, payer: &Payer, worst: Amount) -> bool {
        let Some(sum) = self.sums.get(account).filter(|sum| sum.n_held > 0) else { return true };
        let scope = account.scope();
        let limit = self.budget.limit_for(scope, payer);
        let all = sum.spent.counted.plus(sum.held).plus(worst);
        let fits = |limit: Option<u64>, all: u64| {
            limit.is_none_or(|limit| all <= limit - self.budget.reserve(scope, payer, limit))
        };
        fits(limit.micros, all.micros) && fits(limit.tokens, all.tokens)
    }

    /// Days that are over, and runs of long ago.
    fn forget_old(&mut self, at: Time) {
        let (today, month) = (Day::of(at), Day::of(at).month());
        self.sums.retain(|account, sum| {
            sum.n_held > 0
                || match account {
                    Account::RepoDay(_, day) | Account::Day(day) => *day == today,
                    Account::RepoMonth(_, of) | Account::Month(of) => *of == month,
                    Account::Run(_) | Account::Task(_) | Account::Total => true,
                }
        });
        while self.runs.len() >= RUNS_MAX {
            let open = |run: &RunId| self.sums.contains_key(&Account::Run(*run));
            let Some(oldest) = self.runs.keys().find(|run| !open(run)).copied() else { return };
            self.runs.remove(&oldest);
        }
    }
}

/// All that a call is paid from.
fn accounts(payer: &Payer, at: Time) -> Vec<Account> {
    let day = Day::of(at);
    let repo = || payer.repo.clone();
    vec![
        Account::Run(payer.run),
        Account::Task(payer.run.task),
        Account::RepoDay(repo(), day),
        Account::RepoMonth(repo(), day.month()),
        Account::Day(day),
        Account::Month(day.month()),
        Account::Total,
    ]
}

impl Account {
    fn scope(&self) -> Scope {
        match self {
            Self::Run(_) => Scope::Run,
            Self::Task(_) => Scope::Task,
            Self::RepoDay(..) => Scope::RepoDay,
            Self::RepoMonth(..) => Scope::RepoMonth,
            Self::Day(_) => Scope::Day,
            Self::Month(_) => Scope::Month,
            Self::Total => Scope::Total,
        }
    }
}

impl Spent {
    fn plus(self, more: Self) -> Self {
        Self { counted: self.counted.plus(more.counted), assumed: self.assumed.plus(more.assumed) }
    }
}

impl From<Usage> for Spent {
    fn from(usage: Usage) -> Self {
        Self { counted: usage.counted(), assumed: usage.assumed }
    }
}
