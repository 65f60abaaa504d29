//! What the journal says, folded: tasks, issues, and replies that are due.

mod dense;
mod issues;
mod links;
mod seen;
mod shelf;
mod zeros;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

pub use self::issues::IssueState;
use self::issues::Issues;
use self::links::Links;
pub use self::seen::Seen;
pub use self::shelf::LAYOUT;
use self::shelf::Shelf;
use super::ledger::Ledger;
use crate::effect::Effect;
use crate::id::{CommentId, IssueNumber, PullNumber, RepoName, TaskId, Time};
use crate::reply::Reply;
use crate::task::{
    Event, IllegalEvent, Kind, PlanRef, PullHead, ReviewOf, State, Task, Try, evolve,
};

/// Everything that the journal's facts add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    tasks: Shelf,
    issues: BTreeMap<RepoName, Issues>,
    replies: Vec<(IssueRef, CommentId, Reply)>,
    #[serde(default)]
    links: Links,
    /// The last requests that were taken, so that none is taken twice.
    requests: VecDeque<String>,
    ledger: Ledger,
}

/// How many requests are remembered. A request's file is gone as soon as its
/// fact is durable, so only those of the last moments can come again.
const N_REQUESTS_MAX: usize = 1000;

/// One issue of one repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IssueRef {
    pub repo: RepoName,
    pub issue: IssueNumber,
}

/// Something that happened, and all that it changes. One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What made something happen, where that must not be taken twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Cause {
    Comment {
        repo: RepoName,
        issue: IssueNumber,
        comment: CommentId,
    },
    /// A request of the command line, by the name of its file.
    Request {
        id: String,
    },
}

/// One change of the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    Opened(Opened),
    Task { task: TaskId, event: Event },
    ReplyDue { repo: RepoName, issue: IssueNumber, comment: CommentId, reply: Reply },
    Replied { repo: RepoName, issue: IssueNumber, comment: CommentId },
}

/// A task was taken on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub id: TaskId,
    pub kind: Kind,
    pub repo: RepoName,
    pub issue: IssueNumber,
    pub title: String,
    #[serde(default)]
    pub request: String,
    pub by: String,
    /// What is to be reviewed, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<PullHead>,
    /// The plan that it begins with: it is a step of a plan that was split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanRef>,
}

/// A fact does not fit what is known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    #[error("there is no task {0}")]
    NoTask(TaskId),
    #[error("task {0} is already known")]
    Known(TaskId),
    /// It was taken before. There is nothing to do.
    #[error("this was taken before")]
    Repeated,
}

impl Fact {
    /// Reads a fact as the journal has it. Done here, where it is compiled for speed: a start
    /// without a snapshot does it millions of times.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// One event of one task.
    pub fn of(task: TaskId, event: Event) -> Self {
        Self { cause: None, changes: vec![Change::Task { task, event }] }
    }

    /// The first task that this fact is about.
    pub fn first_task(&self) -> Option<TaskId> {
        self.changes.iter().find_map(|change| match change {
            Change::Opened(opened) => Some(opened.id),
            Change::Task { task, .. } => Some(*task),
            Change::ReplyDue { .. } | Change::Replied { .. } => None,
        })
    }
}

impl IssueState {
    /// All tasks of the issue, the oldest first.
    fn tasks(&self) -> BTreeSet<TaskId> {
        self.others.iter().copied().chain(self.task).collect()
    }
}

