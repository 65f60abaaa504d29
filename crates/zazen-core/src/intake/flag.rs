//! The flag of a command: whether its task goes on by itself after waits.

use crate::command::{Command, Name};
use crate::engine::Change;
use crate::task::Event;

/// The flags, with what they say.
const FLAGS: [(&str, bool); 2] = [("--no-resume", false), ("--resume", true)];

/// A command without its flag, and what that says. It stands first, right after the command.
pub(super) fn of(command: Command) -> (Command, Option<bool>) {
    let name = command.name();
    let (word, rest) = match command.text().split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (command.text(), ""),
    };
    let found = FLAGS.iter().find(|(flag, _)| *flag == word && may_have_one(name));
    match found {
        // A question is more than a flag.
        Some(_) if name == Name::Ask && rest.is_empty() => (command, None),
        Some((_, resumes)) => (name.with(rest), Some(*resumes)),
        None => (command, None),
    }
}

/// Whether the command begins work, or has it go on.
fn may_have_one(name: Name) -> bool {
    match name {
        Name::Plan
        | Name::Implement
        | Name::Approve
        | Name::Ask
        | Name::Retry
        | Name::Fix
        | Name::Review => true,
        Name::Stop | Name::Status | Name::Rebase | Name::Split | Name::Remember => false,
    }
}

/// What follows from the flag of a command that led to these changes.
pub(super) fn change(resumes: bool, changes: &[Change]) -> Option<Change> {
    let task = changes.iter().find_map(|change| match change {
        Change::Task { task, event: Event::CommandTaken { .. } } => Some(*task),
        Change::Opened(_)
        | Change::Task { .. }
        | Change::ReplyDue { .. }
        | Change::Replied { .. } => None,
    })?;
    Some(Change::Task { task, event: Event::ResumingSet { resumes } })
}
