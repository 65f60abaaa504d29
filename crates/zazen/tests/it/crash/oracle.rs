//! What has to be true when a task is done, however it came to that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::model::Model;
use crate::harness::place::{Place, Setup, git};

/// What people see in the end, without what differs from run to run: ids and costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivered {
    state: String,
    /// zazen's comments by their keys, in order.
    comments: Vec<(String, String)>,
    branches: Vec<String>,
    /// The messages of the commits on the branch.
    commits: Vec<String>,
    tree: String,
    n_pulls: usize,
    /// How many receipts the remote has, and how many commits of them.
    receipts: (usize, usize),
    day: Vec<String>,
}

/// What a daemon says when it has begun.
const UP: &str = " INFO up in ";

/// A daemon that does not come up is not started more often than this.
const N_STARTS_MAX: usize = 8;

/// What a flow delivers that nobody disturbs.
pub(super) fn undisturbed(model: &Model, setup: &Setup) -> Delivered {
    let route = Setup::mini(setup.engine, &model.url()).route;
    let mut place = Place::new(&Setup { route, ..setup.clone() });
    see_through(&mut place, &[]);
    place.down();
    delivered(&place)
}

impl Delivered {
    fn differs_from(&self, expected: &Self) -> &'static str {
        let size = |it: &Self| {
            let n_lists = it.comments.len() + it.branches.len() + it.commits.len();
            n_lists + it.n_pulls + it.receipts.0 + it.receipts.1 + it.day.len()
        };
        match size(self).cmp(&size(expected)) {
            std::cmp::Ordering::Less => "lost",
            std::cmp::Ordering::Equal => "wrong",
            std::cmp::Ordering::Greater => "doubled",
        }
    }

    /// The same, with the day as it is in another place: one in which more happened.
    pub(super) fn with_day_of(self, place: &Place) -> Self {
        Self { day: day(place), ..self }
    }
}

/// Which kind of fault a line of [`check`] tells of.
pub(super) fn fault_of(wrong: &str) -> Option<Fault> {
    let starts = [
        ("stuck", Fault::Lost),
        ("lost", Fault::Lost),
        ("doubled", Fault::Doubled),
        ("left", Fault::Orphan),
        ("wrong", Fault::Other),
    ];
    starts.iter().find(|(start, _)| wrong.starts_with(start)).map(|(_, fault)| *fault)
}

/// Takes the demo's issue from nothing to the draft, and starts the daemon again
/// whenever it is gone: with `ZAZEN_CRASH` set to the next of `crashes`, then without.
pub(super) fn see_through(place: &mut Place, crashes: &[String]) {
    see_through_with(place, crashes, |_| ());
}

/// As [`see_through`], and does something else at every look.
pub(super) fn see_through_with(place: &mut Place, crashes: &[String], also: impl Fn(&Place)) {
    let mut flow = Flow { crashes, n_starts: 0 };
    place.wait("the task is drafted", |place| {
        also(place);
        flow.step(place).then_some(())
    });
}

struct Flow<'a> {
    crashes: &'a [String],
    n_starts: usize,
}

/// In which way something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Lost,
    Doubled,
    Orphan,
    Other,
}

impl Flow<'_> {
    /// Does what a person does now, and says whether all is done.
    fn step(&mut self, place: &mut Place) -> bool {
        let state = place.task(1).map(|task| word(&task["state"])).unwrap_or_default();
        let n_asked = asked(place);
        if n_asked == 0 {
            place.ask_for_plan();
        }
        if n_asked == 1 && state == "awaiting-approval" {
            place.approve();
        }
        assert_ne!(state, "failed", "{}", place.log());
        let is_over = state == "drafted" && is_told(place) && is_acknowledged(place);
        if is_over && self.n_starts >= self.crashes.len() + usize::from(!self.crashes.is_empty()) {
            if !place.is_down() {
                return true;
            }
        } else if is_over && !place.is_down() {
            // The last crash may be one in which the daemon ends.
            ask_to_end(place);
        }
        keep_up(place, self.crashes, (&mut self.n_starts, N_STARTS_MAX));
        false
    }
}

/// Starts the daemon again if it is gone: with the next of `crashes`, then without. It has
/// to stay up before it was started `n_max` times.
pub(crate) fn keep_up(
    place: &mut Place,
    crashes: &[String],
    (n_starts, n_max): (&mut usize, usize),
) {
    if !place.is_down() {
        return;
    }
    assert!(*n_starts < n_max, "it does not stay up\n{}", place.log());
    match crashes.get(*n_starts) {
        Some(crash) => place.set("ZAZEN_CRASH", crash),
        None => place.unset("ZAZEN_CRASH"),
    }
    place.up();
    *n_starts += 1;
}

