//! The journal on a disk that is full, and on one that fails.
//!
//! The tests start this test program again: in a small file system of its own,
//! or under `strace`, which makes single system calls fail.

use std::process::{Command, Output};

use super::*;

/// What a test that was started again finds its folder in.
const INNER_DIR: &str = "ZAZEN_TEST_JOURNAL_DIR";

/// Runs one test of this program again, under another program.
#[expect(clippy::disallowed_methods, reason = "the test starts itself under another program")]
fn run_again(program: &str, args: &[&str], test: &str, dir: &Path) -> Option<Output> {
    let this = std::env::current_exe().unwrap();
    let name = format!("home::journal::tests::faults::{test}");
    let output = Command::new(program)
        .args(args)
        .arg(&this)
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(INNER_DIR, dir)
        .output();
    match output {
        Ok(output) => {
            let is_other = text(&output).contains("running 0 tests");
            assert!(!is_other, "there is no test `{name}`");
            Some(output)
        }
        Err(err) => skip(&format!("`{program}` cannot be started: {err}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "how a test learns that it was started again")]
fn inner_dir() -> Option<PathBuf> {
    std::env::var(INNER_DIR).ok().map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "whether tests may be skipped is said so")]
fn skip<T>(why: &str) -> Option<T> {
    assert!(std::env::var("ZAZEN_REQUIRE_TOOLS").as_deref() != Ok("1"), "{why}");
    println!("SKIPPED: {why}");
    None
}

fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_full_disk_refuses_appends_and_the_reserve_lets_the_last_ones_in() {
    let Some(dir) = inner_dir() else {
        let dir = TempDir::new().unwrap();
        let script = "mount -t tmpfs -o size=1m none \"$ZAZEN_TEST_JOURNAL_DIR\" || exit 99; \
                      exec \"$@\"";
        let args = ["-Urm", "sh", "-c", script, "sh"];
        let test = "a_full_disk_refuses_appends_and_the_reserve_lets_the_last_ones_in";
        let Some(output) = run_again("unshare", &args, test, dir.path()) else { return };
        if output.status.code() == Some(99) || text(&output).contains("unshare failed") {
            skip::<()>("there is no small file system to be had");
            return;
        }
        assert!(output.status.success(), "{}", text(&output));
        return;
    };
    let home = Home::at(&dir);
    let options = Options { reserve_bytes: 256 * 1024, ..options(u64::MAX) };
    let opened_ = open_with(&home, options, Position::START, &mut |_| Ok(())).unwrap();
    let journal = &opened_.journal;
    assert_eq!(opened_.notes, []);
    let large = || {
        let data = serde_json::json!({ "text": "x".repeat(20_000) });
        vec![Entry::new(Time(NOVEMBER), None, "run.ended", &data).unwrap()]
    };
    let mut n_written = 0;
    let err = loop {
        match journal.append_blocking(large()) {
            Ok(_) => n_written += 1,
            Err(err) => break err,
        }
    };
    assert_eq!(err, AppendError::NoSpace);
    assert!(n_written > 5);
    let position = journal.position();
    assert_eq!(fs::metadata(active(&home)).unwrap().len(), position.offset);
    journal.release_reserve().unwrap();
    let last = journal.append_blocking(vec![entry(1)]).unwrap();
    assert_eq!(last.seq, position.seq + 1);
    // Until there is space again, there is no reserve; then there is.
    fs::write(dir.join("ballast"), vec![1; 150_000]).unwrap();
    assert!(journal.reserve_again().is_err());
    fs::remove_file(dir.join("ballast")).unwrap();
    journal.reserve_again().unwrap();
    drop(opened_);
    let (seen, opened_) = opened(&home, Position::START).unwrap();
    assert_eq!(seen.len(), n_written + 1);
    assert_eq!(opened_.notes, []);
}

/// Appends until the process ends, and says what was acknowledged.
fn append_and_tell(dir: &Path) {
    let home = Home::at(dir);
    let options = Options { on_fatal: Options::STANDARD.on_fatal, ..options(3000) };
    let opened_ = open_with(&home, options, Position::START, &mut |_| Ok(())).unwrap();
    for n in 0..30 {
        if let Ok(place) = opened_.journal.append_blocking(vec![entry(n)]) {
            println!("acknowledged {}", place.seq);
        }
    }
}

/// Plays a fault at the n-th call of every kind, and looks at the journal after it.
fn check_faults(calls: &[&str], fault: &str, n_max: u32, test: &str) {
    for call in calls {
        for n in 1..=n_max {
            let dir = TempDir::new().unwrap();
            let inject = format!("inject={call}:{fault}:when={n}");
            let mut args = vec!["-f", "-qq", "-o", "/dev/null", "-e", &inject];
            let file = active(&Home::at(dir.path()));
            if *call == "write" {
                // Other files are written, too, by the test itself as well.
                args.extend(["-P", file.to_str().unwrap()]);
            }
            let Some(output) = run_again("strace", &args, test, dir.path()) else { return };
            let said = text(&output);
            let acknowledged =
                said.lines().filter_map(|line| line.split_once("acknowledged ")?.1.parse().ok());
            let last: u64 = acknowledged.max().unwrap_or(0);
            let home = Home::at(dir.path());
            if active(&home).exists() || last > 0 {
                let (_, opened_) = opened(&home, Position::START)
                    .unwrap_or_else(|err| panic!("{call} {n} {fault}: {err:#}\n{said}"));
                assert!(opened_.journal.position().seq >= last, "{call} {n} {fault}: {said}");
            }
            if output.status.success() {
                assert!(last > 30, "{call} {n} {fault}: nothing may be given up: {said}");
            }
        }
    }
}

#[test]
fn a_failed_sync_ends_the_process_and_nothing_acknowledged_is_lost() {
    if let Some(dir) = inner_dir() {
        return append_and_tell(&dir);
    }
    let test = "a_failed_sync_ends_the_process_and_nothing_acknowledged_is_lost";
    check_faults(&["fdatasync"], "error=EIO", 4, test);
    check_faults(&["fsync"], "error=EIO", 8, test);
    check_faults(&["write"], "error=EIO", 3, test);
    // The message is on standard error, and the process does not go on.
    let dir = TempDir::new().unwrap();
    let args = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO:when=3"];
    let Some(output) = run_again("strace", &args, test, dir.path()) else { return };
    assert!(!output.status.success());
    assert!(text(&output).contains("zazen: cannot sync the journal"), "{}", text(&output));
}

#[test]
fn a_kill_at_any_step_loses_nothing_acknowledged() {
    if let Some(dir) = inner_dir() {
        return append_and_tell(&dir);
    }
    let test = "a_kill_at_any_step_loses_nothing_acknowledged";
    check_faults(&["fdatasync", "fsync"], "signal=SIGKILL", 6, test);
    check_faults(&["/^rename", "write"], "signal=SIGKILL", 5, test);
}

#[test]
fn a_write_that_finds_the_disk_full_refuses_one_append_and_the_next_goes_on() {
    if let Some(dir) = inner_dir() {
        return append_and_tell(&dir);
    }
    let test = "a_write_that_finds_the_disk_full_refuses_one_append_and_the_next_goes_on";
    check_faults(&["write"], "error=ENOSPC", 4, test);
    let dir = TempDir::new().unwrap();
    let file = active(&Home::at(dir.path()));
    let inject = "inject=write:error=ENOSPC:when=3";
    let args = ["-f", "-qq", "-o", "/dev/null", "-P", file.to_str().unwrap(), "-e", inject];
    let Some(output) = run_again("strace", &args, test, dir.path()) else { return };
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("acknowledged ").count(), 29, "{said}");
    let (seen, opened_) = opened(&Home::at(dir.path()), Position::START).unwrap();
    assert_eq!((seen.len(), opened_.notes), (29, vec![]));
}
