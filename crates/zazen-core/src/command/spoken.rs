//! Which lines of a comment the author says to us.
//!
//! Reads as much of Markdown as it takes to leave out code, quotes, HTML,
//! comments, folded parts, link text and signatures. It is not a renderer:
//! where the rules of Markdown are too fine, a line is left out. One pass over
//! the lines finds the blocks; [`inline`] looks inside each paragraph.

mod inline;

use crate::text::Fence;
use inline::Folds;

/// What the author says.
#[derive(Debug)]
pub(super) struct Said {
    /// The lines that can hold a command.
    pub lines: Vec<Line>,
    /// Where the text ends and a signature begins.
    pub end: usize,
}

/// One line of a comment, as positions in it; `end` is before the line ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub start: usize,
    pub end: usize,
}

/// The block that a line stands in.
enum Block {
    Text,
    /// A fence, and how far its opening line was indented.
    Fence(Fence, usize),
    /// Raw HTML.
    Html(Html),
    /// A fence was left in a way that Markdown knows, but we do not follow.
    Tangled,
}

/// A block of raw HTML.
#[derive(Clone, Copy)]
struct Html {
    /// What ends the block; without it, a blank line does.
    end: Option<&'static str>,
    in_comment: bool,
}

struct Reader<'a> {
    comment: &'a str,
    block: Block,
    /// A quote goes on until a blank line, even without its `>`.
    quoted: bool,
    folds: Folds,
    /// The lines of the paragraph so far, and whether each may be said.
    paragraph: Vec<(Line, bool)>,
    said: Vec<Line>,
}

/// Raw HTML that goes on over blank lines: what begins and what ends it.
const RAW_HTML: [(&str, &str); 7] = [
    ("<!--", "-->"),
    ("<?", "?>"),
    ("<![CDATA[", "]]>"),
    ("<pre", "</pre"),
    ("<script", "</script"),
    ("<style", "</style"),
    ("<textarea", "</textarea"),
];

/// From this indent on a line is code.
const CODE_INDENT: usize = 4;

/// Finds the lines of a comment that its author says to us.
pub(super) fn lines(comment: &str) -> Said {
    let mut reader = Reader {
        comment,
        block: Block::Text,
        quoted: false,
        folds: Folds::default(),
        paragraph: Vec::new(),
        said: Vec::new(),
    };
    let mut end = comment.len();
    let mut start = 0;
    while start < comment.len() {
        let rest = &comment[start..];
        let n_bytes = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = Line { start, end: start + n_bytes };
        if matches!(reader.block, Block::Text) && is_signature(&rest[..n_bytes]) {
            end = start;
            break;
        }
        reader.take(line);
        start = line.end + if rest[n_bytes..].starts_with("\r\n") { 2 } else { 1 };
    }
    reader.end_paragraph();
    Said { lines: reader.said, end }
}

