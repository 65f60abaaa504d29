//! The commands in a comment.
//!
//! A command is `/word`, or `@bot word`, at the start of a line that the author says
//! to us: not quoted, not code, not hidden ([`spoken`] decides that). The grammar is
//! strict, because a command spends money: whatever is doubtful does nothing,
//! and [`Bad`] says why. Who may give a command is decided elsewhere.

mod spoken;

use std::fmt;

use crate::text::is_hidden;
use spoken::{Line, Said};

/// What a comment asks of us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The commands, in their order. Empty when something is [`Bad`].
    pub commands: Vec<Command>,
    /// Why nothing is done, though the author seems to want something.
    pub bad: Option<Bad>,
}

/// One command, with what was written after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Write a plan, or another one that heeds the remarks.
    Plan { remarks: String },
    /// Carry out the plan; the text answers its open questions.
    Implement { answers: String },
    /// Answer a question, and change nothing.
    Ask { question: String },
    /// Give the task up.
    Stop { reason: String },
    /// Try again what failed.
    Retry { remarks: String },
    /// Say where the task stands.
    Status,
    /// Change the open pull request.
    Fix { remarks: String },
    /// Review a pull request, and change nothing.
    Review { focus: String },
    /// Put the work on top of what its base branch has become.
    Rebase { remarks: String },
    /// Make an issue of each step of the plan that waits.
    Split { remarks: String },
    /// Approve the plan that waits.
    Approve { answers: String },
    /// Keep a fact about the repository.
    Remember { fact: String },
}

/// The word that a command begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    Plan,
    Implement,
    Ask,
    Stop,
    Retry,
    Status,
    Fix,
    Review,
    Rebase,
    Split,
    Approve,
    Remember,
}

/// Why a comment that looks like a command does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bad {
    /// The word is not a command, but close to one. `written` has its slash.
    Unknown { written: String, nearest: Name },
    /// The word looks like a command, but has characters that are not plain ASCII.
    Lookalike { meant: Name },
    /// `/ask` stands without a question.
    NoQuestion,
    /// `/remember` stands without a fact.
    NoFact,
    /// More than one command would change the task; these, in their order.
    Conflicting { names: Vec<Name> },
}

/// How long a word may be to be compared with the commands. The longest
/// command has 9 letters; the rest is room for characters that cannot be seen.
const WORD_CHARS_MAX: usize = 24;

/// The letters from which on a word after a mention is taken for a command with an error in it.
const MENTIONED_LETTERS_MIN: usize = 4;

/// The letters from which on a command may be two typing errors away. Of a
/// short word two errors make any other.
const TWO_ERRORS_LETTERS_MIN: usize = 6;

impl Name {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Plan,
        Self::Implement,
        Self::Ask,
        Self::Stop,
        Self::Retry,
        Self::Status,
        Self::Fix,
        Self::Review,
        Self::Rebase,
        Self::Split,
        Self::Approve,
        Self::Remember,
    ];

    /// The word, without its slash.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Implement => "implement",
            Self::Ask => "ask",
            Self::Stop => "stop",
            Self::Retry => "retry",
            Self::Status => "status",
            Self::Fix => "fix",
            Self::Review => "review",
            Self::Rebase => "rebase",
            Self::Split => "split",
            Self::Approve => "approve",
            Self::Remember => "remember",
        }
    }

    /// The command with this word, which has no slash.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.word() == word)
    }

    /// Says whether the command changes where a task stands.
    pub fn changes_task(self) -> bool {
        match self {
            Self::Plan
            | Self::Implement
            | Self::Stop
            | Self::Retry
            | Self::Fix
            | Self::Rebase
            | Self::Split
            | Self::Approve => true,
            Self::Ask | Self::Status | Self::Review | Self::Remember => false,
        }
    }

    /// What is wrong with the command when nothing is written after it.
    fn without_text(self) -> Option<Bad> {
        match self {
            Self::Ask => Some(Bad::NoQuestion),
            Self::Remember => Some(Bad::NoFact),
            Self::Plan
            | Self::Implement
            | Self::Stop
            | Self::Retry
            | Self::Status
            | Self::Fix
            | Self::Review
            | Self::Rebase
            | Self::Split
            | Self::Approve => None,
        }
    }

    /// The command with what is written after it.
    pub(crate) fn with(self, text: &str) -> Command {
        let text = text.to_owned();
        match self {
            Self::Plan => Command::Plan { remarks: text },
            Self::Implement => Command::Implement { answers: text },
            Self::Ask => Command::Ask { question: text },
            Self::Stop => Command::Stop { reason: text },
            Self::Retry => Command::Retry { remarks: text },
            Self::Status => Command::Status,
            Self::Fix => Command::Fix { remarks: text },
            Self::Review => Command::Review { focus: text },
            Self::Rebase => Command::Rebase { remarks: text },
            Self::Split => Command::Split { remarks: text },
            Self::Approve => Command::Approve { answers: text },
            Self::Remember => Command::Remember { fact: text },
        }
    }
}

