//! What a step comes after: the line `After: 1, 2`, or `After: nothing`.
//!
//! People and agents also begin a sentence with that word, so a line counts only if what
//! follows is about numbers of steps. A step without such a line comes after the one before it.

use super::Problem;
use super::sections::{Line, Place};

/// The words that say that a step comes after no other.
const NOTHING: [&str; 4] = ["", "nothing", "none", "n/a"];

/// The words that may stand among the numbers.
const FILLING: [&str; 4] = ["step", "steps", "and", "&"];

/// Reads a line like `After: 1, 2`: the steps that it names, or that they cannot be read.
pub(super) fn line(line: &Line) -> Option<Result<Vec<u32>, ()>> {
    let text = line.text.trim_start();
    let text = text.strip_prefix("- ").unwrap_or(text).trim_start();
    let label = text.get(..6).filter(|head| head.eq_ignore_ascii_case("after:"))?;
    if line.place != Place::Text {
        return None;
    }
    let said = text[label.len()..].trim().trim_end_matches('.').to_ascii_lowercase();
    if NOTHING.contains(&said.as_str()) {
        return Some(Ok(Vec::new()));
    }
    let words = said.split([',', ' ', '\t']).map(|word| word.trim_start_matches('#'));
    let words: Vec<&str> =
        words.filter(|word| !word.is_empty() && !FILLING.contains(word)).collect();
    words.first().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(words.iter().map(|word| word.parse().map_err(drop)).collect())
}

/// Adds the steps that a line of step `n` names. It can only come after steps before it.
pub(super) fn add(
    after: &mut Option<Vec<u32>>,
    (n, at): (usize, usize),
    named: Result<Vec<u32>, ()>,
) -> Option<Problem> {
    let is_before = |step: &u32| (1..n).contains(&(*step as usize));
    let why = match named {
        Ok(steps) if steps.iter().all(is_before) => {
            let all = after.get_or_insert_default();
            all.extend(steps);
            all.sort_unstable();
            all.dedup();
            return None;
        }
        Ok(steps) => {
            let wrong = steps.iter().find(|step| !is_before(step)).copied().unwrap_or_default();
            format!("step {n} cannot come after step {wrong}")
        }
        Err(()) => format!("it cannot be read what step {n} comes after"),
    };
    let advice = match n {
        1 => "the first step comes after nothing; leave that line out",
        _ => {
            "name steps before it by their numbers, as in `After: 1, 2`, or write `After: nothing`"
        }
    };
    Some(Problem { line: Some(at), text: format!("{why}: {advice}") })
}

/// Writes what a step comes after.
pub(super) fn print(after: &[u32]) -> String {
    if after.is_empty() {
        return "After: nothing".to_owned();
    }
    let numbers: Vec<String> = after.iter().map(u32::to_string).collect();
    format!("After: {}", numbers.join(", "))
}

#[cfg(test)]
mod tests;
