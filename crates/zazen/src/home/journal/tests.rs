//! The journal against real files: torn tails, damage, sealing, many appenders.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::home::Home;

mod faults;

/// November 2026.
const NOVEMBER: u64 = 1_794_500_000_000;

fn options(segment_bytes_max: u64) -> Options {
    let on_fatal = |message: &str| -> ! { panic!("{message}") };
    Options { segment_bytes_max, reserve_bytes: 64 * 1024, on_fatal }
}

/// A folder in memory where there is one: thousands of syncs cost nothing there.
fn temp_dir() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

fn temp_home() -> (TempDir, Home) {
    let dir = temp_dir();
    let home = Home::at(dir.path());
    (dir, home)
}

fn entry(n: u32) -> Entry {
    let data = serde_json::json!({ "n": n, "text": "häuser, \"quoted\"\nand\ttabs" });
    Entry::new(Time(NOVEMBER + u64::from(n)), Some(TaskId(n)), "task.moved", &data).unwrap()
}

/// What a reader sees of the journal: one line a record.
fn opened(home: &Home, from: Position) -> Result<(Vec<String>, Opened), OpenError> {
    let mut seen = Vec::new();
    let opened = open_with(home, options(u64::MAX), from, &mut |record| {
        seen.push(printed(&record));
        Ok(())
    })?;
    Ok((seen, opened))
}

fn printed(record: &Record) -> String {
    let Entry { at, task, event, data } = &record.entry;
    format!("{} {} {task:?} {event} {data}", record.seq, at.0)
}

/// Writes `n` records and closes the journal.
fn write_records(home: &Home, n: u32, segment_bytes_max: u64) -> Vec<String> {
    let opened =
        open_with(home, options(segment_bytes_max), Position::START, &mut |_| Ok(())).unwrap();
    for n in 0..n {
        opened.journal.append_blocking(vec![entry(n)]).unwrap();
    }
    drop(opened);
    let mut seen = Vec::new();
    read(home, Position::START, &mut |record| {
        seen.push(printed(&record));
        Ok(())
    })
    .unwrap();
    assert_eq!(seen.len(), n as usize);
    seen
}

fn active(home: &Home) -> PathBuf {
    segment::active_file(home)
}

/// Where each line of a file starts, and where the last one ends.
fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

fn sealed_files(home: &Home) -> Vec<PathBuf> {
    segment::list(home).unwrap().into_iter().map(|sealed| sealed.file).collect()
}

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let (_dir, home) = temp_home();
    let (seen, opened_) = opened(&home, Position::START).unwrap();
    assert!(seen.is_empty());
    let first = opened_.journal.append_blocking(vec![entry(1), entry(2)]).unwrap();
    let second = opened_.journal.append_blocking(vec![entry(3)]).unwrap();
    // The first record is the header of the segment.
    assert_eq!((first.seq, second.seq), (3, 4));
    assert_eq!(opened_.journal.position(), second);
    drop(opened_);

    let (seen, opened_) = opened(&home, Position::START).unwrap();
    assert_eq!(seen.len(), 3);
    assert!(seen[0].starts_with("2 1794500000001 Some(TaskId(1)) task.moved {\"n\":1,"));
    assert_eq!(opened_.notes, []);
    assert_eq!(opened_.journal.position(), second);
    drop(opened_);

    let (seen, _) = opened(&home, first).unwrap();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with("4 "));
    let (seen, _) = opened(&home, second).unwrap();
    assert!(seen.is_empty());
}

#[test]
fn a_line_is_json_with_its_checksum_last_and_follows_the_line_before() {
    let (_dir, home) = temp_home();
    write_records(&home, 2, u64::MAX);
    let text = fs::read_to_string(active(&home)).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let keys: Vec<String> = ["v", "seq", "at", "boot", "task", "ev", "data", "ph", "crc"]
        .map(|key| format!("\"{key}\":"))
        .to_vec();
    for (at, line) in lines.iter().enumerate() {
        let places: Vec<_> = keys.iter().map(|key| line.find(key.as_str()).unwrap()).collect();
        assert!(places.is_sorted(), "{line}");
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["seq"], at as u64 + 1);
        let (body, _) = line.split_once(",\"crc\":").unwrap();
        let crc = format!("{:08x}", crc32fast::hash(body.as_bytes()));
        assert_eq!(value["crc"], crc);
        let before = at.checked_sub(1).map(|before| blake3::hash(lines[before].as_bytes()));
        let ph = before.map_or("0".repeat(16), |hash| hash.to_hex()[..16].to_owned());
        assert_eq!(value["ph"], ph);
    }
}

