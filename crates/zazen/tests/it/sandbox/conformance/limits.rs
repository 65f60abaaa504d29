//! What a run may use, and what happens when it uses more.
//!
//! Every engine does all of it.

use std::time::Duration;

use zazen::sandbox::{EndReason, LimitedBy, Phase, Work, observe};

use crate::sandbox::setup::{Machine, argument, eventually, processes_with, unique_sleep};

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

async fn ends_when_it_makes_too_many_files(machine: Machine) {
    let script = "i=0; while [ $i -lt 12000 ]; do : > $i; i=$((i+1)); done; sleep 1000";
    let mut run = machine.run(1, script);
    run.spec.limits.disk_bytes = 8 << 20;
    assert_eq!(machine.finish(&run).await.reason, EndReason::Disk);
}

async fn ends_when_it_fills_its_home(machine: Machine) {
    let script = "cd; for n in 1 2 3 4 5 6; do head -c 2000000 /dev/zero > f$n; done; sleep 1000";
    let mut run = machine.run(1, script);
    run.spec.limits.disk_bytes = 8 << 20;
    assert_eq!(machine.finish(&run).await.reason, EndReason::Disk);
}

async fn no_file_is_longer_than_the_disk_limit(machine: Machine) {
    // Holes take no space, but whoever reads the file would take for ever.
    let script = "truncate -s 1T a || echo refused; truncate -s 200M b && echo holes; sleep 1";
    let run = machine.run(1, script);
    let exit = machine.finish(&run).await;
    assert_eq!((exit.reason, exit.code), (EndReason::Exited, Some(0)));
    let out = run.out();
    assert!(out.contains(&"refused".to_owned()) && out.contains(&"holes".to_owned()), "{out:?}");
}

async fn folders_in_memory_are_small(machine: Machine) {
    let fill = "head -c 400M /dev/zero > $dir/x 2>/dev/null || echo full; rm $dir/x";
    let script = format!("for dir in /tmp /dev/shm; do {fill}; done; echo on");
    let run = machine.run(1, &script);
    assert_eq!(machine.finish(&run).await.code, Some(0));
    assert_eq!(run.out(), ["full", "full", "on"]);
}

async fn ends_when_it_takes_too_much_memory(machine: Machine) {
    let grow = "x=0123456789abcdef; while :; do x=$x$x; done";
    let mut run = machine.run(1, grow);
    run.spec.limits.memory_bytes = 64 << 20;
    if let Work::Harness { argv, .. } = &mut run.spec.work {
        // Held by this shell itself, and not by a child of it.
        *argv = ["bash", "-c", grow].map(str::to_owned).to_vec();
    }
    let probed = machine.probe().await;
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

in_every_engine!(
    ends_at_the_deadline,
    ends_after_silence,
    ends_when_it_prints_too_much,
    ends_when_it_fills_the_disk,
    ends_when_it_makes_too_many_files,
    ends_when_it_fills_its_home,
    no_file_is_longer_than_the_disk_limit,
    ends_when_it_takes_too_much_memory,
    survives_a_fork_bomb,
);

in_every_sandbox!(folders_in_memory_are_small,);
