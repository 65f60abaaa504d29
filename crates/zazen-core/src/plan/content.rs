//! Reads what the sections of a plan say.
//!
//! Each function takes the lines of one section. What it gives back is printed
//! and read again as the same, whatever it was made of.

use super::sections::{Line, Place, step_heading, text_of};
use super::{Problem, Question, Step, after};

/// A line that begins an item of a list.
struct Item<'a> {
    /// It has a number or a check box, as steps have.
    is_step: bool,
    /// What follows the bullet or the number.
    text: &'a str,
    /// What follows all marks.
    title: &'a str,
}

/// How much deeper than the first item another may stand, and still be beside it.
const INDENT_SLACK: usize = 1;

/// Reads the steps: headings that are numbered, or items that are numbered or
/// have a check box, or any items.
pub(super) fn steps(lines: &[Line], problems: &mut Vec<Problem>) -> Vec<Step> {
    let by_heading = lines.iter().any(|line| step_heading(line).is_some());
    let base = base_indent(lines);
    let only_marked = lines.iter().filter_map(|line| item_at(line, base)).any(|item| item.is_step);
    let title_of = |line: &Line| -> Option<String> {
        let title = if by_heading {
            step_heading(line)?
        } else {
            item_at(line, base).filter(|item| item.is_step || !only_marked)?.title
        };
        Some(joined(title))
    };

    let starts: Vec<(usize, String)> = lines
        .iter()
        .enumerate()
        .filter_map(|(i, line)| title_of(line).map(|title| (i, title)))
        .collect();
    let ends = starts.iter().skip(1).map(|(i, _)| *i).chain([lines.len()]);
    let mut steps = Vec::with_capacity(starts.len());
    for ((start, title), end) in starts.iter().zip(ends) {
        if title.is_empty() {
            let text = format!("step {} has no title", steps.len() + 1);
            problems.push(Problem { line: Some(lines[*start].number), text });
        }
        let (step, wrong) = step((steps.len() + 1, title), &lines[start + 1..end]);
        problems.extend(wrong);
        steps.push(step);
    }
    steps
}

fn step((n, title): (usize, &str), lines: &[Line]) -> (Step, Vec<Problem>) {
    let (mut step, mut wrong) = (Step { title: title.to_owned(), ..Step::default() }, Vec::new());
    let mut body = Vec::new();
    for line in lines {
        if let Some(paths) = files_line(line) {
            step.files.extend(paths);
        } else if let Some(named) = after::line(line) {
            wrong.extend(after::add(&mut step.after, (n, line.number), named));
        } else {
            body.push(*line);
        }
    }
    step.body = dedented(&text_of(&body));
    (step, wrong)
}

/// Reads a line like ``Files: `a`, `b` ``.
fn files_line(line: &Line) -> Option<Vec<String>> {
    let text = line.text.trim_start();
    let text = text.strip_prefix("- ").unwrap_or(text).trim_start();
    let paths = text.get(..6).filter(|head| head.eq_ignore_ascii_case("files:"))?;
    if line.place != Place::Text {
        return None;
    }
    let paths = text[paths.len()..].split(',');
    Some(paths.filter_map(path_of).collect())
}

/// Takes away the indent that all lines have.
fn dedented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(untabbed).collect();
    let full = lines.iter().filter(|line| !line.is_empty());
    let indent = full.map(|line| line.len() - line.trim_start_matches(' ').len()).min();
    let lines: Vec<&str> =
        lines.iter().map(|line| line.get(indent.unwrap_or(0)..).unwrap_or_default()).collect();
    lines.join("\n")
}

/// Writes the tabs that indent a line as spaces.
fn untabbed(line: &str) -> String {
    let body = line.trim_start_matches([' ', '\t']);
    line[..line.len() - body.len()].replace('\t', "    ") + body
}

/// Reads the paths that are listed, one an item.
pub(super) fn paths(lines: &[Line]) -> Vec<String> {
    let has_items = lines.iter().any(|line| item(line).is_some());
    lines
        .iter()
        .filter_map(|line| match (item(line), line.place) {
            (_, Place::Fence) => None,
            (_, Place::Code) => Some(line.text),
            (Some(item), Place::Text) => Some(item.text),
            (None, Place::Text) => Some(line.text).filter(|_| !has_items),
        })
        .filter_map(path_of)
        .collect()
}

