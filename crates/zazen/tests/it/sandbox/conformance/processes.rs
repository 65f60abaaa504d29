//! No process of a run outlives it, and none is started twice.
//!
//! Every engine does all of it.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use zazen::sandbox::{EndReason, EngineKind, Ev, Phase, observe, probe, stop, sweep};

use crate::sandbox::setup::{Machine, argument, eventually, processes_with, unique_sleep};

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
    // Those of a container are its engine's, and gone with it.
    let cgroups = fs::read_to_string(run_dir.join("cgroups")).unwrap_or_default();
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

in_every_engine!(
    stops_with_all_its_descendants,
    can_be_stopped_at_once,
    lets_the_work_end_in_peace,
    does_not_wait_for_what_the_work_leaves_behind,
    is_started_once_however_often_it_is_submitted,
    is_gone_when_its_supervisor_is_killed,
    is_swept_when_nobody_keeps_it,
    cleans_its_cgroups,
);
