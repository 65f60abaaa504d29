//! Checks that were made easier to pass: limits lowered, tolerances widened, failures ignored.
//!
//! All of it can be right, so all of it is only flagged. A number is compared with the one
//! that stood in the same place of the same line; which way is looser is told by its name.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::evidence::Evidence;
use super::language::{file_name, is_test_path};
use super::pattern::Pattern;
use super::report::Draft;
use super::{Change, Line};

/// How many lines of one place are compared with each other.
const PLACE_LINES_MAX: usize = 400;

/// What a failure is ignored by.
static IGNORES: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(concat!(
        r"\|\|\s*(?:true\b|:\s*(?:$|[;#)])|exit\s+0\b|echo\b)",
        r"|\bcontinue-on-error:\s*true|\ballow_failure:\s*true|--exit-zero\b",
        r"|--passWithNoTests\b|--no-verify\b|--deselect[= ]|^\s*set\s+\+e\b",
        r"|\bignore_errors\s*=\s*true|-DskipTests\b|-Dmaven\.test\.skip",
        r"|\bignoreFailures\s*=\s*true|--no-fail-on\w*|--ignore=\S*test",
        r"|-k\s+.{0,3}not\s|\bcargo\s+test\b.*--no-run\b|--skip\s+\S+",
    ))
});

/// Words in the names of numbers that are looser when they are smaller.
static FLOORS: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(concat!(
        r"(?i)fail_under|fail-under|min(?:imum)?_?coverage|coverage_?threshold",
        r"|\bcoverage\b|\bbranches\b|\bstatements\b|\bplaces\b|\bdecimal\b",
        r"|toBeCloseTo|\bminimum\b|\bmin_?(?:score|rate|ratio|accuracy)\b",
        r"|covered-?ratio",
    ))
});

/// Words in the names of numbers that are looser when they are larger.
static CEILINGS: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(concat!(
        r"(?i)\b(?:epsilon|eps|tolerance|tol|delta|atol|rtol|abs_tol|rel_tol|abs|rel",
        r"|max_?diff|max_?errors?|max-?warnings|retries|retry|flaky|threshold",
        r"|max_?failures|maxfail)\b",
    ))
});

static NUMBER: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::new(r"[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"));

/// Which way a number is looser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looser {
    Smaller,
    Larger,
}

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    evidence.changes.iter().flat_map(of).collect()
}

fn of(change: &Change) -> Vec<Draft> {
    let (is_check, is_test) = (is_check_file(change.path()), is_test_path(change.path()));
    if !is_check && !is_test || change.is_added() {
        return Vec::new();
    }
    let mut drafts = Vec::new();
    for (old, new) in change.replaced() {
        if is_check {
            drafts.extend(ignored(change, (&old, &new)));
        }
        drafts.extend(numbers(change, (&old, &new), is_check));
    }
    drafts
}

/// Whether a file says how a project is checked.
fn is_check_file(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(
        name.as_str(),
        "makefile"
            | "gnumakefile"
            | "justfile"
            | "rakefile"
            | "jenkinsfile"
            | "taskfile.yml"
            | "package.json"
            | "tox.ini"
            | "pytest.ini"
            | "setup.cfg"
            | "pyproject.toml"
            | "noxfile.py"
            | ".coveragerc"
            | ".nycrc"
            | ".simplecov"
            | "codecov.yml"
            | ".codecov.yml"
            | "tarpaulin.toml"
            | "pom.xml"
            | "nextest.toml"
            | "clippy.toml"
    ) || matches!(ending, "sh" | "bash" | "mk" | "yml" | "yaml" | "gradle" | "kts")
        || [
            "jest.config.",
            "vitest.config.",
            "karma.conf.",
            "playwright.config.",
            ".nycrc.",
            ".eslintrc",
        ]
        .iter()
        .any(|beginning| name.starts_with(beginning))
}

fn ignored(change: &Change, (old, new): (&[Line<'_>], &[Line<'_>])) -> Vec<Draft> {
    let count = |lines: &[Line<'_>]| lines.iter().filter(|l| IGNORES.is_match(l.text)).count();
    let n_more = count(new).saturating_sub(count(old));
    let known: BTreeSet<&str> = old.iter().map(|line| line.text.trim()).collect();
    let is_new = |line: &&Line<'_>| {
        let text = line.text.trim();
        IGNORES.is_match(text) && !known.contains(text) && !text.starts_with(['#', '/'])
    };
    let lines = new.iter().filter(is_new).take(n_more);
    lines.map(|line| flag(change, line, "This line has a failure ignored.".to_owned())).collect()
}

fn numbers(change: &Change, (old, new): (&[Line<'_>], &[Line<'_>]), is_check: bool) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut left: Vec<&Line<'_>> = old.iter().take(PLACE_LINES_MAX).collect();
    for line in new.iter().take(PLACE_LINES_MAX) {
        let Some(looser) = looser(line.text, is_check) else { continue };
        let shape = shape(line.text);
        let Some(at) = left.iter().position(|old| self::shape(old.text) == shape) else { continue };
        let before = left.remove(at);
        if let Some((a, b)) = loosened((before.text, line.text), looser) {
            drafts.push(flag(change, line, format!("A limit is looser than it was: {a} → {b}.")));
        }
    }
    // In what tests say, a line without a like is only another test.
    let gone = left.iter().filter(|line| is_check && is_floor(line.text));
    let is_again =
        |line: &&&Line<'_>| new.iter().any(|new| name_of(new.text) == name_of(line.text));
    let gone = gone.filter(|line| !is_again(line));
    let gone = gone.map(|line| flag(change, line, "A limit is gone.".to_owned()));
    drafts.extend(gone);
    drafts
}

fn flag(change: &Change, line: &Line<'_>, what: String) -> Draft {
    Draft::flag(what).at(change.path()).lines(line.n, line.n).quoting(line.text.trim())
}

/// Whether a line sets a number that must at least be reached.
fn is_floor(line: &str) -> bool {
    FLOORS.is_match(line) && NUMBER.is_match(line) && line.contains(['=', ':'])
}

fn looser(line: &str, is_check: bool) -> Option<Looser> {
    if !NUMBER.is_match(line) {
        None
    } else if FLOORS.is_match(line) {
        Some(Looser::Smaller)
    } else if !CEILINGS.is_match(line) {
        None
    } else if is_check && line.to_ascii_lowercase().contains("threshold") {
        // In a file that says how to check, it is what has to be reached.
        Some(Looser::Smaller)
    } else {
        Some(Looser::Larger)
    }
}

/// The line without its numbers: the same for two lines that differ in nothing else.
fn shape(line: &str) -> String {
    NUMBER.replaced(line.trim(), "0")
}

/// What a number is called: all that stands before it.
fn name_of(line: &str) -> &str {
    line.split(['=', ':']).next().unwrap_or(line).trim()
}

/// The first number that is looser, before and after.
fn loosened<'a>((old, new): (&'a str, &'a str), looser: Looser) -> Option<(&'a str, &'a str)> {
    let mut pairs = NUMBER.all(old).zip(NUMBER.all(new));
    pairs.find(|(old, new)| {
        let value = |text: &str| text.replace('_', "").parse::<f64>().unwrap_or(0.0);
        match looser {
            Looser::Smaller => value(new) < value(old),
            Looser::Larger => value(new) > value(old),
        }
    })
}