fn path_of(text: &str) -> Option<String> {
    if is_none(text) {
        return None;
    }
    let path = first_code(text).map_or_else(|| first_path(text), joined);
    (!is_none(&path)).then_some(path)
}

/// The first word of a text, without what is written around a path.
fn first_path(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default().replace('`', "");
    let word = word.trim_end_matches([',', ';', ':']);
    let bold = word.strip_prefix("**").and_then(|word| word.strip_suffix("**"));
    bold.unwrap_or(word).to_owned()
}

/// What stands in the first backticks of a text.
pub(super) fn first_code(text: &str) -> Option<&str> {
    let (_, after) = text.split_once('`')?;
    let (code, _) = after.split_once('`')?;
    Some(code.trim()).filter(|code| !code.is_empty())
}

/// Reads the items of a list, each as one line. Without a list, each line is an item.
pub(super) fn items(lines: &[Line]) -> Vec<String> {
    let base = base_indent(lines);
    let has_items = lines.iter().any(|line| item_at(line, base).is_some());
    let mut items: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| line.place != Place::Fence) {
        match (item_at(line, base), items.last_mut()) {
            (Some(item), _) => items.push(joined(item.text)),
            (None, Some(last)) if has_items => append(last, line.text),
            (None, None) if has_items => {}
            (None, _) => items.push(joined(line.text)),
        }
    }
    items.retain(|item| !item.is_empty() && !is_none(item));
    items
}

/// Reads the questions, each with the answer that stands below it.
pub(super) fn questions(lines: &[Line]) -> Vec<Question> {
    let base = base_indent(lines);
    let has_items = lines.iter().any(|line| item_at(line, base).is_some());
    let mut questions: Vec<Question> = Vec::new();
    for line in lines.iter().filter(|line| line.place != Place::Fence) {
        let item = item_at(line, base);
        let answer = answer_of(line).filter(|_| !questions.is_empty());
        let goes_on = item.is_none() && (has_items || answer.is_some());
        match (answer, questions.last_mut()) {
            (Some(answer), Some(last)) => append(last.answer.get_or_insert_default(), answer),
            (None, Some(last)) if goes_on => {
                append(last.answer.as_mut().unwrap_or(&mut last.text), line.text);
            }
            (_, None) if has_items && item.is_none() => {}
            _ => {
                let text = joined(item.map_or(line.text, |item| item.text));
                questions.push(Question { text, answer: None });
            }
        }
    }
    questions.retain(|question| !question.text.is_empty() && !is_none(&question.text));
    for question in &mut questions {
        question.answer = question.answer.take().filter(|answer| !answer.is_empty());
    }
    questions
}

/// Adds the words of a line to a text that is one line already.
fn append(text: &mut String, more: &str) {
    for word in more.split_whitespace() {
        text.push_str(if text.is_empty() { "" } else { " " });
        text.push_str(word);
    }
}

/// Reads a line like `Answer: yes`, with or without a bullet, bold or not.
fn answer_of<'a>(line: &Line<'a>) -> Option<&'a str> {
    let text = item(line).map_or(line.text, |item| item.text).trim_start();
    let text = text.trim_start_matches('*');
    let (label, answer) = text.split_once(':')?;
    let label = label.trim_end_matches('*');
    let is_label = label.eq_ignore_ascii_case("answer") || label.eq_ignore_ascii_case("a");
    is_label.then(|| answer.strip_prefix("**").unwrap_or(answer).trim())
}

