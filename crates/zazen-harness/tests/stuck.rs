//! What real harnesses printed in ordinary runs never looks like a loop.

use std::fs;
use std::path::{Path, PathBuf};

use zazen_core::id::Time;
use zazen_core::stuck::{Verdict, Watch};
use zazen_harness::{Claude, Harness, Programs};

fn claude() -> Harness {
    Harness::Claude(Claude {
        program: PathBuf::from("/opt/claude/claude"),
        folder: PathBuf::from("/opt/claude"),
        model: String::new(),
        effort: String::new(),
        n_turns_max: 30,
        repo_programs: Programs::default(),
        is_login: false,
    })
}

/// Reads a stream as fast as it can be printed: what could be a wait is none.
fn watch(harness: &Harness, stream: &[u8]) -> Option<Verdict> {
    let (mut reader, mut watch) = (harness.reader(), Watch::default());
    let text = String::from_utf8_lossy(stream);
    text.lines().flat_map(|line| reader.read(line)).find_map(|event| watch.see(&event, Time(0)))
}

#[test]
fn no_recorded_stream_looks_like_a_loop() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/claude");
    let mut n_streams = 0;
    for entry in fs::read_dir(folder).expect("the recordings") {
        let path = entry.expect("a recording").path();
        let stream = fs::read(&path).expect("a recording");
        assert_eq!(watch(&claude(), &stream), None, "{}", path.display());
        n_streams += 1;
    }
    assert!(n_streams >= 20, "there are {n_streams}");
}

#[test]
fn a_recorded_call_that_is_repeated_without_end_is_a_loop() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/claude");
    let stream = fs::read_to_string(folder.join("success.jsonl")).expect("a recording");
    let is_of_tool = |line: &&str| line.contains("tool_use") || line.contains("tool_result");
    let calls: Vec<&str> = stream.lines().filter(is_of_tool).collect();
    assert!(calls.len() >= 4, "two calls and two results");
    let round = calls.join("\n") + "\n";
    assert_eq!(watch(&claude(), round.repeat(5).as_bytes()), None);
    assert!(watch(&claude(), round.repeat(30).as_bytes()).is_some());
}
