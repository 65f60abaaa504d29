//! The inbox: over restarts, torn and damaged files, many deliveries, kills and bad disks.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;
use zazen_core::id::IssueNumber;

use super::*;

const DAY: u64 = 24 * 60 * 60 * 1000;
const START: Time = Time(1_800_000_000_000);

fn arrival(n: u64, at: Time) -> Arrival {
    Arrival {
        hook: 7,
        guid: format!("guid-{n}"),
        at,
        event: "issues".to_owned(),
        action: Some("opened".to_owned()),
        hints: vec![hint(n)],
    }
}

fn hint(n: u64) -> Hint {
    Hint::Item { repo: "ada/tally".parse().unwrap(), number: IssueNumber(n) }
}

fn open(dir: &Path) -> Opened {
    Inbox::open(dir, Limits::STANDARD, START).unwrap()
}

/// What an inbox that is opened hands out, in order.
fn left(dir: &Path, now: Time) -> (Vec<Hint>, Vec<Note>) {
    let mut opened = Inbox::open(dir, Limits::STANDARD, now).unwrap();
    drop(opened.inbox);
    let mut hints = Vec::new();
    while let Some(delivery) = opened.deliveries.blocking_recv() {
        hints.extend(delivery.hints);
    }
    (hints, opened.notes)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn take(inbox: &Inbox, arrival: Arrival) -> Taken {
    block_on(inbox.take(arrival)).unwrap()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn what_is_not_done_is_handed_out_again_after_a_restart_and_what_is_done_is_not() {
    let dir = TempDir::new().unwrap();
    let mut opened = open(dir.path());
    for n in 1..=3 {
        assert_eq!(take(&opened.inbox, arrival(n, START)), Taken::New);
    }
    let ids: Vec<_> = (0..3).map(|_| opened.deliveries.blocking_recv().unwrap().id).collect();
    block_on(opened.inbox.done([ids[1]]));
    drop(opened);
    assert_eq!(left(dir.path(), START), (vec![hint(1), hint(3)], vec![]));
}

#[test]
fn a_delivery_of_the_same_webhook_is_known_also_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path());
    assert_eq!(take(&opened.inbox, arrival(1, START)), Taken::New);
    assert_eq!(take(&opened.inbox, arrival(1, START)), Taken::Known);
    let both = async {
        let twice = || opened.inbox.take(arrival(2, START));
        futures_util::future::join(twice(), twice()).await
    };
    assert_eq!(block_on(both), (Ok(Taken::New), Ok(Taken::Known)));
    drop(opened);
    let opened = open(dir.path());
    assert_eq!(take(&opened.inbox, arrival(1, START)), Taken::Known);
    let other = Arrival { hook: 8, ..arrival(1, START) };
    assert_eq!(take(&opened.inbox, other), Taken::New);
}

#[test]
fn a_torn_tail_is_cut_and_told_wherever_it_was_torn() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path());
    take(&opened.inbox, arrival(1, START));
    take(&opened.inbox, arrival(2, START));
    drop(opened);
    let file = files(dir.path()).pop().unwrap();
    let whole = fs::read(&file).unwrap();
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for n_bytes in (first + 1..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(&file, &whole[..n_bytes]).unwrap();
        let torn = Note::TornTail { file: file.clone(), n_bytes: (n_bytes - first) as u64 };
        assert_eq!(left(dir.path(), START), (vec![hint(1)], vec![torn]));
        assert_eq!(fs::read(&file).unwrap(), whole[..first]);
    }
    // It was not acknowledged, so GitHub delivers it again, and it is new.
    let opened = open(dir.path());
    assert_eq!(take(&opened.inbox, arrival(2, START)), Taken::New);
}

#[test]
fn a_damaged_line_is_passed_over_and_told() {
    let dir = TempDir::new().unwrap();
    let opened = open(dir.path());
    for n in 1..=3 {
        take(&opened.inbox, arrival(n, START));
    }
    drop(opened);
    let file = files(dir.path()).pop().unwrap();
    let damaged = fs::read_to_string(&file).unwrap().replace("guid-2", "guid-X");
    fs::write(&file, damaged).unwrap();
    let (hints, notes) = left(dir.path(), START);
    assert_eq!(hints, [hint(1), hint(3)]);
    assert!(matches!(&notes[..], [Note::Damaged { line: 2, .. }]), "{notes:?}");
}

#[test]
fn a_file_of_a_later_zazen_is_refused() {
    let dir = TempDir::new().unwrap();
    let mut line = br#"{"v":2,"ev":"novel""#.to_vec();
    let crc = crc32fast::hash(&line);
    line.extend_from_slice(format!(",\"crc\":\"{crc:08x}\"}}\n").as_bytes());
    fs::write(dir.path().join("000000000001.jsonl"), line).unwrap();
    let err = Inbox::open(dir.path(), Limits::STANDARD, START).unwrap_err();
    assert!(matches!(err, OpenError::Newer { line: 1, version: 2, .. }), "{err}");
}

