//! Makes evidence from texts, and prints what a guard says of it.

use std::fmt::Write as _;

use super::super::{
    Change, Checks, Content, Contract, Evidence, GuardName, Hunk, Ran, Report, Rules, Sibling,
    Side, examine,
};
use crate::id::ContentHash;
use crate::secret::Scanner;

/// Evidence that owns what it is made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    pub(super) contract: Option<Contract>,
    pub(super) changes: Vec<Change>,
    pub(super) siblings: Vec<Sibling>,
    pub(super) reports: Vec<String>,
    pub(super) commands: Option<Vec<Ran>>,
    pub(super) checks: Option<Checks>,
    pub(super) rules: Rules,
    pub(super) is_cut: bool,
}

impl Sample {
    /// A plan that names files.
    pub(super) fn planned(files: &[&str]) -> Self {
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        Self { contract: Some(Contract { files, dependencies: Vec::new() }), ..Self::default() }
    }

    /// Changes one file.
    pub(super) fn change(mut self, path: &str, before: &str, after: &str) -> Self {
        self.changes.push(change(path, Some(before), Some(after)));
        self
    }

    pub(super) fn add(mut self, path: &str, text: &str) -> Self {
        self.changes.push(change(path, None, Some(text)));
        self
    }

    pub(super) fn remove(mut self, path: &str, text: &str) -> Self {
        self.changes.push(change(path, Some(text), None));
        self
    }

    pub(super) fn rename(mut self, (from, to): (&str, &str), before: &str, after: &str) -> Self {
        let mut change = change(to, Some(before), Some(after));
        change.before.as_mut().unwrap().path = from.to_owned();
        self.changes.push(change);
        self
    }

    pub(super) fn binary(mut self, path: &str, bytes: &[u8]) -> Self {
        let mut change = change(path, None, Some(""));
        let after = change.after.as_mut().unwrap();
        after.content = Content::of(bytes);
        after.id = ContentHash::of(bytes).to_string();
        after.n_bytes = bytes.len() as u64;
        self.changes.push(change);
        self
    }

    pub(super) fn says(mut self, report: &str) -> Self {
        self.reports.push(report.to_owned());
        self
    }

    /// A command that an agent ran, and whether it succeeded.
    pub(super) fn ran(mut self, command: &str, ok: bool) -> Self {
        let ran = Ran { command: command.to_owned(), ok: Some(ok) };
        self.commands.get_or_insert_default().push(ran);
        self
    }

    pub(super) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            contract: self.contract.as_ref(),
            changes: &self.changes,
            is_cut: self.is_cut,
            siblings: &self.siblings,
            reports: &self.reports,
            commands: self.commands.as_deref(),
            checks: self.checks,
            rules: &self.rules,
            scanner: Scanner::shapes(),
        }
    }

    pub(super) fn report(&self) -> Report {
        examine(&self.evidence())
    }

    /// What one guard says, a line a finding: level, place, sentence.
    pub(super) fn say(&self, guard: GuardName) -> String {
        let mut all = String::new();
        for finding in self.report().of(guard) {
            let level = format!("{:?}", finding.level).to_lowercase();
            let path = finding.path.as_deref().unwrap_or("-");
            let lines = finding.lines.map_or(String::new(), |(first, last)| {
                if first == last { format!(":{first}") } else { format!(":{first}-{last}") }
            });
            writeln!(all, "{level} {path}{lines} {}", finding.what).unwrap();
        }
        all
    }
}

pub(super) fn change(path: &str, before: Option<&str>, after: Option<&str>) -> Change {
    let side = |text: &str| Side {
        path: path.to_owned(),
        mode: 0o100_644,
        id: ContentHash::of(text.as_bytes()).to_string(),
        n_bytes: text.len() as u64,
        content: Content::of(text.as_bytes()),
    };
    let hunks = hunks(before.unwrap_or_default(), after.unwrap_or_default());
    Change { before: before.map(side), after: after.map(side), hunks }
}

/// Where two short texts differ: by the longest common sequence of their lines.
pub(super) fn hunks(before: &str, after: &str) -> Vec<Hunk> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let n_same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let mut longest = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (n_same..old.len()).rev() {
        for j in (n_same..new.len()).rev() {
            longest[i][j] = if old[i] == new[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (n_same, n_same);
    let mut hunks = Vec::new();
    while i < old.len() || j < new.len() {
        let (from_old, from_new) = (i, j);
        while i < old.len() || j < new.len() {
            if i < old.len() && j < new.len() && old[i] == new[j] {
                break;
            }
            let skips_old =
                j == new.len() || i < old.len() && longest[i + 1][j] >= longest[i][j + 1];
            if skips_old { i += 1 } else { j += 1 }
        }
        let range =
            |from: usize, to: usize| u32::try_from(from).unwrap()..u32::try_from(to).unwrap();
        hunks.push(Hunk { old: range(from_old, i), new: range(from_new, j) });
        while i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        }
    }
    hunks
}
