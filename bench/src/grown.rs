//! A home in which much has been done already.
//!
//! The real engine decides and the real journal is written; what is left out is
//! the acts themselves: every effect succeeds at once. So the journal has the
//! facts that a daemon would have written, record for record, and ends with
//! nothing to do. Pages are written as zazen and people leave them, for some.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use zazen::home::Home;
use zazen::home::journal::{self, Entry, Position};
use zazen_core::effect::Effect;
use zazen_core::engine::{Book, Cause, Change, Engine, Fact, Opened, Patience, Policy};
use zazen_core::id::{
    CommentId, CommitId, ContentHash, IssueNumber, PlanHash, PullNumber, RepoName, TaskId, Time,
};
use zazen_core::roster::Roster;
use zazen_core::task::{Event, Examined, Kind, Outcome, Phase, PlanRef};
use zazen_core::usage::{Cost, Tokens, Usage};

use crate::model::PLAN;
use crate::place::{REPO, git};

/// What a home was filled with.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "they are counts")]
pub(crate) struct Grown {
    pub(crate) n_tasks: u32,
    pub(crate) n_records: u64,
    pub(crate) n_pages: u32,
}

/// How many records are appended at once.
const BATCH: usize = 2000;

/// When the first task was opened, and how long each took.
const FIRST: u64 = 1_750_000_000_000;
const PER_TASK_MS: u64 = 240_000;

/// What a person wrote with each of the two commands.
const TITLES: [&str; 3] =
    ["Sum by month, too", "Explain the exit codes in the README", "Refuse amounts below zero"];

struct Grower {
    engine: Engine,
    entries: Vec<Entry>,
    repo: RepoName,
    now: Time,
}

/// Fills a home with tasks whose drafts are open. The newest `n_pages` have their pages.
pub(crate) fn grow(home: &Home, n_tasks: u32, n_pages: u32) -> anyhow::Result<Grown> {
    let journal = journal::open(home, Position::START, &mut |_| Ok(()))?.journal;
    let patience = Patience { fails_over: false, resumes: true, wait_max_ms: u64::MAX };
    let policy = Policy { n_runs_max: 4, roster: Roster::SOLO, patience };
    let engine = Engine::new(policy, Book::default());
    let repo = REPO.parse().context("a repository's name")?;
    let mut grower = Grower { engine, entries: Vec::new(), repo, now: Time(FIRST) };
    for id in 1..=n_tasks {
        grower.task(id)?;
        if grower.entries.len() >= BATCH || id == n_tasks {
            journal.append_blocking(std::mem::take(&mut grower.entries))?;
        }
    }
    for id in 1..=n_tasks.min(u32::try_from(TITLES.len())?) {
        fs::write(home.blobs_dir().join(format!("{}.md", plan(id).hash)), plan_text(id))?;
    }
    for id in n_tasks.saturating_sub(n_pages) + 1..=n_tasks {
        pages(home.root(), id)?;
    }
    git(home.root(), &["add", "-A"])?;
    git(home.root(), &["commit", "-q", "-m", "What was done so far"])?;
    Ok(Grown { n_tasks, n_records: journal.position().seq, n_pages })
}

impl Grower {
    fn task(&mut self, id: u32) -> anyhow::Result<()> {
        let issue = IssueNumber(u64::from(id));
        let task = TaskId(id);
        let cause = |comment| {
            let comment = CommentId::comment(comment);
            Some(Cause::Comment { repo: REPO.parse().ok()?, issue, comment })
        };
        let taken = |n| Change::Task {
            task,
            event: Event::CommandTaken { comment: CommentId::comment(n), on: None },
        };
        self.take(Fact { cause: cause(0), changes: Vec::new() })?;
        let opened = Change::Opened(Opened {
            id: task,
            kind: Kind::Change,
            repo: self.repo.clone(),
            issue,
            title: title(id).to_owned(),
            request: String::new(),
            by: "ada".to_owned(),
            review: None,
            plan: None,
        });
        self.take(Fact { cause: cause(1), changes: vec![opened, taken(1)] })?;
        self.go_on(id)?;
        let plan = plan(id).hash;
        let event = Event::PlanApproved {
            by: "ada".into(),
            hash: plan,
            answers: String::new(),
            contract: None,
        };
        let approved = Change::Task { task, event };
        self.take(Fact { cause: cause(3), changes: vec![approved, taken(3)] })?;
        self.go_on(id)?;
        self.now = Time(FIRST + u64::from(id) * PER_TASK_MS);
        Ok(())
    }

    fn take(&mut self, fact: Fact) -> anyhow::Result<()> {
        self.now = Time(self.now.0 + 7);
        self.entries.push(Entry::new(self.now, fact.first_task(), name(&fact), &fact)?);
        self.engine.take_in(fact, self.now).map(drop).context("a fact fits")
    }

    /// Lets everything succeed that the engine asks for, until it asks for nothing.
    fn go_on(&mut self, id: u32) -> anyhow::Result<()> {
        loop {
            let (effects, intents) = self.engine.next_effects(self.now);
            if effects.is_empty() {
                return Ok(());
            }
            for fact in intents {
                self.take(fact)?;
            }
            for effect in effects {
                let event = outcome(&effect, id)?;
                self.take(Fact::of(TaskId(id), event))?;
                self.engine.ended(&effect.key());
            }
        }
    }
}