#[test]
fn a_journal_cut_at_any_byte_of_its_last_records_opens_to_the_records_before() {
    let (_dir, home) = temp_home();
    let all = write_records(&home, 6, u64::MAX);
    let bytes = fs::read(active(&home)).unwrap();
    let starts = line_starts(&bytes);
    for n_bytes in starts[4]..bytes.len() {
        fs::write(active(&home), &bytes[..n_bytes]).unwrap();
        let (seen, opened_) = opened(&home, Position::START).unwrap();
        let n_whole = starts.iter().filter(|start| **start <= n_bytes).count() - 1;
        // One of the lines is the header.
        assert_eq!(seen, all[..n_whole - 1], "cut at byte {n_bytes}");
        let is_whole = starts.contains(&n_bytes);
        assert_eq!(opened_.notes.is_empty(), is_whole, "cut at byte {n_bytes}");
        if let [Note::TornTail { line, n_bytes: n_torn, kept_at, .. }] = &opened_.notes[..] {
            assert_eq!(*line, n_whole as u64 + 1);
            assert_eq!(*n_torn, (n_bytes - starts[n_whole]) as u64);
            let kept = fs::read(kept_at.as_ref().unwrap()).unwrap();
            assert_eq!(kept, bytes[starts[n_whole]..n_bytes]);
        }
        // It goes on from there.
        opened_.journal.append_blocking(vec![entry(99)]).unwrap();
        drop(opened_);
        let (seen, opened_) = opened(&home, Position::START).unwrap();
        assert_eq!(seen.len(), n_whole);
        assert_eq!(opened_.notes, []);
    }
}

#[test]
fn any_flipped_bit_of_the_last_record_cuts_just_that_record() {
    let (_dir, home) = temp_home();
    let all = write_records(&home, 3, u64::MAX);
    let bytes = fs::read(active(&home)).unwrap();
    let start = line_starts(&bytes)[3];
    for bit in 0..(bytes.len() - start) * 8 {
        let mut damaged = bytes.clone();
        damaged[start + bit / 8] ^= 1 << (bit % 8);
        fs::write(active(&home), &damaged).unwrap();
        let (seen, opened_) = opened(&home, Position::START).unwrap();
        assert_eq!(seen, all[..2], "bit {bit}");
        assert!(matches!(&opened_.notes[..], [Note::TornTail { line: 4, .. }]), "bit {bit}");
    }
}

#[test]
fn any_flipped_bit_before_the_last_record_is_refused_with_file_and_line() {
    let (_dir, home) = temp_home();
    write_records(&home, 3, u64::MAX);
    let bytes = fs::read(active(&home)).unwrap();
    let starts = line_starts(&bytes);
    for bit in 0..starts[3] * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(active(&home), &damaged).unwrap();
        let err = opened(&home, Position::START).unwrap_err();
        let OpenError::Corrupt { file, line, .. } = err else { panic!("bit {bit}: {err}") };
        assert_eq!(file, active(&home));
        let expected = starts.iter().filter(|start| **start <= bit / 8).count();
        assert_eq!(line, expected as u64, "bit {bit}");
        assert_eq!(fs::read(active(&home)).unwrap(), damaged, "nothing is changed");
    }
}

#[test]
fn zeros_at_the_end_are_a_torn_tail() {
    for n_zeros in [1, 100, 4096, 100_000] {
        let (_dir, home) = temp_home();
        let all = write_records(&home, 4, u64::MAX);
        let mut bytes = fs::read(active(&home)).unwrap();
        bytes.resize(bytes.len() + n_zeros, 0);
        fs::write(active(&home), &bytes).unwrap();
        let (seen, opened_) = opened(&home, Position::START).unwrap();
        assert_eq!(seen, all);
        assert!(matches!(&opened_.notes[..], [Note::TornTail { line: 6, .. }]));
    }
}

#[test]
fn a_last_block_that_is_there_twice_is_cut() {
    let (_dir, home) = temp_home();
    let all = write_records(&home, 6, u64::MAX);
    let bytes = fs::read(active(&home)).unwrap();
    let starts = line_starts(&bytes);
    for from in [starts[4], starts[6], starts[5] + 17] {
        let doubled = [&bytes[..], &bytes[from..]].concat();
        fs::write(active(&home), &doubled).unwrap();
        let (seen, opened_) = opened(&home, Position::START).unwrap();
        assert_eq!(seen, all);
        assert!(matches!(&opened_.notes[..], [Note::TornTail { line: 8, .. }]));
    }
}

