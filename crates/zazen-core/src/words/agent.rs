//! How an agent is called: by its name, its harness and its model.

use std::fmt::Write as _;

use crate::id::AgentName;
use crate::text::{one_line, plain};

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

#[cfg(test)]
mod tests {
    use super::{Agent, agent};
    use crate::id::AgentName;

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
