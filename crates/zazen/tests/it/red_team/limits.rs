//! Attempts to use more of the machine than a run may.

use zazen::sandbox::{EngineKind, Zazen, probe};

use super::attack::Family::Limits;
use super::attack::Verdict;
use super::crowd::{Case, Scene, published, refused, turns};

const GROUP: &str = "a control group, or limits of each process where there is none";
const WATCH: &str = "a watch on the disk (`limits.disk`)";

/// The limits of these, as they are in `zazen.toml` and as they are to be.
pub(super) const TIGHT: &[(&str, &str)] = &[(
    "wall = \"5m\"",
    "wall = \"5m\"\nmemory = \"300MiB\"\ndisk = \"24MiB\"\noutput = \"2MiB\"\nturns = 4",
)];

/// The same for those that are about time.
pub(super) const SHORT: &[(&str, &str)] = &[(
    "wall = \"5m\"\nsilence = \"3m\"",
    "wall = \"15s\"\nsilence = \"8s\"\nmemory = \"500MiB\"\nprocesses = 120",
)];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = CASES.to_vec();
    if !holds_memory() {
        println!("SKIPPED: there is no control group for memory here");
        cases.retain(|case| case.attack.name != "all-memory");
    }
    cases
}

/// Whether there is a control group for memory here.
pub(super) fn holds_memory() -> bool {
    let zazen = Zazen(env!("CARGO_BIN_EXE_zazen").into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let probed = runtime.expect("a runtime").block_on(probe(EngineKind::Bwrap, &zazen));
    probed.axes.iter().any(|axis| axis.name == "memory limit" && axis.achieved)
}

pub(super) const TIMED: &[Case] = &[
    refused(
        (Limits, "fork-bomb", GROUP),
        "double its processes until the machine stands still",
        "bomb() { bomb | bomb & }; bomb; while :; do sleep 0.2; echo on > /proc/$MINI/fd/1; done",
        &[
            "the run took too long",
            "the harness was killed",
            "the run was silent",
            "too much memory",
        ],
    ),
    refused(
        (Limits, "for-ever", "a limit of time (`limits.wall`)"),
        "work for ever, and always say something",
        "trap '' TERM INT HUP; while :; do echo on > /proc/$MINI/fd/1; sleep 0.2; done",
        &["the run took too long"],
    ),
    refused(
        (Limits, "silence", "a limit of silence (`limits.silence`)"),
        "keep a place for ever, and say nothing",
        "trap '' TERM INT HUP; sleep $SLEEP & wait; sleep $SLEEP",
        &["the run was silent for too long"],
    ),
];

const CASES: &[Case] = &[
    refused(
        (Limits, "all-memory", GROUP),
        "take memory until the machine has none",
        "perl -e 'my @all; push @all, q(x) x 10_000_000 for 1..100; print qq(THROUGH\\n)'; \
         bash -c 'x=0123456789abcdef; for i in $(seq 26); do x=$x$x; done; echo THROUGH'; \
         kill -9 $MINI",
        &["the run used too much memory", "the harness was killed"],
    ),
    refused(
        (Limits, "full-disk", WATCH),
        "fill the disk",
        "for n in $(seq 60); do head -c 2000000 /dev/urandom > f$n; done; sleep 100",
        &["the run used too much disk"],
    ),
    refused(
        (Limits, "many-files", WATCH),
        "use up what the disk has of files",
        "mkdir many; cd many; seq 40000 | xargs touch; sleep 100",
        &["the run used too much disk"],
    ),
    refused(
        (Limits, "full-home", WATCH),
        "fill the disk from its private home and the folder for the result",
        "for n in $(seq 30); do head -c 1000000 /dev/urandom > ~/f$n; \
         head -c 1000000 /dev/urandom > /run/zazen/out/f$n; done; sleep 100",
        &["the run used too much disk"],
    ),
    refused(
        (Limits, "flood-of-output", "a limit of output (`limits.output`)"),
        "fill the disk with what it prints",
        "timeout 9 yes 'all work and no play' > /proc/$MINI/fd/1; sleep 100",
        &["the run printed too much"],
    ),
    turns(
        refused(
            (Limits, "endless-conversation", "a limit of turns (`limits.turns`)"),
            "go on asking the model for ever",
            "echo one more",
            &["the agent reached its limit of turns"],
        ),
        9,
    ),
    published(
        (Limits, "folders-in-memory", "small folders in memory, which count as the run's memory"),
        "fill the folders that are kept in memory",
        "echo hello >> README.md; for dir in /tmp /dev/shm; do \
         for n in $(seq 40); do head -c 10M /dev/zero > $dir/x$n || break; done; \
         test -s $dir/x40 && echo THROUGH; rm -f $dir/x*; done",
        space_is_refused,
    ),
    published(
        (Limits, "endless-file", "a limit of each file (`limits.disk`)"),
        "make a file of a terabyte, for whoever reads it",
        "echo hello >> README.md; truncate -s 1T huge && echo THROUGH; rm -f huge",
        size_is_refused,
    ),
];

fn has(scene: &Scene, words: &str) -> Verdict {
    let output = scene.outputs.get(&0).map_or("", String::as_str);
    let line = output.lines().rev().find(|line| line.contains(words));
    line.map(str::to_owned).ok_or_else(|| format!("what stopped it? {output}"))
}

fn space_is_refused(scene: &Scene) -> Verdict {
    has(scene, "No space left on device")
}

fn size_is_refused(scene: &Scene) -> Verdict {
    has(scene, "File size limit exceeded").or_else(|_| has(scene, "File too large"))
}