#[test]
fn what_finds_no_room_waits_on_the_disk_and_comes_in_order() {
    let dir = TempDir::new().unwrap();
    let limits = Limits { segment_bytes: 500, waiting: 2 };
    let mut opened = Inbox::open(dir.path(), limits, START).unwrap();
    for n in 1..=50 {
        take(&opened.inbox, arrival(n, START));
    }
    assert!(files(dir.path()).len() > 5);
    for n in 1..=50 {
        let delivery = opened.deliveries.blocking_recv().unwrap();
        assert_eq!(delivery.hints, [hint(n)]);
        block_on(opened.inbox.done([delivery.id]));
    }
    drop(opened);
    assert_eq!(left(dir.path(), START), (vec![], vec![]));
}

#[test]
fn segments_go_after_four_days_but_not_before_they_are_done() {
    let dir = TempDir::new().unwrap();
    let mut opened = open(dir.path());
    for day in 0..8 {
        take(&opened.inbox, arrival(day, Time(START.0 + day * DAY + day)));
    }
    // Nothing is done yet, so nothing goes.
    let n_before = files(dir.path()).len();
    assert!(n_before >= 4, "{n_before}");
    for _ in 0..7 {
        let id = opened.deliveries.blocking_recv().unwrap().id;
        block_on(opened.inbox.done([id]));
    }
    take(&opened.inbox, arrival(8, Time(START.0 + 10 * DAY)));
    take(&opened.inbox, arrival(9, Time(START.0 + 12 * DAY)));
    assert!(files(dir.path()).len() < n_before);
    drop(opened);
    let (hints, notes) = left(dir.path(), Time(START.0 + 30 * DAY));
    assert_eq!((hints, notes), (vec![hint(7), hint(8), hint(9)], vec![]));
}

/// What a test that was started again finds its folder in.
const INNER_DIR: &str = "ZAZEN_TEST_INBOX_DIR";

#[expect(clippy::disallowed_methods, reason = "how a test learns that it was started again")]
fn inner_dir() -> Option<PathBuf> {
    std::env::var(INNER_DIR).ok().map(PathBuf::from)
}

/// Runs one test of this program again, with a fault at a system call.
#[expect(clippy::disallowed_methods, reason = "the test starts itself under another program")]
fn run_again(inject: &str, test: &str, dir: &Path) -> Option<Output> {
    let name = format!("forge::github::hooks::inbox::tests::{test}");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", inject])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(INNER_DIR, dir)
        .output();
    match output {
        Ok(output) => Some(output),
        Err(err) => {
            let required = std::env::var("ZAZEN_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
            assert!(!required, "strace: {err}");
            println!("SKIPPED: `strace` cannot be started: {err}");
            None
        }
    }
}

/// Takes deliveries until the process ends, and says what it acknowledged and what was done.
fn take_and_tell(dir: &Path) {
    let limits = Limits { segment_bytes: 400, ..Limits::STANDARD };
    let mut opened = Inbox::open(dir, limits, START).unwrap();
    for n in 1..=12 {
        if block_on(opened.inbox.take(arrival(n, START))).is_ok() {
            println!("acknowledged {n}");
            let id = opened.deliveries.blocking_recv().unwrap().id;
            if n % 3 == 0 {
                println!("done {n}");
                block_on(opened.inbox.done([id]));
            }
        }
    }
}

fn check_faults(calls: &[&str], fault: &str, test: &str) {
    for call in calls {
        for n in 1..=6 {
            let dir = TempDir::new().unwrap();
            let inject = format!("inject={call}:{fault}:when={n}");
            let Some(output) = run_again(&inject, test, dir.path()) else { return };
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let numbers = |word: &str| -> Vec<u64> {
                said.lines().filter_map(|l| l.split_once(word)?.1.trim().parse().ok()).collect()
            };
            let (acknowledged, done) = (numbers("acknowledged "), numbers("done "));
            assert!(n < 3 || !acknowledged.is_empty(), "{inject}: {said}");
            let (hints, _) = left(dir.path(), START);
            for n in acknowledged.iter().filter(|n| !done.contains(n)) {
                assert!(hints.contains(&hint(*n)), "{inject}: {n} is lost: {said}");
            }
            let reopened = open(dir.path());
            for n in acknowledged {
                assert_eq!(take(&reopened.inbox, arrival(n, START)), Taken::Known, "{inject}");
            }
        }
    }
}

#[test]
fn a_kill_at_any_step_loses_nothing_acknowledged_and_nothing_undone() {
    if let Some(dir) = inner_dir() {
        return take_and_tell(&dir);
    }
    let test = "a_kill_at_any_step_loses_nothing_acknowledged_and_nothing_undone";
    check_faults(&["fdatasync", "fsync"], "signal=SIGKILL", test);
}

#[test]
fn a_disk_that_fails_once_acknowledges_nothing_then_and_goes_on() {
    if let Some(dir) = inner_dir() {
        return take_and_tell(&dir);
    }
    let test = "a_disk_that_fails_once_acknowledges_nothing_then_and_goes_on";
    check_faults(&["fdatasync"], "error=EIO", test);
    let dir = TempDir::new().unwrap();
    let inject = "inject=fdatasync:error=EIO:when=4";
    let Some(output) = run_again(inject, test, dir.path()) else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("acknowledged ").count(), 11, "{said}");
}
