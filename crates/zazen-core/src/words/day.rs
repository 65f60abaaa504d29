//! The day in prose, and the messages of the home's commits.

use super::{fork, line, n_of, parked, person, proof};
use crate::id::CommitId;
use crate::task::{Event, Examined, IssueEnd, Outcome, State, Task, Why};
use crate::text::{neutral, one_line};

/// The line that an event adds to the day's page, if it is worth one.
///
/// `task` is the task after the event.
#[expect(clippy::too_many_lines, reason = "one case after the other")]
pub fn day_line(task: &Task, event: &Event) -> Option<String> {
    let name = format!("task {} ({} #{})", task.id, task.repo, task.issue);
    Some(match event {
        Event::PlanSentBack { by, .. } => format!("{} sent the plan of {name} back.", person(by)),
        Event::PlanEdited { plan } => {
            format!("The plan of {name} was edited; it is version {} now.", plan.version)
        }
        Event::PlanApproved { by, hash, .. } => {
            format!("{} approved plan `{}` of {name}.", person(by), hash.short())
        }
        Event::SplitApproved { by, hash, .. } => {
            format!("{} had plan `{}` of {name} split into issues.", person(by), hash.short())
        }
        Event::WaitWaived { by, .. } => {
            format!("{} had {name} begin without what it comes after.", person(by))
        }
        Event::Forked { fork, by } => fork::line(&name, fork, by),
        Event::StopAsked { by } => format!("{} stopped {name}.", person(by)),
        Event::RunBegun { run, .. } => return parked::took_over(&name, task, *run),
        Event::PutOff { hold, .. } => put_off(&name, task, hold.why),
        Event::Resumed { .. } => format!("Went on with {name}."),
        Event::RetryAsked { by, .. } => format!("{} had {name} tried again.", person(by)),
        Event::Blocked { trouble } => format!("Gave {name} up: {}.", trouble.kind.sentence()),
        Event::RunEnded { run, outcome, .. } => {
            let before = proof::before(&name, task, *run);
            return before.or_else(|| outcome_line(&name, task, outcome));
        }
        Event::Examined { examined, .. } => return examined_line(&name, task, examined),
        Event::Released { by, hold } => {
            format!("{} released `{}` of {name}.", person(by), hold.short())
        }
        Event::Sealed { .. } => return None,
        Event::Pushed { head } => format!("Pushed `{}` for {name}.", head.short()),
        Event::PullOpened { pull } => format!("Opened draft pull request #{pull} for {name}."),
        Event::PullMerged => format!("The pull request of {name} was merged."),
        Event::PullClosed => format!("The pull request of {name} was closed without a merge."),
        Event::PullReopened { .. } => format!("The pull request of {name} was opened again."),
        Event::PullReady { by } => {
            format!("{} turned the draft of {name} into a pull request to review.", person(by))
        }
        Event::BaseChanged { base } => {
            format!("The pull request of {name} is to go into `{}` now.", line(base))
        }
        Event::BranchDeleted { by } => format!("{} deleted the branch of {name}.", person(by)),
        Event::HeadMoved { head, by } => {
            format!("{} moved the branch of {name} to `{}`.", person(by), head.short())
        }
        Event::FixAsked { ask, .. } => {
            format!("{} wants the pull request of {name} changed.", person(&ask.by))
        }
        Event::RebaseAsked { by } => {
            format!("{} wants the branch of {name} on its base.", person(by))
        }
        Event::Rebased { onto, head, .. } => {
            format!("Put the commits of {name} on `{}`, as `{}`.", onto.short(), head.short())
        }
        Event::NotRebased { .. } => format!("Left the branch of {name} where it was."),
        Event::ChecksFailed { head, .. } => {
            format!("The forge's checks of {name} are red at `{}`.", head.short())
        }
        Event::PullUpdated { head } => {
            format!("The pull request of {name} is at `{}` now.", head.short())
        }
        Event::IssueEnded { how, by } => {
            format!("The issue of {name} was {} by {}.", issue_end(*how), person(by))
        }
        Event::PartOpened { .. }
        | Event::ResumingSet { .. }
        | Event::ReviewPosted
        | Event::Said { .. }
        | Event::Told { .. }
        | Event::ThreadAnswered { .. }
        | Event::BaseFound { .. }
        | Event::Shown { .. }
        | Event::Acknowledged { .. }
        | Event::CommandTaken { .. } => return None,
    })
}