#[test]
fn a_line_taken_out_of_the_middle_is_refused() {
    let (_dir, home) = temp_home();
    write_records(&home, 4, u64::MAX);
    let bytes = fs::read(active(&home)).unwrap();
    let starts = line_starts(&bytes);
    fs::write(active(&home), [&bytes[..starts[2]], &bytes[starts[3]..]].concat()).unwrap();
    let err = opened(&home, Position::START).unwrap_err();
    assert!(matches!(err, OpenError::Corrupt { line: 3, .. }), "{err}");
}

#[test]
fn a_record_that_was_rewritten_with_a_fitting_checksum_is_refused() {
    let (_dir, home) = temp_home();
    write_records(&home, 3, u64::MAX);
    let text = fs::read_to_string(active(&home)).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let changed = lines[2].replace("\"n\":1", "\"n\":7");
    let (body, _) = changed.split_once(",\"crc\":").unwrap();
    lines[2] = format!("{body},\"crc\":\"{:08x}\"}}", crc32fast::hash(body.as_bytes()));
    fs::write(active(&home), lines.join("\n") + "\n").unwrap();
    let err = opened(&home, Position::START).unwrap_err();
    assert!(err.to_string().contains("line 4"), "{err}");
    assert!(err.to_string().contains("does not follow the record before it"), "{err}");
}

#[test]
fn a_newer_format_is_refused_and_never_cut() {
    let (_dir, home) = temp_home();
    write_records(&home, 2, u64::MAX);
    let text = fs::read_to_string(active(&home)).unwrap();
    let body = r#"{"v":2,"seq":4,"what":"ever""#;
    let newer = format!("{body},\"crc\":\"{:08x}\"}}\n", crc32fast::hash(body.as_bytes()));
    fs::write(active(&home), text + &newer).unwrap();
    let err = opened(&home, Position::START).unwrap_err();
    assert!(matches!(err, OpenError::Newer { line: 4, version: 2, .. }), "{err}");
    assert!(matches!(repair(&home).unwrap_err(), OpenError::Newer { .. }));
}

#[test]
fn a_full_segment_is_sealed_under_its_month_and_reading_goes_on_across_segments() {
    let (_dir, home) = temp_home();
    let all = write_records(&home, 40, 1500);
    let sealed = sealed_files(&home);
    assert!(sealed.len() > 3);
    assert_eq!(sealed[0], home.root().join("facts/2026/11/0001.jsonl"));
    let (seen, opened_) = opened(&home, Position::START).unwrap();
    assert_eq!(seen, all);
    assert_eq!(opened_.notes, []);
    // Every line of all segments is numbered without a gap.
    let mut seqs = Vec::new();
    for file in sealed.iter().chain([&active(&home)]) {
        for line in fs::read_to_string(file).unwrap().lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            seqs.push(value["seq"].as_u64().unwrap());
        }
    }
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
}

#[test]
fn every_place_that_an_append_answered_with_is_a_place_to_start_from() {
    let (_dir, home) = temp_home();
    let opened_ = open_with(&home, options(1500), Position::START, &mut |_| Ok(())).unwrap();
    let places: Vec<Position> =
        (0..20).map(|n| opened_.journal.append_blocking(vec![entry(n)]).unwrap()).collect();
    drop(opened_);
    for (n, place) in places.iter().enumerate() {
        let (seen, _) = opened(&home, *place).unwrap();
        assert_eq!(seen.len(), 19 - n, "after record {}", place.seq);
    }
    let elsewhere = Position { hash: LineHash::of(b"another journal"), ..places[7] };
    assert!(matches!(opened(&home, elsewhere), Err(OpenError::Elsewhere { .. })));
    let beyond = Position { segment: 99, ..places[7] };
    assert!(matches!(opened(&home, beyond), Err(OpenError::Elsewhere { .. })));
    let inside = Position { offset: places[7].offset - 1, ..places[7] };
    assert!(matches!(opened(&home, inside), Err(OpenError::Elsewhere { .. })));
}

