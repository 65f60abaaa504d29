//! How a task is parked, and how it goes on.
//!
//! Whatever happens meanwhile happens to what the task goes on with. Where that is then
//! something else, there is nothing to wait for any more.

use std::mem::discriminant;

use super::{
    IllegalEvent, Note, State, Task, Trouble, attempt_of, give_up, illegal, is_fresh, waiting,
};
use crate::id::Time;
use crate::task::{Event, Hold, Kind, Pause, Waits};

/// The run came to nothing, and may do better later.
pub(super) fn hold(
    mut state: State,
    (hold, mut trouble): (Hold, Trouble),
    at: Time,
    notes: &mut Vec<Note>,
) -> State {
    let Some(attempt) = attempt_of(&mut state) else { return state };
    let waits = attempt.waits.take().unwrap_or(Waits { n: 0, since: at, forced: false });
    let pause = hold.pause(&waits, at);
    if hold.is_too_long(&waits, &pause) {
        say(notes, None);
        trouble.evidence = trouble.evidence_with(&waited(&waits, &pause));
        return give_up(state, trouble, notes);
    }
    attempt.waits = Some(Waits { n: waits.n + 1, forced: false, ..waits });
    say(notes, Some(pause));
    State::Parked { pause, back: Box::new(waiting(state)) }
}

/// Why a task does not wait any longer, for the evidence.
fn waited(waits: &Waits, pause: &Pause) -> String {
    let until = pause.until.map(|until| format!(", and would be until {}", until.utc()));
    let since = waits.since.utc();
    let n = waits.n;
    format!("waits since {since}: {n}{}", until.unwrap_or_default())
}

/// Moves a task that is parked.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others happen to what it goes on with")]
pub(super) fn evolve(mut task: Task, event: Event, at: Time) -> Result<Task, IllegalEvent> {
    let State::Parked { pause, back } = task.state.clone() else { return Ok(task) };
    match event {
        Event::Resumed { until } if pause.until == Some(until) => go_on(&mut task, *back, at),
        // It was about a wait before this one.
        Event::Resumed { .. } => {}
        Event::RetryAsked { remarks, .. } => {
            let mut back = *back;
            if let Some(attempt) = attempt_of(&mut back) {
                attempt.n_failed = 0;
                attempt.remarks = remarks;
                attempt.waits = Some(Waits { n: 0, since: at, forced: true });
            }
            go_on(&mut task, back, at);
        }
        Event::RunBegun { phase, .. } => return Err(illegal(&task, format!("RunBegun({phase})"))),
        event => {
            let before = discriminant(&*back);
            task.state = *back;
            let moved = super::evolve(task, event, at);
            task = moved.map_err(|err| IllegalEvent { state: "parked", ..err })?;
            if discriminant(&task.state) == before {
                task.state = State::Parked { pause, back: Box::new(task.state) };
            } else {
                say(&mut task.notes, None);
            }
        }
    }
    Ok(task)
}

fn go_on(task: &mut Task, back: State, at: Time) {
    if is_fresh(&back) && task.kind != Kind::Review {
        // A tip that was found long ago may be old by now.
        task.base = None;
    }
    task.changed = at;
    task.state = back;
    say(&mut task.notes, None);
}

/// Keeps the one note about waits up to date. It is edited in place: a comment for each wait
/// would be noise.
fn say(notes: &mut Vec<Note>, pause: Option<Pause>) {
    let known = notes
        .iter_mut()
        .find_map(|note| if let Note::Waits { n, pause } = note { Some((n, pause)) } else { None });
    match (known, pause) {
        (Some((n, old)), _) => {
            *n = n.saturating_add(u32::from(pause.is_some()));
            *old = pause;
        }
        (None, Some(_)) => notes.push(Note::Waits { n: 1, pause }),
        (None, None) => {}
    }
}
