//! From what people write to facts.
//!
//! [`comment`] reads one comment and says what it changes; [`request`] does the
//! same for the command line. The decision is made once and written to the
//! journal, so a later version that reads comments otherwise does not change
//! what has happened.

mod approve;
mod flag;
mod fork;
mod release;
mod request;
mod split;

use std::borrow::Cow;

use crate::command::{self, Command, Name};
use crate::engine::{Book, Cause, Change, Fact, Opened};
use crate::id::{CommentId, CommitId, IssueNumber, RepoName, TaskId};
use crate::reply::{Reply, StatusLine};
use crate::task::{
    Ask, EVIDENCE_BYTES_MAX, Event, Kind, PlanRef, PullHead, State, Task, TextRef, evolve,
};
use crate::text::{cut_middle, one_line, plain};
use crate::trust::{Author, Permission, Trust};
use crate::words;

pub use self::request::{Request, request};
pub use self::split::{PartOpened, part_opened};

/// A comment, as its forge shows it. The issue's own text is comment 0.
#[derive(Debug, Clone)]
pub struct Comment<'a> {
    pub repo: &'a RepoName,
    pub issue: IssueNumber,
    pub title: &'a str,
    pub id: CommentId,
    pub author: &'a str,
    /// What the forge lets the author do, where it says so.
    pub permission: Option<Permission>,
    /// Whether the author is a program.
    pub is_bot: bool,
    /// The names under which zazen is spoken to on this forge.
    pub bots: &'a [&'a str],
    /// What it asks for without a command in it.
    pub implied: Option<Implied>,
    /// The pull request that the conversation is about, where its forge says where that is.
    pub pull: Option<PullHead>,
    pub text: &'a str,
}

impl<'a> Comment<'a> {
    fn author(&self) -> Author<'a> {
        Author { name: self.author, permission: self.permission, is_bot: self.is_bot }
    }
}

/// What a text, or an act that stands for one, asks for by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Implied {
    /// The command that it stands for: the label `zazen:plan`, or a review that asks for
    /// changes (`/fix`, with the review's words). A command in the text goes before it.
    Command(Name),
    /// Checks that somebody else runs are red on this commit; the text is what they printed.
    RedChecks { head: CommitId },
}

/// What the owner has set for all that people write.
#[derive(Debug, Clone)]
pub struct Rules {
    pub trust: Trust,
    /// How many rounds of rework reviews may lead to without a command.
    pub rework_rounds: u32,
}

/// How many rounds of rework reviews may lead to, where the owner says nothing.
pub const REWORK_ROUNDS: u32 = 3;

/// How long a fact may be that somebody has remembered, in characters. Every agent reads it.
const FACT_CHARS_MAX: usize = 1000;

/// How much of what somebody wrote is kept with what it led to, in bytes.
const REMARKS_BYTES_MAX: usize = 8 * 1024;

impl Default for Rules {
    fn default() -> Self {
        Self { trust: Trust::default(), rework_rounds: REWORK_ROUNDS }
    }
}

/// The text of the plan's page as it is on disk, in the moment when a command is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanOnDisk {
    /// There is none, or it is what the book says.
    AsKnown,
    /// A person changed it into something that cannot be read.
    Unreadable { why: String },
}

/// Reads one comment, and says what it changes.
///
/// Commands of people who may not give any change nothing. They are told so once on an
/// issue, since who can write comments could else have zazen write as many.
pub fn comment(book: &Book, rules: &Rules, comment: &Comment<'_>, on_disk: &PlanOnDisk) -> Fact {
    let cause =
        Cause::Comment { repo: comment.repo.clone(), issue: comment.issue, comment: comment.id };
    let parsed = command::parse(comment.text, comment.bots);
    let (changes, replies) = (Vec::new(), Vec::new());
    let mut reader = Reader { book, rules, comment, changes, replies };
    if let Some(Implied::RedChecks { head }) = &comment.implied {
        // Nobody says so, and nobody's words in it are commands.
        reader.red_checks(head);
        return Fact { cause: Some(cause), changes: reader.finish() };
    }
    let may = |name| rules.trust.may_command(comment.author(), name);
    let is_said = !parsed.commands.is_empty() || parsed.bad.is_some();
    if let Some(bad) = parsed.bad {
        if Name::ALL.into_iter().any(may) {
            reader.reply(Reply::BadCommand { why: bad.to_string() });
        } else {
            reader.refuse();
        }
    }
    for command in parsed.commands {
        if may(command.name()) {
            reader.take(command, on_disk);
        } else {
            reader.refuse();
        }
    }
    if let (Some(Implied::Command(name)), false) = (&comment.implied, is_said) {
        if may(*name) {
            reader.take_implied(*name, on_disk);
        } else if *name != Name::Fix {
            reader.refuse();
        }
    }
    if !is_said && comment.implied.is_none() && !comment.is_bot && may(Name::Fix) {
        reader.say();
    }
    Fact { cause: Some(cause), changes: reader.finish() }
}

