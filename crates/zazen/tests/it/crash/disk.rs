//! Files that are damaged, left over, deleted, or that there is no space for.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::oracle::{Delivered, check, see_through, see_through_with, undisturbed};
use super::work::{begin, let_all_go, let_go, script, waiting_script};
use crate::harness::model::Model;
use crate::harness::place::{Place, Setup, git};

/// A place with a plan that waits for its approval, and no daemon.
fn planned(model: &Model) -> (Place, Delivered) {
    let setup = Setup::mini("none", &model.url());
    let expected = undisturbed(model, &setup);
    let mut place = Place::new(&setup);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.down();
    (place, expected)
}

fn finish(mut place: Place, expected: &Delivered) -> String {
    see_through(&mut place, &[]);
    let wrong = check(&mut place, expected);
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), place.log());
    place.log()
}

fn journal(place: &Place) -> PathBuf {
    place.home().join(".zazen/journal/active.jsonl")
}

#[test]
fn a_torn_end_of_the_journal_is_cut_and_told() {
    let model = Model::start(script());
    for torn in ["{\"v\":1,\"seq\":9,\"at\":179", "\0\0\0\0\0\0\0\0\0\0\0\0", "{}\n"] {
        let (place, expected) = planned(&model);
        let mut file = fs::File::options().append(true).open(journal(&place)).expect("it is there");
        file.write_all(torn.as_bytes()).expect("it is written");
        let log = finish(place, &expected);
        assert!(log.contains("was not written whole, and was cut at line"), "{log}");
    }
}

#[test]
fn a_journal_that_is_damaged_in_the_middle_is_refused_and_left_alone() {
    let model = Model::start(script());
    let (place, expected) = planned(&model);
    let whole = fs::read_to_string(journal(&place)).expect("the journal");
    let damaged: Vec<String> = whole
        .lines()
        .zip(1..)
        .map(|(line, n)| if n == 3 { line.replace("\"seq\"", "\"sEq\"") } else { line.to_owned() })
        .collect();
    fs::write(journal(&place), damaged.join("\n") + "\n").expect("it is written");
    let before = contents(&place.home());
    let output = place.try_zazen(&["up"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("active.jsonl") && said.contains("line 3"), "{said}");
    assert!(said.contains("repair"), "it says what to do: {said}");
    assert_eq!(contents(&place.home()), before, "nothing was changed");
    fs::write(journal(&place), whole).expect("it is written");
    finish(place, &expected);
}

/// Every file below a folder. The lock says who had it last, and git looks at the index.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        let (path, kind) = (entry.path(), entry.file_type().expect("a kind"));
        if kind.is_dir() {
            found.extend(contents(&path));
        } else if kind.is_file() && !path.ends_with(".zazen/lock") && !path.ends_with(".git/index")
        {
            found.insert(path.clone(), fs::read(&path).expect("a file"));
        }
    }
    found
}

#[test]
fn what_is_a_cache_can_be_deleted() {
    let model = Model::start(script());
    let (place, expected) = planned(&model);
    let dot = place.home().join(".zazen");
    fs::remove_file(dot.join("snapshot.json")).expect("the snapshot");
    fs::remove_file(dot.join("journal/reserve")).expect("the reserve");
    for folder in ["mirrors", "locks", "work", "trash", "bin"] {
        fs::remove_dir_all(dot.join(folder)).or_else(|_| fs::create_dir_all(&dot)).expect(folder);
    }
    finish(place, &expected);
}

#[test]
fn a_damaged_snapshot_is_as_good_as_none() {
    let model = Model::start(script());
    let (place, expected) = planned(&model);
    fs::write(place.home().join(".zazen/snapshot.json"), "{\"v\":1}").expect("it is written");
    finish(place, &expected);
}

#[test]
fn what_a_power_failure_leaves_in_the_homes_git_is_mended() {
    let model = Model::start(script());
    let (place, expected) = planned(&model);
    let home = place.home();
    let history = git(&home, &["log", "--format=%H"]);
    fs::write(home.join(".git/index.lock"), "").expect("it is written");
    fs::write(home.join(".git/refs/heads/main"), "").expect("it is written");
    let log = finish(place, &expected);
    assert_eq!(log.matches("mended: ").count(), 2, "{log}");
    assert!(!history.is_empty());
}

#[test]
fn a_head_without_a_branch_is_told_and_keeps_nobody_from_working() {
    let model = Model::start(script());
    let (mut place, expected) = planned(&model);
    git(&place.home(), &["checkout", "--quiet", "--detach"]);
    place.up();
    place.approve();
    place.wait_for(1, &["drafted"]);
    assert!(place.log().contains("git switch main"), "{}", place.log());
    place.down();
    git(&place.home(), &["checkout", "--quiet", "main"]);
    place.up();
    place.wait("the pages are committed", |place| {
        git(&place.home(), &["status", "--porcelain"]).is_empty().then_some(())
    });
    let wrong = check(&mut place, &expected);
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), place.log());
}

/// Set for the test that runs on a small disk of its own.
const SMALL_DISK: &str = "ZAZEN_TEST_SMALL_DISK";

#[test]
fn a_full_disk_stops_work_cleanly_until_there_is_space() {
    if let Some(disk) = std::env::var_os(SMALL_DISK) {
        return fill_and_free(Path::new(&disk));
    }
    let disk = tempfile::Builder::new().prefix("zazen-it-disk-").tempdir().expect("a folder");
    let script = "mount -t tmpfs -o size=192m,mode=755 zazen-test \"$1\" && shift && exec \"$@\"";
    #[expect(clippy::disallowed_methods, reason = "a file system of its own takes another program")]
    let status = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(disk.path())
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", "crash::disk::a_full_disk_stops_work_cleanly_until_there_is_space"])
        .arg("--nocapture")
        .env(SMALL_DISK, disk.path())
        .env("TMPDIR", disk.path())
        .status();
    let mounted = status.as_ref().is_ok_and(|status| status.code() != Some(32));
    if !mounted && !rustix::process::getuid().is_root() {
        println!("SKIPPED: only root can mount a small disk ({status:?})");
        return;
    }
    assert!(status.expect("unshare starts").success());
}

fn fill_and_free(disk: &Path) {
    let expected = {
        let model = Model::start(script());
        undisturbed(&model, &Setup::mini("none", &model.url()))
    };
    let model = Model::start(waiting_script());
    let mut place = Place::new(&Setup::mini("none", &model.url()));
    begin(&mut place);
    let_go(&place, 2);
    let ballast = fill(disk);
    place.wait("it is said that the disk is full", |place| {
        let said = ["the disk is full", "free on the disk", "No space left on device"];
        said.iter().any(|text| place.log().contains(text)).then_some(())
    });
    assert!(!place.is_down(), "{}", place.log());
    fs::remove_file(ballast).expect("the ballast");
    see_through_with(&mut place, &[], let_all_go);
    let expected = expected.with_day_of(&place);
    let wrong = check(&mut place, &expected);
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), place.log());
}

/// Takes all space of a disk.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("ballast");
    let mut file = fs::File::create(&path).expect("the ballast");
    for size in [1 << 20, 4096, 1] {
        let bytes = vec![1; size];
        while file.write_all(&bytes).is_ok() {}
    }
    path
}
