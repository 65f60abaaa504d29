//! Makes Markdown from an agent harmless to post.
//!
//! A forge acts on text: it notifies people, closes issues, runs quick
//! actions, fetches pictures and renders HTML. What it would act on is broken
//! up, in a way that holds whether or not the forge reads that place as code:
//! only a fence that every forge must see as one is left as it was.

use super::{Fence, plain};

/// Stands where two characters must not meet; it has no width.
const BREAK: char = '\u{200b}';

/// The words that close or reopen an issue, on any forge we post to.
const CLOSING_WORDS: [&str; 19] = [
    "close",
    "closes",
    "closed",
    "closing",
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "resolve",
    "resolves",
    "resolved",
    "resolving",
    "implement",
    "implements",
    "implemented",
    "implementing",
    "reopen",
    "reopens",
    "reopened",
];

/// The longest of them, in bytes.
const CLOSING_WORD_BYTES_MAX: usize = 12;

/// How far a reference is read after a closing word. A longer one counts as a
/// reference unread, so that the whole stays linear.
const REFERENCE_BYTES_MAX: usize = 256;

/// Languages of fences that forges draw, run, or offer to apply.
const DRAWN: [&str; 17] = [
    "blockdiag",
    "bytefield",
    "d2",
    "ditaa",
    "dot",
    "erd",
    "geojson",
    "graphviz",
    "katex",
    "math",
    "mermaid",
    "nomnoml",
    "plantuml",
    "stl",
    "suggestion",
    "topojson",
    "vega",
];

/// What a link may not lead to.
const SCHEMES: [&str; 4] = ["javascript", "vbscript", "data", "file"];

/// The entities that may stand: they spell nothing that a forge acts on.
const ENTITIES: [&str; 8] =
    ["&lt;", "&gt;", "&amp;", "&quot;", "&nbsp;", "&mdash;", "&ndash;", "&hellip;"];

/// How long the name of an entity is at most.
const ENTITY_BYTES_MAX: usize = 40;

/// How the forge will read a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Inside a fence at the margin, which nothing around it can close or hide.
    Code,
    /// Inside what looks like a fence, but may be read otherwise.
    Doubtful,
    Prose,
}

/// Follows the fences of a text.
struct Fences {
    open: Option<Fence>,
    /// Every fence so far stood at the margin, so we know what is code.
    sure: bool,
}

/// Makes Markdown harmless on a forge: mentions, closing words, raw HTML, our
/// own markers, quick actions and pictures become mere text.
///
/// The text also goes through [`plain`]. A fence that is left open is closed.
/// Doing it twice does no more than doing it once.
pub fn neutral(text: &str) -> String {
    let text = plain(text);
    let mut fences = Fences::new(&text);
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let was_open = fences.open.is_some();
        let place = fences.take(line);
        let end = start + line.len();
        match drawn(line).filter(|_| !was_open && fences.open.is_some()) {
            // A language that no forge knows is shown as it is.
            Some(at) => {
                neutral_line(&text, start..start + at, place, &mut out);
                out.push(BREAK);
                neutral_line(&text, start + at..end, place, &mut out);
            }
            None => neutral_line(&text, start..end, place, &mut out),
        }
        start = end;
    }
    if let Some(fence) = fences.open.filter(|_| fences.sure) {
        let gap = if out.ends_with('\n') { "" } else { "\n" };
        out = format!("{out}{gap}{}\n", fence.closing());
    }
    out
}

impl Fences {
    fn new(text: &str) -> Self {
        // GitLab reads front matter, even after a line that names an encoding.
        // A fence in front matter is none.
        let mut lines = text.trim_start().lines().skip_while(|line| line.contains("coding:"));
        let first = lines.find(|line| !line.trim().is_empty()).unwrap_or_default();
        let has_front = ["---", "+++", ";;;"].iter().any(|mark| first.trim().starts_with(mark));
        Self { open: None, sure: !has_front }
    }

    fn take(&mut self, line: &str) -> Place {
        let inside = if self.sure { Place::Code } else { Place::Doubtful };
        if let Some(fence) = self.open {
            let indent = line.len() - line.trim_start_matches(' ').len();
            // Four spaces make it a line of the code.
            if fence.closed_by(line) && (indent < 4 || !self.sure) && !line.starts_with('\t') {
                self.open = None;
            }
            return inside;
        }
        let at_margin = line.starts_with(['`', '~']);
        self.open = Fence::opened_by(line);
        if !at_margin || self.open.is_none() {
            // In a list or a quote a fence ends where the list or the quote does.
            self.sure &= !line.contains("```") && !line.contains("~~~");
        }
        Place::Prose
    }
}

/// Where to break the language of a fence that a forge would draw.
fn drawn(line: &str) -> Option<usize> {
    let marks = line.trim_start_matches([' ', '\t']);
    let language = marks.trim_start_matches(['`', '~']).trim_start_matches([' ', '\t', '{', '.']);
    let n_letters = language.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let word = language[..n_letters].to_ascii_lowercase();
    DRAWN.contains(&word.as_str()).then(|| line.len() - language.len() + 1)
}

