//! Tests that are gone, that are skipped, or that say less than they did.
//!
//! [`found`] lists the tests of a text, [`grammar`] knows how each language writes them. A
//! test that has another name or file and mostly the same lines is the same test. What is
//! gone or skipped is held; what only says less is flagged, as it often has a reason.

mod found;
mod grammar;

use std::collections::{BTreeMap, BTreeSet};

use self::found::{Test, tests_of};
use self::grammar::Grammar;
use super::change::shown;
use super::evidence::Evidence;
use super::language::{Language, is_snapshot_path, is_test_path};
use super::report::Draft;
use super::{Change, Line};

/// How many pairs of tests are compared to find those that have another name.
const PAIRS_MAX: usize = 4000;

/// How many names stand in one sentence.
const NAMES_MAX: usize = 6;

/// How long a test has to have been for it to be said that it is much shorter.
const LONG_LINES: usize = 10;

/// The tests of one file, before and after.
struct File<'a> {
    change: &'a Change,
    grammar: Option<&'static Grammar>,
    before: BTreeMap<String, Test<'a>>,
    after: BTreeMap<String, Test<'a>>,
}

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    let files: Vec<File<'_>> = evidence.changes.iter().map(File::of).collect();
    let new: Vec<&Test<'_>> = files.iter().flat_map(File::new_tests).collect();
    let mut n_pairs = PAIRS_MAX;
    let mut drafts = Vec::new();
    for file in &files {
        drafts.extend(file.skipped());
        let mut gone = Vec::new();
        for (name, test) in &file.before {
            let now = file.after.get(name).or_else(|| same_as(test, &new, &mut n_pairs));
            match now {
                Some(now) => drafts.extend(less(file.change, test, now)),
                None => gone.push(test),
            }
        }
        drafts.extend(file.gone(&gone));
        drafts.extend(snapshot(file.change));
    }
    drafts
}

/// How many tests a change adds and how many it changes, for those who check what is said of it.
pub(super) fn n_new(changes: &[Change]) -> usize {
    let is_other = |file: &File<'_>| {
        file.new_tests().count()
            + file
                .after
                .iter()
                .filter(|(name, test)| {
                    file.before.get(*name).is_some_and(|before| before.body != test.body)
                })
                .count()
    };
    changes.iter().map(File::of).map(|file| is_other(&file)).sum()
}

impl<'a> File<'a> {
    fn of(change: &'a Change) -> Self {
        let grammar_of = |path: &str| Language::of(path).and_then(grammar::of);
        let tests = |side: Option<&'a super::Side>| {
            let side = side?;
            let grammar = grammar_of(&side.path).filter(|g| g.is_for(&side.path))?;
            Some(tests_of(grammar, &side.path, side.text()?))
        };
        Self {
            change,
            grammar: grammar_of(change.path()),
            before: tests(change.before.as_ref()).unwrap_or_default(),
            after: tests(change.after.as_ref()).unwrap_or_default(),
        }
    }

    fn new_tests(&self) -> impl Iterator<Item = &Test<'a>> {
        self.after.iter().filter(|(name, _)| !self.before.contains_key(*name)).map(|(_, test)| test)
    }

    /// What is said of tests that are nowhere any more.
    fn gone(&self, gone: &[&Test<'a>]) -> Option<Draft> {
        let path = self.change.path();
        if let (Some(first), Some(last)) = (gone.first(), gone.last()) {
            let names: Vec<String> =
                gone.iter().take(NAMES_MAX).map(|test| shown(&test.name)).collect();
            let more = gone.len().saturating_sub(NAMES_MAX);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let (noun, verb) = if gone.len() == 1 { ("test", "is") } else { ("tests", "are") };
            let what = format!("The {noun} {}{more} {verb} gone.", names.join(", "));
            let text = first.body.join("\n");
            let draft = Draft::hold(what).at(path).lines(first.first, last.last).quoting(text);
            return Some(draft.holding(gone.iter().flat_map(|test| &test.body)));
        }
        let is_gone = self.change.is_removed() && is_test_path(path) && self.before.is_empty();
        let what = format!("{}, a file of tests, is gone.", self.change.shown());
        let draft = if self.grammar.is_some() { Draft::hold(what) } else { Draft::flag(what) };
        is_gone.then(|| draft.at(path).holding([self.change.identity()]))
    }

    /// What is said of lines by which tests are skipped.
    fn skipped(&self) -> Vec<Draft> {
        let Some(grammar) = self.grammar.filter(|g| g.is_for(self.change.path())) else {
            return Vec::new();
        };
        let removed: BTreeSet<&str> =
            self.change.removed().iter().map(|line| line.text.trim()).collect();
        let added = self.change.added();
        let mut drafts = Vec::new();
        for line in &added {
            if removed.contains(line.text.trim()) {
                continue;
            }
            let Some(is_sure) = grammar.skips(line.text) else { continue };
            let is_new = self.new_tests().any(|test| test.holds(line.n));
            let place = |draft: Draft| {
                draft.at(self.change.path()).lines(line.n, line.n).quoting(line.text)
            };
            drafts.push(place(match (is_new, is_sure && !self.is_conditional(line)) {
                (true, _) => Draft::flag("A new test is skipped."),
                (false, true) => Draft::hold("This line has tests skipped."),
                (false, false) => Draft::flag("This line has tests skipped under some condition."),
            }));
        }
        drafts
    }

    /// Whether the line before begins a condition.
    fn is_conditional(&self, line: &Line<'_>) -> bool {
        let text = self.change.text_after().unwrap_or_default();
        let before = line.n.checked_sub(2).and_then(|at| text.lines().nth(at as usize));
        let before = before.map_or("", str::trim);
        let begins =
            before.starts_with("if ") || before.starts_with("if(") || before.starts_with("except");
        begins && !["true", "True", "1 ", "!false"].iter().any(|word| before.contains(word))
    }
}

