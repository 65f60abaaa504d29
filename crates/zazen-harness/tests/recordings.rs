//! Every recording of a real program comes to the end that the manifest says, whole and broken.
//!
//! `fixtures/manifest.json` has, for each, with what arguments it was made, how the process
//! ended, whether it changed anything, and what it is to be taken for. The table of
//! `docs/harnesses.md` is printed from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde::Deserialize;
use zazen_core::trace::Reset;
use zazen_core::trace::{Claim, Event};
use zazen_core::words::claim_word;
use zazen_harness::{Dialect, Facts, Name, Reader, Totals};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact that is read by its name")]
struct Entry {
    recording: PathBuf,
    /// For people who want to make it anew.
    #[expect(dead_code, reason = "it is there to be read")]
    argv: String,
    end: Claim,
    code: Option<i32>,
    signal: Option<i32>,
    #[serde(default)]
    is_overdue: bool,
    has_changed: bool,
    #[serde(default)]
    is_answer_cut: bool,
    /// What it wrote to its standard error, as far as it says something.
    #[serde(default)]
    errors: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn manifest() -> Vec<Entry> {
    let text = fs::read_to_string(folder().join("manifest.json")).expect("the manifest");
    serde_json::from_str(&text).expect("the manifest can be read")
}

impl Entry {
    fn harness(&self) -> String {
        self.recording.parent().expect("it is in a folder").display().to_string()
    }

    fn dialect(&self) -> Dialect {
        match self.harness().as_str() {
            "claude" => Dialect::Claude,
            "codex" => Dialect::Codex,
            "qwen" => Dialect::Qwen,
            "gemini" => Dialect::Gemini,
            "opencode" => Dialect::OpenCode,
            "copilot" => Dialect::Copilot,
            "aider" => Dialect::Aider,
            other => panic!("{other} is no harness"),
        }
    }

    fn stream(&self) -> Vec<u8> {
        fs::read(folder().join(&self.recording)).expect("the recording")
    }

    fn facts(&self) -> Facts {
        Facts {
            code: self.code,
            signal: self.signal,
            is_overdue: self.is_overdue,
            has_changed: Some(self.has_changed),
            is_answer_cut: self.is_answer_cut,
        }
    }

