//! Issue forms: what somebody filled in, as the parts of a brief.
//!
//! A forge shows a form that was filled in as Markdown: a heading for each field, and what
//! was written below it. Only the headings of the form that zazen ships count, in its order
//! (`.github/ISSUE_TEMPLATE/zazen.yml`); an issue that does not begin with the first of them
//! is no form. What stands in a field is somebody's text like any other.

/// What somebody filled in. A field that was left empty is empty here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    pub goal: String,
    pub non_goals: String,
    /// The validation command that is proposed.
    pub check: String,
    /// Where to stop and ask.
    pub boundary: String,
    /// Who is to be asked for a review, by their logins.
    pub reviewers: Vec<String>,
    /// The most that it may cost, as it is written.
    pub budget: String,
    /// When it has to be done, as it is written.
    pub deadline: String,
    pub context: String,
}

/// The labels of the form's fields, as it has them.
pub const LABELS: [&str; 8] = [
    "Goal",
    "Non-goals",
    "Validation command",
    "Where to stop and ask",
    "Reviewer",
    "Budget",
    "Deadline",
    "Context",
];

/// What a forge writes where nothing was filled in.
const NOTHING: &str = "_No response_";

/// How many people a form can name. More would not be asked but spammed.
const N_REVIEWERS_MAX: usize = 5;

impl Form {
    /// Reads the text of an issue. Nothing, if it is no form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields: [Vec<&str>; LABELS.len()] = Default::default();
        let mut at = None;
        let mut fence = None;
        for line in text.lines() {
            let next = at.map_or(0, |at| at + 1);
            let begun = heading(line).filter(|_| fence.is_none());
            let found = begun.and_then(|label| {
                LABELS.iter().skip(next).position(|known| *known == label).map(|n| n + next)
            });
            match (found, at) {
                // Anything before the first field makes it another text.
                (Some(0), None) => at = found,
                (Some(_), Some(_)) => at = found,
                (_, None) if line.trim().is_empty() => {}
                (_, None) => return None,
                (None, Some(at)) => {
                    fence = fence_after(fence, line);
                    fields[at].push(line);
                }
            }
        }
        at?;
        let fields = fields.map(|lines| filled(&lines));
        let [goal, non_goals, check, boundary, reviewers, budget, deadline, context] = fields;
        let (check, reviewers) = (command(&check), logins(&reviewers));
        Some(Self { goal, non_goals, check, boundary, reviewers, budget, deadline, context })
    }
}

/// The label in a heading of the rank that forms have.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("### ").map(str::trim)
}

/// Which fence is open after a line, if one is: a form's text may quote a form.
fn fence_after(open: Option<char>, line: &str) -> Option<char> {
    let line = line.trim_start();
    let begins = |c: char| line.starts_with(&String::from(c).repeat(3));
    match open {
        Some(c) if begins(c) => None,
        Some(c) => Some(c),
        None => ['`', '~'].into_iter().find(|c| begins(*c)),
    }
}

fn filled(lines: &[&str]) -> String {
    let text = lines.join("\n");
    let text = text.trim();
    if text == NOTHING { String::new() } else { text.to_owned() }
}

/// The command in its field: one line, perhaps set as code.
fn command(field: &str) -> String {
    field.lines().next().unwrap_or_default().trim().trim_matches('`').trim().to_owned()
}

/// The people in a field, by their logins.
pub(crate) fn logins(field: &str) -> Vec<String> {
    let words = field.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
    let logins = words.map(|word| word.trim_start_matches('@')).filter(|word| !word.is_empty());
    logins.take(N_REVIEWERS_MAX).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
