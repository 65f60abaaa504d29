//! Front matter: lines of `key: value` between two lines of `---`.
//!
//! This is the part of YAML that people write at the top of a page, and no
//! more: no anchors, no types, no nesting. Lines that we do not understand but
//! that belong to a key (a list written below it, say) are kept with it.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::ops::Range;

use super::ParseError;

/// The front matter of a page, line by line, with all line endings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Front {
    open: String,
    lines: Vec<Line>,
    close: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    /// `key: value`; the value has its quotes, and is empty where none is written.
    Entry { text: String, key_len: usize, value: Range<usize> },
    /// Belongs to the entry above: indented, or an item of a list.
    More(String),
    /// Blank, or a comment.
    Other(String),
}

/// What may not begin a value without quotes.
const SPECIAL_STARTS: &str = "\"'[]{}>|*&!%#@`-?:,~";

/// The line that begins and ends front matter.
const FENCE: &str = "---";

impl Front {
    /// Splits a text into its front matter, if there is any, and what follows.
    pub(super) fn split(text: &str) -> Result<(Option<Self>, &str), ParseError> {
        let mut rest = text.split_inclusive('\n');
        let Some(open) = rest.next().filter(|line| line.trim_ascii_end() == FENCE) else {
            return Ok((None, text));
        };
        let mut lines: Vec<Line> = Vec::new();
        let mut keys = std::collections::BTreeSet::new();
        let mut start = open.len();
        for (i, text_line) in rest.enumerate() {
            start += text_line.len();
            if text_line.trim_ascii_end() == FENCE {
                let front = Self { open: open.to_owned(), lines, close: text_line.to_owned() };
                return Ok((Some(front), &text[start..]));
            }
            let line = Line::parse(text_line, !keys.is_empty())
                .map_err(|why| ParseError { line: i + 2, why })?;
            if line.key().is_some_and(|key| !keys.insert(key.to_owned())) {
                let key = line.key().unwrap_or_default();
                let why = format!("the key `{key}` is there a second time; keep one of the two");
                return Err(ParseError { line: i + 2, why });
            }
            lines.push(line);
        }
        let why = "the front matter that begins here has no end; add a line `---`".to_owned();
        Err(ParseError { line: 1, why })
    }

    /// Front matter without a key.
    pub(super) fn empty(line_end: &str) -> Self {
        let fence = format!("{FENCE}{line_end}");
        Self { open: fence.clone(), lines: Vec::new(), close: fence }
    }

    /// Ends the last line, before something is written below it.
    pub(super) fn end_last_line(&mut self) {
        if !self.close.ends_with('\n') {
            self.close.push_str(self.line_end());
        }
    }