impl Command {
    /// The word that the command begins with.
    pub fn name(&self) -> Name {
        match self {
            Self::Plan { .. } => Name::Plan,
            Self::Implement { .. } => Name::Implement,
            Self::Ask { .. } => Name::Ask,
            Self::Stop { .. } => Name::Stop,
            Self::Retry { .. } => Name::Retry,
            Self::Status => Name::Status,
            Self::Fix { .. } => Name::Fix,
            Self::Review { .. } => Name::Review,
            Self::Rebase { .. } => Name::Rebase,
            Self::Split { .. } => Name::Split,
            Self::Approve { .. } => Name::Approve,
            Self::Remember { .. } => Name::Remember,
        }
    }

    /// What was written after the word.
    pub fn text(&self) -> &str {
        match self {
            Self::Plan { remarks: text }
            | Self::Implement { answers: text }
            | Self::Ask { question: text }
            | Self::Stop { reason: text }
            | Self::Retry { remarks: text }
            | Self::Fix { remarks: text }
            | Self::Review { focus: text }
            | Self::Rebase { remarks: text }
            | Self::Split { remarks: text }
            | Self::Approve { answers: text }
            | Self::Remember { fact: text } => text,
            Self::Status => "",
        }
    }
}

/// Reads the commands in a comment. `bots` are the names under which zazen is spoken to.
///
/// Text before the first command is for people. Each command has the rest of
/// its line and the lines up to the next command, the signature or the end.
pub fn parse(comment: &str, bots: &[&str]) -> Parsed {
    let Said { lines, end } = spoken::lines(comment);
    let mut found: Vec<Found> = Vec::new();
    let mut bad = None;
    for line in lines {
        match command_of(&comment[line.start..line.end], bots) {
            Ok((name, n_bytes)) => {
                found.push(Found { name, line, text: line.start + n_bytes });
            }
            Err(other) => bad = bad.or(other),
        }
    }

    let ends: Vec<usize> = found.iter().skip(1).map(|next| next.line.start).chain([end]).collect();
    let mut commands = Vec::with_capacity(found.len());
    for (Found { name, line, text }, end) in found.iter().zip(ends) {
        let text = comment[*text..end.max(line.end)].trim();
        if text.is_empty() {
            bad = bad.or(name.without_text());
        }
        commands.push(name.with(text));
    }

    let names: Vec<Name> =
        found.iter().map(|found| found.name).filter(|name| name.changes_task()).collect();
    if names.len() > 1 {
        bad = Some(Bad::Conflicting { names });
    }
    if bad.is_some() {
        commands.clear();
    }
    Parsed { commands, bad }
}

/// A command, its line, and where its text begins.
struct Found {
    name: Name,
    line: Line,
    text: usize,
}

/// The command that a line begins with, and where what is after it begins; or why it is none.
fn command_of(line: &str, bots: &[&str]) -> Result<(Name, usize), Option<Bad>> {
    let at = line.len() - line.trim_start_matches(' ').len();
    let word = first_word(line);
    if let Some(name) = word.strip_prefix('/').and_then(Name::from_word) {
        return Ok((name, at + word.len()));
    }
    if !is_mention(word, bots) {
        return Err(misspelled(word));
    }
    let rest = line[at + word.len()..].trim_start_matches([' ', '\t']);
    let second = rest.split([' ', '\t']).next().unwrap_or_default();
    match Name::from_word(second.strip_prefix('/').unwrap_or(second)) {
        Some(name) => Ok((name, line.len() - rest.len() + second.len())),
        None if second.starts_with('/') => Err(misspelled(second)),
        // Short words are like each other, and people also speak of a bot.
        None if second.len() < MENTIONED_LETTERS_MIN => Err(None),
        None => Err(misspelled(&format!("/{second}"))),
    }
}

