//! What agents are told not to do: beginnings of commands, and names of tools.
//!
//! Each harness keeps to this as well as it can; what holds an agent is its sandbox. The
//! types let through nothing that means something else to a harness that is told of it.

use std::fmt;
use std::str::FromStr;

/// What is denied to the agents of all repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denied {
    pub commands: Vec<Beginning>,
    pub tools: Vec<ToolName>,
}

/// The first words of a command: `git push`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beginning(Vec<String>);

/// The name of a tool, as a harness calls it: `WebFetch`, `mcp__issues__close`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolName(String);

/// A text is not the beginning of a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the beginning of a command, like `git push`: at most {WORDS_MAX} words of \
     letters, digits and `._/+=@:-`, with single spaces between them"
)]
pub struct InvalidBeginning(String);

/// A text is not the name of a tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a tool: letters, digits, `_`, `-` and `.`")]
pub struct InvalidToolName(String);

/// How many words a beginning may have. Harnesses match them one by one.
const WORDS_MAX: usize = 8;

/// How long a word or a name may be.
const BYTES_MAX: usize = 128;

impl Beginning {
    /// The words, in order. There is at least one.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl ToolName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Beginning {
    type Err = InvalidBeginning;

    fn from_str(text: &str) -> Result<Self, InvalidBeginning> {
        let is_char = |b: u8| b.is_ascii_alphanumeric() || b"._/+=@:-".contains(&b);
        let is_word =
            |word: &&str| (1..=BYTES_MAX).contains(&word.len()) && word.bytes().all(is_char);
        let words: Vec<&str> = text.split(' ').collect();
        let is_program = words.first().is_some_and(|word| !word.starts_with('-'));
        if is_program && words.len() <= WORDS_MAX && words.iter().all(is_word) {
            return Ok(Self(words.into_iter().map(str::to_owned).collect()));
        }
        Err(InvalidBeginning(text.chars().take(BYTES_MAX).collect()))
    }
}

impl fmt::Display for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl FromStr for ToolName {
    type Err = InvalidToolName;

    fn from_str(text: &str) -> Result<Self, InvalidToolName> {
        let is_char = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if begins && text.len() <= BYTES_MAX && text.bytes().all(is_char) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidToolName(text.chars().take(BYTES_MAX).collect()))
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Beginning, ToolName};

    #[test]
    fn the_beginning_of_a_command_is_words_and_nothing_that_a_harness_reads_otherwise() {
        for good in ["git push", "curl", "npm run test:e2e", "./deploy.sh", "a=b"] {
            assert_eq!(good.parse::<Beginning>().unwrap().to_string(), good);
        }
        let long = "x".repeat(129);
        for bad in [
            "",
            " ",
            "git  push",
            " git",
            "git ",
            "-x",
            "git push)",
            "Bash(git:*)",
            "a,b",
            "a*",
            "a\nb",
            "a\"b",
            "a$b",
            "ä",
            "1 2 3 4 5 6 7 8 9",
            long.as_str(),
        ] {
            assert!(bad.parse::<Beginning>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_name_of_a_tool_is_one_word() {
        for good in ["WebFetch", "mcp__issues__close", "run_shell_command", "_x"] {
            assert_eq!(good.parse::<ToolName>().unwrap().as_str(), good);
        }
        for bad in ["", "-x", "Bash(git:*)", "a b", "a,b", "a*", "--allow-all", "ä"] {
            assert!(bad.parse::<ToolName>().is_err(), "{bad:?}");
        }
    }
}
