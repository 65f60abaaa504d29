//! The tests of one text.

use std::collections::BTreeMap;

use super::super::change::lines;
use super::super::language::Code;
use super::grammar::Grammar;

/// A test, as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test<'a> {
    /// Its name, with a number where there are several of that name.
    pub(super) name: String,
    /// Its first line, with what is written above it, and its last.
    pub(super) first: u32,
    pub(super) last: u32,
    /// Its lines of code after the heading, without indent.
    pub(super) body: Vec<&'a str>,
    pub(super) n_assertions: usize,
    /// Assertions that are always so.
    pub(super) n_trivial: usize,
    pub(super) is_empty: bool,
    /// The first thing that it does is to end.
    pub(super) ends_at_once: bool,
}

/// How many tests of one file are told apart.
const TESTS_MAX: usize = 20_000;

/// Stands before the number of a name that is there again.
const AGAIN: &str = " #";

impl Test<'_> {
    /// Whether a line belongs to it.
    pub(super) fn holds(&self, line: u32) -> bool {
        (self.first..=self.last).contains(&line)
    }

    /// Its lines that say something: more than brackets.
    pub(super) fn told(&self) -> impl Iterator<Item = &str> {
        self.body.iter().copied().filter(|line| line.chars().any(char::is_alphanumeric))
    }

    /// Its name, as it is written.
    pub(super) fn bare_name(&self) -> &str {
        self.name.split(AGAIN).next().unwrap_or_default()
    }
}

/// What has been read of a file so far.
struct Reader<'a> {
    grammar: &'static Grammar,
    tests: BTreeMap<String, Test<'a>>,
    open: Option<Open<'a>>,
    /// What stands above the next heading: its first line, and whether it marks a test.
    above: Option<(u32, bool)>,
    /// Inside a string of several lines.
    in_string: bool,
}

struct Open<'a> {
    test: Test<'a>,
    indent: usize,
}

/// All tests of a text, by name.
pub(super) fn tests_of<'a>(
    grammar: &'static Grammar,
    path: &str,
    text: &'a str,
) -> BTreeMap<String, Test<'a>> {
    let mut code = Code::of(path);
    let tests = BTreeMap::new();
    let mut reader = Reader { grammar, tests, open: None, above: None, in_string: false };
    for line in lines(text) {
        if let Some(shown) = code.line(line.text) {
            let indent = line.text.len() - line.text.trim_start().len();
            reader.line(line.n, indent, shown);
        }
    }
    reader.close();
    reader.tests
}

impl<'a> Reader<'a> {
    fn line(&mut self, n: u32, indent: usize, line: &'a str) {
        let was_in_string = self.in_string;
        if self.grammar.has_long_strings {
            let n_quotes = line.matches("\"\"\"").count() + line.matches("'''").count();
            self.in_string ^= n_quotes % 2 == 1;
        }
        if was_in_string {
            return;
        }
        if let Some(is_test) = self.grammar.mark(line) {
            self.close_at(indent, line);
            let (first, was_test) = self.above.unwrap_or((n, false));
            self.above = Some((first, was_test || is_test));
            // The whole may stand in one line: `@Test void adds() {`.
            if !self.grammar.is_mark_alone(line) {
                self.heading(n, indent, line);
            }
            return;
        }
        if self.heading(n, indent, line) {
            return;
        }
        // What is above a heading may be spread over several lines.
        if !self.close_at(indent, line) || self.open.is_none() {
            return;
        }
        self.add(n, line);
    }

    /// Takes a line as the heading of a test, if it is one.
    fn heading(&mut self, n: u32, indent: usize, line: &'a str) -> bool {
        let Some(name) = self.grammar.heading(line, self.above.is_some_and(|(_, is)| is)) else {
            if self.grammar.is_function(line) || line.ends_with(['{', ';']) {
                self.above = None;
            }
            return false;
        };
        self.close();
        let first = self.above.take().map_or(n, |(first, _)| first);
        let test = Test {
            name,
            first,
            last: n,
            body: Vec::new(),
            n_assertions: 0,
            n_trivial: 0,
            is_empty: true,
            ends_at_once: false,
        };
        self.open = Some(Open { test, indent });
        if let Some((_, rest)) = line.split_once(['{', '>']).filter(|(_, rest)| rest.len() > 1) {
            // A test in one line.
            self.add(n, rest.trim());
        }
        true
    }

    /// Closes the open test, where this line cannot be part of it. Says whether it can.
    fn close_at(&mut self, indent: usize, line: &str) -> bool {
        let Some(open) = &self.open else { return true };
        if indent > open.indent {
            return true;
        }
        // The end of a heading that is spread over several lines, or a list's end.
        if indent == open.indent && line.starts_with([')', ']']) && !line.starts_with("})") {
            return true;
        }
        self.close();
        false
    }

    fn add(&mut self, n: u32, line: &'a str) {
        let Some(Open { test, .. }) = &mut self.open else { return };
        test.last = n;
        let is_first = test.is_empty;
        let says = line.chars().any(char::is_alphanumeric) && line != "end" && line != "pass";
        test.body.push(line);
        if !says {
            return;
        }
        test.is_empty = false;
        test.ends_at_once |= is_first && self.grammar.ends(line);
        if self.grammar.is_trivial(line) {
            test.n_trivial += 1;
        } else if self.grammar.asserts(line) {
            test.n_assertions += 1;
        }
    }

    fn close(&mut self) {
        let Some(Open { mut test, .. }) = self.open.take() else { return };
        if self.tests.len() >= TESTS_MAX {
            return;
        }
        if self.tests.contains_key(&test.name) {
            // Its place among those of its name, by how many tests there are: enough to tell
            // them apart, and found at once.
            test.name = format!("{}{AGAIN}{}", test.name, self.tests.len());
        }
        self.tests.insert(test.name.clone(), test);
    }
}