struct Reader<'a> {
    book: &'a Book,
    rules: &'a Rules,
    comment: &'a Comment<'a>,
    changes: Vec<Change>,
    replies: Vec<Reply>,
}

impl<'a> Reader<'a> {
    /// All changes. The replies are one, since a comment has at most one reply.
    fn finish(mut self) -> Vec<Change> {
        let reply = match self.replies.len() {
            0 => return self.changes,
            1 => self.replies.remove(0),
            _ => Reply::Several { replies: self.replies },
        };
        self.changes.push(Change::ReplyDue {
            repo: self.comment.repo.clone(),
            issue: self.comment.issue,
            comment: self.comment.id,
            reply,
        });
        self.changes
    }

    fn take(&mut self, command: Command, on_disk: &PlanOnDisk) {
        let (command, resumes) = flag::of(command);
        let n_before = self.changes.len();
        self.take_without_flag(command, on_disk);
        let change = resumes.and_then(|resumes| flag::change(resumes, &self.changes[n_before..]));
        self.changes.extend(change);
    }

    fn take_without_flag(&mut self, command: Command, on_disk: &PlanOnDisk) {
        let by = self.comment.author.to_owned();
        let word = command.name().word();
        match command {
            Command::Plan { remarks } => self.plan(by, remarks),
            Command::Ask { question } => self.open(Kind::Question, question),
            Command::Status => self.status(),
            Command::Approve { answers } if self.is_held() => self.release(by, &answers),
            Command::Implement { answers } | Command::Approve { answers } => {
                self.implement(word, (by, answers), on_disk);
            }
            Command::Fix { remarks } => self.fix(&remarks, true),
            Command::Review { focus } => self.review(focus),
            Command::Remember { fact } => {
                let fact = cut_middle(&one_line(&fact, FACT_CHARS_MAX), REMARKS_BYTES_MAX);
                self.reply(Reply::Remembered { by, fact });
            }
            Command::Rebase { .. } => self.tell(word, Event::RebaseAsked { by }),
            Command::Split { remarks } => self.split((by, remarks), on_disk),
            Command::Stop { .. } => self.tell(word, Event::StopAsked { by }),
            Command::Retry { remarks } => self.retry((by, remarks)),
        }
    }

    /// Takes what somebody did as the command that it stands for.
    fn take_implied(&mut self, name: Name, on_disk: &PlanOnDisk) {
        let by = self.comment.author.to_owned();
        let text = self.comment.text.to_owned();
        match name {
            Name::Fix => self.fix(&text, false),
            Name::Plan => self.plan(by, text),
            Name::Implement | Name::Approve => {
                self.implement(name.word(), (by, text), on_disk);
            }
            Name::Stop => self.tell(name.word(), Event::StopAsked { by }),
            Name::Retry => self.retry((by, text)),
            Name::Split => self.split((by, text), on_disk),
            Name::Status => self.status(),
            // A question or a fact needs words that are meant as one.
            Name::Review => self.review(text),
            Name::Rebase => self.tell(name.word(), Event::RebaseAsked { by }),
            Name::Ask | Name::Remember => {}
        }
    }

    /// Somebody wants the open pull request changed. A review that changes nothing is not
    /// answered: it is not zazen that it speaks to.
    fn fix(&mut self, remarks: &str, by_command: bool) {
        let Comment { issue, id, author, .. } = *self.comment;
        let ask = Ask {
            text: TextRef { on: issue, id },
            by: author.to_owned(),
            remarks: cut_middle(&plain(remarks), REMARKS_BYTES_MAX),
            by_command,
        };
        let event = Event::FixAsked { ask, rounds_max: self.rules.rework_rounds };
        if by_command {
            return self.tell("fix", event);
        }
        let Some(task) = self.task() else { return };
        match evolve(task.clone().into_owned(), event.clone(), task.changed) {
            Ok(next) if next.state.is_rework() && next.state != task.state => {
                self.tell("fix", event);
            }
            // That there are no more rounds is said by a note.
            Ok(next) if next != *task => self.changes.push(Change::Task { task: task.id, event }),
            Ok(_) | Err(_) => {}
        }
    }

