//! A world for the engine: it performs, records, crashes, and checks what must hold.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use proptest::test_runner::TestCaseError;
use zazen_core::command::Name;
use zazen_core::effect::{Effect, Key};
use zazen_core::engine::{Book, Change, Engine, Fact, Patience, Policy};
use zazen_core::id::{
    AgentName, CommentId, CommitId, ContentHash, IssueNumber, PlanHash, PullNumber, RepoName,
    RunId, Stream, TaskId, Time,
};
use zazen_core::intake::{self, Implied, PartOpened, PlanOnDisk, Request, Rules};
use zazen_core::roster::{Closed, Role, Roles, Roster, Shut};
use zazen_core::task::{
    Digest, Event, Examined, Free, Hold, IssueEnd, Known, NotRebased, Note, Outcome, Part, Phase,
    PlanRef, Reached, Run, Slot, State, Task, Trouble, TroubleKind, Why,
};
use zazen_core::usage::Usage;

/// How many runs there may be at once.
const PLACES: usize = 2;

/// How long a task may wait.
const WAIT_MAX_MS: u64 = 32 * 48 * HALF_HOUR;

/// The agents of the worlds in which there are several.
const AGENTS: [&str; 3] = ["deep", "quick", "cheap"];

/// What people write.
pub(crate) const COMMENTS: [&str; 23] = [
    "/plan",
    "/plan make it smaller",
    "/plan\n/ask how large is it?",
    "/implement",
    "/implement use the first",
    "/implement\n/status",
    "/ask why is it slow?",
    "/stop",
    "/stop it",
    "/retry",
    "/retry look at the log",
    "/status",
    "/plann",
    "thank you",
    "/review",
    "/remember it is slow",
    "/rebase",
    "/split",
    "/retry --no-resume",
    "/split and use the first",
    "/approve",
    "/approve {held} I have looked",
    "/approve 0123456789abcdef",
];

/// Something that happens by itself, not because the engine asked for it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    /// A person writes the n-th of [`COMMENTS`] on an issue.
    Comment(u64, usize),
    /// A person writes the n-th of [`COMMENTS`] on the issue of a part.
    OnPart(u8, usize),
    /// One of the runs that are under way ends.
    RunEnds(u8),
    /// A person asks on the command line to stop a task (or to try again).
    Request(u8, bool),
    /// A person edits a plan.
    Edit(u8),
    /// A person merges (or closes) a pull request.
    EndPull(u8, bool),
    /// A person reviews a pull request (or writes `/fix` on it).
    Review(u8, bool),
    /// The forge's checks are red on the commit of a pull request.
    RedChecks(u8),
    /// So many half hours pass.
    TimePasses(u8),
    /// An agent may not be begun for so many half hours, or until nobody knows when; or all may.
    Close(u8, u8),
    /// A person does something else with a pull request, its branch or its issue.
    Meddle(u8, u8),
}

/// When the daemon is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crashes {
    Never,
    /// Before every effect, after every effect and before its result is recorded, and after that.
    Everywhere,
}

/// How runs turn out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    Mixed,
    Bad,
    /// The model is never free.
    Held,
}

/// The engine and all that is around it.
pub(crate) struct World {
    engine: Engine,
    policy: Policy,
    /// What the daemon knows of the agents. It knows the same after a crash.
    closed: Closed,
    /// Until when no run of an agent may begin for a task, by what its runs came to.
    shut: BTreeMap<(TaskId, AgentName), Time>,
    seed: u64,
    crashes: Crashes,
    luck: Luck,
    /// What is in the journal, and the same as it was written.
    journal: Vec<Fact>,
    lines: Vec<(Time, String)>,
    /// The time. Showing a text takes none, since how often that is done depends on crashes.
    clock: u64,
    /// What the engine asked for and is not done, runs excepted.
    to_do: BTreeMap<Key, Effect>,
    confirmed: BTreeMap<Key, Effect>,
    ended_runs: BTreeSet<RunId>,
    n_comments: u64,
}

impl World {
    pub(crate) fn new(seed: u64, crashes: Crashes) -> Self {
        Self {
            engine: Engine::new(policy(seed), Book::default()),
            policy: policy(seed),
            closed: Closed::default(),
            shut: BTreeMap::new(),
            seed,
            crashes,
            luck: Luck::Mixed,
            journal: Vec::new(),
            lines: Vec::new(),
            clock: 1_000_000,
            to_do: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            ended_runs: BTreeSet::new(),
            n_comments: 0,
        }
    }

    pub(crate) fn book(&self) -> &Book {
        self.engine.book()
    }

    /// What the owner of this world allows.
    pub(crate) fn policy(&self) -> Policy {
        self.policy.clone()
    }