    /// How the lines end.
    pub(super) fn line_end(&self) -> &'static str {
        if self.open.ends_with("\r\n") { "\r\n" } else { "\n" }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(Line::key)
    }

    pub(super) fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        let at = self.position(key)?;
        Some(unquoted(self.lines[at].written()))
    }

    pub(super) fn list(&self, key: &str) -> Option<Vec<String>> {
        let at = self.position(key)?;
        let written = self.lines[at].written();
        let items = match written.strip_prefix('[') {
            Some(items) => split_list(items).map(|(items, _)| items).unwrap_or_default(),
            None if written.is_empty() => {
                let more = self.lines[at + 1..self.next_key(at)].iter();
                more.filter_map(Line::item).collect()
            }
            None => vec![written],
        };
        Some(items.into_iter().map(|item| unquoted(item).into_owned()).collect())
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        let at = self.position(key)?;
        let written = self.lines[at].written();
        let first = if is_block_sign(written) { Cow::Borrowed("") } else { unquoted(written) };
        let more = self.lines[at + 1..self.next_key(at)].iter().filter_map(|line| match line {
            Line::More(text) => Some(text.trim_ascii()),
            Line::Entry { .. } | Line::Other(_) => None,
        });
        let parts: Vec<&str> = std::iter::once(&*first).chain(more).collect();
        Some(parts.join(" ").trim_ascii().to_owned())
    }

    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        // The first line is the fence.
        self.position(key).map(|at| at + 2)
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.lines.iter().position(|line| line.key() == Some(key))
    }

    fn next_key(&self, at: usize) -> usize {
        let next = self.lines[at + 1..].iter().position(|line| line.key().is_some());
        next.map_or(self.lines.len(), |n| at + 1 + n)
    }

    /// Replaces the value of a key, or appends a line.
    pub(super) fn write(&mut self, key: &str, written: &str) {
        let Some(at) = self.position(key) else {
            let line_end = self.line_end();
            let text = format!("{key}: {written}{line_end}");
            let value = key.len() + 2..text.len() - line_end.len();
            self.lines.push(Line::Entry { text, key_len: key.len(), value });
            return;
        };
        if let Line::Entry { text, value, .. } = &mut self.lines[at] {
            let gap = if text[..value.start].ends_with(':') { " " } else { "" };
            text.replace_range(value.clone(), &format!("{gap}{written}"));
            *value = value.start + gap.len()..value.start + gap.len() + written.len();
        }
        // What is written below the key is its old value; comments there stay.
        let below = at + 1..self.next_key(at);
        let mut i = 0;
        self.lines.retain(|line| {
            i += 1;
            !(below.contains(&(i - 1)) && matches!(line, Line::More(_)))
        });
    }
}

impl Line {
    fn parse(text: &str, may_go_on: bool) -> Result<Self, String> {
        let line = text.trim_end_matches(['\n', '\r']);
        let is_inner = line.starts_with([' ', '\t']) || line == "-" || line.starts_with("- ");
        if line.trim_ascii().is_empty() || line.trim_ascii_start().starts_with('#') {
            return Ok(Self::Other(text.to_owned()));
        }
        if is_inner && may_go_on {
            return Ok(Self::More(text.to_owned()));
        }
        let (name, after) = match line.split_once(':') {
            Some(parts) if !is_inner && !line.starts_with(|c| SPECIAL_STARTS.contains(c)) => parts,
            _ => return Err("this is not a line like `key: value`".to_owned()),
        };
        let key_len = name.trim_ascii_end().len();
        if !after.is_empty() && !after.starts_with([' ', '\t']) {
            return Err(format!("write a space after `{}:`", &name[..key_len]));
        }
        let len = value_len(after.trim_ascii_start())?;
        let gap = after.len() - after.trim_ascii_start().len();
        let start = name.len() + 1 + if len == 0 { 0 } else { gap };
        Ok(Self::Entry { text: text.to_owned(), key_len, value: start..start + len })
    }

    fn key(&self) -> Option<&str> {
        match self {
            Self::Entry { text, key_len, .. } => Some(&text[..*key_len]),
            Self::More(_) | Self::Other(_) => None,
        }
    }

    /// The value as it is written.
    fn written(&self) -> &str {
        match self {
            Self::Entry { text, value, .. } => &text[value.clone()],
            Self::More(_) | Self::Other(_) => "",
        }
    }

    /// The item of a list that is written below its key.
    fn item(&self) -> Option<&str> {
        let Self::More(text) = self else { return None };
        Some(text.trim_ascii().strip_prefix("- ")?.trim_ascii_start())
    }

    fn text(&self) -> &str {
        match self {
            Self::Entry { text, .. } | Self::More(text) | Self::Other(text) => text,
        }
    }
}

/// Whether a value says that its text is in the lines below: `|`, `>-`.
fn is_block_sign(written: &str) -> bool {
    let is_sign = |b: u8| matches!(b, b'-' | b'+') || b.is_ascii_digit();
    written.strip_prefix(['|', '>']).is_some_and(|rest| rest.bytes().all(is_sign))
}

