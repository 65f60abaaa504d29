//! Every sentence that people read on a forge.
//!
//! A [`Text`] can be made here and nowhere else, so that no part of zazen can
//! write to a person ad hoc. What came from outside (agents, issues, output) is
//! neutralised before it goes into one.

mod agent;
mod checks;
mod commit;
mod contract;
mod day;
mod event;
mod fork;
mod guards;
mod limit;
mod links;
mod money;
mod own;
mod page;
mod parked;
mod proof;
mod pull;
mod rebase;
mod receipt;
mod reply;
mod review;
mod split;
mod stuck;
mod told;
mod traffic;

use std::fmt::Write as _;

pub use self::agent::{Agent, agent, strange, untested};
pub use self::checks::{checks_before, checks_evidence};
pub use self::commit::{agent_commit, step_commit, step_of, trailers};
pub use self::contract::with_contract;
use self::day::issue_end;
pub use self::day::{day_line, home_commit};
pub use self::event::{claim_word, event_line, event_lines};
pub use self::guards::{guard_findings, guards, held_findings};
pub use self::limit::{closed, limits, meter};
pub use self::links::{Links, linked};
pub use self::money::{cost, elapsed, exceeded, n_of, spent_of, tokens};
pub use self::own::{NotReviewed, OwnReview, Reviewed};
pub use self::page::{doing, progress, result};
pub use self::parked::passed_over;
pub use self::pull::{Evidence, FileChange, Pull, pull};
pub use self::receipt::{
    ReceiptAt, broken_link, checked, link, mend_link, not_replayed, unknown_link,
};
pub use self::reply::reply;
pub use self::review::{Aside, not_asked, review_aside, review_body, review_comment};
pub use self::split::{PartIssue, part_issue, waits_for};
pub use self::stuck::stuck;
pub use self::traffic::traffic;
use crate::plan::{self, Plan};
use crate::task::{Answer, Around, Kind, Note, State, Task, Trouble};
use crate::text::{cut_middle, fence, neutral, one_line};

/// A text for people. Only this module makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How much of an agent's answer goes into a comment, in bytes. Forges take 65,536 characters.
const ANSWER_BYTES_MAX: usize = 32 * 1024;

/// How long a line from outside may be where it stands among ours, in characters.
const LINE_CHARS_MAX: usize = 300;

/// How long a person's name may be where it stands in a sentence, in characters.
const NAME_CHARS_MAX: usize = 60;

/// The plan's comment: where the task stands, what a person can do, and the plan.
///
/// The agent's text comes last, so that nothing in it can swallow what zazen says.
pub fn plan_comment(task: &Task, plan: &Plan, around: &Around, page: &str) -> Text {
    let (head, next) = (headline(task, plan, around), next_move(task, plan, (around, page)));
    let mut text = format!("{head}\n\n{next}\n\n");
    if let Some((by, reached)) = &task.told {
        let _infallible = write!(text, "{}\n\n", told::told(by, *reached));
    }
    text.push_str(&split::issues_of(task, plan, around));
    if let State::Split(_) = &task.state {
        // Its steps are issues by now: their boxes would be counted twice.
        return Text(format!("{text}The whole plan is kept in `{page}`.\n"));
    }
    if let Some(version) = task.plan.as_ref().map(|plan| plan.version).filter(|v| *v > 1) {
        let _infallible = write!(text, "This is version {version} of the plan.\n\n");
    }
    text.push_str("---\n\n");
    text.push_str(neutral(&ticked(plan, n_done(task, plan))).trim_end());
    Text(text)
}

/// How many steps are done.
fn n_done(task: &Task, plan: &Plan) -> usize {
    match &task.state {
        State::Drafted { .. }
        | State::Rebasing(_)
        | State::Merged { .. }
        | State::Closed { pull: Some(_) } => plan.steps.len(),
        State::Received(_)
        | State::Planning(_)
        | State::AwaitingApproval
        | State::Splitting(_)
        | State::Split(_)
        | State::Queued(_)
        | State::Implementing(_)
        | State::Verifying(_)
        | State::Reviewing(_)
        | State::Held(_)
        | State::Correcting(_)
        | State::Publishing(_)
        | State::Closed { pull: None }
        | State::Parked { .. }
        | State::Stopped { .. }
        | State::Failed { .. } => task.state.work().map_or(0, |work| work.n_done as usize),
    }
}