/// How many comments the person has written.
fn asked(place: &Place) -> usize {
    let comments = place.home().join("forge/local/tally/issues/1/comments");
    let is_persons = |path: &&PathBuf| {
        let is_whole = path.extension().is_some_and(|ending| ending == "md");
        is_whole && fs::read_to_string(path).is_ok_and(|page| page.contains("author: ada"))
    };
    files(&comments).iter().filter(is_persons).count()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn ask_to_end(place: &mut Place) {
    let pid = i32::try_from(place.daemon_pid()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::TERM).expect("a signal");
    place.wait("the daemon has ended", |place| place.is_down().then_some(()));
}

/// Whether all that people are to be told is on the issue.
fn is_told(place: &Place) -> bool {
    let comments = commented(place);
    comments.len() == 2 && comments[0].1.contains("**Draft pull request #2 is open.**")
}

/// Whether both of the person's commands have their sign.
fn is_acknowledged(place: &Place) -> bool {
    let comments = place.home().join("forge/local/tally/issues/1/comments");
    let signed = |path: &PathBuf| {
        fs::read_to_string(path).is_ok_and(|page| page.contains("reactions: [eyes]"))
    };
    files(&comments).iter().filter(|path| signed(path)).count() == 2
}

/// zazen's comments on the issue, by their keys.
fn commented(place: &Place) -> Vec<(String, String)> {
    let dir = place.home().join("forge/local/tally/issues/1/comments");
    let mut found = Vec::new();
    for path in files(&dir).iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let page = fs::read_to_string(path).unwrap_or_default();
        if let Some(key) = page.lines().find_map(|line| line.strip_prefix("key: ")) {
            let body = page.splitn(3, "---").nth(2).unwrap_or_default();
            found.push((key.to_owned(), without_ids(body)));
        }
    }
    found
}

/// Commits have other ids in each run, as they have other times.
pub(crate) fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|word| {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_id(bare) { word.replace(bare, "ID") } else { word.to_owned() }
        })
        .collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// What people see. The daemon must be down.
pub(super) fn delivered(place: &Place) -> Delivered {
    let branches = place.branches();
    let branch = branches.first().map_or("main", |(name, _)| name.as_str());
    let range = format!("main..{branch}");
    let log = git(&place.remote(), &["log", "--reverse", "--format=%B%x00", &range]);
    Delivered {
        state: place.task(1).map(|task| word(&task["state"])).unwrap_or_default(),
        comments: commented(place),
        branches: branches.iter().map(|(name, _)| name.clone()).collect(),
        commits: log.split('\0').map(|message| message.trim().to_owned()).collect(),
        tree: git(&place.remote(), &["rev-parse", &format!("{branch}^{{tree}}")]),
        n_pulls: place.pulls().len(),
        receipts: receipts(place),
        day: day(place),
    }
}

/// How many receipts the remote has, each of which has to hold, and how many commits of them.
fn receipts(place: &Place) -> (usize, usize) {
    let at = "refs/zazen/receipts";
    let listed = git(&place.remote(), &["for-each-ref", "--format=%(refname)", at]);
    if listed.trim().is_empty() {
        return (0, 0);
    }
    let said = place.zazen(&["verify", "1"]);
    assert!(said.contains("It holds: all "), "{said}");
    let n_lines = |args: &[&str]| git(&place.remote(), args).lines().count();
    (n_lines(&["ls-tree", "-r", at]), n_lines(&["log", "--format=%H", at]))
}

/// The day's lines without their times; over midnight, both days'.
fn day(place: &Place) -> Vec<String> {
    let mut lines = Vec::new();
    for page in files(&place.home().join("journal")) {
        let page = fs::read_to_string(page).expect("the day's page");
        let written = page.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(' '));
        lines.extend(written.map(|(_, line)| without_ids(line)));
    }
    lines
}

/// Ends the daemon, and checks all that has to be true. Says what is not.
pub(super) fn check(place: &mut Place, expected: &Delivered) -> Vec<String> {
    place.down();
    check_ended(place, expected)
}

/// As [`check`], with a daemon that may still come to the fault that is meant for it.
pub(super) fn check_after_faults(place: &mut Place, expected: &Delivered) -> Vec<String> {
    if !place.is_down() {
        ask_to_end(place);
    }
    if !place.log().trim_end().ends_with("stopped") {
        let n_up = place.log().matches(UP).count();
        place.up();
        place.wait("it is up", |place| (place.log().matches(UP).count() > n_up).then_some(()));
        place.down();
    }
    check_ended(place, expected)
}

