//! One changed file, before and after, and where the two differ.

use std::ops::Range;

use crate::text::one_line;

/// One file of a change. It has a side before, or one after, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// As it was; nothing, where it is new.
    pub before: Option<Side>,
    /// As it is; nothing, where it is gone.
    pub after: Option<Side>,
    /// Where the texts differ, in order. Empty where one of them is not known.
    pub hunks: Vec<Hunk>,
}

/// A file on one side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    pub path: String,
    /// Its mode, as git has it: `0o100_644` for a file.
    pub mode: u32,
    /// What names its content: two sides with the same id are the same.
    pub id: String,
    pub n_bytes: u64,
    pub content: Content,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text. What is not UTF-8 is replaced.
    Text(String),
    /// No text. These are its first bytes.
    Binary { head: Vec<u8> },
    /// It was not read, as it is too large, or as there is too much altogether.
    Unread,
}

/// Lines that were replaced by others. Lines count from 0, and either may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    pub old: Range<u32>,
    pub new: Range<u32>,
}

/// A line of a text, with its number, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    pub n: u32,
    pub text: &'a str,
}

/// How long a text may be to be read as one. Lock files of large programs have a few
/// megabytes; nothing that people write has.
pub const TEXT_BYTES_MAX: u64 = 8 << 20;

/// How much of a file is looked at to tell text from other things, as git does.
const SNIFFED_BYTES: usize = 8000;

/// How much of a binary file is kept: enough to say what it is.
const HEAD_BYTES: usize = 64;

/// The mode of a program.
const MODE_PROGRAM: u32 = 0o100_755;

/// The mode of a symbolic link.
const MODE_LINK: u32 = 0o120_000;

impl Change {
    /// The path that it has, or the one that it had.
    pub fn path(&self) -> &str {
        self.after.as_ref().or(self.before.as_ref()).map_or("", |side| &side.path)
    }

    /// The path that it had before, if that is another one.
    pub fn renamed_from(&self) -> Option<&str> {
        let before = self.before.as_ref()?;
        self.after.as_ref().filter(|after| after.path != before.path).map(|_| before.path.as_str())
    }

    /// Both paths, or the one.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [Some(self.path()), self.renamed_from()].into_iter().flatten()
    }

    pub fn is_added(&self) -> bool {
        self.before.is_none() && self.after.is_some()
    }

    pub fn is_removed(&self) -> bool {
        self.after.is_none()
    }

    /// The lines that are new, without their ends.
    pub fn added(&self) -> Vec<Line<'_>> {
        let lines = lines_of(self.after.as_ref());
        self.hunks.iter().flat_map(|hunk| cut(&lines, &hunk.new)).copied().collect()
    }

    /// The lines that are gone, without their ends.
    pub fn removed(&self) -> Vec<Line<'_>> {
        let lines = lines_of(self.before.as_ref());
        self.hunks.iter().flat_map(|hunk| cut(&lines, &hunk.old)).copied().collect()
    }

    /// What is gone and what is new, place by place.
    pub fn replaced(&self) -> Vec<(Vec<Line<'_>>, Vec<Line<'_>>)> {
        let (old, new) = (lines_of(self.before.as_ref()), lines_of(self.after.as_ref()));
        let pair = |hunk: &Hunk| (cut(&old, &hunk.old).to_vec(), cut(&new, &hunk.new).to_vec());
        self.hunks.iter().map(pair).collect()
    }

    /// The text as it was.
    pub fn text_before(&self) -> Option<&str> {
        self.before.as_ref()?.text()
    }

    /// The text as it is.
    pub fn text_after(&self) -> Option<&str> {
        self.after.as_ref()?.text()
    }

    /// What stands for the whole of it: as soon as a byte on either side is another, so is this.
    pub(super) fn identity(&self) -> String {
        let side = |side: Option<&Side>| match side {
            None => "-".to_owned(),
            Some(side) => format!("{:o} {} {}", side.mode, side.id, side.path),
        };
        format!("{}\n{}", side(self.before.as_ref()), side(self.after.as_ref()))
    }

    /// Its path, as it may stand in a sentence.
    pub(super) fn shown(&self) -> String {
        shown(self.path())
    }
}

/// A name from outside, as it may stand in a sentence: in one line, between back-ticks.
pub(super) fn shown(name: &str) -> String {
    format!("`{}`", one_line(name, SHOWN_CHARS_MAX).replace('`', "'"))
}

/// How long a name in a sentence may be, in characters.
const SHOWN_CHARS_MAX: usize = 120;

impl Side {
    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Binary { .. } | Content::Unread => None,
        }
    }

    pub fn is_program(&self) -> bool {
        self.mode == MODE_PROGRAM
    }

    pub fn is_link(&self) -> bool {
        self.mode == MODE_LINK
    }
}

impl Content {
    /// Tells text from other things: by a zero byte in its beginning, as git does.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes[..bytes.len().min(SNIFFED_BYTES)].contains(&0) {
            return Self::Binary { head: bytes[..bytes.len().min(HEAD_BYTES)].to_vec() };
        }
        Self::Text(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The lines of a text, without their ends.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    // Git and we have to agree on what a line is: it ends with a line feed and nothing else.
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    (1..).zip(lines).map(|(n, text)| Line { n, text }).collect()
}

fn lines_of(side: Option<&Side>) -> Vec<Line<'_>> {
    side.and_then(Side::text).filter(|text| !text.is_empty()).map(lines).unwrap_or_default()
}

fn cut<'a, 'l>(lines: &'l [Line<'a>], range: &Range<u32>) -> &'l [Line<'a>] {
    let end = lines.len().min(range.end as usize);
    lines.get(range.start as usize..end).unwrap_or_default()
}