fn outcome(effect: &Effect, id: u32) -> anyhow::Result<Event> {
    Ok(match effect {
        Effect::FindBase { .. } => Event::BaseFound { base: commit(1) },
        Effect::Run { run, phase, .. } => {
            let outcome = match phase {
                Phase::Plan => Outcome::Planned { plan: plan(id) },
                Phase::Implement { .. } => Outcome::StepDone { head: commit(id), n_commits: 1 },
                Phase::Verify => Outcome::ChecksGreen { head: commit(id) },
                Phase::Baseline => Outcome::ChecksGreen { head: commit(1) },
                Phase::Ask | Phase::Review | Phase::Correct => bail!("nobody asked for that"),
            };
            let tokens =
                Tokens { input: 12_000 + u64::from(id % 999), output: 900, ..Tokens::default() };
            let usage =
                Usage { n_calls: 5, tokens, cost: Cost::Micros(49_500), ..Usage::default() };
            Event::RunEnded { run: *run, outcome, usage }
        }
        Effect::Show { slot, digest, .. } => Event::Shown { slot: *slot, digest: *digest },
        Effect::PostReview { .. } => Event::ReviewPosted,
        Effect::UpdatePull { head, .. } => Event::PullUpdated { head: head.clone() },
        Effect::AnswerThread { to, .. } => Event::ThreadAnswered { to: *to },
        Effect::Acknowledge { text, .. } => {
            Event::Acknowledged { comment: text.id, on: Some(text.on) }
        }
        Effect::Examine { head, .. } => {
            let report = ContentHash::of(head.as_str().as_bytes());
            let examined = Examined { report, n_flagged: 0, hold: None, reviewers: Vec::new() };
            Event::Examined { head: head.clone(), examined }
        }
        Effect::Seal { head, .. } => {
            let receipt = ContentHash::of(head.as_str().as_bytes());
            Event::Sealed { head: head.clone(), receipt }
        }
        Effect::Push { head, .. } => Event::Pushed { head: head.clone() },
        Effect::OpenPull { .. } => Event::PullOpened { pull: pull(id) },
        Effect::StopRun { .. }
        | Effect::PutOff { .. }
        | Effect::Reply { .. }
        | Effect::OpenPart { .. }
        | Effect::Resume { .. }
        | Effect::Tell { .. }
        | Effect::Rebase { .. } => bail!("nobody asked for that"),
    })
}

fn title(id: u32) -> &'static str {
    TITLES[id as usize % TITLES.len()]
}

fn plan(id: u32) -> PlanRef {
    PlanRef {
        hash: PlanHash::of(&plan_text(id)),
        version: 1,
        n_steps: 1,
        n_questions: 0,
        contract: None,
    }
}

/// The exact text of a task's plan, as the daemon keeps and shows it.
fn plan_text(id: u32) -> String {
    let text = PLAN.replacen("Sum by month", title(id), 1);
    zazen_core::plan::print(&zazen_core::plan::parse(&text).expect("it is a plan"))
}

fn commit(id: u32) -> CommitId {
    format!("{id:040x}").parse().expect("forty digits")
}

/// Issues and pull requests share their numbers; here the pulls come after all issues.
fn pull(id: u32) -> PullNumber {
    PullNumber(10_000_000 + u64::from(id))
}

/// What the daemon calls a fact in the journal.
fn name(fact: &Fact) -> &'static str {
    match fact.changes.first() {
        Some(Change::Opened(_)) => "opened",
        Some(Change::Task { event: Event::RunBegun { .. }, .. }) => "run-begun",
        Some(Change::Task { event: Event::RunEnded { .. }, .. }) => "run-ended",
        Some(Change::Task { .. }) => "task",
        Some(Change::ReplyDue { .. } | Change::Replied { .. }) => "reply",
        None => "read",
    }
}

/// The issue with its comments, the task's two pages, and the pull request's.
fn pages(root: &Path, id: u32) -> anyhow::Result<()> {
    let forge = root.join("forge").join(REPO);
    let issue = forge.join(format!("issues/{id}"));
    let comments = issue.join("comments");
    let slug = title(id).to_lowercase().replace(", ", "-").replace(' ', "-");
    let opened = Time(FIRST + u64::from(id - 1) * PER_TASK_MS);
    let task = Home::at(root).task_dir(TaskId(id), &slug, opened);
    for dir in [&comments, &task, &forge.join("pulls")] {
        fs::create_dir_all(dir)?;
    }
    let at = "at: 2025-06-15T15:06:40Z";
    let head = |who: &str| format!("---\nauthor: {who}\n{at}\n---\n\n");
    let steps = "1. [x] One step.\n".repeat(8);
    let put = |path: std::path::PathBuf, text: String| {
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    };
    let title = title(id);
    put(
        issue.join("issue.md"),
        format!("---\ntitle: {title}\nauthor: ada\n{at}\nstate: open\n---\n\nPlease.\n"),
    )?;
    for (n, who, text) in [
        (1, "ada", "/plan"),
        (2, "zazen", steps.as_str()),
        (3, "ada", "/implement"),
        (4, "zazen", "The draft is open."),
    ] {
        put(comments.join(format!("{n:04}.md")), format!("{}{text}\n", head(who)))?;
    }
    put(task.join("task.md"), format!("---\ntask: {id}\n---\n\n# {title}\n\n{steps}"))?;
    put(task.join("plan.md"), plan_text(id))?;
    put(root.join(format!(".zazen/blobs/written-{id}.md")), plan_text(id))?;
    let pull = pull(id);
    put(
        forge.join(format!("pulls/{pull}.md")),
        format!("---\ntitle: {title}\nstate: open\ndraft: true\n---\n\n{steps}"),
    )
}