fn check_ended(place: &Place, expected: &Delivered) -> Vec<String> {
    let mut wrong = Vec::new();
    let found = delivered(place);
    if found != *expected {
        let how = found.differs_from(expected);
        wrong.push(format!("{how}: delivered\n{found:#?}\ninstead of\n{expected:#?}"));
    }
    check_pull(place, &mut wrong);
    wrong.extend(check_inside(place));
    wrong
}

/// What has to be true of a home and a machine whose daemon has ended, whatever it did.
pub(crate) fn check_inside(place: &Place) -> Vec<String> {
    let mut wrong = Vec::new();
    check_journal(place, &mut wrong);
    check_traces(place, &mut wrong);
    check_home(place, &mut wrong);
    let mut left = place.processes();
    left.extend(super::work::marked(place));
    if !left.is_empty() {
        wrong.push(format!("left: these processes: {left:?}"));
    }
    wrong
}

fn check_pull(place: &Place, wrong: &mut Vec<String>) {
    for (pull, (_, tip)) in place.pulls().iter().zip(place.branches()) {
        for part in ["draft: true", "Refs #1", "all tests passed", &format!("head: {tip}")] {
            if !pull.contains(part) {
                wrong.push(format!("wrong: the pull request does not say `{part}`:\n{pull}"));
            }
        }
    }
}

/// The records are numbered without a gap, and no run was begun twice.
fn check_journal(place: &Place, wrong: &mut Vec<String>) {
    let path = place.home().join(".zazen/journal/active.jsonl");
    let text = fs::read_to_string(path).expect("the journal");
    let mut begun: BTreeMap<String, usize> = BTreeMap::new();
    for (line, n) in text.lines().zip(1..) {
        let record: Value = serde_json::from_str(line).expect("a record");
        if record["seq"] != n {
            wrong.push(format!("wrong: line {n} of the journal has the number {}", record["seq"]));
        }
        if record["ev"] == "run-begun" {
            let run = &record["data"]["changes"][0]["event"]["run"];
            *begun.entry(run.to_string()).or_default() += 1;
        }
    }
    for (run, n) in begun.iter().filter(|(_, n)| **n != 1) {
        wrong.push(format!("doubled: run {run} was begun {n} times"));
    }
}

/// The lines of every run are numbered without a gap, and the last one is known.
fn check_traces(place: &Place, wrong: &mut Vec<String>) {
    for run in files(&place.home().join(".zazen/runs")) {
        let Ok(events) = fs::read_to_string(run.join("events.jsonl")) else { continue };
        let mut n_lines = 0_u64;
        for line in events.lines() {
            n_lines += 1;
            let event: Value = serde_json::from_str(line).unwrap_or_default();
            if event["seq"] != n_lines {
                wrong.push(format!("wrong: {}: line {n_lines} is {line}", run.display()));
                break;
            }
        }
        let exit = fs::read_to_string(run.join("exit.json")).unwrap_or_default();
        let exit: Value = serde_json::from_str(&exit).unwrap_or_default();
        // The last line says how the run ended, and is not counted there.
        if !exit.is_null() && exit["last_seq"].as_u64().map(|n| n + 1) != Some(n_lines) {
            wrong.push(format!("wrong: {}: {n_lines} lines, and {exit}", run.display()));
        }
    }
}

/// Git is well, everything is committed, and nothing half done lies about.
fn check_home(place: &Place, wrong: &mut Vec<String>) {
    let home = place.home();
    let fsck = git(&home, &["fsck", "--no-dangling", "--no-progress"]);
    if !fsck.trim().is_empty() {
        wrong.push(format!("wrong: git fsck says {fsck}"));
    }
    let status = git(&home, &["status", "--porcelain", "--untracked-files=all"]);
    if !status.is_empty() {
        wrong.push(format!("wrong: this is not committed:\n{status}"));
    }
    let work = files(&home.join(".zazen/work"));
    if !work.is_empty() {
        wrong.push(format!("wrong: these workspaces are left: {work:?}"));
    }
    let unfinished = unfinished(&home, 0);
    if !unfinished.is_empty() {
        wrong.push(format!("wrong: these files are not finished: {unfinished:?}"));
    }
}

fn unfinished(dir: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in files(dir) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(".zazen-tmp-") {
            found.push(path);
        } else if depth < 8 && path.is_dir() && !path.is_symlink() && name != ".git" {
            found.extend(unfinished(&path, depth + 1));
        }
    }
    found
}