/// Whether a word is the name of one of the bots, as one speaks to them: `@zazen`, `@zazen:`.
fn is_mention(word: &str, bots: &[&str]) -> bool {
    let Some(name) = word.strip_prefix('@') else { return false };
    let name = name.trim_end_matches([',', ':']);
    // GitHub's apps write as `name[bot]`, and are spoken to as `name`.
    let spoken = |bot: &&str| bot.strip_suffix("[bot]").unwrap_or(bot).eq_ignore_ascii_case(name);
    !name.is_empty() && bots.iter().any(spoken)
}

/// The line up to its first ASCII white space. No other white space ends a word.
fn first_word(line: &str) -> &str {
    let line = line.trim_start_matches(' ');
    line.split([' ', '\t']).next().unwrap_or_default()
}

fn misspelled(word: &str) -> Option<Bad> {
    if word.chars().nth(WORD_CHARS_MAX).is_some() {
        return None;
    }
    // Phones write a capital at the start, and people a colon at the end.
    let tidy = word.trim_end_matches([':', ',', ';', '!', '?']).to_ascii_lowercase();
    match tidy.strip_prefix('/') {
        Some(bare) if !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_lowercase()) => {
            let nearest = nearest(bare)?;
            Some(Bad::Unknown { written: word.to_owned(), nearest })
        }
        _ if word.is_ascii() => None,
        _ => Name::ALL
            .into_iter()
            .find(|name| looks_like(&tidy, name.word()))
            .map(|meant| Bad::Lookalike { meant }),
    }
}

/// Says whether a word with other than ASCII characters can be taken for `/name`.
fn looks_like(word: &str, name: &str) -> bool {
    let is_space = |c: char| c.is_whitespace() || is_hidden(c);
    let word = word.trim_start_matches(is_space).split(char::is_whitespace).next().unwrap_or(word);
    let seen: Vec<char> = word.chars().filter(|c| !is_hidden(*c)).map(narrow).collect();
    let expected: Vec<char> = ['/'].into_iter().chain(name.chars()).collect();
    // Any letter of another script may look like the one that is expected.
    let n_foreign = seen.iter().filter(|c| !c.is_ascii()).count();
    seen.len() == expected.len()
        && seen[0] == '/'
        && n_foreign * 2 <= expected.len()
        && seen.iter().zip(&expected).all(|(seen, c)| seen == c || !seen.is_ascii())
}

/// Turns a full-width character into the usual one.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => {
            let narrow = char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c);
            narrow.to_ascii_lowercase()
        }
        '\u{2044}' | '\u{2215}' | '\u{2571}' | '\u{27cb}' | '\u{29f8}' => '/',
        c => c,
    }
}

fn nearest(word: &str) -> Option<Name> {
    let allowed = |name: &Name| if name.word().len() < TWO_ERRORS_LETTERS_MIN { 1 } else { 2 };
    Name::ALL
        .into_iter()
        .map(|name| (n_errors(word, name.word()), name))
        .filter(|(n, name)| *n <= allowed(name))
        .min_by_key(|(n, _)| *n)
        .map(|(_, name)| name)
}

/// Counts the letters added, left out, replaced, or swapped with their neighbour.
fn n_errors(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut n = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                n = n.min(rows[i - 2][j - 2] + 1);
            }
            row.push(n);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.word())
    }
}

/// The command as one would write it.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            "" => write!(f, "{}", self.name()),
            text => write!(f, "{} {text}", self.name()),
        }
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { written, nearest } => {
                write!(f, "`{written}` is not a command; did you mean `{nearest}`?")
            }
            Self::Lookalike { meant } => {
                write!(f, "a word looks like `{meant}`, but is not written in plain letters")
            }
            Self::NoQuestion => write!(f, "`/ask` needs a question after it"),
            Self::NoFact => write!(f, "`/remember` needs a fact after it"),
            Self::Conflicting { names } => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "{} cannot be in one comment", names.join(" and "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