#[test]
fn a_changed_sealed_segment_is_refused_even_at_its_end() {
    let (_dir, home) = temp_home();
    write_records(&home, 20, 1500);
    let file = sealed_files(&home).pop().unwrap();
    let bytes = fs::read(&file).unwrap();
    for n_bytes in [0, 1, bytes.len() - 1] {
        fs::write(&file, &bytes[..n_bytes]).unwrap();
        let err = opened(&home, Position::START).unwrap_err();
        let OpenError::Corrupt { file: told, .. } = &err else { panic!("{err}") };
        assert_eq!(*told, file);
        assert!(err.to_string().contains("git checkout"), "{err}");
    }
    // A whole record less: the next segment does not follow it.
    let starts = line_starts(&bytes);
    fs::write(&file, &bytes[..starts[starts.len() - 2]]).unwrap();
    let err = opened(&home, Position::START).unwrap_err();
    assert!(matches!(err, OpenError::Corrupt { line: 1, .. }), "{err}");
}

#[test]
fn a_missing_segment_is_refused_and_not_repaired_away() {
    for n in [1, 2, 3] {
        let (_dir, home) = temp_home();
        write_records(&home, 40, 1500);
        let files = sealed_files(&home);
        // The last round loses all from the third on, so that none is missing between two.
        let n_lost = if n == 3 { files.len() } else { n };
        files[n - 1..n_lost].iter().for_each(|file| fs::remove_file(file).unwrap());
        let err = opened(&home, Position::START).unwrap_err();
        assert!(err.to_string().contains(&format!("000{n}.jsonl` is missing")), "{err}");
        let err = repair(&home).unwrap_err();
        assert!(err.to_string().contains(&format!("000{n}.jsonl` is missing")), "{err}");
        let err = read(&home, Position::START, &mut |_| Ok(())).unwrap_err();
        assert!(err.to_string().contains("is missing"), "{err}");
    }
}

#[test]
fn a_missing_active_segment_is_not_taken_for_a_new_journal() {
    for segment_bytes_max in [1500, u64::MAX] {
        let (_dir, home) = temp_home();
        write_records(&home, 20, segment_bytes_max);
        fs::remove_file(active(&home)).unwrap();
        let err = opened(&home, Position::START).unwrap_err();
        assert!(matches!(err, OpenError::Missing { .. }), "{err}");
        // A person may decide to go on without it.
        assert!(repair(&home).unwrap().is_some());
        opened(&home, Position::START).unwrap();
    }
}

#[test]
fn an_active_segment_that_was_emptied_starts_again_with_a_note() {
    let (_dir, home) = temp_home();
    write_records(&home, 20, 1500);
    let all_sealed = sealed_files(&home).len();
    fs::write(active(&home), "").unwrap();
    let (_, opened_) = opened(&home, Position::START).unwrap();
    assert!(matches!(&opened_.notes[..], [Note::TornTail { line: 1, kept_at: None, .. }]));
    opened_.journal.append_blocking(vec![entry(1)]).unwrap();
    drop(opened_);
    let (_, opened_) = opened(&home, Position::START).unwrap();
    assert_eq!(opened_.notes, []);
    assert_eq!(sealed_files(&home).len(), all_sealed);
}

/// Every state of the folders that a kill during sealing can leave, made by
/// taking the steps of a completed sealing back.
#[test]
fn a_sealing_that_was_interrupted_at_any_step_is_completed_or_undone() {
    for n_steps in 0..=3 {
        let (_dir, home) = temp_home();
        let mut all = write_records(&home, 8, u64::MAX);
        // The next append seals, and nothing comes after it.
        let sealing = open_with(&home, options(10), Position::START, &mut |_| Ok(())).unwrap();
        sealing.journal.append_blocking(vec![entry(8)]).unwrap();
        drop(sealing);
        let sealed = sealed_files(&home).pop().unwrap();
        let next = segment::next_file(&home);
        if n_steps < 3 {
            fs::rename(active(&home), &next).unwrap();
        }
        if n_steps < 2 {
            fs::rename(&sealed, active(&home)).unwrap();
        }
        if n_steps < 1 {
            // A temporary file that was not renamed.
            let half = fs::read(&next).unwrap();
            fs::remove_file(&next).unwrap();
            fs::write(home.journal_dir().join(".zazen-tmp-1-0"), &half[..20]).unwrap();
        }
        let (seen, opened_) = opened(&home, Position::START).unwrap();
        let nine = seen.len();
        assert_eq!((nine, &seen[..8]), (9, &all[..]), "after {n_steps} steps");
        all = seen;
        let is_noted = opened_.notes == [Note::SealingCompleted];
        assert_eq!(is_noted, matches!(n_steps, 1 | 2), "after {n_steps} steps");
        assert!(!next.exists());
        opened_.journal.append_blocking(vec![entry(9)]).unwrap();
        drop(opened_);
        let (seen, opened_) = opened(&home, Position::START).unwrap();
        assert_eq!((seen.len(), &seen[..9]), (10, &all[..]));
        assert_eq!(opened_.notes, []);
    }
}

