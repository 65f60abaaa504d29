//! What hides a line inside a paragraph: code, tags, comments and links that
//! span lines, and elements that fold or quote what they hold.
//!
//! Each of these is looked for by itself, so that a line counts as hidden when
//! any reading hides it. Every search only moves forward.

use std::collections::BTreeMap;
use std::ops::Range;

/// How deep we are in elements that fold, quote or strike what they hold.
#[derive(Debug, Default)]
pub(super) struct Folds {
    depth: usize,
}

/// Elements whose text the author does not say to us, even if it is Markdown.
const FOLDING: [&str; 6] = ["details", "blockquote", "pre", "code", "del", "table"];

impl Folds {
    /// Takes a line of raw HTML, and says whether a comment is open after it.
    pub(super) fn take_html(&mut self, text: &str, in_comment: bool) -> bool {
        let (comments, is_open) = html_comments(text, in_comment);
        for (_, step) in tags(text, &comments).1 {
            self.step(step);
        }
        is_open
    }

    /// Takes a paragraph, and says for each line whether its start can be seen.
    pub(super) fn take_paragraph(&mut self, text: &str, starts: Vec<usize>) -> Vec<bool> {
        let code = code_spans(text);
        let comments = comments(text, &code);
        let mut hidden = links(text, &code);
        let unread = united(code.into_iter().chain(comments).collect());
        let (tags, steps) = tags(text, &unread);
        hidden.extend(tags);
        hidden.extend(unread);

        // How many spans begin and end before the start of each line.
        let mut begins: Vec<usize> = hidden.iter().map(|span| span.start).collect();
        let mut ends: Vec<usize> = hidden.iter().map(|span| span.end).collect();
        begins.sort_unstable();
        ends.sort_unstable();

        let mut steps = steps.into_iter().peekable();
        let mut shown = Vec::with_capacity(starts.len());
        for start in starts {
            while let Some((_, step)) = steps.next_if(|(at, _)| *at < start) {
                self.step(step);
            }
            let n_open =
                begins.partition_point(|at| *at < start) - ends.partition_point(|at| *at <= start);
            shown.push(n_open == 0 && self.depth == 0);
        }
        steps.for_each(|(_, step)| self.step(step));
        shown
    }

    fn step(&mut self, step: Step) {
        self.depth = match step {
            Step::In => self.depth + 1,
            Step::Out => self.depth.saturating_sub(1),
        };
    }
}

/// A tag that opens or closes a folding element.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    In,
    Out,
}

/// Finds the comments in a line of raw HTML, and whether the last one stays open.
fn html_comments(line: &str, in_comment: bool) -> (Vec<Range<usize>>, bool) {
    let mut spans = Vec::new();
    let mut at = 0;
    let mut open = in_comment.then_some(0);
    loop {
        let Some(start) = open.or_else(|| line[at..].find("<!--").map(|found| at + found)) else {
            return (spans, false);
        };
        // The two marks may share their dashes: `<!-->` is a whole comment.
        let inside = if open.take().is_some() { start } else { start + 2 };
        let Some(len) = line[inside..].find("-->") else {
            spans.push(start..line.len());
            return (spans, true);
        };
        at = inside + len + 3;
        spans.push(start..at);
    }
}

/// Sorts spans, and makes one of those that overlap.
fn united(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_unstable_by_key(|span| span.start);
    let mut united: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match united.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => united.push(span),
        }
    }
    united
}

/// Finds the code spans: from a run of backticks to the next one as long.
fn code_spans(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut by_len: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let len = bytes[start..].iter().take_while(|b| **b == b'`').count();
        by_len.entry(len).or_default().push(runs.len());
        runs.push(start..start + len);
        at = start + len;
    }

    let mut spans = Vec::new();
    let mut i = 0;
    while let Some(run) = runs.get(i) {
        // A backslash takes the first backtick away, but only outside of code.
        let n_slashes = bytes[..run.start].iter().rev().take_while(|b| **b == b'\\').count();
        let len = run.len() - n_slashes % 2;
        let same = by_len.get(&len).map_or(&[][..], Vec::as_slice);
        match same.get(same.partition_point(|j| *j <= i)) {
            Some(close) => {
                spans.push(run.end - len..runs[*close].end);
                i = close + 1;
            }
            None => i += 1,
        }
    }
    spans
}

/// Finds the tags outside of code and comments: where they stand, and which of them fold.
fn tags(text: &str, unread: &[Range<usize>]) -> (Vec<Range<usize>>, Vec<(usize, Step)>) {
    let mut spans = Vec::new();
    let mut steps = Vec::new();
    let mut at = 0;
    while let Some(start) = find_outside(text, &['<'], at, unread) {
        at = start + 1;
        let (step, name) = match text[at..].strip_prefix('/') {
            Some(name) => (Step::Out, name),
            None => (Step::In, &text[at..]),
        };
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let Some(len) = text[at..].find('>') else { break };
        at += len + 1;
        spans.push(start..at);
        if folds(name) && !is_type_parameter(&text[..start], name) {
            steps.push((start, step));
        }
    }
    (spans, steps)
}

fn folds(name: &str) -> bool {
    let len = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    FOLDING.iter().any(|folding| name[..len].eq_ignore_ascii_case(folding))
}

/// `Option<Code>` in a sentence is not HTML, whatever a browser thinks.
fn is_type_parameter(before: &str, name: &str) -> bool {
    before.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Finds the comments outside of code. One that is not closed is text.
fn comments(text: &str, code: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(start) = find_outside(text, &['<'], at, code) {
        at = start + 1;
        if text[start..].starts_with("<!--") {
            let Some(len) = text[at..].find("-->") else { break };
            at += len;
            spans.push(start..at);
        }
    }
    spans
}

/// Finds brackets that match, what follows them in parentheses, and all that
/// comes after the name of a link definition or a footnote.
fn links(text: &str, code: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut brackets = Vec::new();
    let mut target = None;
    let mut at = 0;
    let mut looked_to = 0;
    let mut in_definition = text.trim_start().starts_with('[');
    while let Some(i) = find_outside(text, &['[', ']', ')'], at, code) {
        at = i + 1;
        if let Some(end) = text[looked_to..i].rfind(['\n', '\r']) {
            in_definition = text[looked_to + end..].trim_start().starts_with('[');
        }
        looked_to = i;
        let is_escaped = text[..i].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
        match text.as_bytes()[i] {
            _ if is_escaped => {}
            b'[' => brackets.push(i),
            b')' => spans.extend(target.take().map(|start| start..at)),
            _ => {
                spans.extend(brackets.pop().map(|start| start..at));
                if text[at..].starts_with('(') {
                    target.get_or_insert(at);
                } else if in_definition && text[at..].starts_with(':') {
                    spans.push(i..text.len());
                    break;
                }
            }
        }
    }
    spans
}

/// The next place of a character that does not stand in any of the spans.
fn find_outside(text: &str, wanted: &[char], from: usize, spans: &[Range<usize>]) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + text[from..].find(wanted)?;
        let next = spans.partition_point(|span| span.end <= at);
        match spans.get(next) {
            Some(span) if span.start <= at => from = span.end,
            _ => return Some(at),
        }
    }
}
