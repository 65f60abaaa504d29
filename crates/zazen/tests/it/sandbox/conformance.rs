//! What every engine does.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use zazen::sandbox::{
    Access, EndReason, EngineKind, Ev, LINE_BYTES_MAX, Level, LimitedBy, Phase, TRUNCATED, Work,
    observe, probe, stop, sweep,
};

use super::setup::{Machine, eventually, machine, processes_with};

/// A number of seconds that marks a `sleep` of one test among all others.
fn unique_sleep(n: u32) -> String {
    format!("sleep 1000{n}.{}", std::process::id())
}

/// The bare argument, as it stands in a command line.
fn argument(sleep: &str) -> &str {
    sleep.trim_start_matches("sleep ")
}

async fn ends_with_codes_and_signals(machine: Machine) {
    let cases =
        [("exit 0", Some(0), None), ("exit 7", Some(7), None), ("kill -9 $$", None, Some(9))];
    for (n, (script, code, signal)) in (1..).zip(cases) {
        let exit = machine.finish(&machine.run(n, script)).await;
        assert_eq!((exit.reason, exit.code, exit.signal), (EndReason::Exited, code, signal));
    }
}

async fn keeps_its_events_numbered_and_ends_with_the_end(machine: Machine) {
    let run = machine.run(1, "echo one; echo two >&2; exit 3");
    let exit = machine.finish(&run).await;
    let events = run.events();
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    assert!(matches!(events[0].ev, Ev::Ready { .. }));
    assert!(matches!(events[1].ev, Ev::Canary { ok: true, .. }));
    assert!(matches!(events[2].ev, Ev::Started { .. }));
    assert_eq!(exit.last_seq, events.len() as u64 - 1);
    let Ev::Ended { exit: ended } = &events.last().unwrap().ev else { panic!("{events:?}") };
    assert_eq!(**ended, exit);
}

async fn shows_output_while_it_runs(machine: Machine) {
    let run = machine.run(1, "echo first; until [ -e seen ]; do sleep 0.01; done; echo second");
    machine.submit(&run).await;
    run.printed("first").await;
    assert_eq!(observe(&run.dir).unwrap(), Phase::Running);
    fs::write(run.spec.workspace.join("seen"), "").unwrap();
    assert_eq!(run.ended().await.code, Some(0));
    assert_eq!(run.out(), ["first", "second"]);
}

async fn gives_the_prompt_and_the_places(machine: Machine) {
    let mut run = machine.run(1, "cat; echo $HERE $HOME; pwd; echo $ZAZEN_RUN $ZAZEN_TASK; id -u");
    run.spec.env.insert("HERE".to_owned(), "{workspace} {home}".to_owned());
    if let Work::Harness { stdin, .. } = &mut run.spec.work {
        "the prompt\n".clone_into(stdin);
    }
    machine.finish(&run).await;
    let out = run.out();
    assert_eq!(out[0], "the prompt");
    let places: Vec<&str> = out[1].split(' ').collect();
    assert_eq!(places[0], out[2]);
    assert_eq!(places[1], places[2]);
    assert_eq!(out[3], "7.1 task-7");
    assert_ne!(out[4], "0");
}

async fn runs_a_check(machine: Machine) {
    let mut run = machine.run(1, "");
    run.spec.work = Work::Check { command: "echo checked && false | true".to_owned() };
    let exit = machine.finish(&run).await;
    assert_eq!((exit.code, run.out()), (Some(0), vec!["checked".to_owned()]));
}

async fn ends_at_the_deadline(machine: Machine) {
    let mut run = machine.run(1, &unique_sleep(1));
    run.spec.limits.wall = Duration::from_millis(300);
    assert_eq!(machine.finish(&run).await.reason, EndReason::Deadline);
    assert_eq!(processes_with(argument(&unique_sleep(1))), Vec::<i32>::new());
}