fn neutral_line(text: &str, line: std::ops::Range<usize>, place: Place, out: &mut String) {
    let mut ticks = 0;
    let mut last = text[..line.start].chars().next_back().unwrap_or('\n');
    let indent = text[line.clone()].len() - text[line.clone()].trim_start().len();
    for (i, c) in text[line.clone()].char_indices() {
        let rest = &text[line.start + i..];
        let looks_like_code = place != Place::Prose || ticks % 2 == 1;
        if c == '`' && last != '`' {
            ticks += 1;
        }
        if starts_closing_word(rest, last) || starts_scheme(rest, last) {
            out.extend([c, BREAK]);
        } else if place == Place::Code {
            out.push(c);
            if rest.starts_with("<!--") {
                out.push(BREAK);
            }
        } else if i == indent && is_quick_action(rest) && !looks_like_code {
            out.push_str("\\/");
        } else if !is_acted_on(rest, last, i == indent) {
            out.push(c);
        } else if looks_like_code || !matches!(c, '<' | '&') {
            out.extend([c, BREAK]);
        } else {
            out.push_str(if c == '<' { "&lt;" } else { "&amp;" });
        }
        last = c;
    }
}

/// Says whether a forge may act on the first character of `rest`.
fn is_acted_on(rest: &str, last: char, starts_line: bool) -> bool {
    let next = rest.chars().nth(1).unwrap_or(' ');
    match rest.as_bytes()[0] {
        b'@' => !last.is_ascii_alphanumeric() && !next.is_whitespace(),
        b'<' => {
            let is_link = rest.starts_with("<https://") || rest.starts_with("<http://");
            !is_link && (next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'))
        }
        b'!' => next == '[',
        b'/' => starts_line && is_quick_action(rest),
        b'&' => is_entity(rest),
        _ => false,
    }
}

/// Says whether a text begins with a character in disguise: an `@`, a `:`, a bracket.
fn is_entity(rest: &str) -> bool {
    let name = rest[1..].bytes().take(ENTITY_BYTES_MAX);
    let n_letters = name.take_while(u8::is_ascii_alphanumeric).count();
    let ends = rest[1 + n_letters..].starts_with(';');
    rest.starts_with("&#")
        || n_letters > 0 && ends && !ENTITIES.iter().any(|entity| rest.starts_with(entity))
}

/// Says whether a text begins with an address that a browser would run or open itself.
fn starts_scheme(rest: &str, last: char) -> bool {
    let begins =
        !last.is_ascii_alphanumeric() && rest.starts_with(|c: char| "jvdfJVDF".contains(c));
    let after = SCHEMES.iter().filter(|_| begins).find_map(|scheme| {
        let head = rest.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &rest[scheme.len()..])
    });
    let after = after.and_then(|after| after.trim_start_matches('\\').strip_prefix(':'));
    after.is_some_and(|after| after.starts_with(|c: char| !c.is_whitespace()))
}

fn is_quick_action(rest: &str) -> bool {
    rest.strip_prefix('/').is_some_and(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn starts_closing_word(rest: &str, last: char) -> bool {
    if last.is_ascii_alphanumeric() || !rest.starts_with(|c: char| "cfirCFIR".contains(c)) {
        return false;
    }
    let n_letters =
        rest.bytes().take(CLOSING_WORD_BYTES_MAX + 1).take_while(u8::is_ascii_alphabetic).count();
    let (word, after) = rest.split_at(n_letters);
    CLOSING_WORDS.iter().any(|closing| word.eq_ignore_ascii_case(closing)) && refers(after)
}

/// Says whether a text begins with what may be a reference to an issue.
fn refers(after: &str) -> bool {
    let mut target = skip_between(after);
    for word in ["issues", "issue"] {
        if let Some(after) = target.strip_prefix(word) {
            target = skip_between(after);
        }
    }
    let token = target.bytes().take_while(|b| !b.is_ascii_whitespace());
    let token: Vec<u8> = token.take(REFERENCE_BYTES_MAX).collect();
    token.len() == REFERENCE_BYTES_MAX
        || token.windows(4).any(|w| w == b"&num")
        || token.windows(3).any(|w| w == b"://")
        || token.windows(8).any(|w| w == b"/issues/")
        || token.windows(2).any(|w| w[0] == b'#' && w[1].is_ascii_digit())
        || token
            .windows(3)
            .any(|w| w[0].is_ascii_alphabetic() && w[1] == b'-' && w[2].is_ascii_digit())
}

/// Skips what may stand between a closing word and what it refers to. A `<` may
/// have been made an entity by then.
fn skip_between(text: &str) -> &str {
    let is_between = |c: char| c.is_whitespace() || ":*_~[](<>\"'`-".contains(c);
    let mut rest = text.trim_start_matches(is_between);
    while let Some(after) = rest.strip_prefix("&lt;") {
        rest = after.trim_start_matches(is_between);
    }
    rest
}

#[cfg(test)]
mod tests;