/// Reads the command: the first fence that holds something, or the code that
/// the lines are made of, or the first code in a line, or the first line.
pub(super) fn validation(lines: &[Line]) -> Option<String> {
    let blocks = lines.split(|line| line.place == Place::Fence);
    let blocks = blocks.filter(|block| block.iter().any(|line| line.place == Place::Code));
    if let Some(block) = blocks.map(text_of).find(|block| !is_none(block)) {
        return Some(block);
    }
    let texts: Vec<&str> = lines
        .iter()
        .filter(|line| line.place == Place::Text && !line.text.is_empty())
        .map(|line| item(line).map_or(line.text, |item| item.text).trim())
        .filter(|text| !is_none(text))
        .collect();
    let whole: Option<Vec<&str>> = texts.iter().map(|text| whole_code(text)).collect();
    if let Some(commands) = whole.filter(|commands| !commands.is_empty()) {
        return Some(commands.join(" && "));
    }
    let code = texts.iter().find_map(|text| first_code(text));
    code.or(texts.first().copied()).map(str::to_owned).filter(|text| !text.is_empty())
}

/// The code that a text is made of, and nothing else.
fn whole_code(text: &str) -> Option<&str> {
    let code = text.strip_prefix('`')?.strip_suffix('`')?.trim();
    (!code.is_empty() && !code.contains('`')).then_some(code)
}

/// The least indent of any item.
fn base_indent(lines: &[Line]) -> usize {
    lines.iter().filter(|line| item(line).is_some()).map(|l| indent(l)).min().unwrap_or(0)
}

fn indent(line: &Line) -> usize {
    let body = line.text.trim_start_matches([' ', '\t']);
    line.text[..line.text.len() - body.len()].bytes().map(|b| if b == b'\t' { 4 } else { 1 }).sum()
}

fn item_at<'a>(line: &Line<'a>, base: usize) -> Option<Item<'a>> {
    item(line).filter(|_| indent(line) <= base + INDENT_SLACK)
}

/// Reads a line that begins an item: a bullet, a check box and a number, or some of these.
fn item<'a>(line: &Line<'a>) -> Option<Item<'a>> {
    if line.place != Place::Text {
        return None;
    }
    let text = line.text.trim_start();
    let after_bullet = after_bullet(text);
    let rest = after_bullet.unwrap_or(text);
    let after_box = after_check_box(rest).filter(|_| after_bullet.is_some());
    let rest = after_box.unwrap_or(rest);
    let may_have_number = after_bullet.is_none() || after_box.is_some();
    let after_number = after_number(rest).filter(|_| may_have_number);
    let rest = after_number.unwrap_or(rest);
    // `1. [ ] title`, where the box comes second.
    let late_box = after_check_box(rest).filter(|_| after_bullet.is_none());
    let is_item = after_bullet.is_some() || after_number.is_some();
    is_item.then(|| Item {
        is_step: after_box.is_some() || after_number.is_some(),
        text: after_bullet.or(after_number).unwrap_or(rest),
        title: late_box.unwrap_or(rest),
    })
}

fn after_bullet(text: &str) -> Option<&str> {
    let after = text.strip_prefix(['-', '*', '+'])?;
    (after.is_empty() || after.starts_with([' ', '\t'])).then(|| after.trim_start())
}

fn after_check_box(text: &str) -> Option<&str> {
    let after = ["[ ]", "[x]", "[X]"].iter().find_map(|mark| text.strip_prefix(mark))?;
    (after.is_empty() || after.starts_with([' ', '\t'])).then(|| after.trim_start())
}

fn after_number(text: &str) -> Option<&str> {
    let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let n_digits = text.len() - after.len();
    let after = after.strip_prefix(['.', ')']).filter(|_| (1..=3).contains(&n_digits))?;
    (after.is_empty() || after.starts_with([' ', '\t'])).then(|| after.trim_start())
}

/// One line with single spaces.
fn joined(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// Says whether an item says that there is none.
fn is_none(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_whitespace() || "-–—.*_`()".contains(c));
    let words: Vec<String> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["none" | "n/a" | "na" | "nothing" | "no"] => true,
        ["none", second, rest @ ..] if rest.len() <= 2 => {
            matches!(*second, "known" | "needed" | "required" | "expected" | "identified" | "at")
        }
        ["no", .., last] if words.len() <= 5 => {
            matches!(*last, "dependencies" | "questions" | "risks" | "files" | "needed")
        }
        _ => false,
    }
}