async fn ends_after_silence(machine: Machine) {
    let mut run = machine.run(1, "echo hello; trap '' TERM; sleep 1000 & wait");
    run.spec.limits.silence = Duration::from_millis(300);
    assert_eq!(machine.finish(&run).await.reason, EndReason::Silence);
}

async fn ends_when_it_prints_too_much(machine: Machine) {
    let mut run = machine.run(1, "while :; do echo 0123456789012345678901234567890123456789; done");
    run.spec.limits.output_bytes = 10_000;
    assert_eq!(machine.finish(&run).await.reason, EndReason::OutputCap);
    assert!(run.out().len() < 1000);
}

async fn ends_when_it_fills_the_disk(machine: Machine) {
    let script = "for n in 1 2 3 4 5 6; do head -c 2000000 /dev/urandom > f$n; done; sleep 1000";
    let mut run = machine.run(1, script);
    run.spec.limits.disk_bytes = 8 << 20;
    assert_eq!(machine.finish(&run).await.reason, EndReason::Disk);
}

async fn cuts_a_line_that_is_too_long(machine: Machine) {
    let run = machine.run(1, "head -c 3000000 /dev/zero | tr '\\0' x; echo; printf 'last\\377'");
    machine.finish(&run).await;
    let out = run.out();
    assert_eq!(out[0].len(), LINE_BYTES_MAX + TRUNCATED.len());
    assert_eq!(out[1..], ["last\u{fffd}"]);
}

async fn ends_when_it_takes_too_much_memory(machine: Machine) {
    let grow = "x=0123456789abcdef; while :; do x=$x$x; done";
    let mut run = machine.run(1, grow);
    run.spec.limits.memory_bytes = 64 << 20;
    if let Work::Harness { argv, .. } = &mut run.spec.work {
        // Held by this shell itself, and not by a child of it.
        *argv = ["bash", "-c", grow].map(str::to_owned).to_vec();
    }
    let probed = probe(machine.engine, &machine.zazen).await;
    if probed.axes.iter().any(|axis| axis.name == "memory limit" && !axis.achieved) {
        println!("SKIPPED: there is no control group for memory here");
        return;
    }
    assert_eq!(machine.finish(&run).await.reason, EndReason::Memory);
}

async fn survives_a_fork_bomb(machine: Machine) {
    let sleep = unique_sleep(2);
    let script = format!("i=0; while [ $i -lt 300 ]; do {sleep} & i=$((i+1)); done; wait");
    let mut run = machine.run(1, &script);
    run.spec.limits.n_processes_max = 40;
    run.spec.limits.wall = Duration::from_secs(2);
    machine.submit(&run).await;
    let exit = eventually(|| {
        let n_processes = processes_with(argument(&sleep)).len();
        // The shell that starts them, and the runner with its supervisor, hold the text too.
        assert!(n_processes <= 44, "{n_processes} processes");
        match observe(&run.dir).unwrap() {
            Phase::Ended(exit) => Some(exit),
            Phase::Absent | Phase::Starting | Phase::Running | Phase::Lost => None,
        }
    })
    .await;
    let achieved = exit.achieved.unwrap();
    assert_ne!(achieved.processes_limit, LimitedBy::Nothing);
    assert_eq!(processes_with(argument(&sleep)), Vec::<i32>::new());
}

async fn stops_with_all_its_descendants(machine: Machine) {
    let sleep = unique_sleep(3);
    let script = format!("trap '' TERM; (setsid sh -c '{sleep} & {sleep}' &) ; echo up; {sleep}");
    let run = machine.run(1, &script);
    machine.submit(&run).await;
    run.printed("up").await;
    eventually(|| (processes_with(argument(&sleep)).len() >= 3).then_some(())).await;
    stop(&run.dir, Duration::from_millis(100)).await.unwrap();
    assert_eq!(processes_with(argument(&sleep)), Vec::<i32>::new());
    assert_eq!(run.ended().await.reason, EndReason::Stopped);
    // Stopping what is over is no error.
    stop(&run.dir, Duration::ZERO).await.unwrap();
}

