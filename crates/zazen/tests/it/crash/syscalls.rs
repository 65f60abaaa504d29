//! The daemon is killed, or the kernel refuses, at the n-th system call of a kind.
//!
//! `strace` does it: it follows the daemon's threads, counts each one's calls, and
//! lets go of every child when that becomes another program, so that no git, no
//! supervisor and no agent is hit. Which points are run is said by variables that
//! `bench/crash-matrix` sets; without them it is a handful.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::oracle::{Delivered, Fault, check_after_faults, fault_of, see_through, undisturbed};
use super::work::script;
use crate::harness::machine::skip;
use crate::harness::model::Model;
use crate::harness::place::{Place, Setup};

/// The kinds of system calls, by what they do, and the errors that the kernel may give.
const KINDS: [(&str, &[&str], &[&str]); 11] = [
    // An error of `write` would hit the runtime's own wake-up too, which no disk makes
    // fail. Disks that are full or broken have tests of their own, here and in the journal.
    ("write", &["write", "writev", "pwrite64"], &[]),
    ("fdatasync", &["fdatasync"], &["EIO", "ENOSPC"]),
    ("fsync", &["fsync"], &["EIO", "ENOSPC"]),
    ("rename", &["rename", "renameat", "renameat2"], &["EIO", "ENOSPC"]),
    ("link", &["link", "linkat"], &["EIO", "ENOSPC"]),
    ("unlink", &["unlink", "unlinkat", "rmdir"], &["EIO"]),
    ("openat", &["open", "openat"], &["EIO", "ENOSPC", "EMFILE"]),
    ("mkdir", &["mkdir", "mkdirat"], &["EIO", "ENOSPC"]),
    ("clone", &["clone", "clone3", "vfork"], &["EAGAIN"]),
    ("connect", &["connect"], &["EIO"]),
    ("sendto", &["sendto", "sendmsg"], &["EIO"]),
];

/// How many points a test run has that nobody asked for the matrix.
const N_TASTE: usize = 6;

/// How many flows run side by side.
const N_THREADS: usize = 2;

/// One point: the fault, and the call at which it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Point {
    kind: &'static str,
    call: &'static str,
    fault: &'static str,
    n: usize,
}

/// What came of the points of one kind and fault.
#[derive(Debug, Default)]
struct Row {
    n_points: usize,
    n_missed: usize,
    faults: BTreeMap<&'static str, usize>,
}

#[test]
fn the_daemon_survives_every_system_call() {
    if !Path::new("/usr/bin/strace").exists() {
        skip("`strace` is not installed");
        return;
    }
    let model = Model::start(script());
    let setup = Setup::mini("none", &model.url());
    let expected = undisturbed(&model, &setup);
    let points = choose(all_points(&setup));
    let began = Instant::now();
    let results = run_all(&points, &setup, &expected);
    println!("{}in {:.0?}", table(&results), began.elapsed());
    let bad = results.iter().filter(|(_, _, wrong)| !wrong.is_empty()).count();
    assert_eq!(bad, 0, "{bad} of {} points went wrong", results.len());
}

/// A point, whether it was come to, and what was wrong in the end.
type Outcome = (Point, bool, Vec<String>);

fn run_all(points: &[Point], setup: &Setup, expected: &Delivered) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Outcome>> = Mutex::default();
    let work = || {
        while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (was_hit, wrong) = run(point, setup, expected);
            if !wrong.is_empty() {
                println!("{point:?} went wrong:\n{}", wrong.join("\n"));
            }
            let mut results = results.lock().expect("no test panics with it");
            results.push((point.clone(), was_hit, wrong));
            if results.len().is_multiple_of(100) {
                println!("{} of {}", results.len(), points.len());
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..N_THREADS {
            scope.spawn(work);
        }
    });
    results.into_inner().expect("no test panics with it")
}

/// Every point that an undisturbed flow comes to.
fn all_points(setup: &Setup) -> Vec<Point> {
    let mut place = Place::new(setup);
    let trace = place.home().join(".zazen/strace");
    let calls: Vec<&str> = KINDS.iter().flat_map(|(_, calls, _)| calls.iter().copied()).collect();
    place.wrap(&strace(&trace.display().to_string(), &calls.join(","), None));
    see_through(&mut place, &[]);
    place.down();
    let counts = count(&fs::read_to_string(trace).expect("the trace"));
    let mut points = Vec::new();
    for (kind, calls, errors) in KINDS {
        for call in calls {
            let n_calls = counts.get(*call).copied().unwrap_or(0);
            for fault in errors.iter().chain(&["SIGKILL"]) {
                points.extend((1..=n_calls).map(|n| Point { kind, call, fault, n }));
            }
        }
    }
    points
}

/// How often the busiest thread makes each call.
fn count(trace: &str) -> BTreeMap<String, usize> {
    let mut threads: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        if let Some((call, _)) = rest.trim_start().split_once('(') {
            *threads.entry((thread, call)).or_default() += 1;
        }
    }
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for ((_, call), n) in threads {
        let entry = most.entry(call.to_owned()).or_default();
        *entry = n.max(*entry);
    }
    most
}

