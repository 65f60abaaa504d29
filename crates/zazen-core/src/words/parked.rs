//! What people read of a task that waits, or whose agent is passed over.

use crate::id::{AgentName, RunId, Time};
use crate::task::{Known, Note, Passed, Pause, State, TakenOver, Task, Why};

use super::n_of;

/// The one note about waits. It is edited in place.
pub(super) fn note(
    n: u32,
    pause: Option<&Pause>,
    (passed, taken): (&[Passed], Option<&TakenOver>),
) -> String {
    let Some(pause) = pause else { return goes_on(n, (passed, taken)) };
    let again = if n > 1 { format!(" It is wait {n} of this task.") } else { String::new() };
    let who = if is_solo(passed) {
        String::new()
    } else {
        format!(" No agent may act: {}.", all(passed))
    };
    format!("This waits: {}.{who} {}{again}", because(pause), next_move(pause))
}

fn goes_on(n: u32, (passed, taken): (&[Passed], Option<&TakenOver>)) -> String {
    let waited = match n {
        0 => String::new(),
        _ => format!("This had to wait {} for the model. ", n_of(n.into(), "time")),
    };
    match taken {
        Some(TakenOver { by, .. }) => {
            let place = place(passed);
            format!("{waited}{}. `{by}` goes on in {place}, with the work so far.", all(passed))
        }
        None if n > 0 => format!("{waited}It does not wait any more."),
        None => "Another agent went on with this for a while. Its own agent is back.".to_owned(),
    }
}

/// Which agents are passed over, and who goes on in their place. Nothing, where none is, or
/// where the task is over.
pub fn passed_over(task: &Task) -> Option<String> {
    let is_parked = matches!(task.state, State::Parked { .. });
    let (passed, taken) = now(&task.notes)?;
    match taken {
        Some(TakenOver { by, .. }) if !task.is_at_rest() => {
            Some(format!("{}; `{by}` goes on in {}", all(passed), place(passed)))
        }
        None if is_parked && !is_solo(passed) => Some(all(passed)),
        Some(_) | None => None,
    }
}

/// The line of the day for a run with which another agent took over.
pub(super) fn took_over(name: &str, task: &Task, run: RunId) -> Option<String> {
    let (passed, taken) = now(&task.notes)?;
    let TakenOver { by, .. } = taken.filter(|taken| taken.run == run)?;
    Some(format!("`{by}` took over {name}: {}.", all(passed)))
}

/// Who is passed over by what people were last told, and who goes on.
fn now(notes: &[Note]) -> Option<(&[Passed], Option<&TakenOver>)> {
    notes.iter().find_map(|note| {
        let Note::Waits { passed, taken, .. } = note else { return None };
        Some((passed.as_slice(), taken.as_ref()))
    })
}

/// Whether there is but the one agent that most people have, or none: they know which it is.
fn is_solo(passed: &[Passed]) -> bool {
    passed.iter().all(|one| one.agent.as_str() == AgentName::DEFAULT)
}

fn place(passed: &[Passed]) -> &'static str {
    if passed.len() > 1 { "their place" } else { "its place" }
}

/// Why these agents may not act, and until when.
fn all(passed: &[Passed]) -> String {
    passed.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn one(Passed { agent, why, until, known, .. }: &Passed) -> String {
    let what = match why {
        Why::Quota => "is out of quota",
        Why::Overloaded => "has a service that is too busy",
        Why::DayBudget => "has used up the budget of this day",
        Why::MonthBudget => "has used up the budget of this month",
        Why::Reserve => "is kept for later",
        Why::Login => "has no login that its service takes",
    };
    let until = match (until.map(Time::utc), known) {
        (None, _) if *why == Why::Login => String::new(),
        (None, _) => ", and nobody says until when".to_owned(),
        (Some(at), Known::Reported | Known::Calendar) => format!(" until {at}"),
        (Some(at), Known::Approximate) => format!(" until about {at}"),
        (Some(at), Known::Tried) => format!(", and is tried again at {at}"),
    };
    format!("`{agent}` {what}{until}")
}

/// Why a task waits, in words that fit after a colon.
pub(super) fn because(pause: &Pause) -> String {
    let why = sentence(pause.why);
    let Some(until) = pause.until else { return why.to_owned() };
    let until = until.utc();
    match pause.known {
        Known::Reported => format!("{why}. By what it says, it is free again at {until}"),
        Known::Approximate => format!("{why}. It is free again at about {until}"),
        Known::Calendar => format!("{why}. It is free again at {until}"),
        Known::Tried => format!("{why}, and nobody says until when"),
    }
}

/// What comes next, and what a person can do.
pub(super) fn next_move(pause: &Pause) -> String {
    match pause.ends() {
        Some(_) if pause.known != Known::Tried => {
            "It then goes on by itself. Write `/retry` to try at once, or `/stop` to have it wait \
             for you."
                .to_owned()
        }
        Some(until) => format!(
            "It is tried again at {}. Write `/retry` to try at once, or `/stop` to have it wait \
             for you.",
            until.utc()
        ),
        None => "Write `/retry` when it is to go on.".to_owned(),
    }
}

/// Where a task stands that waits, in words that fit after "task 3".
pub(super) fn standing(pause: &Pause) -> String {
    let until = |at: Time| format!(" until {}", at.utc());
    let how = match pause.known {
        Known::Approximate => ", by a text that may be wrong",
        Known::Tried => ", when it is tried again",
        Known::Reported | Known::Calendar => "",
    };
    let waits = match pause.ends() {
        Some(at) => format!("waits{}{how}", until(at)),
        None => "waits for `/retry`".to_owned(),
    };
    format!("{waits}: {}", sentence(pause.why))
}

/// What a task waits for, as a sentence without its end.
pub(super) fn sentence(why: Why) -> &'static str {
    match why {
        Why::Quota => "the model's service is out of quota",
        Why::Overloaded => "the model's service is too busy",
        Why::DayBudget => "the budget of this day is used up",
        Why::MonthBudget => "the budget of this month is used up",
        Why::Reserve => "what is left of the model's quota is kept for later",
        Why::Login => "the model's service refused the login",
    }
}

#[cfg(test)]
mod tests;