async fn can_be_stopped_at_once(machine: Machine) {
    let run = machine.run(1, "sleep 1000");
    machine.submit(&run).await;
    stop(&run.dir, Duration::ZERO).await.unwrap();
    assert_eq!(run.ended().await.reason, EndReason::Stopped);
}

async fn lets_the_work_end_in_peace(machine: Machine) {
    let script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done";
    let run = machine.run(1, script);
    machine.submit(&run).await;
    run.printed("up").await;
    stop(&run.dir, Duration::from_secs(30)).await.unwrap();
    let exit = run.ended().await;
    assert_eq!((exit.reason, exit.code), (EndReason::Stopped, Some(0)));
    assert!(run.out().contains(&"bye".to_owned()), "{:?}", run.out());
}

async fn does_not_wait_for_what_the_work_leaves_behind(machine: Machine) {
    let sleep = unique_sleep(4);
    let run = machine.run(1, &format!("(setsid {sleep} &); echo done"));
    assert_eq!(machine.finish(&run).await.code, Some(0));
    assert_eq!(processes_with(argument(&sleep)), Vec::<i32>::new());
}

async fn is_started_once_however_often_it_is_submitted(machine: Machine) {
    let run = machine.run(1, "echo x >> count; until [ -e seen ]; do sleep 0.01; done");
    tokio::join!(machine.submit(&run), machine.submit(&run));
    machine.submit(&run).await;
    eventually(|| run.spec.workspace.join("count").exists().then_some(())).await;
    fs::write(run.spec.workspace.join("seen"), "").unwrap();
    run.ended().await;
    machine.submit(&run).await;
    assert_eq!(fs::read_to_string(run.spec.workspace.join("count")).unwrap(), "x\n");
    let n_started = run.events().iter().filter(|e| matches!(e.ev, Ev::Started { .. })).count();
    assert_eq!(n_started, 1);
}

