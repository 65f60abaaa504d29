//! What people read of a task that waits.

use crate::id::Time;
use crate::task::{Known, Pause, Why};

use super::n_of;

/// The one note about waits. It is edited in place.
pub(super) fn note(n: u32, pause: Option<&Pause>) -> String {
    let Some(pause) = pause else {
        let n = n_of(n.into(), "time");
        return format!("This had to wait {n} for the model. It does not wait any more.");
    };
    let again = if n > 1 { format!(" It is wait {n} of this task.") } else { String::new() };
    format!("This waits: {}. {}{again}", because(pause), next_move(pause))
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
    }
}

#[cfg(test)]
mod tests;
