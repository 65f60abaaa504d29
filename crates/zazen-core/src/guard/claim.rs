//! What agents say of their work that the evidence does not bear.
//!
//! Sentences are read by patterns, in English. One that is denied, meant for later or
//! uncertain says nothing. A claim is only compared with what zazen itself has seen: the
//! change, the commands and the checks.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::change::shown;
use super::evidence::{Checks, Evidence};
use super::language::{file_name, is_test_path};
use super::pattern::Pattern;
use super::report::Draft;
use super::{GuardName, Ran, dependency, tests_weakened};
use crate::text::Fence;

/// How many sentences are read. Agents say less than a hundred.
const SENTENCES_MAX: usize = 2000;

/// How long a sentence may be, in bytes. A longer one is none.
const SENTENCE_BYTES_MAX: usize = 1000;

/// One claim that can be looked into.
struct Patterns {
    /// Takes the meaning from a sentence: denied, meant for later, uncertain.
    unsaid: Pattern,
    tests_pass: Pattern,
    checks_ran: Pattern,
    tests_added: Pattern,
    no_dependency: Pattern,
    no_test_touched: Pattern,
    file_changed: Pattern,
    code: Pattern,
    /// A command that runs tests.
    test_command: Pattern,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns {
    unsaid: Pattern::new(concat!(
        r"(?i)\b(?:not|cannot|can't|couldn't|could not|unable|didn't|doesn't|don't",
        r"|isn't|aren't|wasn't|weren't|won't|haven't|hasn't|never|should|would|will",
        r"|might|may|could|if|unless|until|once|when|to ensure|so that|need|needs",
        r"|todo|please|fail|fails|failed|failing|before|previously|already|existing",
        r"|expected|recommend|consider|next)\b",
    )),
    tests_pass: Pattern::new(concat!(
        r"(?i)\b(?:all|the|every|full|whole|unit|new",
        r"|[0-9]+)\b[^.]{0,40}\btests?\b[^.]{0,30}\b(?:pass|passes|passed|passing",
        r"|succeed|succeeds|green)\b|\btest suite\b[^.]{0,30}\b(?:pass|passes|passed",
        r"|passing|green)\b|\b[0-9]+ passed\b|\b(?:tests|checks) (?:pass|are passing",
        r"|are green|passed)\b",
    )),
    checks_ran: Pattern::new(concat!(
        r"(?i)\b(?:I|we)?\s*\b(?:ran|executed|verified with|validated with",
        r"|checked with)\b[^.]{0,30}\b(?:tests?|test suite|checks?|suite)\b",
    )),
    tests_added: Pattern::new(concat!(
        r"(?i)\b(?:added|add|adds|wrote|written|created|included|extended",
        r"|new)\b[^.]{0,50}\b(?:tests?|test cases?|specs?|coverage)\b|\b(?:tests?",
        r"|test cases?)\b[^.]{0,25}\b(?:were|was|are|have been|has been)\s+(?:added",
        r"|written|extended)\b|\bcovered by (?:new |unit )?tests\b",
    )),
    no_dependency: Pattern::new(concat!(
        r"(?i)\b(?:no|without|zero)\b[^.]{0,25}\b(?:new|additional|extra|added",
        r"|external|third.party)?\s*\b(?:dependency|dependencies|crates|packages)\b",
    )),
    no_test_touched: Pattern::new(concat!(
        r"(?i)\b(?:no|without)\b[^.]{0,25}\btests?\b[^.]{0,25}\b(?:removed|deleted",
        r"|changed|modified|disabled|skipped|weakened|removing|deleting)\b",
        r"|\bwithout\s+(?:removing|deleting|changing|weakening|skipping",
        r"|touching)\b[^.]{0,20}\btests?\b",
    )),
    file_changed: Pattern::new(concat!(
        r"(?i)\b(?:updated|changed|modified|edited|added|created|wrote|fixed|removed",
        r"|deleted|renamed|extended|refactored|rewrote|implemented|documented|moved)\b",
    )),
    code: Pattern::new(r"`[^`\s]{1,200}`"),
    test_command: Pattern::new(concat!(
        r"(?i)\b(?:cargo\s+(?:\S+\s+)?(?:test|nextest)|pytest|py\.test|unittest|tox",
        r"|nox|(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?(?:t|test\S*)|node\s+--test|jest",
        r"|vitest|mocha|go\s+test|mvn\s+\S*\s*(?:test|verify)|gradlew?\s+\S*test",
        r"|gradlew?\s+check|rspec|rake\s+(?:test|spec)|rails\s+test|minitest",
        r"|make\s+\S*(?:test|check)|just\s+\S*(?:test|check)|ctest|dotnet\s+test",
        r"|phpunit|mix\s+test|swift\s+test|zig\s+(?:build\s+)?test|test\S*\.sh",
        r"|run[-_]tests?\S*|check\.sh)\b",
    )),
});

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    let text: Vec<&str> = evidence.reports.iter().map(String::as_str).collect();
    let said: Vec<&str> =
        text.iter().flat_map(|text| sentences(text)).take(SENTENCES_MAX).collect();
    let facts = Facts::of(evidence);
    let mut told = BTreeSet::new();
    let mut drafts = Vec::new();
    for sentence in said {
        for what in facts.against(sentence) {
            // The same said twice is one claim.
            if told.insert(what.clone()) {
                drafts.push(Draft::flag(what).quoting(sentence));
            }
        }
    }
    drafts
}