#[test]
fn a_segment_that_cannot_be_sealed_yet_goes_on() {
    let (_dir, home) = temp_home();
    // A file stands where the folder has to be.
    fs::write(home.facts_dir(), "").unwrap();
    let err = segment::list(&home).unwrap_err();
    assert!(matches!(err, OpenError::Failed { .. }));
    fs::remove_file(home.facts_dir()).unwrap();
    let opened_ = open_with(&home, options(1500), Position::START, &mut |_| Ok(())).unwrap();
    // Another zazen's segment is already there under the name.
    let month = home.facts_dir().join("2026/11");
    fs::create_dir_all(&month).unwrap();
    fs::write(month.join("0001.jsonl"), "").unwrap();
    for n in 0..20 {
        opened_.journal.append_blocking(vec![entry(n)]).unwrap();
    }
    drop(opened_);
    assert_eq!(fs::read_to_string(month.join("0001.jsonl")).unwrap(), "");
    fs::remove_file(month.join("0001.jsonl")).unwrap();
    assert_eq!(opened(&home, Position::START).unwrap().0.len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_are_all_acknowledged_and_numbered_without_a_gap() {
    const N_PRODUCERS: u32 = 16;
    const N_APPENDS: u32 = 50;
    let (_dir, home) = temp_home();
    let opened_ = open_with(&home, options(20_000), Position::START, &mut |_| Ok(())).unwrap();
    let mut producers = tokio::task::JoinSet::new();
    for producer in 0..N_PRODUCERS {
        let journal = opened_.journal.clone();
        producers.spawn(async move {
            let mut places = Vec::new();
            for n in 0..N_APPENDS {
                let number = producer * N_APPENDS + n;
                places.push((number, journal.append(vec![entry(number)]).await.unwrap()));
            }
            places
        });
    }
    let places: Vec<(u32, Position)> = producers.join_all().await.into_iter().flatten().collect();
    drop(opened_);
    let by_seq = RefCell::new(Vec::new());
    read(&home, Position::START, &mut |record| {
        by_seq.borrow_mut().push((record.entry.task.unwrap().0, record.seq));
        Ok(())
    })
    .unwrap();
    let written: BTreeSet<_> = by_seq.into_inner().into_iter().collect();
    let acknowledged: BTreeSet<_> = places.iter().map(|(n, place)| (*n, place.seq)).collect();
    assert_eq!(written, acknowledged);
    assert_eq!(written.len(), (N_PRODUCERS * N_APPENDS) as usize);
    // What is not an event is the header of a segment.
    let n_lines = sealed_files(&home).len() as u64 + 1 + written.len() as u64;
    assert_eq!(read(&home, Position::START, &mut |_| Ok(())).unwrap().seq, n_lines);
}

#[test]
fn the_entries_of_one_append_are_neighbours_or_not_there() {
    let (_dir, home) = temp_home();
    let (_, opened_) = opened(&home, Position::START).unwrap();
    let before = opened_.journal.position();
    let large = serde_json::json!({ "text": "x".repeat(line::LINE_BYTES_MAX) });
    let large = Entry::new(Time(1), None, "run.ended", &large).unwrap();
    let err = opened_.journal.append_blocking(vec![entry(1), large]).unwrap_err();
    assert!(err.to_string().starts_with("record the event `run.ended`: its line would"), "{err}");
    for name in ["", "Upper", "with space", "segment", "quote\""] {
        let bad = Entry { event: name.to_owned(), ..entry(1) };
        let err = opened_.journal.append_blocking(vec![entry(1), bad]).unwrap_err();
        assert!(matches!(err, AppendError::Invalid { .. }), "{name}");
    }
    assert_eq!(opened_.journal.position(), before);
    assert_eq!(opened_.journal.append_blocking(vec![]).unwrap(), before);
    opened_.journal.append_blocking(vec![entry(1), entry(2)]).unwrap();
    drop(opened_);
    assert_eq!(opened(&home, Position::START).unwrap().0.len(), 2);
}

#[test]
fn data_with_line_breaks_between_its_parts_becomes_one_line() {
    let (_dir, home) = temp_home();
    let (_, opened_) = opened(&home, Position::START).unwrap();
    let data = RawValue::from_string("{\n  \"a\": 1,\r\n  \"b\": \"\\n\"\n}".to_owned()).unwrap();
    opened_.journal.append_blocking(vec![Entry { data, ..entry(1) }]).unwrap();
    drop(opened_);
    let (seen, _) = opened(&home, Position::START).unwrap();
    assert!(seen[0].ends_with(r#"{   "a": 1,    "b": "\n" }"#), "{seen:?}");
}

#[test]
fn a_record_that_the_caller_refuses_is_named() {
    let (_dir, home) = temp_home();
    write_records(&home, 3, u64::MAX);
    let mut visit = |record: Record| -> anyhow::Result<()> {
        if record.seq == 3 {
            anyhow::bail!("task 1 cannot move so");
        }
        Ok(())
    };
    let err = open_with(&home, options(u64::MAX), Position::START, &mut visit).unwrap_err();
    assert!(matches!(err, OpenError::Refused { line: 3, seq: 3, .. }), "{err}");
}

#[test]
fn a_reader_leaves_everything_as_it_is_while_a_writer_goes_on() {
    let (_dir, home) = temp_home();
    let (_, opened_) = opened(&home, Position::START).unwrap();
    opened_.journal.append_blocking(vec![entry(1)]).unwrap();
    // As it looks in the middle of a write.
    let whole = fs::read(active(&home)).unwrap();
    fs::write(active(&home), [&whole[..], b"{\"v\":1,\"seq\":3"].concat()).unwrap();
    let mut n_records = 0;
    let end = read(&home, Position::START, &mut |_| {
        n_records += 1;
        Ok(())
    });
    assert_eq!((n_records, end.unwrap()), (1, opened_.journal.position()));
    assert_ne!(fs::read(active(&home)).unwrap(), whole);
}

#[test]
fn repair_gives_up_what_follows_the_damage_and_keeps_it() {
    let (_dir, home) = temp_home();
    let all = write_records(&home, 5, u64::MAX);
    let bytes = fs::read(active(&home)).unwrap();
    let starts = line_starts(&bytes);
    let mut damaged = bytes.clone();
    damaged[starts[3] + 30] ^= 1;
    fs::write(active(&home), &damaged).unwrap();
    assert!(matches!(opened(&home, Position::START), Err(OpenError::Corrupt { line: 4, .. })));
    let Some(Note::TornTail { line: 4, kept_at: Some(kept), .. }) = repair(&home).unwrap() else {
        panic!("the damage is cut")
    };
    assert_eq!(fs::read(kept).unwrap(), damaged[starts[3]..]);
    assert_eq!(repair(&home).unwrap(), None);
    assert_eq!(opened(&home, Position::START).unwrap().0, all[..2]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn any_prefix_of_a_journal_opens_to_a_prefix_of_its_records(
        n_records in 1_u32..12,
        share in 0.0_f64..=1.0,
    ) {
        let (_dir, home) = temp_home();
        let all = write_records(&home, n_records, u64::MAX);
        let bytes = fs::read(active(&home)).unwrap();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a small number"
        )]
        let n_bytes = (bytes.len() as f64 * share) as usize;
        fs::write(active(&home), &bytes[..n_bytes]).unwrap();
        let (seen, _) = opened(&home, Position::START).unwrap();
        prop_assert!(all.starts_with(&seen));
        let n_whole = line_starts(&bytes[..n_bytes]).len() - 1;
        prop_assert_eq!(seen.len(), n_whole.saturating_sub(1));
    }

    #[test]
    fn a_line_prints_and_parses_back(
        seq in 0..u64::MAX - 1,
        at: u64,
        task: Option<u32>,
        event in "[a-z0-9._-]{1,64}",
        text: String,
    ) {
        let chain = line::Chain { seq, hash: LineHash::of(text.as_bytes()) };
        prop_assume!(event != segment::HEADER_EVENT);
        let entry = Entry::new(Time(at), task.map(TaskId), event, &text).unwrap();
        let mut line = Vec::new();
        let boot = BootId::read();
        let next = chain.print(&entry, boot, &mut line).unwrap();
        let parsed = line::parse(&line).unwrap();
        prop_assert_eq!(chain.check(&parsed), Ok(()));
        let record = parsed.to_record();
        prop_assert_eq!((record.seq, record.boot), (next.seq, boot));
        prop_assert_eq!(record.entry.data.get(), entry.data.get());
        prop_assert_eq!((record.entry.at, record.entry.task), (entry.at, entry.task));
        prop_assert_eq!(record.entry.event, entry.event);
    }
}
