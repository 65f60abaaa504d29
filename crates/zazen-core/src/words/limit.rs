//! What people read of the limits of models' services.

use crate::id::Time;
use crate::limit::{Closing, Limits, Meter, Mode, Standing, Window};
use crate::text::one_line;

use super::{elapsed, parked, tokens};

/// How much of a model's name is shown.
const MODEL_CHARS_MAX: usize = 60;

/// That a service is closed for a while, as a sentence without its end.
pub fn closed(closing: &Closing) -> String {
    let Closing { why, model, until, .. } = closing;
    let until = match until {
        Some(until) => format!(" until {}", until.utc()),
        None => ", and does not say until when".to_owned(),
    };
    format!("{}{}{until}", parked::sentence(*why), of_model(model.as_deref()))
}

/// All that is known of the limits of a route, in one line: what was reported, and nothing else.
pub fn limits(limits: &Limits, mode: Option<(Mode, Option<Time>)>, now: Time) -> String {
    let mut parts: Vec<String> = limits.closings(now).map(closed).collect();
    parts.extend(limits.windows(now).map(window));
    if let Some((mode, until)) = mode {
        let until = until.map(|until| format!(" until {}", until.utc())).unwrap_or_default();
        parts.push(format!("mode `{}`{until}", mode.word()));
    }
    let measured = limits.windows(now).map(|window| window.measured);
    let measured = measured.chain(limits.closings(now).map(|closing| closing.measured)).max();
    let Some(measured) = measured else { return "unknown: nothing was reported".to_owned() };
    format!("{} (as of {} ago)", parts.join("; "), elapsed(now.millis_since(measured)))
}

fn window(window: &Window) -> String {
    let name = meter(&window.of);
    let used = match (window.left, window.most, window.used()) {
        (Some(left), Some(most), _) => format!("{} of {} left", tokens(left), tokens(most)),
        (Some(left), None, _) => format!("{} left", tokens(left)),
        (None, _, Some(used)) => format!("{}% used", used.percent()),
        (None, _, None) => "use unknown".to_owned(),
    };
    let standing = match window.standing {
        Standing::Open => "",
        Standing::Near => ", nearly used up",
        Standing::UsedUp => ", used up",
    };
    let resets = window.resets.map(|at| format!(", reset at {}", at.utc())).unwrap_or_default();
    format!("{name}{}: {used}{standing}{resets}", of_model(window.model.as_deref()))
}

/// What a limit counts, in a word or two: `5 h`, `7 d opus`, `input tokens`.
pub fn meter(meter: &Meter) -> String {
    match meter {
        Meter::Plan { minutes, class } => {
            let class = class.as_ref().map(|class| format!(" {class}")).unwrap_or_default();
            let span = match minutes {
                days if days.is_multiple_of(1440) => format!("{} d", days / 1440),
                hours if hours.is_multiple_of(60) => format!("{} h", hours / 60),
                minutes => format!("{minutes} min"),
            };
            format!("{span}{class}")
        }
        Meter::Requests => "requests".to_owned(),
        Meter::Tokens => "tokens".to_owned(),
        Meter::InputTokens => "input tokens".to_owned(),
        Meter::OutputTokens => "output tokens".to_owned(),
    }
}

fn of_model(model: Option<&str>) -> String {
    model.map(|model| format!(" for `{}`", one_line(model, MODEL_CHARS_MAX))).unwrap_or_default()
}

#[cfg(test)]
mod tests;
