//! How money, tokens and time are written.

use std::fmt::Write as _;

use crate::budget::{Exceeded, Scope, Unit};
use crate::usage::Cost;

/// Writes a cost in dollars. An unknown price is called unknown, never $0.
pub fn cost(cost: Cost) -> String {
    match cost {
        Cost::Micros(micros) => dollars(micros),
        Cost::Unknown { known_micros: 0 } => "unknown".to_owned(),
        Cost::Unknown { known_micros } => format!("unknown, at least {}", dollars(known_micros)),
    }
}

/// Says which limit is reached, and what can be done about it.
pub fn exceeded(exceeded: &Exceeded) -> String {
    let Exceeded { scope, unit, limit, spent, assumed, reserve } = *exceeded;
    let (write, key): (fn(u64) -> String, _) = match unit {
        Unit::Money => (dollars, format!("budget.{scope}")),
        Unit::Tokens => (|n| format!("{} tokens", tokens(n)), format!("budget.tokens.{scope}")),
    };
    let mut text = format!(
        "the budget of {} is used up: {} of {} (`{key}`)",
        scope_words(scope),
        write(spent),
        write(limit)
    );
    if reserve > 0 {
        let reserve = write(reserve);
        let _infallible = write!(text, ", of which {reserve} are kept for mending red checks");
    }
    if assumed > 0 {
        let assumed = write(assumed);
        let _infallible = write!(
            text,
            "; {assumed} of it are assumed, as a price or the end of a call is not known"
        );
    }
    text
}

/// What a limit is about, in words that fit after "the budget of".
fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::Run => "one run",
        Scope::Task => "this task",
        Scope::RepoDay => "this repository for one day",
        Scope::RepoMonth => "this repository for one month",
        Scope::Day => "one day",
        Scope::Month => "one month",
        Scope::Total => "all work together",
    }
}

/// What was spent of a limit: `$3.20 of $10.00`.
pub fn spent_of(spent: u64, limit: u64, unit: Unit) -> String {
    match unit {
        Unit::Money => format!("{} of {}", dollars(spent), dollars(limit)),
        Unit::Tokens => format!("{} of {} tokens", tokens(spent), tokens(limit)),
    }
}

/// Four places below a dollar, two above.
fn dollars(micros: u64) -> String {
    if micros == 0 {
        "$0".to_owned()
    } else if micros <= 999_900 {
        let ten_thousandths = micros.div_ceil(100);
        format!("${}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000)
    } else {
        let cents = micros.div_ceil(10_000);
        format!("${}.{:02}", cents / 100, cents % 100)
    }
}

/// Writes a number of tokens: `950`, `12.3k`, `4.1M`.
pub fn tokens(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{}.{}k", n / 1_000, n % 1_000 / 100),
        _ => format!("{}.{}M", n / 1_000_000, n % 1_000_000 / 100_000),
    }
}

/// Writes a span of time: `4.2 s`, `3 min 20 s`, `2 h 5 min`.
pub fn elapsed(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..60 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A number of things: "1 open question", "2 open questions".
pub fn n_of(n: u64, noun: &str) -> String {
    if n == 1 { format!("{n} {noun}") } else { format!("{n} {noun}s") }
}