impl Book {
    pub fn tasks(&self) -> impl DoubleEndedIterator<Item = Cow<'_, Task>> {
        self.tasks.iter()
    }

    pub fn task(&self, id: TaskId) -> Option<Cow<'_, Task>> {
        self.tasks.get(id)
    }

    /// What was spent, by day and repository.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn n_tasks(&self) -> usize {
        self.tasks.len()
    }

    /// The number that the next task gets.
    pub fn next_task(&self) -> TaskId {
        TaskId(self.tasks.last().map_or(0, |id| id.0) + 1)
    }

    /// What is known of an issue.
    pub fn issue(&self, repo: &RepoName, issue: IssueNumber) -> IssueState {
        self.issues.get(repo).map(|issues| issues.get(issue)).unwrap_or_default()
    }

    /// The tasks of one issue, the oldest first.
    pub fn tasks_of(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
    ) -> impl Iterator<Item = Cow<'_, Task>> {
        self.issue(repo, issue).tasks().into_iter().filter_map(|id| self.task(id))
    }

    /// The replies that are due.
    pub fn replies(&self) -> impl Iterator<Item = Effect> + '_ {
        self.replies.iter().map(|(at, comment, reply)| Effect::Reply {
            repo: at.repo.clone(),
            issue: at.issue,
            comment: *comment,
            reply: reply.clone(),
        })
    }

    /// Checks that `fact` fits, and says what it would make of the tasks that it touches.
    pub(super) fn check(&self, fact: &Fact, at: Time) -> Result<(), Unfit> {
        self.outcome(fact, at).map(drop)
    }

    /// Takes in one fact, wholly or not at all, and says which tasks it touched: those that it
    /// is about, and those that have to do with them.
    pub fn take_in(&mut self, fact: Fact, at: Time) -> Result<BTreeSet<TaskId>, Unfit> {
        let tasks = self.outcome(&fact, at)?;
        let run_of = |id| self.task(id).and_then(|task| task.run.as_ref().map(|run| run.id));
        for (task, usage) in Ledger::spent_in(&fact, run_of) {
            if let Some(task) = tasks.get(&task) {
                self.ledger.add(&task.repo, usage, at);
            }
        }
        let mut touched: BTreeSet<TaskId> = tasks.keys().copied().collect();
        for task in tasks.into_values() {
            self.tasks.put(task);
        }
        if let Some(cause) = fact.cause {
            self.note_cause(cause);
        }
        for change in fact.changes {
            self.apply(change);
        }
        touched.append(&mut self.neighbours(&touched));
        Ok(touched)
    }

    fn outcome(&self, fact: &Fact, at: Time) -> Result<BTreeMap<TaskId, Task>, Unfit> {
        if fact.cause.as_ref().is_some_and(|cause| self.was_taken(cause)) {
            return Err(Unfit::Repeated);
        }
        let mut tasks = BTreeMap::new();
        for change in &fact.changes {
            match change {
                Change::Opened(opened) => {
                    if self.tasks.contains(opened.id) || tasks.contains_key(&opened.id) {
                        return Err(Unfit::Known(opened.id));
                    }
                    tasks.insert(opened.id, self.open(opened, at));
                }
                Change::Task { task: id, event } => {
                    let task = match tasks.remove(id) {
                        Some(task) => task,
                        None => self.task(*id).map(Cow::into_owned).ok_or(Unfit::NoTask(*id))?,
                    };
                    tasks.insert(*id, evolve(task, event.clone(), at)?);
                }
                Change::ReplyDue { .. } | Change::Replied { .. } => {}
            }
        }
        Ok(tasks)
    }

    /// Whether what this cause led to is in the book already.
    pub fn was_taken(&self, cause: &Cause) -> bool {
        match cause {
            Cause::Comment { repo, issue, comment } => {
                self.issues.get(repo).is_some_and(|issues| issues.has_seen(*issue, *comment))
            }
            Cause::Request { id } => self.requests.contains(id),
        }
    }

    fn note_cause(&mut self, cause: Cause) {
        match cause {
            Cause::Comment { repo, issue, comment } => {
                self.issue_mut(&repo, issue).seen.insert(comment);
            }
            Cause::Request { id } => {
                self.requests.push_back(id);
                if self.requests.len() > N_REQUESTS_MAX {
                    self.requests.pop_front();
                }
            }
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Opened(opened) => {
                self.issue_mut(&opened.repo, opened.issue).open(opened.kind, opened.id);
            }
            Change::Task { task, event: Event::PullOpened { pull } } => self.note_pull(task, pull),
            Change::Task { task, event: Event::PartOpened { issue, .. } } => {
                self.note_part(task, issue);
            }
            Change::Task { .. } => {}
            Change::ReplyDue { repo, issue, comment, reply } => {
                if reply.has_stranger() {
                    self.issue_mut(&repo, issue).refused = true;
                }
                self.replies.push((IssueRef { repo, issue }, comment, reply));
            }
            Change::Replied { repo, issue, comment } => {
                let at = IssueRef { repo, issue };
                self.replies.retain(|(a, c, _)| *a != at || *c != comment);
            }
        }
    }

    /// What is written on the pull request is said to its task. Forges count pull requests and
    /// issues together.
    fn note_pull(&mut self, task: TaskId, pull: PullNumber) {
        let Some(repo) = self.task(task).map(|task| task.repo.clone()) else { return };
        self.issues_mut(&repo).note_pull(IssueNumber(pull.0), task);
    }

    fn note_part(&mut self, of: TaskId, issue: IssueNumber) {
        let Some(repo) = self.task(of).map(|task| task.repo.clone()) else { return };
        self.links.add(&repo, issue, of);
    }

    fn issue_mut(&mut self, repo: &RepoName, issue: IssueNumber) -> &mut IssueState {
        self.issues_mut(repo).get_mut(issue)
    }

    fn issues_mut(&mut self, repo: &RepoName) -> &mut Issues {
        if !self.issues.contains_key(repo) {
            self.issues.insert(repo.clone(), Issues::default());
        }
        self.issues.get_mut(repo).expect("it was just put there")
    }

    fn open(&self, opened: &Opened, at: Time) -> Task {
        // Tasks of one repository share its name.
        let repo = self.issues.get_key_value(&opened.repo).map_or(&opened.repo, |(name, _)| name);
        Task {
            id: opened.id,
            kind: opened.kind,
            repo: repo.clone(),
            issue: opened.issue,
            title: opened.title.clone(),
            opened: at,
            changed: at,
            request: opened.request.clone(),
            state: match opened.plan {
                Some(_) => State::AwaitingApproval,
                None => State::Received(Try::default()),
            },
            base: opened.review.as_ref().map(|at| at.head.clone()),
            n_runs: 0,
            run: None,
            usage: crate::usage::Usage::default(),
            plan: opened.plan.clone(),
            alone: false,
            shown: Vec::new(),
            notes: Vec::new(),
            to_acknowledge: Vec::new(),
            to_answer: Vec::new(),
            to_tell: Vec::new(),
            told: None,
            review: opened.review.clone().map(|at| Box::new(ReviewOf { at, to_post: None })),
            passed: Vec::new(),
            by_hand: false,
        }
    }
}