async fn is_gone_when_its_supervisor_is_killed(machine: Machine) {
    let sleep = unique_sleep(5);
    let run = machine.run(1, &format!("(setsid {sleep} &); echo up; {sleep}"));
    machine.submit(&run).await;
    run.printed("up").await;
    let lock = fs::read_to_string(run.dir.join("supervisor.lock")).unwrap();
    let holder: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let pid = i32::try_from(holder["pid"]["pid"].as_i64().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    eventually(|| processes_with(argument(&sleep)).is_empty().then_some(())).await;
    eventually(|| (observe(&run.dir).unwrap() == Phase::Lost).then_some(())).await;
    // It may have done anything, so it is not started again.
    machine.submit(&run).await;
    assert_eq!(observe(&run.dir).unwrap(), Phase::Lost);
    stop(&run.dir, Duration::ZERO).await.unwrap();
    assert_no_cgroup_is_left(&run.dir);
}

fn assert_no_cgroup_is_left(run_dir: &std::path::Path) {
    let cgroups = fs::read_to_string(run_dir.join("cgroups")).unwrap();
    let left: Vec<&str> =
        cgroups.lines().filter(|path| std::path::Path::new(path).exists()).collect();
    assert_eq!(left, Vec::<&str>::new());
}

async fn is_swept_when_nobody_keeps_it(machine: Machine) {
    let (kept, dropped) = (unique_sleep(6), unique_sleep(7));
    let run_kept = machine.run(1, &format!("echo up; {kept}"));
    let run_dropped = machine.run(2, &format!("echo up; {dropped}"));
    for run in [&run_kept, &run_dropped] {
        machine.submit(run).await;
        run.printed("up").await;
    }
    let keep = BTreeSet::from([run_kept.spec.run]);
    sweep(&machine.runs(), &keep).await.unwrap();
    assert_eq!(processes_with(argument(&dropped)), Vec::<i32>::new());
    assert_eq!(run_dropped.ended().await.reason, EndReason::Stopped);
    assert_eq!(observe(&run_kept.dir).unwrap(), Phase::Running);
    sweep(&machine.runs(), &BTreeSet::new()).await.unwrap();
    assert_eq!(processes_with(argument(&kept)), Vec::<i32>::new());
}

async fn cleans_its_cgroups(machine: Machine) {
    let run = machine.run(1, "true");
    machine.finish(&run).await;
    assert_no_cgroup_is_left(&run.dir);
}

async fn can_be_probed(machine: Machine) {
    let probed = probe(machine.engine, &machine.zazen).await;
    assert!(probed.works, "{probed:?}");
    assert_eq!(probed.isolated, machine.engine == EngineKind::Bwrap, "{probed:?}");
}

async fn says_what_it_achieved(machine: Machine) {
    let exit = machine.finish(&machine.run(1, "true")).await;
    let achieved = exit.achieved.unwrap();
    let level = match machine.engine {
        EngineKind::Bwrap => Level::Isolated,
        EngineKind::None => Level::None,
    };
    assert_eq!((achieved.files, achieved.network, achieved.processes), (level, level, level));
    assert!(!achieved.syscall_filter);
    assert_ne!(achieved.uid, 0);
}

async fn says_why_it_cannot_start(machine: Machine) {
    let mut run = machine.run(1, "true");
    if let Work::Harness { argv, .. } = &mut run.spec.work {
        *argv = vec!["no-such-harness".to_owned()];
    }
    let exit = machine.finish(&run).await;
    let EndReason::RunnerFailed { message } = exit.reason else { panic!("{exit:?}") };
    assert!(message.contains("no-such-harness"), "{message}");
}

async fn refuses_to_collect_what_must_not_be_written(machine: Machine) {
    let mut run = machine.run(1, "true").with_repository().await;
    run.spec.access = Access::ReadOnly;
    let err = zazen::sandbox::submit(&machine.zazen, &run.dir, &run.spec).await.unwrap_err();
    assert!(err.to_string().contains("nothing to collect"), "{err}");
    assert_eq!(observe(&run.dir).unwrap(), Phase::Absent);
}

/// The daemon does all of this in tasks, on more than one thread.
#[test]
fn every_verb_can_be_a_task() {
    fn is_task<T: Send>(_: &T) {}
    let zazen = zazen::sandbox::Zazen("zazen".into());
    let path = std::path::Path::new("/");
    is_task(&zazen::exec::run(zazen::exec::Command::new("true")));
    is_task(&stop(path, Duration::ZERO));
    is_task(&sweep(path, &BTreeSet::new()));
    is_task(&probe(EngineKind::None, &zazen));
}

/// Makes a test for each engine of each thing that every engine does.
macro_rules! every_engine {
    ($($what:ident),* $(,)?) => {
        mod a_run_in_bwrap {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $what() {
                let Some(machine) = super::machine(super::EngineKind::Bwrap) else { return };
                super::$what(machine).await;
            })*
        }

        mod a_run_on_the_host {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $what() {
                let Some(machine) = super::machine(super::EngineKind::None) else { return };
                super::$what(machine).await;
            })*
        }
    };
}

every_engine!(
    ends_with_codes_and_signals,
    keeps_its_events_numbered_and_ends_with_the_end,
    shows_output_while_it_runs,
    gives_the_prompt_and_the_places,
    runs_a_check,
    ends_at_the_deadline,
    ends_after_silence,
    ends_when_it_prints_too_much,
    ends_when_it_fills_the_disk,
    cuts_a_line_that_is_too_long,
    ends_when_it_takes_too_much_memory,
    survives_a_fork_bomb,
    stops_with_all_its_descendants,
    can_be_stopped_at_once,
    lets_the_work_end_in_peace,
    does_not_wait_for_what_the_work_leaves_behind,
    is_started_once_however_often_it_is_submitted,
    is_gone_when_its_supervisor_is_killed,
    is_swept_when_nobody_keeps_it,
    cleans_its_cgroups,
    can_be_probed,
    says_what_it_achieved,
    says_why_it_cannot_start,
    refuses_to_collect_what_must_not_be_written,
);