    /// Red checks on a commit. Whether it is one of ours, the task knows.
    fn red_checks(&mut self, head: &CommitId) {
        let Some(task) = self.task() else { return };
        let evidence = cut_middle(&plain(self.comment.text), EVIDENCE_BYTES_MAX);
        let event = Event::ChecksFailed { head: head.clone(), evidence };
        let next = evolve(task.clone().into_owned(), event.clone(), task.changed);
        if next.is_ok_and(|next| next != *task) {
            self.changes.push(Change::Task { task: task.id, event });
        }
    }

    /// Reviews the pull request of this conversation, at the commit where it is now.
    fn review(&mut self, focus: String) {
        let own = self.task().and_then(|task| {
            let State::Drafted { pull, head, .. } = &task.state else { return None };
            Some(PullHead { pull: *pull, head: head.clone() })
        });
        let Some(at) = self.comment.pull.clone().or(own) else {
            return self.reply(Reply::NoPull);
        };
        let tasks = self.book.tasks_of(self.comment.repo, self.comment.issue);
        let same = tasks.filter(|task| {
            let is_done = matches!(task.state, State::Failed { .. } | State::Stopped { .. });
            !is_done && task.review.as_ref().is_some_and(|review| review.at == at)
        });
        match same.last() {
            Some(task) => {
                let is_done = matches!(task.state, State::Closed { .. });
                let head = at.head.short().to_owned();
                self.reply(Reply::SameReview { task: task.id, head, is_done });
            }
            None => self.open_with(Kind::Review, focus, Some(at)),
        }
    }

    fn plan(&mut self, by: String, remarks: String) {
        match self.task() {
            // What is said on a pull request is about that one.
            Some(task) if task.issue != self.comment.issue => self.wrong_time("plan", &task),
            Some(task) if may_be_planned_again(&task) => {
                self.tell("plan", Event::PlanSentBack { by, remarks });
            }
            // A task that is over stays as it is: this is new work on the same issue.
            Some(task) if is_over(&task) => self.open(Kind::Change, remarks),
            None => self.open(Kind::Change, remarks),
            Some(task) => self.wrong_time("plan", &task),
        }
    }

    /// Tells the issue's task what happened, if that fits where it stands.
    fn tell(&mut self, word: &str, event: Event) {
        let Some(task) = self.open_to(&event) else {
            match self.task() {
                Some(task) => self.wrong_time(word, &task),
                None => self.reply(Reply::NoTask { command: word.to_owned() }),
            }
            return;
        };
        let (id, comment) = (task.id, self.comment.id);
        let on = Some(self.comment.issue).filter(|on| *on != task.issue);
        self.changes.push(Change::Task { task: id, event });
        self.changes.push(Change::Task { task: id, event: Event::CommandTaken { comment, on } });
    }

    fn open(&mut self, kind: Kind, request: String) {
        self.open_with(kind, request, None);
    }

    fn open_with(&mut self, kind: Kind, request: String, review: Option<PullHead>) {
        let n_opened = self.changes.iter().filter(|c| matches!(c, Change::Opened(_))).count();
        let first = self.book.next_task().0;
        let id = TaskId(first + u32::try_from(n_opened).unwrap_or(0));
        self.changes.push(Change::Opened(Opened {
            id,
            kind,
            repo: self.comment.repo.clone(),
            issue: self.comment.issue,
            title: self.comment.title.to_owned(),
            request,
            by: self.comment.author.to_owned(),
            review,
            plan: None,
        }));
        let comment = self.comment.id;
        let taken = Event::CommandTaken { comment, on: None };
        self.changes.push(Change::Task { task: id, event: taken });
    }

    /// What is no command is for the agent at work, if one is.
    fn say(&mut self) {
        let Comment { issue, id, author, text, .. } = *self.comment;
        let Some(task) = self.task().filter(|_| !text.trim().is_empty()) else { return };
        let text = TextRef { on: issue, id };
        let event = Event::Said { text, by: author.to_owned() };
        let next = evolve(task.clone().into_owned(), event.clone(), task.changed);
        if next.is_ok_and(|next| next.to_tell != task.to_tell) {
            self.changes.push(Change::Task { task: task.id, event });
        }
    }

