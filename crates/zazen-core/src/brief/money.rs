//! A budget as people write it: `$5`, `2.50 USD`, `200k tokens`, `$5 and 1M tokens`.

use crate::budget::Limit;

/// How much can be written at the most, in millionths of a dollar: more is a slip.
const MICROS_MAX: u64 = 1_000_000_000_000;

/// Reads a budget. An empty text is no limit; None where nobody can tell what is meant.
pub(super) fn parse(text: &str) -> Option<Limit> {
    let mut limit = Limit::default();
    let text = text.trim().trim_matches('`').to_lowercase();
    for part in text.split([';', '\n']).flat_map(|part| part.split(" and ")) {
        // A comma parts two limits, or thousands.
        for part in part.split(", ").map(str::trim).filter(|part| !part.is_empty()) {
            let slot = if part.ends_with("tokens") { &mut limit.tokens } else { &mut limit.micros };
            let amount = match part.strip_suffix("tokens") {
                Some(count) => count_of(count.trim())?,
                None => micros_of(part)?,
            };
            if amount == 0 || slot.replace(amount).is_some() {
                return None;
            }
        }
    }
    Some(limit)
}

/// Writes a limit so that it is read as the same one. Empty where there is none.
pub(super) fn print(limit: Limit) -> String {
    let money = limit.micros.map(|micros| {
        let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
        let digits = format!("{part:06}");
        let cents = digits.trim_end_matches('0');
        format!("${whole}.{cents:0<2}")
    });
    let tokens = limit.tokens.map(|tokens| format!("{tokens} tokens"));
    money.into_iter().chain(tokens).collect::<Vec<_>>().join(" and ")
}

fn micros_of(text: &str) -> Option<u64> {
    let text = text.strip_prefix("us$").or_else(|| text.strip_prefix('$')).unwrap_or(text);
    let bare = ["us dollars", "dollars", "usd", "$"];
    let bare = bare.iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    let micros = scaled(bare.trim(), 6)?;
    (micros <= MICROS_MAX).then_some(micros)
}

fn count_of(text: &str) -> Option<u64> {
    let units = [("k", 3), ("m", 6), ("million", 6), ("thousand", 3)];
    let unit = units.iter().rev().find_map(|(unit, n)| Some((text.strip_suffix(unit)?, *n)));
    let (digits, scale) = unit.unwrap_or((text, 0));
    scaled(digits.trim(), scale)
}

/// A decimal number, times ten to the power of `n_digits`.
fn scaled(text: &str, n_digits: usize) -> Option<u64> {
    let text = text.replace(['_', ','], "");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > n_digits {
        return None;
    }
    format!("{whole}{part:0<n_digits$}").parse().ok()
}