    pub(crate) fn now(&self) -> Time {
        Time(self.clock)
    }

    /// Something happens, and everything that the engine asks for is done.
    #[expect(clippy::too_many_lines, reason = "one action after the other")]
    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Comment(issue, n) => self.comment(IssueNumber(issue), COMMENTS[n]),
            Action::OnPart(n, text) => {
                let parts: Vec<IssueNumber> = self.parts().map(|(_, _, part)| part.issue).collect();
                let Some(&issue) = pick(&parts, n) else { return };
                self.comment(issue, COMMENTS[text]);
            }
            Action::RunEnds(n) => {
                let runs: Vec<Run> = self.book().tasks().filter_map(|t| t.run.clone()).collect();
                if let Some(run) = pick(&runs, n) {
                    self.end_run(run);
                }
            }
            Action::Request(n, stop) => {
                let tasks: Vec<TaskId> = self.book().tasks().map(|task| task.id).collect();
                let Some(&task) = pick(&tasks, n) else { return };
                let by = "ada".to_owned();
                let request = if stop {
                    Request::Stop { task, by }
                } else {
                    Request::Retry { task, by, remarks: String::new(), resumes: None }
                };
                let id = format!("request-{}", self.clock);
                if let Ok(fact) = intake::request(self.book(), &id, &request) {
                    self.record(fact);
                }
            }
            Action::Edit(n) => {
                let tasks: Vec<Task> = self.waiting();
                let Some(task) = pick(&tasks, n) else { return };
                let known = task.plan.as_ref().expect("a plan waits");
                let plan = PlanRef {
                    hash: PlanHash::of(&format!("edit {}", self.clock)),
                    version: known.version + 1,
                    ..known.clone()
                };
                self.record(Fact::of(task.id, Event::PlanEdited { plan }));
            }
            Action::EndPull(n, merge) => {
                let open = self.with_pull(|state| {
                    !matches!(state, State::Merged { .. } | State::Closed { .. })
                });
                let Some(&task) = pick(&open, n) else { return };
                let event = if merge { Event::PullMerged } else { Event::PullClosed };
                self.record(Fact::of(task, event));
            }
            Action::Review(n, command) => {
                let Some(&task) = pick(&self.with_pull(|_| true), n) else { return };
                let on = IssueNumber(pull_of(task).0);
                let (stream, text) = if command {
                    (Stream::Comment, "/fix the names")
                } else {
                    (Stream::ReviewComment, "This is wrong.")
                };
                let implied = (!command).then_some(Implied::Command(Name::Fix));
                self.say((on, stream), text, implied);
            }
            Action::RedChecks(n) => {
                let Some(&task) = pick(&self.with_pull(|_| true), n) else { return };
                let known = self.book().task(task).expect("it is known").into_owned();
                let State::Drafted { head, .. } = known.state else { return };
                let on = IssueNumber(pull_of(task).0);
                let text = ["a failed", "b failed", "c failed"][usize::from(n) % 3];
                self.say((on, Stream::Checks), text, Some(Implied::RedChecks { head }));
            }
            Action::TimePasses(n) => self.clock += u64::from(n) * HALF_HOUR,
            Action::Close(n, how_long) => self.close(n, how_long),
            Action::Meddle(n, what) => {
                let tasks: Vec<TaskId> = self.book().tasks().map(|task| task.id).collect();
                let Some(&task) = pick(&tasks, n) else { return };
                let by = "ada".to_owned();
                let event = match what % 6 {
                    0 => Event::HeadMoved { head: self.commit("theirs"), by },
                    1 => Event::BranchDeleted { by },
                    2 => Event::IssueEnded { how: IssueEnd::Closed, by },
                    3 => Event::BaseChanged { base: "next".to_owned() },
                    4 => Event::PullReady { by },
                    _ => Event::PullReopened { head: self.commit("again") },
                };
                let fact = Fact::of(task, event);
                if self.engine.check(&fact, self.now()).is_ok() {
                    self.record(fact);
                }
            }
        }
        self.settle();
    }

    /// Lets the runs end until every task is at rest, and counts how many it takes.
    pub(crate) fn rest(&mut self, luck: Luck, n_runs_max: usize) -> Result<(), TestCaseError> {
        self.luck = luck;
        self.settle();
        let n_tasks = self.book().tasks().filter(|task| !task.is_at_rest()).count();
        for _ in 0..n_tasks * n_runs_max {
            let run = self.book().tasks().find_map(|task| task.run.clone());
            match (run, self.engine.wake_at()) {
                (Some(run), _) => self.end_run(&run),
                // Nothing is to be done before that.
                (None, Some(at)) => self.clock = self.clock.max(at.0),
                (None, None) => break,
            }
            self.settle();
        }
        for task in self.book().tasks() {
            // Who waits for others waits for people.
            if !task.is_at_rest() && !task.waits(&self.book().around(&task)) {
                return Err(TestCaseError::fail(format!("task {} is {}", task.id, task.state)));
            }
        }
        Ok(())
    }

    /// Closes an agent, or opens all of them.
    fn close(&mut self, n: u8, how_long: u8) {
        let at = Time(self.clock + u64::from(how_long % 16) * HALF_HOUR);
        let free = Some(Free { at, known: Known::Reported }).filter(|_| how_long < 200);
        let agents = self.policy.roster.agents(&repo(), Role::Plan);
        if how_long.is_multiple_of(4) {
            self.closed = Closed::default();
        } else if let Some(agent) = pick(&agents, n) {
            let why = *pick(&Why::ALL, how_long).expect("there are some");
            self.closed.agents.insert(agent.clone(), Shut { why, free });
        }
        self.engine.close(self.closed.clone());
    }

    /// The book that the written journal gives.
    pub(crate) fn replayed(&self) -> Book {
        let mut book = Book::default();
        for (at, line) in &self.lines {
            let fact: Fact = serde_json::from_str(line).expect("what was written can be read");
            book.take_in(fact, *at).expect("what fitted fits again");
        }
        book
    }

    /// The facts that a comment or a request led to.
    pub(crate) fn caused(&self) -> Vec<Fact> {
        self.journal.iter().filter(|fact| fact.cause.is_some()).cloned().collect()
    }

    /// The tasks whose pull request was opened, and that stand like this.
    fn with_pull(&self, stands: impl Fn(&State) -> bool) -> Vec<TaskId> {
        let tasks = self.book().tasks();
        let tasks = tasks.filter(|task| task.state.pull().is_some() && stands(&task.state));
        tasks.map(|task| task.id).collect()
    }

    /// The parts of all plans that were split, each with the task and the step.
    fn parts(&self) -> impl Iterator<Item = (TaskId, u32, Part)> + '_ {
        self.book().tasks().flat_map(|task| {
            let parts = task.state.split().map(|split| split.parts.clone()).unwrap_or_default();
            let id = task.id;
            parts.into_iter().zip(1..).map(move |(part, step)| (id, step, part))
        })
    }

    /// What is held back on an issue, as people are shown it.
    fn held_on(&self, issue: IssueNumber) -> String {
        let repo = repo();
        let tasks = self.book().tasks_of(&repo, issue);
        let held = tasks.filter_map(|task| task.state.work()?.proof.held().cloned());
        held.last().map_or_else(|| "nothing".to_owned(), |hold| hold.short().to_owned())
    }

    fn waiting(&self) -> Vec<Task> {
        let waits = |task: &Cow<'_, Task>| matches!(task.state, State::AwaitingApproval);
        self.book().tasks().filter(waits).map(Cow::into_owned).collect()
    }

    fn comment(&mut self, issue: IssueNumber, text: &str) {
        let text = text.replace("{held}", &self.held_on(issue));
        self.say((issue, Stream::Comment), &text, None);
    }

    fn say(
        &mut self,
        (issue, stream): (IssueNumber, Stream),
        text: &str,
        implied: Option<Implied>,
    ) {
        self.n_comments += 1;
        let repo = repo();
        let comment = intake::Comment {
            repo: &repo,
            issue,
            title: "Sum by month",
            id: CommentId::of(stream, self.n_comments),
            author: "ada",
            permission: None,
            is_bot: false,
            bots: &["zazen"],
            implied,
            pull: None,
            text,
        };
        let fact = intake::comment(self.book(), &Rules::default(), &comment, &PlanOnDisk::AsKnown);
        self.record(fact);
        // Read again, by a daemon that does not know that it was read.
        let before = self.book().clone();
        let again = intake::comment(self.book(), &Rules::default(), &comment, &PlanOnDisk::AsKnown);
        let now = self.now();
        self.engine.take_in(again, now).expect_err("a comment is taken once");
        assert_eq!(*self.book(), before);
    }

    /// Performs what the engine asks for, until only runs are under way.
    fn settle(&mut self) {
        let mut lost = None;
        loop {
            self.give_out();
            let Some((key, effect)) = self.to_do.first_key_value() else { return };
            let (key, effect) = (key.clone(), effect.clone());
            self.crash();
            let Some(fact) = self.perform(&effect) else { unreachable!("{effect} is a run") };
            if self.crashes == Crashes::Everywhere && lost.as_ref() != Some(&key) {
                // It was done, and nobody knows.
                lost = Some(key);
                self.crash();
                continue;
            }
            lost = None;
            let is_done =
                !matches!(fact.changes[..], [Change::Task { event: Event::Blocked { .. }, .. }]);
            let may_come_again = matches!(
                effect,
                Effect::FindBase { .. } | Effect::StopRun { .. } | Effect::PutOff { .. }
            );
            if is_done && !may_come_again {
                self.confirmed.insert(key.clone(), effect);
            }
            self.record(fact);
            self.to_do.remove(&key);
            self.engine.ended(&key);
            self.crash();
        }
    }

    /// What comes of an effect. The same, however often it is performed.
    fn perform(&self, effect: &Effect) -> Option<Fact> {
        let luck = self.draw("effect");
        let trouble = |kind| Trouble::new(kind, "it failed".to_owned());
        let (task, event) = match effect.clone() {
            Effect::FindBase { task } if luck.is_multiple_of(8) => {
                (task, Event::Blocked { trouble: trouble(TroubleKind::Repository) })
            }
            Effect::FindBase { task } => (task, Event::BaseFound { base: self.commit("base") }),
            Effect::Show { task, slot, digest } => (task, Event::Shown { slot, digest }),
            Effect::Acknowledge { task, text } => {
                (task, Event::Acknowledged { comment: text.id, on: Some(text.on) })
            }
            Effect::Resume { task, until } => (task, Event::Resumed { until }),
            Effect::PutOff { task, hold, passed } => (task, Event::PutOff { hold, passed }),
            Effect::PostReview { task, .. } => (task, Event::ReviewPosted),
            Effect::Tell { task, text, run, .. } => {
                let is_heard = run.is_some() && luck.is_multiple_of(2);
                let reached = if is_heard { Reached::AtWork } else { Reached::Next };
                (task, Event::Told { text, reached })
            }
            Effect::Rebase { task, head } => (task, self.rebase(head, luck)),
            Effect::AnswerThread { task, to, .. } => (task, Event::ThreadAnswered { to }),
            Effect::UpdatePull { task, head } => (task, Event::PullUpdated { head }),
            Effect::OpenPart { task, .. } if luck.is_multiple_of(8) => {
                (task, Event::Blocked { trouble: trouble(TroubleKind::NoIssues) })
            }
            Effect::OpenPart { task, step } => return self.open_part(task, step),
            Effect::Push { task, .. } if luck.is_multiple_of(8) => {
                (task, Event::Blocked { trouble: trouble(TroubleKind::ForeignBranch) })
            }
            Effect::Examine { task, .. } if luck.is_multiple_of(16) => {
                (task, Event::Blocked { trouble: trouble(TroubleKind::Repository) })
            }
            Effect::Examine { task, head } => {
                (task, Event::Examined { examined: examined(&head), head })
            }
            Effect::Seal { task, head } => {
                (task, Event::Sealed { receipt: ContentHash::of(head.as_str().as_bytes()), head })
            }
            Effect::Push { task, head } => (task, Event::Pushed { head }),
            Effect::OpenPull { task, .. } => (task, Event::PullOpened { pull: pull_of(task) }),
            Effect::StopRun { run } => {
                let known = self.book().task(run.task).and_then(|task| task.run.clone())?;
                // Some end just before they are stopped.
                let outcome =
                    if luck.is_multiple_of(3) { self.outcome(&known) } else { Outcome::Stopped };
                (run.task, Event::RunEnded { run, outcome, usage: Usage::default() })
            }
            Effect::Reply { repo, issue, comment, .. } => {
                let change = Change::Replied { repo, issue, comment };
                return Some(Fact { cause: None, changes: vec![change] });
            }
            Effect::Run { .. } => return None,
        };
        Some(Fact::of(task, event))
    }

    /// The issue of a step. Some steps come after no other, some after all.
    fn open_part(&self, of: TaskId, step: u32) -> Option<Fact> {
        let after = match self.draw("after") % 3 {
            0 => Vec::new(),
            1 => (1..step).collect(),
            _ => step.checked_sub(1).filter(|before| *before > 0).into_iter().collect(),
        };
        let hash = PlanHash::of(&format!("step {step} of {of}"));
        let part = PartOpened {
            of,
            step,
            issue: part_of(of, step),
            title: "One step".to_owned(),
            plan: PlanRef { hash, version: 1, n_steps: 1, n_questions: 0, contract: None },
            after,
        };
        intake::part_opened(self.book(), part)
    }

    /// What a rebase comes to.
    fn rebase(&self, from: CommitId, luck: u64) -> Event {
        let onto = self.commit("onto");
        match luck % 4 {
            0 => Event::NotRebased { from, why: NotRebased::OnTop { base: onto } },
            1 => Event::NotRebased { why: NotRebased::Foreign { head: from.clone() }, from },
            _ => Event::Rebased { from, onto, head: self.commit("rebased") },
        }
    }

    fn end_run(&mut self, run: &Run) {
        let outcome = self.outcome(run);
        let usage = Usage { n_calls: 1, ..Usage::default() };
        self.record(Fact::of(run.id.task, Event::RunEnded { run: run.id, outcome, usage }));
        self.engine.ended(&Key::Run(run.id));
    }

    fn outcome(&self, run: &Run) -> Outcome {
        let luck = self.draw("run");
        let failed = |kind| Outcome::Failed { trouble: Trouble::new(kind, String::new()) };
        let is_held = luck.is_multiple_of(6) && self.luck == Luck::Mixed;
        if (is_held || self.luck == Luck::Held) && !run.phase.is_checks() {
            return self.held(luck);
        }
        let is_bad = self.luck == Luck::Bad || luck.is_multiple_of(4);
        let kinds = [TroubleKind::Crash, TroubleKind::Deadline, TroubleKind::NeedsLogin];
        match run.phase {
            Phase::Verify | Phase::Baseline if is_bad && luck.is_multiple_of(3) => {
                failed(TroubleKind::Deadline)
            }
            Phase::Verify | Phase::Baseline if is_bad => failed(TroubleKind::RedChecks),
            _ if is_bad => failed(*pick(&kinds, luck.to_le_bytes()[1]).expect("there are three")),
            Phase::Plan => {
                let hash = PlanHash::of(&format!("plan of {}", run.id));
                let version = u32::try_from(self.clock).expect("a short journal");
                let n_steps = 1 + u32::from(luck.to_le_bytes()[2] % 3);
                Outcome::Planned {
                    plan: PlanRef { hash, version, n_steps, n_questions: 0, contract: None },
                }
            }
            Phase::Review => {
                let sends_back = luck.is_multiple_of(2);
                let n_blocking = u32::from(sends_back);
                Outcome::Reviewed { digest: Digest(8), n_findings: 1, n_blocking, sends_back }
            }
            Phase::Ask => Outcome::Answered { digest: Digest(7) },
            Phase::Implement { .. } | Phase::Correct if luck.is_multiple_of(5) => {
                Outcome::StepDone { head: run.from.clone(), n_commits: 0 }
            }
            Phase::Implement { .. } | Phase::Correct => {
                Outcome::StepDone { head: self.commit("step"), n_commits: 1 }
            }
            Phase::Verify | Phase::Baseline => Outcome::ChecksGreen { head: run.from.clone() },
        }
    }

    /// The model is not free: until then, or until nobody knows when.
    fn held(&self, luck: u64) -> Outcome {
        let why = *pick(&Why::ALL, luck.to_le_bytes()[1]).expect("there are some");
        let after = u64::from(luck.to_le_bytes()[2]) * HALF_HOUR / 4;
        let free = Free { at: Time(self.clock + after), known: Known::Reported };
        let (free, resumes) =
            (Some(free).filter(|_| luck.is_multiple_of(2)), !luck.is_multiple_of(5));
        let fails_over = self.policy.patience.fails_over;
        let hold = Hold { why, free, resumes, wait_max_ms: WAIT_MAX_MS, fails_over };
        let trouble = Trouble::new(TroubleKind::Quota, String::new());
        Outcome::Held { hold, trouble }
    }

    /// Takes what the engine asks for, and checks that it may.
    fn give_out(&mut self) {
        if self.crashes == Crashes::Everywhere {
            // Asked for, and forgotten before anything was recorded.
            let _forgotten = self.engine.next_effects(self.now());
            self.crash();
        }
        loop {
            let (effects, intents) = self.engine.next_effects(self.now());
            if effects.is_empty() {
                assert!(intents.is_empty(), "a run begins only where it is asked for");
                return;
            }
            for intent in intents {
                self.record(intent);
            }
            for effect in effects {
                self.check(&effect);
                if !matches!(effect, Effect::Run { .. }) {
                    let old = self.to_do.insert(effect.key(), effect);
                    assert!(old.is_none(), "it is under way already: {old:?}");
                }
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
    fn check(&self, effect: &Effect) {
        assert_ne!(self.confirmed.get(&effect.key()), Some(effect), "it is done already");
        match effect {
            Effect::Run { run, phase, from } => {
                assert!(!self.ended_runs.contains(run), "run {run} has ended");
                let task = self.book().task(run.task).expect("a run has a task");
                let known = task.run.as_ref().expect("its beginning is recorded");
                assert_eq!((known.id, known.phase, &known.from), (*run, *phase, from));
            }
            Effect::StopRun { run } => assert!(!self.ended_runs.contains(run), "{run} has ended"),
            Effect::Seal { task, head }
            | Effect::Push { task, head }
            | Effect::OpenPull { task, head }
            | Effect::UpdatePull { task, head } => {
                self.check_published(*task, head);
            }
            Effect::Resume { task, until } => {
                let state = &self.book().task(*task).expect("it is known").state.clone();
                let State::Parked { pause, .. } = state else { panic!("{state} is no wait") };
                assert!(pause.until == Some(*until) && *until <= self.now(), "it is not time");
            }
            Effect::PutOff { task, passed, .. } => {
                let task = self.book().task(*task).expect("it is known");
                let role = task.run.is_none().then_some(Role::Plan).expect("nothing runs for it");
                let reviewers = match &task.state {
                    State::Reviewing(work) => work.proof.reviewers().to_vec(),
                    _ => Vec::new(),
                };
                let n_agents = if reviewers.is_empty() {
                    self.policy.roster.agents(&task.repo, role).len()
                } else {
                    reviewers.len()
                };
                assert_eq!(passed.len(), n_agents, "none of them may act");
            }
            Effect::OpenPart { task, step } => {
                let is_open = self.parts().any(|(of, n, _)| (of, n) == (*task, *step));
                assert!(!is_open, "step {step} of task {task} is an issue already");
                let task = self.book().task(*task).expect("it is known");
                let plan = &task.state.split().expect("it is split").plan;
                let is_asked = |change: &Change| {
                    let Change::Task { task: id, event } = change else { return false };
                    matches!(event, Event::SplitApproved { hash, .. } if *hash == plan.hash)
                        && *id == task.id
                };
                let mut changes = self.journal.iter().flat_map(|fact| &fact.changes);
                assert!(changes.any(is_asked), "a person had this very plan split");
            }
            Effect::FindBase { .. }
            | Effect::Examine { .. }
            | Effect::Show { .. }
            | Effect::Reply { .. }
            | Effect::AnswerThread { .. }
            | Effect::PostReview { .. }
            | Effect::Tell { .. }
            | Effect::Rebase { .. }
            | Effect::Acknowledge { .. } => {}
        }
    }

    /// What is published was approved by a person, and then verified, exactly.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
    fn check_published(&self, id: TaskId, published: &CommitId) {
        let task = self.book().task(id).expect("it is known");
        let plan = &task.state.work().expect("it has work").plan.hash;
        let events: Vec<&Event> = self
            .journal
            .iter()
            .flat_map(|fact| &fact.changes)
            .filter_map(|change| match change {
                Change::Task { task, event } if *task == id => Some(event),
                Change::Task { .. }
                | Change::Opened(_)
                | Change::ReplyDue { .. }
                | Change::Replied { .. } => None,
            })
            .collect();
        let approved = events
            .iter()
            .rposition(|event| matches!(event, Event::PlanApproved { hash, .. } if hash == plan))
            .expect("this very plan was approved");
        let is_green = |event: &&Event| {
            matches!(event, Event::RunEnded { outcome: Outcome::ChecksGreen { head }, .. }
                if head == published)
        };
        let green =
            events[approved..].iter().position(is_green).expect("this very commit was verified");
        let look = |event: &&Event| match event {
            Event::Examined { head, examined } if head == published => Some(examined.hold.clone()),
            _ => None,
        };
        let hold = events[approved + green..].iter().rev().find_map(look);
        let hold = hold.expect("the guards have looked at this very commit");
        let is_released = |hold: &ContentHash| {
            let is_that =
                |event: &&Event| matches!(event, Event::Released { hold: it, .. } if it == hold);
            events[approved..].iter().any(is_that)
        };
        assert!(hold.is_none_or(|hold| is_released(&hold)), "nothing is held back");
    }

    /// Nothing begins before what it comes after is merged, unless a person says so.
    fn check_order(&self, task: TaskId) {
        let task = self.book().task(task).expect("it is known");
        let Some((of, _, part)) = self.parts().find(|(_, _, part)| part.issue == task.issue) else {
            return;
        };
        for step in part.after.iter().filter(|_| !task.alone) {
            let mut before = self.book().tasks_of(&task.repo, part_of(of, *step));
            assert!(
                before.any(|task| self.is_merged(&task)),
                "step {step} of task {of} is not merged"
            );
        }
    }

    /// Whether a task is merged, or all the parts of its plan are.
    fn is_merged(&self, task: &Task) -> bool {
        if let State::Split(split) = &task.state {
            return split.parts.iter().all(|part| {
                let mut tasks = self.book().tasks_of(&task.repo, part.issue);
                tasks.any(|task| self.is_merged(&task))
            });
        }
        matches!(task.state, State::Merged { .. })
    }

    fn record(&mut self, fact: Fact) {
        let now = self.now();
        for change in &fact.changes {
            let Change::Task { task, event } = change else { continue };
            if let Event::RunBegun { phase: Phase::Implement { step: 1 }, .. } = event {
                self.check_order(*task);
            }
            self.check_agent(*task, event);
        }
        self.lines.push((now, serde_json::to_string(&fact).expect("a fact can be written")));
        self.journal.push(fact.clone());
        if !matches!(fact.changes[..], [Change::Task { event: Event::Shown { .. }, .. }]) {
            self.clock += 1;
        }
        for change in &fact.changes {
            if let Change::Task { event: Event::RunEnded { run, .. }, .. } = change {
                self.ended_runs.insert(*run);
            }
        }
        self.engine.take_in(fact, now).expect("the world tells only what fits");
        for task in self.book().tasks().filter(|task| task.state.word() == "parked") {
            assert_eq!(task.run, None, "nothing runs for what is parked");
        }
        let n_waits = |task: &Task| {
            task.notes.iter().filter(|note| matches!(note, Note::Waits { .. })).count()
        };
        assert!(self.book().tasks().all(|task| n_waits(&task) <= 1), "waits are one comment");
        let n_runs = self.book().tasks().filter(|task| task.run.is_some()).count();
        assert!(n_runs <= PLACES, "{n_runs} runs");
    }

    /// No run begins of an agent before its time, unless a person says so.
    fn check_agent(&mut self, id: TaskId, event: &Event) {
        let now = self.now();
        let Some(task) = self.book().task(id).map(Cow::into_owned) else { return };
        if let Event::RetryAsked { .. } = event {
            self.shut.retain(|(task, _), _| *task != id);
        }
        if let Event::RunEnded { run, outcome: Outcome::Held { hold, .. }, .. } = event
            && let Some(run) = task.run.as_ref().filter(|current| current.id == *run)
            && hold.fails_over
        {
            let until = match hold.free {
                _ if hold.why == Why::Login => Time(u64::MAX),
                Some(free) => free.at,
                None => Time(now.0 + 1),
            };
            self.shut.insert((id, run.agent().expect("the checks need no quota")), until);
        }
        if let Event::RunBegun { agent: Some(agent), passed, phase, .. } = event {
            let own = self.shut.get(&(id, agent.clone())).copied();
            assert!(own.is_none_or(|until| until <= now), "{agent} begins before its time");
            if task.state.is_forced() {
                return;
            }
            let is_open = |shut: &Shut| shut.free.is_some_and(|free| free.at <= now);
            assert!(self.closed.agents.get(agent).is_none_or(is_open), "{agent} is closed");
            let proof = task.state.work().map(|work| &work.proof);
            let agents = match (phase, proof) {
                // Whoever wrote it is not among those who may review it.
                (Phase::Review, Some(proof)) => proof.reviewers().to_vec(),
                _ => self.policy.roster.agents(&task.repo, Role::Plan),
            };
            let n_before = agents.iter().take_while(|other| *other != agent).count();
            assert_eq!(passed.len(), n_before, "those before it in the list may not act");
        }
    }

    /// The daemon is killed and started again.
    fn crash(&mut self) {
        if self.crashes == Crashes::Everywhere {
            let json = serde_json::to_string(self.book()).expect("a book can be written");
            let book = serde_json::from_str(&json).expect("what was written can be read");
            self.engine = Engine::new(self.policy.clone(), book);
            self.engine.close(self.closed.clone());
            self.to_do.clear();
        }
    }

    fn commit(&self, what: &str) -> CommitId {
        let hash = PlanHash::of(&format!("{} {what} {}", self.seed, self.clock));
        hash.as_str()[..40].parse().expect("forty digits")
    }

    /// A number that is the same at the same place of the same world.
    fn draw(&self, what: &str) -> u64 {
        u64::from(Digest::of(&format!("{} {what} {}", self.seed, self.clock)).0)
    }
}

/// Facts of which most do not fit.
#[expect(clippy::too_many_lines, reason = "one case after the other")]
pub(crate) fn unfit_facts(book: &Book) -> Vec<Fact> {
    let by = || "eve".to_owned();
    let plan = PlanRef {
        hash: PlanHash::of("another"),
        version: 9,
        n_steps: 1,
        n_questions: 0,
        contract: None,
    };
    let head: CommitId = "e".repeat(40).parse().expect("forty digits");
    let trouble = Trouble::new(TroubleKind::Crash, String::new());
    let none = String::new;
    let mut facts = Vec::new();
    let strangers = [TaskId(0), TaskId(99)];
    for id in book.tasks().map(|task| task.id).chain(strangers) {
        let task = book.task(id);
        let run = task.as_ref().map_or(RunId { task: id, n: 1 }, |task| task.next_run());
        let current = task.and_then(|task| Some(task.run.as_ref()?.id)).unwrap_or(run);
        let mut events = vec![
            Event::PlanApproved {
                by: by(),
                hash: plan.hash.clone(),
                answers: none(),
                contract: None,
            },
            Event::SplitApproved { by: by(), hash: plan.hash.clone(), remarks: none() },
            Event::PartOpened { step: 2, issue: IssueNumber(77), after: vec![1] },
            Event::WaitWaived { by: by(), remarks: none() },
            Event::PlanSentBack { by: by(), remarks: none() },
            Event::PlanEdited { plan: plan.clone() },
            Event::StopAsked { by: by() },
            Event::RetryAsked { by: by(), remarks: none() },
            Event::Resumed { until: Time(1) },
            Event::PutOff { hold: hold(), passed: Vec::new() },
            Event::Blocked { trouble: trouble.clone() },
            Event::Examined { head: head.clone(), examined: examined(&head) },
            Event::Released { by: by(), hold: ContentHash::of(b"something") },
            Event::Sealed { head: head.clone(), receipt: ContentHash::of(b"a receipt") },
            Event::Pushed { head: head.clone() },
            Event::PullOpened { pull: PullNumber(5) },
            Event::PullMerged,
            Event::PullClosed,
            Event::PullReopened { head: head.clone() },
            Event::PullUpdated { head: head.clone() },
            Event::RebaseAsked { by: by() },
            Event::Rebased { from: head.clone(), onto: head.clone(), head: head.clone() },
            Event::Shown { slot: Slot::Note(7), digest: Digest(7) },
        ];
        for phase in
            [Phase::Plan, Phase::Ask, Phase::Implement { step: 9 }, Phase::Verify, Phase::Baseline]
        {
            events.push(Event::RunBegun {
                run,
                phase,
                from: head.clone(),
                agent: None,
                passed: Vec::new(),
            });
        }
        for outcome in [
            Outcome::Planned { plan: plan.clone() },
            Outcome::Answered { digest: Digest(7) },
            Outcome::StepDone { head: head.clone(), n_commits: 1 },
            Outcome::ChecksGreen { head: head.clone() },
            Outcome::Failed { trouble: trouble.clone() },
            Outcome::Stopped,
        ] {
            events.push(Event::RunEnded { run: current, outcome, usage: Usage::default() });
        }
        facts.extend(events.into_iter().map(|event| Fact::of(id, event)));
    }
    // A whole fact fits or none of it.
    let halves: Vec<Change> =
        facts.iter().rev().take(2).flat_map(|fact| fact.changes.clone()).collect();
    facts.push(Fact { cause: None, changes: halves });
    facts
}

/// What the guards find in a commit. The same, whenever they are asked.
fn examined(head: &CommitId) -> Examined {
    let report = ContentHash::of(head.as_str().as_bytes());
    let luck = report.as_str().as_bytes()[0];
    let hold = luck.is_multiple_of(3).then(|| report.clone());
    let n_flagged = u32::from(luck % 2);
    let reviewers = ["deep", "default"].into_iter().take(usize::from(luck % 3));
    let reviewers = reviewers.map(|name| name.parse().expect("a name")).collect();
    Examined { report, n_flagged, hold, reviewers }
}

fn hold() -> Hold {
    let free = Some(Free { at: Time(9), known: Known::Reported });
    Hold { why: Why::Quota, free, resumes: true, wait_max_ms: WAIT_MAX_MS, fails_over: true }
}

/// In half of the worlds there are several agents, and the next takes over.
fn policy(seed: u64) -> Policy {
    if seed.is_multiple_of(2) {
        let (roster, patience) = (Roster::SOLO, Patience::STANDARD);
        return Policy { n_runs_max: PLACES, roster, patience };
    }
    let agents = AGENTS.map(|name| name.parse().expect("it is a name")).to_vec();
    let mut roles = Roles::default();
    for role in Role::ALL {
        roles.set(role, agents.clone());
    }
    let resumes = !seed.is_multiple_of(5);
    let patience = Patience { fails_over: true, resumes, wait_max_ms: WAIT_MAX_MS };
    Policy { n_runs_max: PLACES, roster: Roster::new(roles, BTreeMap::new()), patience }
}

const HALF_HOUR: u64 = 30 * 60 * 1000;

/// The number of a task's pull request: no issue has it.
fn pull_of(task: TaskId) -> PullNumber {
    PullNumber(100 + u64::from(task.0))
}

/// The issue of a step: no other has its number, nor a pull request.
fn part_of(task: TaskId, step: u32) -> IssueNumber {
    IssueNumber(1000 + 100 * u64::from(task.0) + u64::from(step))
}

fn repo() -> RepoName {
    "ada/sums".parse().expect("it is a name")
}

fn pick<T>(from: &[T], n: u8) -> Option<&T> {
    from.get(usize::from(n).checked_rem(from.len())?)
}