/// The new test that this one has become, if there is one with mostly the same lines.
fn same_as<'n, 'a>(
    test: &Test<'a>,
    new: &[&'n Test<'a>],
    n_pairs: &mut usize,
) -> Option<&'n Test<'a>> {
    let name = test.bare_name();
    let lines: BTreeSet<&str> = test.told().collect();
    let is_same = |other: &&&Test<'a>| {
        let n_same = other.told().filter(|line| lines.contains(*line)).count();
        other.bare_name() == name || n_same > 0 && n_same * 2 >= lines.len()
    };
    let new = new.get(..new.len().min(*n_pairs)).unwrap_or_default();
    *n_pairs -= new.len();
    let by_name = new.iter().find(|other| other.bare_name() == name);
    by_name.or_else(|| new.iter().find(is_same)).copied()
}

/// What a test says less than it did.
fn less(change: &Change, before: &Test<'_>, now: &Test<'_>) -> Option<Draft> {
    let name = shown(&now.name);
    let (old, new) = (before.n_assertions, now.n_assertions);
    let draft = if now.is_empty && !before.is_empty {
        Draft::hold(format!("The test {name} has nothing in it any more."))
    } else if now.ends_at_once && !before.ends_at_once {
        Draft::hold(format!("The test {name} ends before it does anything."))
    } else if old > 0 && new == 0 {
        Draft::hold(format!("The test {name} asserts nothing any more, and had {old} assertions."))
    } else if new < old {
        Draft::flag(format!("The test {name} has fewer assertions: {old} → {new}."))
    } else if now.n_trivial > before.n_trivial {
        Draft::flag(format!("The test {name} asserts something that is always so."))
    } else if before.body.len() >= LONG_LINES && now.body.len() * 2 < before.body.len() {
        let (old, new) = (before.body.len(), now.body.len());
        Draft::flag(format!("The test {name} is much shorter: {old} → {new} lines."))
    } else {
        return None;
    };
    let draft = draft.at(change.path()).lines(now.first, now.last);
    Some(
        draft
            .quoting(now.body.join("\n"))
            .holding(before.body.iter().chain(["→"].iter()).chain(&now.body)),
    )
}

/// What is said of a file that tests compare with.
fn snapshot(change: &Change) -> Option<Draft> {
    let before = change.before.as_ref().filter(|side| is_snapshot_path(&side.path))?;
    let what = match &change.after {
        None => format!("The snapshot {} is gone.", change.shown()),
        Some(after) if after.id != before.id => {
            format!("The snapshot {} is another: what tests expect has changed.", change.shown())
        }
        Some(_) => return None,
    };
    let draft = Draft::flag(what).at(change.path());
    let (added, removed) = (change.added(), change.removed());
    let (first, last) = (added.first().or(removed.first()), added.last().or(removed.last()));
    let draft = match first.zip(last) {
        Some((first, last)) => draft.lines(first.n, last.n).quoting(first.text),
        None => draft,
    };
    Some(draft.holding([change.identity()]))
}
