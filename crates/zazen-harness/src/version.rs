//! The version of a harness's program: how it is asked for, and how what it says is read.

use std::path::{Path, PathBuf};

use super::{Abilities, Harness, Version};

/// A program of the host, and how it says its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program<'a> {
    pub path: &'a Path,
    /// The command that prints it.
    pub argv: Vec<String>,
    /// The folders of the host that it needs to see.
    pub folders: Vec<PathBuf>,
}

/// How long a version may be. Longer ones are no versions.
const BYTES_MAX: usize = 40;

impl Harness {
    /// The program of this harness. None for what is built in.
    pub fn program(&self) -> Option<Program<'_>> {
        let (path, node, folders) = match self {
            Self::Claude(claude) => (&claude.program, None, vec![claude.folder.clone()]),
            Self::Codex(codex) => (&codex.program, None, vec![codex.folder.clone()]),
            Self::Acp(acp) => (&acp.program, acp.node.as_ref(), acp.folders.clone()),
            Self::Aider(aider) => (&aider.program, None, aider.folders.clone()),
            Self::Custom(custom) => (&custom.program, None, vec![custom.folder.clone()]),
            Self::Mini(_) => return None,
        };
        let Version::Flag(flag) = self.name().abilities().version else { return None };
        let words = node.into_iter().chain([path]).map(|word| word.display().to_string());
        let argv = words.chain([flag.to_owned()]).collect();
        Some(Program { path, argv, folders })
    }
}

impl Abilities {
    /// Whether this is the version that was tested. Nothing, where none was.
    pub fn is_tested(&self, version: &str) -> Option<bool> {
        self.tested.map(|tested| tested == version)
    }
}

/// The version in what a program or its package says: `2.1.329 (Claude Code)`,
/// `codex-cli 0.169.0`, `0.169.0-linux-x64`.
pub fn version_in(text: &str) -> Option<&str> {
    text.split_whitespace().find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        let word =
            word.split("-linux-").next().unwrap_or(word).trim_end_matches([',', ')', ';', '.']);
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        let is_version = word.starts_with(|c: char| c.is_ascii_digit())
            && word.contains('.')
            && word.len() <= BYTES_MAX
            && word.chars().all(is_part);
        is_version.then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;
    use crate::Name;

    #[test]
    fn a_version_is_found_in_what_each_program_says() {
        assert_eq!(version_in("2.1.329 (Claude Code)\n"), Some("2.1.329"));
        assert_eq!(version_in("codex-cli 0.169.0"), Some("0.169.0"));
        assert_eq!(version_in("0.169.0-linux-x64"), Some("0.169.0"));
        assert_eq!(version_in("GitHub Copilot CLI 1.0.102."), Some("1.0.102"));
        assert_eq!(version_in("aider v0.86.2"), Some("0.86.2"));
        assert_eq!(version_in("1.2.0-beta.10"), Some("1.2.0-beta.10"));
        assert_eq!(version_in("\u{1b}[31m1.0\u{1b}[0m"), None);
        assert_eq!(version_in(&format!("1.{}", "0".repeat(64))), None);
        assert_eq!(version_in("no version here, nor 7"), None);
    }

    #[test]
    fn a_version_is_tested_or_is_not_or_there_is_none_to_compare_with() {
        let claude = Name::Claude.abilities();
        assert_eq!(claude.is_tested(claude.tested.unwrap()), Some(true));
        assert_eq!(claude.is_tested("9.9.9"), Some(false));
        assert_eq!(Name::Mini.abilities().is_tested("9.9.9"), None);
    }
}
