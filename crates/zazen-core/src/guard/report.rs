//! What the guards found: findings, the verdict of each guard, and what is held.

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use crate::id::ContentHash;
use crate::secret::Scanner;
use crate::text::{cut_middle, one_line, plain};

/// One guard, by what it looks at.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum GuardName {
    /// Files that the plan does not speak of.
    Scope,
    /// Dependencies, and the files that lock them.
    Dependencies,
    /// Files of builds, of agents and of the owner's list.
    Protected,
    /// Tests that are gone, skipped or say less.
    Tests,
    /// Checks, limits and tolerances that are looser.
    Checks,
    /// What looks like a secret.
    Secrets,
    /// Binary, generated and large files.
    Files,
    /// Heads with a licence.
    Licence,
    /// What agents say that is not so.
    Claims,
    /// A change that changes nothing.
    Empty,
}

/// How much a finding matters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It is shown with the pull request.
    Flag,
    /// A person has to approve it before there is a pull request.
    Hold,
}

/// What a guard says of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Pass,
    Flag,
    Hold,
}

/// One thing that a guard found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub guard: GuardName,
    pub level: Level,
    /// The file, by the name that it has now; nothing where it is about no single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The first and the last line, counted from 1: of the new text, or of the old one
    /// where lines are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<(u32, u32)>,
    /// What was found, as one sentence.
    pub what: String,
    /// The lines themselves, cut; may be empty. Never a secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
    /// The hash of all that this is about, whole.
    pub content: ContentHash,
}

/// What all guards found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// The guards that the owner has turned off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<GuardName>,
}

/// A finding as a guard writes it: with texts as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) level: Level,
    path: Option<String>,
    lines: Option<(u32, u32)>,
    what: String,
    excerpt: String,
    content: ContentHash,
}

/// How long a sentence may be, in characters.
const WHAT_CHARS_MAX: usize = 400;

/// How long a path is shown, in characters.
const PATH_CHARS_MAX: usize = 300;

/// How much of the lines is quoted, in bytes.
const EXCERPT_BYTES_MAX: usize = 600;

impl GuardName {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::Scope,
        Self::Dependencies,
        Self::Protected,
        Self::Tests,
        Self::Checks,
        Self::Secrets,
        Self::Files,
        Self::Licence,
        Self::Claims,
        Self::Empty,
    ];

    /// Its name, as it is written in `zazen.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Dependencies => "dependencies",
            Self::Protected => "protected",
            Self::Tests => "tests",
            Self::Checks => "checks",
            Self::Secrets => "secrets",
            Self::Files => "files",
            Self::Licence => "licence",
            Self::Claims => "claims",
            Self::Empty => "empty",
        }
    }

    /// The guard of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guard| guard.word() == word)
    }
}

impl Report {
    /// What one guard says; one that is off lets everything pass.
    pub fn verdict(&self, guard: GuardName) -> Verdict {
        match self.of(guard).map(|finding| finding.level).max() {
            None => Verdict::Pass,
            Some(Level::Flag) => Verdict::Flag,
            Some(Level::Hold) => Verdict::Hold,
        }
    }

    /// What one guard found.
    pub fn of(&self, guard: GuardName) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.guard == guard)
    }

    /// What a person has to approve.
    pub fn held(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.level == Level::Hold)
    }

    /// How many findings are only shown.
    pub fn n_flags(&self) -> usize {
        self.findings.iter().filter(|finding| finding.level == Level::Flag).count()
    }

    /// The hash of all that is held, if anything is. It is the same for the same things
    /// on whatever commit and lines, and another as soon as one byte of them is.
    pub fn hold(&self) -> Option<ContentHash> {
        let mut held: Vec<_> = self
            .held()
            .map(|finding| {
                (finding.guard.word(), finding.path.as_deref(), &finding.what, &finding.content)
            })
            .collect();
        held.sort_unstable();
        let parts = held.iter().flat_map(|(guard, path, what, content)| {
            let path = path.map_or(vec![0], |path| [&[1], path.as_bytes()].concat());
            [guard.as_bytes().to_vec(), path, what.as_bytes().to_vec(), content.as_str().into()]
        });
        (!held.is_empty()).then(|| hash(parts))
    }

    /// The report as the one text that stands for it.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("a report is plain data");
        json.push('\n');
        json
    }

    /// Reads what [`Self::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// What stands for the whole report, byte for byte.
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(self.to_json().as_bytes())
    }
}

/// Hashes parts. Where one ends counts: `ab`, `c` is not `a`, `bc`.
pub(super) fn hash(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> ContentHash {
    let mut all = Vec::new();
    for part in parts {
        let part = part.as_ref();
        all.extend((part.len() as u64).to_le_bytes());
        all.extend(part);
    }
    ContentHash::of(&all)
}

impl Draft {
    /// A finding that is only shown. Until [`Self::holding`] says otherwise, it is about
    /// what the sentence says and nothing more.
    pub(super) fn flag(what: impl Into<String>) -> Self {
        Self::new(Level::Flag, what.into())
    }

    /// A finding that a person has to approve.
    pub(super) fn hold(what: impl Into<String>) -> Self {
        Self::new(Level::Hold, what.into())
    }

    pub(super) fn new(level: Level, what: String) -> Self {
        let content = hash([&what]);
        Self { level, path: None, lines: None, what, excerpt: String::new(), content }
    }

    /// The file that it is about.
    pub(super) fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// The first and the last line.
    pub(super) fn lines(self, first: u32, last: u32) -> Self {
        Self { lines: Some((first, last)), ..self }
    }

    /// The lines to be quoted, which are also all that it is about.
    pub(super) fn quoting(self, excerpt: impl Into<String>) -> Self {
        let excerpt = excerpt.into();
        let content = hash([&excerpt]);
        Self { excerpt, content, ..self }
    }

    /// All that it is about, so that an approval is for exactly that.
    pub(super) fn holding(self, parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        Self { content: hash(parts), ..self }
    }

    /// One finding for those that are too many to be told.
    pub(super) fn summed_up(more: &[Self]) -> Option<Self> {
        let level = more.iter().map(|draft| draft.level).max()?;
        let parts = more.iter().flat_map(|draft| {
            let path = draft.path.as_deref().unwrap_or_default().as_bytes();
            [path, draft.what.as_bytes(), draft.content.as_str().as_bytes()]
        });
        let content = hash(parts);
        let n = more.len();
        Some(Self { content, ..Self::new(level, format!("There are {n} more of these.")) })
    }

    /// Whether its sentence has these words.
    pub(super) fn says(&self, words: &str) -> bool {
        self.what.contains(words)
    }

    /// The finding as it is kept and shown: cut, made plain, and without secrets, whichever
    /// guard quotes them.
    pub(super) fn finish(self, guard: GuardName, scanner: &Scanner) -> Finding {
        let excerpt = plain(&scanner.redact(&self.excerpt));
        // What is shown is cut and made plain; what is held is all of it, as it came.
        let path = self.path.as_deref().unwrap_or_default().as_bytes();
        let content = hash([path, self.what.as_bytes(), self.content.as_str().as_bytes()]);
        Finding {
            guard,
            level: self.level,
            path: self.path.map(|path| one_line(&scanner.redact(&path), PATH_CHARS_MAX)),
            lines: self.lines,
            what: one_line(&scanner.redact(&self.what), WHAT_CHARS_MAX),
            excerpt: cut_middle(excerpt.trim_end(), EXCERPT_BYTES_MAX),
            content,
        }
    }
}