/// What claims are compared with.
struct Facts<'a> {
    evidence: &'a Evidence<'a>,
    n_new_tests: usize,
    has_test_change: bool,
    paths: BTreeSet<&'a str>,
    names: BTreeSet<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(evidence: &'a Evidence<'a>) -> Self {
        let paths: BTreeSet<&str> =
            evidence.changes.iter().flat_map(super::change::Change::paths).collect();
        Self {
            evidence,
            n_new_tests: tests_weakened::n_new(evidence.changes),
            has_test_change: evidence
                .changes
                .iter()
                .any(|change| !change.is_removed() && is_test_path(change.path())),
            names: paths.iter().map(|path| file_name(path)).collect(),
            paths,
        }
    }

    /// What is not so in a sentence.
    fn against(&self, sentence: &str) -> Vec<String> {
        let p = &*PATTERNS;
        let mut found = Vec::new();
        if p.no_dependency.is_match(sentence) && self.has(GuardName::Dependencies, "is a new") {
            found.push("It says that no dependency is new, and one is.".to_owned());
        }
        if p.no_test_touched.is_match(sentence) && self.has(GuardName::Tests, "") {
            found
                .push("It says that no test was touched, and one is gone or says less.".to_owned());
        }
        if p.unsaid.is_match(sentence) {
            return found;
        }
        if p.tests_pass.is_match(sentence) {
            found.extend(self.against_passing());
        } else if p.checks_ran.is_match(sentence) && self.ran_tests() == Some(false) {
            found.push("It says that tests were run, and no command of it ran any.".to_owned());
        }
        // A line that the change itself adds to tests is enough: a test may be a table's row.
        let has_tests = self.n_new_tests > 0 || self.has_test_change;
        if p.tests_added.is_match(sentence) && !has_tests {
            found.push("It says that tests were added, and the change adds none.".to_owned());
        }
        if p.file_changed.is_match(sentence) {
            found.extend(self.against_files(sentence));
        }
        found
    }

    fn against_passing(&self) -> Option<String> {
        if self.evidence.checks == Some(Checks::Red) {
            return Some("It says that tests pass, and the checks are red.".to_owned());
        }
        let commands = self.evidence.commands?;
        let last = commands.iter().rev().find(|ran| PATTERNS.test_command.is_match(&ran.command));
        match last {
            None => Some("It says that tests pass, and no command of it ran any.".to_owned()),
            Some(Ran { ok: Some(false), command }) => Some(format!(
                "It says that tests pass, and the last that it ran failed: {}.",
                shown(command)
            )),
            Some(_) => None,
        }
    }

    fn ran_tests(&self) -> Option<bool> {
        let commands = self.evidence.commands?;
        Some(commands.iter().any(|ran| PATTERNS.test_command.is_match(&ran.command)))
    }

    /// Files that a sentence says were changed, and were not.
    fn against_files(&self, sentence: &str) -> Vec<String> {
        let named = PATTERNS.code.all(sentence);
        let named = named.map(|found| found.trim_matches('`').trim_start_matches("./"));
        let missing = named.filter(|name| is_path(name) && !self.touches(name));
        missing
            .map(|name| format!("It says that {} was changed, and it was not.", shown(name)))
            .collect()
    }

    fn touches(&self, name: &str) -> bool {
        let bare = name.split([':', '#']).next().unwrap_or(name).trim_end_matches('/');
        let is_inside = |path: &&str| {
            path.strip_prefix(bare).is_some_and(|rest| rest.starts_with('/'))
                || path.strip_suffix(bare).is_some_and(|rest| rest.ends_with('/'))
        };
        self.paths.contains(bare) || self.names.contains(bare) || self.paths.iter().any(is_inside)
    }

    /// Whether another guard finds something of this kind.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
    fn has(&self, guard: GuardName, part: &str) -> bool {
        let drafts = match guard {
            GuardName::Dependencies => dependency::look(self.evidence),
            _ => tests_weakened::look(self.evidence),
        };
        drafts.iter().any(|draft| draft.says(part))
    }
}

/// Whether a name in code is that of a file, and of one that the words are about.
fn is_path(name: &str) -> bool {
    let name = name.split([':', '#']).next().unwrap_or(name);
    let ending = file_name(name).rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_file = ENDINGS.contains(&ending) && !name.starts_with(['.', '-', '$', '<']);
    is_file && !name.contains("://") && !name.contains(['(', '*', '{', '=', '"', '\'', ','])
}

/// Endings of files that people speak of by their name.
const ENDINGS: [&str; 30] = [
    "c", "cc", "cfg", "cpp", "css", "go", "h", "html", "ini", "java", "js", "json", "jsx", "kt",
    "lock", "md", "mod", "py", "rb", "rs", "scss", "sh", "sql", "swift", "toml", "ts", "tsx",
    "txt", "yaml", "yml",
];

/// The sentences of a report, without what stands in blocks of code.
fn sentences(text: &str) -> Vec<&str> {
    let mut open: Option<Fence> = None;
    let mut all = Vec::new();
    for line in text.lines() {
        if let Some(fence) = open {
            open = Some(fence).filter(|fence| !fence.closed_by(line));
            continue;
        }
        open = Fence::opened_by(line);
        if open.is_none() {
            all.extend(line.split_inclusive(". ").map(str::trim));
        }
    }
    all.retain(|sentence| !sentence.is_empty() && sentence.len() <= SENTENCE_BYTES_MAX);
    all
}
