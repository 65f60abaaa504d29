//! Rust source, taken apart just far enough to search it.
//!
//! The rules must not trip over a word in a string or in a comment, so a text
//! is split into what is code and what is comment, with everything else blank
//! and every line where it was. This is no parser: it knows comments, literals
//! and braces, and nothing else.

use std::ops::Range;

/// One source text, split. Both parts have the lines and columns of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The code, with literals and comments blank.
    pub code: String,
    /// The comments, with the rest blank.
    pub comments: String,
}

/// What a stretch of source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Source {
    /// Splits a whole file.
    pub fn parse(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut source = Self { code: String::new(), comments: String::new() };
        let mut at = 0;
        while at < chars.len() {
            let (kind, end) = next_stretch(&chars, at);
            for &c in &chars[at..end] {
                let blank = if c == '\n' { '\n' } else { ' ' };
                source.code.push(if kind == Kind::Code { c } else { blank });
                source.comments.push(if kind == Kind::Comment { c } else { blank });
            }
            at = end;
        }
        source
    }

    /// Splits a file and leaves out its `#[cfg(test)] mod … { … }` blocks.
    pub fn parse_production(text: &str) -> Self {
        let mut source = Self::parse(text);
        for lines in test_blocks(&source.code) {
            source.code = blank_lines(&source.code, &lines);
            source.comments = blank_lines(&source.comments, &lines);
        }
        source
    }
}

/// Counts the lines of a file that are not in a `#[cfg(test)] mod … { … }` block.
pub fn n_production_lines(text: &str) -> usize {
    let code = Source::parse(text).code;
    let n_test: usize = test_blocks(&code).iter().map(Range::len).sum();
    text.lines().count() - n_test
}

/// Yields the places where `word` stands by itself in `text`, as byte offsets.
pub fn find_words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word)
    })
}

/// The number of the line, from 0, on which a byte of the text stands.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count()
}

/// Says whether a character may be part of a Rust name.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name at the start of the text, which may be empty.
pub fn leading_word(text: &str) -> &str {
    text.find(|c| !is_word(c)).map_or(text, |end| &text[..end])
}

/// Says what starts at `at`, and where it ends. A stretch of code is one character.
fn next_stretch(chars: &[char], at: usize) -> (Kind, usize) {
    let rest = &chars[at..];
    let is_in_word = at > 0 && is_word(chars[at - 1]);
    match rest {
        ['/', '/', ..] => (Kind::Comment, at + position(rest, |c| c == '\n')),
        ['/', '*', ..] => (Kind::Comment, at + block_comment_len(rest)),
        ['"', ..] => (Kind::Literal, at + 1 + string_tail_len(&rest[1..])),
        ['\'', ..] => match char_literal_len(rest) {
            Some(len) => (Kind::Literal, at + len),
            None => (Kind::Code, at + 1),
        },
        ['r', ..] if !is_in_word || is_string_prefix(chars, at) => match raw_string_len(rest) {
            Some(len) => (Kind::Literal, at + len),
            None => (Kind::Code, at + 1),
        },
        _ => (Kind::Code, at + 1),
    }
}

/// Says whether the `r` at `at` follows a lone `b` or `c`, as in `br"…"`.
fn is_string_prefix(chars: &[char], at: usize) -> bool {
    matches!(chars[at - 1], 'b' | 'c') && (at == 1 || !is_word(chars[at - 2]))
}

fn position(chars: &[char], is_end: impl Fn(char) -> bool) -> usize {
    chars.iter().position(|&c| is_end(c)).unwrap_or(chars.len())
}

fn block_comment_len(chars: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
            }
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

/// The length of the rest of a string, its closing quote included.
fn string_tail_len(chars: &[char]) -> usize {
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw_string_len(chars: &[char]) -> Option<usize> {
    let n_hashes = position(&chars[1..], |c| c != '#');
    let start = 1 + n_hashes;
    if chars.get(start) != Some(&'"') {
        return None;
    }
    let is_end = |at: usize| {
        chars[at] == '"' && chars[at + 1..].iter().take_while(|&&c| c == '#').count() >= n_hashes
    };
    let end = (start + 1..chars.len()).find(|&at| is_end(at));
    Some(end.map_or(chars.len(), |end| end + 1 + n_hashes))
}

/// The length of a character literal; `None` where the quote starts a lifetime.
fn char_literal_len(chars: &[char]) -> Option<usize> {
    match chars {
        ['\'', '\\', _, rest @ ..] => {
            let end = rest.iter().position(|&c| c == '\'')?;
            Some(3 + end + 1)
        }
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// Finds the lines of each `#[cfg(test)] mod … { … }` block.
fn test_blocks(code: &str) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        let after = &code[start + attribute.len()..];
        let Some(open) = after.find(['{', ';']) else { continue };
        let is_module = find_words(&after[..open], "mod").next().is_some();
        if after[open..].starts_with('{') && is_module {
            let end = start + attribute.len() + open + braces_len(&after[open..]);
            blocks.push(line_of(code, start)..line_of(code, end) + 1);
        }
    }
    blocks
}

/// The length of what stands from the first brace to the one that closes it.
fn braces_len(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

fn blank_lines(text: &str, lines: &Range<usize>) -> String {
    let keep = |(index, line)| if lines.contains(&index) { "" } else { line };
    text.split('\n').enumerate().map(keep).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