impl Reader<'_> {
    fn take(&mut self, line: Line) {
        let text = &self.comment[line.start..line.end];
        match self.block {
            Block::Text => self.take_text(line, text),
            Block::Fence(fence, indent) => {
                if fence.closed_by(text) && indent_of(text) < indent + CODE_INDENT {
                    self.block = Block::Text;
                } else if !is_blank(text) && indent_of(text) < indent {
                    self.block = Block::Tangled;
                }
            }
            Block::Html(html) => self.take_html(text, html),
            Block::Tangled => {}
        }
    }

    fn take_text(&mut self, line: Line, text: &str) {
        if is_blank(text) {
            self.end_paragraph();
            self.quoted = false;
            return;
        }
        let indent = indent_of(text);
        let body = after_list_markers(text);
        let is_item = body.len() < text.trim_start_matches([' ', '\t']).len();
        if indent >= CODE_INDENT && !is_item {
            self.continue_paragraph(line);
        } else if body.starts_with('>') {
            self.end_paragraph();
            self.quoted = true;
        } else if let Some(fence) = Fence::opened_by(body) {
            self.end_paragraph();
            self.quoted = false;
            // What belongs to an item is indented as far as its text.
            self.block = Block::Fence(fence, text.len() - body.len());
        } else if is_html(body) {
            self.end_paragraph();
            self.take_html(body, Html { end: raw_end(body), in_comment: false });
        } else if is_item || is_heading(body) || is_rule(body) {
            self.end_paragraph();
            self.paragraph.push((line, false));
            if !is_item {
                self.end_paragraph();
            }
        } else {
            self.paragraph.push((line, !self.quoted));
        }
    }

    fn continue_paragraph(&mut self, line: Line) {
        if !self.paragraph.is_empty() {
            self.paragraph.push((line, false));
        }
    }

    fn take_html(&mut self, text: &str, html: Html) {
        let in_comment = self.folds.take_html(text, html.in_comment);
        let is_ended = match html.end {
            Some(end) => contains_ignoring_case(text, end),
            None => is_blank(text),
        };
        self.block = if is_ended && !in_comment {
            Block::Text
        } else {
            Block::Html(Html { in_comment, ..html })
        };
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        let (Some((first, _)), Some((last, _))) = (paragraph.first(), paragraph.last()) else {
            return;
        };
        let text = &self.comment[first.start..last.end];
        let starts = paragraph.iter().map(|(line, _)| line.start - first.start).collect();
        let shown = self.folds.take_paragraph(text, starts);
        self.said.extend(
            paragraph
                .iter()
                .zip(shown)
                .filter(|((_, said), shown)| *said && *shown)
                .map(|((line, _), _)| *line),
        );
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' ' | b'\t'))
}

fn indent_of(text: &str) -> usize {
    let n_spaces = text.bytes().take_while(|b| *b == b' ').count();
    if text.as_bytes().get(n_spaces) == Some(&b'\t') { CODE_INDENT.max(n_spaces) } else { n_spaces }
}

/// Steps over the marks that begin list items, however many there are.
fn after_list_markers(text: &str) -> &str {
    let mut body = text.trim_start_matches([' ', '\t']);
    loop {
        let digits = body.bytes().take_while(u8::is_ascii_digit).count();
        let marker = match body.as_bytes().get(digits) {
            Some(b'-' | b'*' | b'+') if digits == 0 => 1,
            Some(b'.' | b')') if (1..10).contains(&digits) => digits + 1,
            _ => return body,
        };
        match body[marker..].strip_prefix([' ', '\t']) {
            Some(after) => body = after.trim_start_matches([' ', '\t']),
            None => return body,
        }
    }
}

fn is_heading(body: &str) -> bool {
    let level = body.bytes().take_while(|b| *b == b'#').count();
    (1..=6).contains(&level) && body[level..].starts_with([' ', '\t'])
}

/// Says whether a line begins with an HTML tag, comment, or the like.
fn is_html(body: &str) -> bool {
    let Some(tag) = body.strip_prefix('<') else { return false };
    if tag.starts_with(['!', '?']) {
        return true;
    }
    let name = tag.strip_prefix('/').unwrap_or(tag);
    let after = name.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (after.is_empty() || after.starts_with([' ', '\t', '>', '/']))
}

/// What ends the HTML that a line begins, unless a blank line does.
fn raw_end(body: &str) -> Option<&'static str> {
    let begins = |open: &str| {
        let Some((name, after)) = body.split_at_checked(open.len()) else { return false };
        let is_whole = !open.ends_with(|c: char| c.is_ascii_alphabetic())
            || !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        name.eq_ignore_ascii_case(open) && is_whole
    };
    RAW_HTML.iter().find(|(open, _)| begins(open)).map(|(_, end)| *end)
}

/// Says whether a line holds `needle`, which is in lower case.
fn contains_ignoring_case(line: &str, needle: &str) -> bool {
    line.as_bytes().windows(needle.len()).any(|w| w.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Says whether a line is a rule, or underlines a heading.
fn is_rule(body: &str) -> bool {
    body.bytes().all(|b| matches!(b, b'-' | b'=' | b'*' | b'_' | b' ' | b'\t'))
}

/// Says whether a line begins a signature, or the mail that is answered.
fn is_signature(text: &str) -> bool {
    text == "-- " || text.starts_with("-----Original Message")
}

#[cfg(test)]
mod tests;