/// The points that were asked for: so many, spread over all kinds and faults.
fn choose(points: Vec<Point>) -> Vec<Point> {
    let variable = |name: &str| std::env::var_os(name)?.into_string().ok();
    let asked = variable("ZAZEN_CRASH_MATRIX").unwrap_or_default();
    let number = |name: &str| variable(name)?.parse().ok();
    let n_all = points.len();
    let from = number("ZAZEN_CRASH_FROM").unwrap_or(1).max(1);
    let to = number("ZAZEN_CRASH_TO").unwrap_or(n_all).min(n_all);
    let range: Vec<Point> = points.into_iter().take(to).skip(from - 1).collect();
    let n_wanted = match asked.as_str() {
        "" => N_TASTE,
        "all" => n_all,
        n => n.parse().expect("ZAZEN_CRASH_MATRIX is a number, or `all`"),
    };
    let chosen = spread(range, n_wanted);
    println!("{} of {n_all} points, from {from} to {to}", chosen.len());
    chosen
}

/// Takes so many points, and as many of each kind and fault as there can be.
fn spread(points: Vec<Point>, n_wanted: usize) -> Vec<Point> {
    let mut groups: BTreeMap<(&str, &str), Vec<Point>> = BTreeMap::new();
    for point in points {
        groups.entry((point.kind, point.fault)).or_default().push(point);
    }
    let mut groups: Vec<Vec<Point>> = groups.into_values().collect();
    groups.sort_by_key(Vec::len);
    let (mut chosen, mut n_left, n_groups) = (Vec::new(), n_wanted, groups.len());
    for (i, group) in groups.into_iter().enumerate() {
        // The small groups come first: what they cannot fill is left for the large.
        let n = group.len().min(n_left.div_ceil(n_groups - i));
        n_left -= n;
        let len = group.len();
        chosen.extend((0..n).map(|k| group[(2 * k + 1) * len / (2 * n)].clone()));
    }
    chosen
}

fn strace(trace: &str, calls: &str, fault: Option<&str>) -> Vec<String> {
    // `-D` leaves the daemon our own child; `-b execve` lets go of what it starts.
    let mut line: Vec<String> =
        ["strace", "-D", "-f", "-qq", "-b", "execve", "-s", "0", "-o", trace, "-e"]
            .map(str::to_owned)
            .to_vec();
    line.push(format!("trace={calls}"));
    if let Some(fault) = fault {
        line.extend(["-e".to_owned(), format!("inject={calls}:{fault}")]);
    }
    line
}

/// Runs one point. Says whether it was come to, and what is wrong then.
fn run(point: &Point, setup: &Setup, expected: &Delivered) -> (bool, Vec<String>) {
    let mut place = Place::new(setup);
    let trace = place.home().join(".zazen/strace");
    let what = if point.fault == "SIGKILL" { "signal" } else { "error" };
    let fault = format!("{what}={}:when={}", point.fault, point.n);
    let wrapper = strace(&trace.display().to_string(), point.call, Some(&fault));
    let ended = catch_unwind(AssertUnwindSafe(move || {
        place.wrap(&wrapper);
        place.up();
        // Whoever starts it again does so without faults.
        place.wrap(&[]);
        see_through(&mut place, &[]);
        let wrong = check_after_faults(&mut place, expected);
        let trace = fs::read_to_string(&trace).unwrap_or_default();
        let was_hit = trace.contains("INJECTED") || trace.contains("killed by SIGKILL");
        let log = if wrong.is_empty() { Vec::new() } else { vec![place.log()] };
        (was_hit, wrong.into_iter().chain(log).collect())
    }));
    ended.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        (true, vec![format!("stuck: {text}")])
    })
}

fn table(results: &[Outcome]) -> String {
    let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    for (point, was_hit, wrong) in results {
        let row = rows.entry((point.kind, point.fault)).or_default();
        row.n_points += 1;
        row.n_missed += usize::from(!was_hit);
        let mut faults: Vec<&str> =
            wrong.iter().filter_map(|text| fault_of(text)).map(word).collect();
        faults.dedup();
        for fault in faults {
            *row.faults.entry(fault).or_default() += 1;
        }
    }
    let mut text = String::from(
        "\nclass      fault     points  not met  lost  doubled  orphans  other failures\n",
    );
    for ((kind, fault), row) in &rows {
        let n = |fault: Fault| row.faults.get(word(fault)).copied().unwrap_or(0);
        let (lost, doubled) = (n(Fault::Lost), n(Fault::Doubled));
        let (orphans, other) = (n(Fault::Orphan), n(Fault::Other));
        writeln!(
            text,
            "{kind:10} {fault:8} {:7} {:8} {lost:5} {doubled:8} {orphans:8} {other:15}",
            row.n_points, row.n_missed
        )
        .expect("it is a string");
    }
    let n_met = results.iter().filter(|(_, was_hit, _)| *was_hit).count();
    writeln!(text, "{} points, {n_met} of them met, ", results.len()).expect("it is a string");
    text
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Lost => "lost",
        Fault::Doubled => "doubled",
        Fault::Orphan => "orphan",
        Fault::Other => "other",
    }
}