    fn read(&self, stream: &[u8]) -> (Reader, Vec<Event>) {
        let mut reader = Reader::of(self.dialect());
        let text = String::from_utf8_lossy(stream);
        let events = text.lines().flat_map(|line| reader.read(line)).collect();
        self.errors.iter().for_each(|line| reader.read_error(line));
        (reader, events)
    }
}

#[test]
fn each_recording_comes_to_the_end_that_the_manifest_says() {
    let mut wrong = String::new();
    for entry in manifest() {
        let (reader, _) = entry.read(&entry.stream());
        let end = reader.conclude(&entry.facts());
        if end.claim != entry.end {
            let name = entry.recording.display();
            writeln!(wrong, "{name}: {:?}, not {:?}: {}", end.claim, entry.end, end.text).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_line_of_every_recording_is_known() {
    for entry in manifest() {
        let (reader, events) = entry.read(&entry.stream());
        let unknown: Vec<_> =
            events.iter().filter(|event| matches!(event, Event::Unknown { .. })).collect();
        let name = entry.recording.display();
        assert!(unknown.is_empty(), "{name}: {unknown:#?}");
        assert_eq!(reader.n_unknown(), 0, "{name}");
    }
}

/// How many cuts inside of lines are tried in one recording.
const N_CUTS_MAX: usize = 400;

#[test]
fn a_stream_that_is_cut_anywhere_is_never_a_success() {
    for entry in manifest() {
        if entry.dialect() == Dialect::Aider {
            // It has no end to lose.
            continue;
        }
        let stream = entry.stream();
        let step = (stream.len() / N_CUTS_MAX).max(1);
        let whole = entry.read(&stream).0.end().cloned();
        for cut in (0..stream.len().saturating_sub(1)).step_by(step) {
            let (reader, _) = entry.read(&stream[..cut]);
            let is_before_the_end = reader.end() != whole.as_ref();
            // What a process that lost its stream ends with is at best a crash.
            let facts = Facts { code: Some(0), ..Facts::default() };
            let claim = reader.conclude(&facts).claim;
            let name = entry.recording.display();
            assert!(!is_before_the_end || claim != Claim::Finished, "{name} at {cut}: {claim:?}");
        }
    }
}

#[test]
fn glued_broken_and_garbled_lines_are_kept_and_the_others_are_read() {
    for entry in manifest() {
        let stream = entry.stream();
        let text = String::from_utf8_lossy(&stream).into_owned();
        let mut lines: Vec<&str> = text.lines().collect();
        let Some(first) = lines.first().copied() else { continue };
        let glued = format!("{first}{first}");
        lines.insert(0, "\u{fffd}\u{fffd} not a line");
        lines.insert(1, &glued);
        let (reader, events) = entry.read(lines.join("\n").as_bytes());
        let plain = entry.read(&stream);
        if entry.dialect() != Dialect::Aider {
            assert!(events.contains(&Event::Unknown { line: glued.clone() }));
            assert_eq!(reader.n_unknown(), 2, "{}", entry.recording.display());
        }
        assert_eq!(reader.end(), plain.0.end());
        assert_eq!(reader.session(), plain.0.session());
    }
}

#[test]
fn what_a_resumed_session_used_before_is_not_counted_twice() {
    let used = |name: &str, before: Option<Totals>| {
        let entry =
            manifest().into_iter().find(|entry| entry.recording == Path::new(name)).expect(name);
        let mut reader = Reader::of(entry.dialect());
        if let Some(before) = before {
            reader = reader.after(before);
        }
        let text = String::from_utf8(entry.stream()).unwrap();
        let events: Vec<Event> = text.lines().flat_map(|line| reader.read(line)).collect();
        let used = events.iter().find_map(|event| {
            let Event::Usage { tokens, cost_micros } = event else { return None };
            Some((*tokens, *cost_micros))
        });
        (used.expect("it says what it used"), reader.totals())
    };
    // Codex counts from the thread's beginning.
    let ((first, _), totals) = used("codex/success.jsonl", None);
    assert_eq!((first.input, first.cache_read, first.output), (2400, 1200, 171));
    let ((second, _), _) = used("codex/resume.jsonl", Some(totals));
    assert_eq!((second.input, second.cache_read, second.output), (1600, 800, 114));
    // Claude Code counts its tokens anew, and its cost from the beginning.
    let ((_, first), totals) = used("claude/sid1.jsonl", None);
    let ((second, cost), _) = used("claude/resume.jsonl", Some(totals));
    assert_eq!(first, Some(18_060));
    assert_eq!((second.input, cost), (2400, Some(12_040)));
}

#[test]
fn a_limit_says_when_it_is_over_where_the_stream_says_so() {
    let reset = |name: &str| {
        let entry =
            manifest().into_iter().find(|entry| entry.recording == Path::new(name)).expect(name);
        entry.read(&entry.stream()).0.conclude(&entry.facts()).reset
    };
    assert_eq!(reset("codex/errusage.jsonl"), Some(Reset::AtMinuteOfDay(2 * 60 + 19)));
    assert!(matches!(reset("opencode/errusage.jsonl"), Some(Reset::At(_) | Reset::AfterMillis(_))));
    assert_eq!(reset("gemini/err429.jsonl"), Some(Reset::AfterMillis(2000)));
    assert_eq!(reset("codex/err429.jsonl"), None, "it does not say when");
}

#[test]
fn the_table_of_ends_in_the_docs() {
    let harnesses = ["claude", "codex", "qwen", "gemini", "opencode", "copilot", "aider"];
    let mut cells: BTreeMap<(Claim, String), Vec<String>> = BTreeMap::new();
    for entry in manifest() {
        let name = entry.recording.file_stem().unwrap().display().to_string();
        cells.entry((entry.end, entry.harness())).or_default().push(name);
    }
    let mut text = include_str!("ends.md").to_owned();
    writeln!(text, "| end | {} |", harnesses.join(" | ")).unwrap();
    writeln!(text, "|---|{}", "---|".repeat(harnesses.len())).unwrap();
    for claim in Claim::ALL {
        let cell = |harness: &&str| {
            let names = cells.get(&(claim, (*harness).to_owned()));
            names.map_or("–".to_owned(), |names| format!("`{}`", names.join("` `")))
        };
        let row: Vec<String> = harnesses.iter().map(cell).collect();
        writeln!(text, "| {} | {} |", claim_word(claim), row.join(" | ")).unwrap();
    }
    text.push_str(&abilities());
    expect_file!["../../../docs/harnesses.md"].assert_eq(&text);
}

/// The table of what each harness can do: a column for each that can be configured.
fn abilities() -> String {
    let columns = Name::ALL.map(|name| name.abilities().in_words());
    let mut text = include_str!("abilities.md").to_owned();
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = Name::ALL.map(|name| name.to_string());
    text.push_str(&row(std::iter::once("can it".to_owned()).chain(head).collect()));
    text.push_str(&row(vec!["---".to_owned(); Name::ALL.len() + 1]));
    let words = columns.first().expect("there are harnesses").each_ref().map(|(word, _)| *word);
    for (index, word) in words.into_iter().enumerate() {
        let cells = columns.iter().map(|column| column[index].1.clone());
        text.push_str(&row(std::iter::once(word.to_owned()).chain(cells).collect()));
    }
    text
}