/// Prints the plan with the boxes of its first `n_done` steps ticked.
fn ticked(plan: &Plan, n_done: usize) -> String {
    let mut left = n_done;
    let mut is_step = false;
    let mut text = String::new();
    for line in plan::print(plan).lines() {
        if line.starts_with("## ") {
            is_step = line == "## Steps";
        }
        match line.strip_prefix("- [ ]") {
            Some(rest) if left > 0 && is_step => {
                left -= 1;
                text.push_str("- [x]");
                text.push_str(rest);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

fn headline(task: &Task, plan: &Plan, around: &Around) -> String {
    let n_steps = plan.steps.len();
    match &task.state {
        State::AwaitingApproval if plan.questions.is_empty() => {
            "**Here is the plan.** It waits for you.".to_owned()
        }
        State::AwaitingApproval => format!(
            "**Here is the plan.** It waits for you, and has {}.",
            n_of(plan.questions.len() as u64, "open question")
        ),
        State::Received(_) | State::Planning(_) => "**The plan is being revised.**".to_owned(),
        State::Splitting(_) => "**The plan is being split** into issues of their own.".to_owned(),
        State::Split(_) => split::headline(around),
        State::Queued(_) if task.waits(around) => split::waits(&around.before),
        State::Queued(_) => "**Approved.** It waits for its turn.".to_owned(),
        State::Implementing(work) => {
            let again = if work.attempt.n_failed > 0 { ", second try" } else { "" };
            format!("**In progress:** step {} of {n_steps}{again}.", work.n_done + 1)
        }
        State::Correcting(_) if task.state.is_rework() => {
            "**The pull request is being changed**, as was asked.".to_owned()
        }
        State::Verifying(_) if task.state.is_rework() => {
            "**The pull request is being changed.** The checks are running.".to_owned()
        }
        State::Held(_) => "**Held back.** A person has to look at it.".to_owned(),
        State::Reviewing(work) => proof::headline(work).to_owned(),
        State::Publishing(_) if task.state.is_rework() => {
            "**The checks are green.** The pull request is being updated.".to_owned()
        }
        State::Verifying(_) => "**All steps are done.** The checks are running.".to_owned(),
        State::Correcting(work) => proof::correcting(work).to_owned(),
        State::Publishing(_) => {
            "**The checks are green.** The draft pull request is being opened.".to_owned()
        }
        State::Drafted { pull, .. } => format!("**Draft pull request #{pull} is open.**"),
        State::Rebasing(_) => "**The branch is being put on its base** as that is now.".to_owned(),
        State::Parked { pause, .. } => format!("**Waiting:** {}.", parked::because(pause)),
        State::Merged { pull } => format!("**Merged as #{pull}.**"),
        State::Closed { pull: Some(pull) } => format!("**#{pull} was closed without a merge.**"),
        State::Closed { pull: None } => "**Closed.**".to_owned(),
        State::Stopped { by, .. } => format!("**Stopped**, as {} asked.", person(by)),
        State::Failed { trouble, .. } => format!("**Failed:** {}.", trouble.kind.sentence()),
    }
}

fn next_move(task: &Task, plan: &Plan, (around, page): (&Around, &str)) -> String {
    match &task.state {
        State::AwaitingApproval => {
            let answers = if plan.questions.is_empty() { "" } else { " with your answers" };
            format!(
                "- `/implement`{answers} approves exactly this text (`{}`).\n\
                 - `/plan` with your remarks has it revised.\n\
                 {}- You can also edit `{page}`.{}",
                task.plan.as_ref().map_or("", |plan| plan.hash.short()),
                split::choice(task),
                split::comes_after(&around.before)
            )
        }
        State::Split(_) => split::next_move(around),
        State::Queued(_) if task.waits(around) => split::WAITING_MOVE.to_owned(),
        State::Failed { trouble, .. } => trouble.kind.advice().to_owned(),
        State::Stopped { .. } => "Write `/retry` to go on from here.".to_owned(),
        State::Parked { pause, .. } => parked::next_move(pause),
        State::Held(work) => work.proof.held().map_or_else(String::new, proof::next_move),
        State::Drafted { .. } => {
            "Please review it there; `/fix` with your remarks has it changed. zazen never merges."
                .to_owned()
        }
        State::Merged { .. } | State::Closed { .. } => {
            "There is nothing left to do. `/plan` begins anew.".to_owned()
        }
        State::Received(_)
        | State::Planning(_)
        | State::Splitting(_)
        | State::Queued(_)
        | State::Implementing(_)
        | State::Verifying(_)
        | State::Reviewing(_)
        | State::Correcting(_)
        | State::Publishing(_)
        | State::Rebasing(_) => "Write `/stop` to stop it.".to_owned(),
    }
}

/// Where the finished commits of a task that failed can be had.
#[derive(Debug, Clone)]
pub struct Kept {
    pub commit: String,
    /// The command that fetches them.
    pub fetch: String,
}

/// A note: a sentence that people must see. `answer` is the text of an answered question, or
/// what the guards say of a change that is held back.
pub fn note(note: &Note, answer: &str, kept: Option<&Kept>) -> Text {
    Text(match note {
        Note::Drafted { pull } => format!(
            "Draft pull request #{pull} is open, and the checks passed on exactly its commit. \
             Reviewing and merging it is up to you."
        ),
        Note::Stopped { by } => {
            format!("Stopped, as {} asked. Write `/retry` to go on from here.", person(by))
        }
        Note::Waits { n, pause, passed, taken } => {
            parked::note(*n, pause.as_ref(), (passed, taken.as_ref()))
        }
        Note::Answered { .. } => neutral(&cut_middle(answer.trim(), ANSWER_BYTES_MAX)),
        Note::Failed { trouble } => failed(trouble, kept),
        Note::Reworked { pull, head } => format!(
            "#{pull} is at `{}` now, with what was asked for. The checks passed on exactly that \
             commit.",
            head.short()
        ),
        Note::Rebased { pull, head, onto } => rebase::done(*pull, (head, onto)),
        Note::NotRebased { why } => rebase::refused(why),
        Note::Unchanged { .. } => unchanged(answer),
        Note::RoundsUsedUp { n } => format!(
            "Reviews have had this changed {} by now, so I wait. Write `/fix` with what is still \
             wrong to have me go on.",
            n_of((*n).into(), "time")
        ),
        Note::ChecksStayRed { is_same: true } => "The forge's checks are red in the same way as \
            before, so I leave them. Write `/fix` and say what to do about it."
            .to_owned(),
        Note::ChecksStayRed { is_same: false } => {
            "The forge's checks are still red after I mended \
            them, so I leave them. Write `/fix` and say what to do about it."
                .to_owned()
        }
        Note::Foreign { by, head } => format!(
            "{} put `{}` on the branch, so it is theirs now, and I leave it alone. Write `/fix` \
             with what is to be done to have me add commits on top of theirs.",
            person(by),
            head.short()
        ),
        Note::BaseChanged { base } => format!(
            "The pull request is to go into `{}` now. What I checked was on top of the branch \
             that it was to go into before.",
            line(base).replace('`', "'")
        ),
        Note::BranchDeleted { by } => {
            format!("{} deleted the branch, so I leave it. The commits are kept here.", person(by))
        }
        Note::IssueEnded { how, by } => format!(
            "Stopped, as the issue was {} by {}. Write `/retry` to go on from here.",
            issue_end(*how),
            person(by)
        ),
        Note::Forked { fork, by } => fork::note(fork, by),
        Note::Held { hold } => proof::held(hold, answer),
    })
}

/// What an agent says that was asked to change something, and changed nothing.
fn unchanged(answer: &str) -> String {
    let mut text = "I looked at what was asked for, and changed nothing. Write `/fix` and say \
                    what is wrong if something is."
        .to_owned();
    if !answer.trim().is_empty() {
        text.push('\n');
        let answer = cut_middle(answer.trim(), ANSWER_BYTES_MAX);
        fold(&mut text, "What the agent said (a claim)", &quote(&answer));
    }
    text
}

/// A line of a repository's memory. `source` ends it, and is found again.
pub fn remembered(fact: &str, by: &str, source: &str) -> String {
    format!("- {} ({}, {source}", one_line(fact, LINE_CHARS_MAX * 4), one_line(by, NAME_CHARS_MAX))
}

/// An answer in the thread of a review.
pub fn thread_answer(answer: &Answer) -> Text {
    Text(match &answer.head {
        Some(head) => format!("This was worked on in `{}`.", head.short()),
        None => "I looked at this, and changed nothing.".to_owned(),
    })
}

fn failed(trouble: &Trouble, kept: Option<&Kept>) -> String {
    let mut text = format!("I gave up: {}. {}", trouble.kind.sentence(), trouble.kind.advice());
    if let Some(kept) = kept {
        let _infallible = write!(
            text,
            "\n\nThe finished commits are kept, up to `{}`. You can have them with:\n\n{}",
            kept.commit,
            fence(&kept.fetch, "sh").trim_end()
        );
    }
    let evidence = trouble.evidence.trim();
    if !evidence.is_empty() {
        text.push('\n');
        fold(&mut text, "What happened", &block(evidence));
    }
    text
}

/// Where a task stands, in words that fit after "task 3".
pub fn standing(task: &Task, around: &Around) -> String {
    let is_change = task.kind == Kind::Change;
    let is_review = task.kind == Kind::Review;
    match &task.state {
        State::Received(_) if is_change => "waits for its turn to be planned".to_owned(),
        State::Received(_) if is_review => "waits for its turn to be reviewed".to_owned(),
        State::Planning(_) if is_review => "is being reviewed".to_owned(),
        State::Closed { pull: None } if is_review => "was reviewed".to_owned(),
        State::Received(_) => "waits for its turn to be answered".to_owned(),
        State::Planning(_) if is_change => "is being planned".to_owned(),
        State::Planning(_) => "is being answered".to_owned(),
        State::AwaitingApproval => "waits for your approval".to_owned(),
        State::Splitting(_) => "is being split into issues".to_owned(),
        State::Split(split) => {
            format!("was split into {}", n_of(split.parts.len() as u64, "issue"))
        }
        State::Queued(_) if task.waits(around) => split::waits_standing(&around.before),
        State::Queued(_) => "is approved and waits for its turn".to_owned(),
        State::Implementing(work) => {
            format!("is at step {} of {}", work.n_done + 1, work.plan.n_steps)
        }
        State::Correcting(_) if task.state.is_rework() => {
            "is being changed, as was asked".to_owned()
        }
        State::Verifying(_) => "is being checked".to_owned(),
        State::Reviewing(work) => proof::standing(work).to_owned(),
        State::Held(_) => "is held back until you look at it".to_owned(),
        State::Correcting(work) => proof::correcting_standing(work).to_owned(),
        State::Publishing(_) => "is being published".to_owned(),
        State::Drafted { pull, .. } => format!("is a draft, #{pull}"),
        State::Rebasing(_) => "is being put on its base as that is now".to_owned(),
        State::Parked { pause, .. } => parked::standing(pause),
        State::Merged { pull } => format!("was merged as #{pull}"),
        State::Closed { pull: Some(pull) } => format!("was closed with #{pull}"),
        State::Closed { pull: None } if is_change => "was closed".to_owned(),
        State::Closed { pull: None } => "was answered".to_owned(),
        State::Stopped { by, .. } => format!("was stopped by {}", one_line(by, NAME_CHARS_MAX)),
        State::Failed { trouble, .. } => format!("failed: {}", trouble.kind.sentence()),
    }
}

/// A person's name, as it may stand in a sentence.
///
/// What [`neutral`] puts in has no width, and [`one_line`] takes such things out: so in this order.
fn person(name: &str) -> String {
    neutral(&one_line(name, NAME_CHARS_MAX))
}

/// One line from outside, as it may stand in a sentence or a list.
fn line(text: &str) -> String {
    neutral(&one_line(text, LINE_CHARS_MAX))
}

/// One line from outside, as it may stand in a table.
fn cell(text: &str) -> String {
    line(text).replace('|', "\\|")
}

/// Output from outside, as a block of code. A forge acts on some words even there.
fn block(text: &str) -> String {
    neutral(&fence(text, "text"))
}

/// Markdown from outside, as a quotation: a fence or a list in it ends where the quotation does.
fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for line in neutral(text.trim()).lines() {
        quoted.push_str(if line.is_empty() { ">" } else { "> " });
        quoted.push_str(line);
        quoted.push('\n');
    }
    quoted
}

/// The beginning of a text, and a sign that there was more.
fn cut(text: &str, bytes_max: usize) -> String {
    match text.char_indices().find(|(at, c)| at + c.len_utf8() > bytes_max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Something long, folded away under a title.
fn fold(body: &mut String, title: &str, inner: &str) {
    let _infallible = write!(
        body,
        "\n<details><summary>{title}</summary>\n\n{}\n\n</details>\n",
        inner.trim_end()
    );
}

#[cfg(test)]
mod tests;