/// What became of an issue, in a word that fits after "was".
pub(super) fn issue_end(how: IssueEnd) -> &'static str {
    match how {
        IssueEnd::Closed => "closed",
        IssueEnd::Transferred => "moved to another repository",
        IssueEnd::Converted => "turned into a discussion",
        IssueEnd::Deleted => "deleted",
        IssueEnd::Locked => "locked",
    }
}

fn outcome_line(name: &str, task: &Task, outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Planned { plan } => format!(
            "Planned {name}: {}, {}.",
            n_of(plan.n_steps.into(), "step"),
            n_of(plan.n_questions.into(), "open question")
        ),
        Outcome::Reviewed { n_findings, .. } => {
            format!("Reviewed {name}: {}.", n_of((*n_findings).into(), "finding"))
        }
        Outcome::Answered { .. } => format!("Answered the question of {name}."),
        Outcome::StepDone { head, .. } => return step_line(name, task, head),
        Outcome::ChecksGreen { head } => {
            format!("The checks of {name} are green at `{}`.", head.short())
        }
        Outcome::Failed { trouble } => {
            format!("A run of {name} failed: {}.", trouble.kind.sentence())
        }
        Outcome::Held { hold, .. } => put_off(name, task, hold.why),
        Outcome::Stopped => return None,
    })
}

/// What the guards found, where somebody has to know.
fn examined_line(name: &str, task: &Task, examined: &Examined) -> Option<String> {
    if let State::Held(_) = task.state {
        let hold = examined.hold.as_ref().map_or("", |hold| hold.short());
        return Some(format!("Held {name} back, until a person releases `{hold}`."));
    }
    let n = n_of(u64::from(examined.n_flagged), "finding");
    (examined.n_flagged > 0).then(|| format!("The guards flagged {n} in {name}."))
}

/// What became of a task that nobody can go on with now.
fn put_off(name: &str, task: &Task, why: Why) -> String {
    match &task.state {
        State::Parked { pause, .. } => format!("Put {name} off: {}.", parked::because(pause)),
        State::Failed { .. } if why == Why::Login => {
            format!("Gave {name} up: {}.", parked::sentence(why))
        }
        State::Failed { .. } => format!("Gave {name} up: it waited for too long."),
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
        | State::Drafted { .. }
        | State::Rebasing(_)
        | State::Merged { .. }
        | State::Closed { .. }
        | State::Stopped { .. } => {
            format!("A run of {name} ended: {}.", parked::sentence(why))
        }
    }
}

fn step_line(name: &str, task: &Task, head: &CommitId) -> Option<String> {
    let head = head.short();
    Some(match &task.state {
        State::Implementing(work) if work.n_done > 0 => {
            format!("Step {} of {name} is done, at `{head}`.", work.n_done)
        }
        State::Implementing(_) => {
            format!("All steps of {name} were done and nothing was changed; trying once more.")
        }
        State::Verifying(_) => format!("All steps of {name} are done, at `{head}`."),
        State::Failed { trouble, .. } => {
            format!("Gave {name} up: {}.", trouble.kind.sentence())
        }
        // The run was not wanted any more.
        State::Received(_)
        | State::Planning(_)
        | State::AwaitingApproval
        | State::Splitting(_)
        | State::Split(_)
        | State::Queued(_)
        | State::Reviewing(_)
        | State::Held(_)
        | State::Correcting(_)
        | State::Publishing(_)
        | State::Drafted { .. }
        | State::Rebasing(_)
        | State::Parked { .. }
        | State::Merged { .. }
        | State::Closed { .. }
        | State::Stopped { .. } => return None,
    })
}

/// How long the first line of a commit's message may be, in characters.
const SUBJECT_CHARS_MAX: usize = 72;

/// How long any other line of a commit's message may be, in characters.
const LINE_CHARS_MAX: usize = 200;

/// The message of a commit of the home that holds these lines of the day.
pub fn home_commit(lines: &[String]) -> String {
    let cut = |line: &str, chars_max| neutral(&one_line(line, chars_max));
    let [first, rest @ ..] = lines else { return "Keep the pages up to date".to_owned() };
    let first = first.trim_end_matches('.');
    if rest.is_empty() {
        return cut(first, SUBJECT_CHARS_MAX);
    }
    let more = format!(", and {} more", rest.len());
    let mut message = format!("{}{more}\n\n", cut(first, SUBJECT_CHARS_MAX - more.len()));
    for each in lines {
        message.extend(["- ", &cut(each, LINE_CHARS_MAX), "\n"]);
    }
    message
}