    fn status(&mut self) {
        let tasks = self
            .book
            .tasks_of(self.comment.repo, self.comment.issue)
            .map(|task| StatusLine {
                task: task.id,
                state: self.standing(&task),
                can: self.fitting(&task),
                usage: task.usage,
            })
            .collect();
        self.reply(Reply::Status { tasks });
    }

    /// Where a task stands, and who goes on with it in place of whom.
    fn standing(&self, task: &Task) -> String {
        let standing = words::standing(task, &self.book.around(task));
        match words::passed_over(task) {
            Some(agents) => format!("{standing}; {agents}"),
            None => standing,
        }
    }

    fn wrong_time(&mut self, word: &str, task: &Task) {
        let reply = Reply::WrongTime {
            command: word.to_owned(),
            task: task.id,
            state: words::standing(task, &self.book.around(task)),
            can: self.fitting(task),
        };
        self.reply(reply);
    }

    /// Tells somebody who may not command, once. Programs are told nothing: they may answer.
    fn refuse(&mut self) {
        let was_said = self.book.issue(self.comment.repo, self.comment.issue).refused
            || self.replies.contains(&Reply::Stranger);
        if !was_said && !self.comment.is_bot {
            self.reply(Reply::Stranger);
        }
    }

    fn reply(&mut self, reply: Reply) {
        self.replies.push(reply);
    }

    /// The task that takes this event: the issue's own, or else the last question.
    fn open_to(&self, event: &Event) -> Option<Cow<'a, Task>> {
        let own = self.task().filter(|task| fits(task, event));
        own.or_else(|| {
            let questions = self.book.tasks_of(self.comment.repo, self.comment.issue);
            questions
                .filter(|task| task.kind != Kind::Change && fits(task, event))
                .max_by_key(|task| task.id)
        })
    }

    /// The words of the commands that would reach this task now.
    fn fitting(&self, task: &Task) -> Vec<String> {
        let by = String::new;
        let is_own = self.task().is_some_and(|own| own.id == task.id);
        let is_here = is_own && task.issue == self.comment.issue;
        let text = TextRef { on: self.comment.issue, id: self.comment.id };
        let ask = Ask { text, by: by(), remarks: String::new(), by_command: true };
        let fix = Event::FixAsked { ask, rounds_max: self.rules.rework_rounds };
        let stop = Event::StopAsked { by: by() };
        let retry = split::go_on(split::waits(self.book, task), by(), String::new());
        let reached = |event| self.open_to(event).is_some_and(|open| open.id == task.id);
        let fits = [
            (Name::Plan, is_here && (may_be_planned_again(task) || is_over(task))),
            (Name::Implement, is_own && matches!(task.state, State::AwaitingApproval)),
            (Name::Approve, is_own && matches!(task.state, State::Held(_))),
            (Name::Split, is_own && may_be_split(task)),
            (Name::Fix, reached(&fix)),
            (Name::Rebase, reached(&Event::RebaseAsked { by: by() })),
            (Name::Stop, reached(&stop)),
            (Name::Retry, reached(&retry)),
        ];
        fits.iter().filter(|(_, fits)| *fits).map(|(name, _)| name.word().to_owned()).collect()
    }

    /// The task that commands on this issue are for.
    fn task(&self) -> Option<Cow<'a, Task>> {
        let issue = self.book.issue(self.comment.repo, self.comment.issue);
        issue.task.and_then(|id| self.book.task(id))
    }
}

fn may_be_planned_again(task: &Task) -> bool {
    fits(task, &Event::PlanSentBack { by: String::new(), remarks: String::new() })
}

fn is_over(task: &Task) -> bool {
    let is_being_split = matches!(task.state, State::Splitting(_));
    matches!(task.state, State::Merged { .. } | State::Closed { .. } | State::Drafted { .. })
        || task.state.has_parts() && !is_being_split
}

fn may_be_split(task: &Task) -> bool {
    let can_be_split = task.plan.as_ref().is_some_and(PlanRef::can_be_split);
    task.state == State::AwaitingApproval && can_be_split
}

fn fits(task: &Task, event: &Event) -> bool {
    evolve(task.clone(), event.clone(), task.changed).is_ok()
}

#[cfg(test)]
mod tests;
