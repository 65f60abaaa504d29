//! How an agent is called: by its name, its harness and its model.

use std::fmt::Write as _;

use crate::id::AgentName;
use crate::text::{one_line, plain};
use crate::trace::Lines;

/// An agent, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Agent<'a> {
    pub name: &'a AgentName,
    pub harness: &'a str,
    /// What the harness says of itself; empty until it does.
    pub version: &'a str,
    /// Empty where the harness chooses and has not said which.
    pub model: &'a str,
    /// Empty where nothing was said of it.
    pub effort: &'a str,
}

/// How long a version or a model's name may be in a sentence, in characters.
const WORD_CHARS_MAX: usize = 60;

/// Says who acts: `deep: codex 0.169.0 with gpt-5, effort high`. The agent called `default`
/// is not named, as most people have no other.
pub fn agent(agent: Agent<'_>) -> String {
    let Agent { name, harness, version, model, effort } = agent;
    let mut text = match name.as_str() {
        AgentName::DEFAULT => harness.to_owned(),
        name => format!("{name}: {harness}"),
    };
    for (before, word) in [(" ", version), (" with ", model), (", effort ", effort)] {
        // They may come from the harness's own stream.
        let word = one_line(&plain(word), WORD_CHARS_MAX);
        if !word.is_empty() {
            let _infallible = write!(text, "{before}{word}");
        }
    }
    text
}

/// Says that a harness has another version than the one that was tested.
pub fn untested(harness: &str, version: &str, tested: &str) -> String {
    let version = one_line(&plain(version), WORD_CHARS_MAX);
    format!(
        "{harness} {version} is not the version that zazen was tested with, which is {tested}; it \
         is used all the same"
    )
}

/// Says how much of a stream is not known. `version` is empty where that is not known either.
pub fn strange(harness: &str, version: &str, tested: Option<&str>, lines: Lines) -> String {
    let version = one_line(&plain(version), WORD_CHARS_MAX);
    let who = if version.is_empty() { harness.to_owned() } else { format!("{harness} {version}") };
    let Lines { n, n_unknown } = lines;
    let percent = lines.percent_unknown();
    let tested = tested.map(|tested| format!("; tested with {tested}")).unwrap_or_default();
    format!("{who} wrote {percent} % lines that zazen does not know ({n_unknown} of {n}){tested}")
}

#[cfg(test)]
mod tests {
    use super::{Agent, agent, strange, untested};
    use crate::id::AgentName;
    use crate::trace::Lines;

    #[test]
    fn what_is_unusual_about_a_harness_is_said_with_what_was_tested() {
        let lines = Lines { n: 50, n_unknown: 7 };
        assert_eq!(
            strange("claude", "2.9.0", Some("2.1.329"), lines),
            "claude 2.9.0 wrote 14 % lines that zazen does not know (7 of 50); tested with 2.1.329"
        );
        assert_eq!(
            strange("acp", "", None, lines),
            "acp wrote 14 % lines that zazen does not know (7 of 50)"
        );
        let said = untested("claude", "2.9\n0", "2.1.329");
        assert!(said.starts_with("claude 2.9 0 is not the version"), "{said}");
    }

    #[test]
    fn an_agent_is_called_by_all_that_is_known_of_it() {
        let of = |name: &str, version, model, effort| {
            let name: AgentName = name.parse().unwrap();
            agent(Agent { name: &name, harness: "codex", version, model, effort })
        };
        assert_eq!(of("default", "", "", ""), "codex");
        assert_eq!(of("default", "0.169.0", "gpt-5", ""), "codex 0.169.0 with gpt-5");
        assert_eq!(of("deep", "", "gpt-5", "high"), "deep: codex with gpt-5, effort high");
        assert_eq!(of("deep", "1\n2\u{1b}[1m", "", ""), "deep: codex 1 2");
    }
}
