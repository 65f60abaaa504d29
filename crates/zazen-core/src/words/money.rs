//! How money, tokens and time are written.

use crate::usage::Cost;

/// Writes a cost in dollars. An unknown price is called unknown, never $0.
pub fn cost(cost: Cost) -> String {
    match cost {
        Cost::Micros(micros) => dollars(micros),
        Cost::Unknown { known_micros: 0 } => "unknown".to_owned(),
        Cost::Unknown { known_micros } => format!("unknown, at least {}", dollars(known_micros)),
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
