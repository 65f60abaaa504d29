use std::fs::{self, File};
use std::io::Write;

use super::{Phase, RunDir};
use crate::sandbox::event::Ev;

fn run_dir() -> (tempfile::TempDir, RunDir) {
    let folder = tempfile::tempdir().unwrap();
    let run_dir = RunDir::new(folder.path());
    (folder, run_dir)
}

fn line(seq: u64, text: &str) -> String {
    format!("{{\"seq\":{seq},\"at\":5,\"ev\":\"out\",\"line\":\"{text}\"}}\n")
}

#[test]
fn events_are_read_once_and_only_as_whole_lines() {
    let (_folder, run_dir) = run_dir();
    let mut offset = 0;
    assert!(run_dir.read_new(&mut offset).unwrap().is_empty());
    let mut file = File::create(run_dir.events()).unwrap();
    let second = line(2, "b");
    write!(file, "{}{}", line(1, "a"), &second[..10]).unwrap();
    let events = run_dir.read_new(&mut offset).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].ev, Ev::Out { line: "a".to_owned() });
    assert!(run_dir.read_new(&mut offset).unwrap().is_empty());
    write!(file, "{}", &second[10..]).unwrap();
    assert_eq!(run_dir.read_new(&mut offset).unwrap()[0].seq, 2);
    assert!(run_dir.read_new(&mut offset).unwrap().is_empty());
}

#[test]
fn a_line_that_is_no_event_is_an_error_that_names_the_file() {
    let (_folder, run_dir) = run_dir();
    fs::write(run_dir.events(), "nonsense\n").unwrap();
    let err = run_dir.read_new(&mut 0).unwrap_err().to_string();
    assert!(err.contains("events.jsonl"), "{err}");
}

#[test]
fn the_phase_is_in_the_folder_and_in_the_lock() {
    let (_folder, run_dir) = run_dir();
    assert_eq!(run_dir.observe().unwrap(), Phase::Absent);
    let lock = File::create(run_dir.lock()).unwrap();
    assert_eq!(run_dir.observe().unwrap(), Phase::Absent);
    lock.try_lock().unwrap();
    assert_eq!(run_dir.observe().unwrap(), Phase::Starting);
    fs::write(run_dir.events(), line(1, "a")).unwrap();
    assert_eq!(run_dir.observe().unwrap(), Phase::Running);
    drop(lock);
    assert_eq!(run_dir.observe().unwrap(), Phase::Lost);
}
