//! An agent that waits at its work until the test lets it go on, and its processes.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::model::{Script, demo_script};
use crate::harness::place::Place;

/// The step at which the agent waits.
const STEP: &str = "implement/1";

/// What the agent does until there is a file `go` in its workspace.
const WAIT: &str = "n=0\nwhile [ ! -e go ]; do n=$((n + 1)); echo $n > ticks; sleep 0.02; done\n\
     rm -f go ticks\necho went on\n";

/// The demo's script, for flows that run side by side: each keeps to a `/tmp` of its own.
pub(super) fn script() -> Script {
    let mut script = demo_script();
    for turn in script.values_mut().flatten() {
        turn.command = turn.command.as_ref().map(|command| command.replace("/tmp/", "$TMPDIR/"));
    }
    // What an agent that was killed had changed is there for the next one; this one begins anew.
    let first = script.get_mut(STEP).and_then(|turns| turns[0].command.as_mut());
    let first = first.expect("the demo's first step begins with a command");
    first.insert_str(0, "git checkout -q HEAD -- .\n");
    script
}

/// The demo's script, with an agent that waits in the first step when its edits are done.
pub(super) fn waiting_script() -> Script {
    let mut script = script();
    let command = script.get_mut(STEP).and_then(|turns| turns[1].command.as_mut());
    let command = command.expect("the demo's first step has a second command");
    command.push_str(WAIT);
    script
}

/// Takes the task to the point where the agent of the first step waits.
pub(super) fn begin(place: &mut Place) {
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    wait_for_ticks(place, 2);
}

/// Where run 1.`n` works.
pub(super) fn workspace(place: &Place, n: u32) -> PathBuf {
    place.home().join(format!(".zazen/work/1.{n}"))
}

/// How far the agent in run 1.`n` has counted.
pub(super) fn ticks(place: &Place, n: u32) -> Option<u64> {
    fs::read_to_string(workspace(place, n).join("ticks")).ok()?.trim().parse().ok()
}

/// Waits until the agent in run 1.`n` goes on counting.
pub(super) fn wait_for_ticks(place: &mut Place, n: u32) {
    let mut first = None;
    place.wait("the agent counts", |place| {
        let now = ticks(place, n)?;
        (now > *first.get_or_insert(now)).then_some(())
    });
}

/// Lets the agent in run 1.`n` go on.
pub(super) fn let_go(place: &Place, n: u32) {
    fs::write(workspace(place, n).join("go"), "").expect("the workspace is there");
}

/// Lets every agent that waits go on.
pub(super) fn let_all_go(place: &Place) {
    for n in 1..10 {
        if ticks(place, n).is_some() {
            let_go(place, n);
        }
    }
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    parent: i32,
    pub(super) args: Vec<String>,
}

/// The processes of run 1.`n`: its supervisor, and all below it.
pub(super) fn processes(place: &Place, n: u32) -> Vec<Process> {
    let run_dir = place.home().join(format!(".zazen/runs/1.{n}")).display().to_string();
    let all = all_processes();
    let is_supervisor = |process: &&Process| {
        process.args.get(1).is_some_and(|arg| arg == "supervise") && process.args.contains(&run_dir)
    };
    let mut found: Vec<Process> = all.iter().filter(is_supervisor).cloned().collect();
    let mut next = 0;
    while next < found.len() {
        let above = found[next].pid;
        found.extend(all.iter().filter(|process| process.parent == above).cloned());
        next += 1;
    }
    found
}

fn all_processes() -> Vec<Process> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let after = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
        let Some(parent) = after.split(' ').nth(1).and_then(|ppid| ppid.parse().ok()) else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let args = line.split(|b| *b == 0).map(|arg| String::from_utf8_lossy(arg).into_owned());
        all.push(Process { pid, parent, args: args.collect() });
    }
    all
}

/// Everything that carries the marks of this home's runs. The dead do not.
pub(super) fn marked(place: &Place) -> Vec<String> {
    let runs = place.home().join(".zazen/runs");
    let runs = fs::canonicalize(&runs).unwrap_or(runs);
    let mark = blake3::hash(runs.as_os_str().as_encoded_bytes()).to_hex();
    let mark = format!("ZAZEN_RUNS={}", &mark[..16]);
    let is_marked = |process: &Process| {
        let environ = fs::read(Path::new("/proc").join(process.pid.to_string()).join("environ"));
        environ.unwrap_or_default().split(|b| *b == 0).any(|entry| entry == mark.as_bytes())
    };
    let all = all_processes().into_iter();
    all.filter(is_marked).map(|process| format!("{process:?}")).collect()
}

pub(super) fn kill(process: &Process) {
    let pid = Pid::from_raw(process.pid).expect("a process");
    kill_process(pid, Signal::KILL).expect("a signal");
}