/// Says whether a text can be a key.
pub(super) fn is_key(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Writes a value so that it is read as the same text.
pub(super) fn quoted(value: &str) -> String {
    let is_plain = !value.is_empty()
        && value.trim() == value
        && !value.starts_with(|c| SPECIAL_STARTS.contains(c))
        && !value.ends_with(':')
        && !value.contains(": ")
        && !value.contains(" #")
        && !value.contains("\t#")
        && !value.chars().any(needs_escape);
    if is_plain { value.to_owned() } else { in_quotes(value) }
}

/// Writes a list like `[a, b]`.
pub(super) fn listed(values: &[&str]) -> String {
    let items: Vec<String> = values
        .iter()
        .map(|value| match quoted(value) {
            item if item.starts_with('"') || !item.contains(['[', ']', ',', '"', '\'']) => item,
            _ => in_quotes(value),
        })
        .collect();
    format!("[{}]", items.join(", "))
}

fn in_quotes(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if needs_escape(c) => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a string can always grow");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Line separators count as line ends for some readers. All of these fit four digits.
fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The length of the value that a text begins with; what follows is a comment.
fn value_len(text: &str) -> Result<usize, String> {
    let len = match text.as_bytes().first() {
        None | Some(b'#') => return Ok(0),
        Some(b'"' | b'\'') => quoted_len(text).ok_or("the quote is not closed")?,
        Some(b'[') => {
            let (_, len) = split_list(&text[1..]).ok_or("the list is not closed; add a `]`")?;
            1 + len
        }
        Some(_) => {
            let end = [" #", "\t#"].iter().filter_map(|mark| text.find(mark)).min();
            return Ok(text[..end.unwrap_or(text.len())].trim_ascii_end().len());
        }
    };
    let after = text[len..].trim_ascii_start();
    let is_comment = after.starts_with('#') && after.len() < text.len() - len;
    if after.is_empty() || is_comment {
        Ok(len)
    } else {
        Err("there is something after the value; put all of it in quotes".to_owned())
    }
}

/// The length of the quoted text that a text begins with.
fn quoted_len(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote && (quote == '"' || chars.next_if(|(_, c)| *c == '\'').is_none()) {
            return Some(i + 1);
        }
    }
    None
}

/// The items of a list whose `[` was read, as they are written, and the length
/// of the rest of the list.
fn split_list(text: &str) -> Option<(Vec<&str>, usize)> {
    let mut items = Vec::new();
    let mut start = 0;
    loop {
        let gap = text[start..].len() - text[start..].trim_ascii_start().len();
        let rest = &text[start + gap..];
        let len = if rest.starts_with(['"', '\'']) { quoted_len(rest)? } else { 0 };
        let end = len + rest[len..].find([',', ']'])?;
        let item = rest[..end].trim_ascii_end();
        if !item.is_empty() {
            items.push(item);
        }
        start += gap + end + 1;
        if rest[end..].starts_with(']') {
            return Some((items, start));
        }
    }
}

/// The text that a written value stands for.
fn unquoted(written: &str) -> Cow<'_, str> {
    let inside =
        |quote: char| written.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if let Some(inner) = inside('\'') {
        return Cow::Owned(inner.replace("''", "'"));
    }
    match inside('"') {
        Some(inner) if inner.contains('\\') => Cow::Owned(unescaped(inner)),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(written),
    }
}

/// Reads escapes. One that we do not know stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (c, len) = match rest.as_bytes().first() {
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(b'"') => ('"', 1),
            Some(b'\\') => ('\\', 1),
            Some(b'u') => code_point(rest.get(1..5)).map_or(('\\', 0), |c| (c, 5)),
            _ => ('\\', 0),
        };
        out.push(c);
        rest = &rest[len..];
    }
    out + rest
}

fn code_point(digits: Option<&str>) -> Option<char> {
    let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

impl fmt::Display for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.open)?;
        for line in &self.lines {
            f.write_str(line.text())?;
        }
        f.write_str(&self.close)
    }
}
