//! A hundred agents at once, on whatever machine this is.
//!
//! The model answers nobody until all have asked, so that all are really there
//! at the same time; then each is told to print numbered lines, over several
//! turns. Afterwards every run's events are without a gap and every line is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use zazen::sandbox::Ev;

use crate::model::{Model, Script};
use crate::place::Place;
use crate::process::{self, Role};
use crate::report::{Row, mb};

/// The name of this measurement.
pub(crate) const NAME: &str = "parallel";

/// How many agents work at once.
const N_RUNS: usize = 100;

/// How many turns each has in which it prints, and how many lines it prints in each.
const N_TURNS: usize = 4;
const N_LINES: usize = 50;

/// How long all may take. Starting alone takes tens of seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// The design's limit for the daemon's tree beyond the harnesses.
const TREE_KB_MAX: u64 = 2 << 20;

/// Memory when it was at its highest, in kB.
#[derive(Debug, Default)]
struct Peak {
    n_harnesses: usize,
    total: u64,
    by_role: BTreeMap<Role, (usize, u64)>,
}

pub(crate) fn run(zazen: &Path, engine: &'static str) -> anyhow::Result<Vec<Row>> {
    let model = Model::start(script())?;
    let mut place = Place::new(zazen, engine, &model.url())?;
    for _ in 0..N_RUNS {
        place.open_issue()?;
    }
    place.up()?;
    let began = Instant::now();
    for issue in 1..=N_RUNS {
        place.comment(issue as u64, "/plan")?;
    }
    let mut peak = Peak::default();
    loop {
        let n_ended = place.journal()?.iter().filter(|fact| fact.event == "run-ended").count();
        if n_ended >= N_RUNS {
            break;
        }
        if began.elapsed() > PATIENCE {
            bail!("{n_ended} of {N_RUNS} runs ended in {PATIENCE:?}: {}", place.log());
        }
        peak.look(place.pid());
        std::thread::sleep(Duration::from_millis(200));
    }
    let wall = began.elapsed();
    let daemon_peak = process::rss_peak_kb(place.pid());
    for task in 1..=N_RUNS {
        check(&place, task as u64).with_context(|| format!("task {task}"))?;
    }
    place.down()?;
    Ok(rows(engine, wall, daemon_peak, &peak))
}

fn script() -> Script {
    let turn = |turn| {
        format!(
            "i=0; while [ $i -lt {N_LINES} ]; do echo line-{turn}-$i-end; \
        i=$((i+1)); done"
        )
    };
    let plan = (0..N_TURNS).map(turn).collect();
    Script {
        plan,
        implement: Vec::new(),
        n_together: N_RUNS,
        think: Duration::from_millis(50),
        n_parts: 0,
    }
}

impl Peak {
    fn look(&mut self, daemon: u32) {
        let mut by_role: BTreeMap<Role, (usize, u64)> = BTreeMap::new();
        for process in process::tree(daemon) {
            let entry = by_role.entry(process.role).or_default();
            entry.0 += 1;
            entry.1 += process::pss_kb(process.pid);
        }
        let ours = |role: &Role| !matches!(role, Role::Harness | Role::Other);
        let total = by_role.iter().filter(|(role, _)| ours(role)).map(|(_, (_, kb))| kb).sum();
        let n_harnesses = by_role.get(&Role::Harness).map_or(0, |(n, _)| *n);
        self.n_harnesses = self.n_harnesses.max(n_harnesses);
        if total > self.total {
            self.total = total;
            self.by_role = by_role;
        }
    }
}

/// Sees to it that nothing of a run is missing.
fn check(place: &Place, task: u64) -> anyhow::Result<()> {
    let events = place.events(task, 1)?;
    if let Some((line, n)) = events.iter().zip(1..).find(|(line, n)| line.seq != *n) {
        bail!("event {n} has the number {}", line.seq);
    }
    if !matches!(events.last().map(|line| &line.ev), Some(Ev::Ended { .. })) {
        bail!("the last event is not the end");
    }
    let mut found = BTreeSet::new();
    for event in &events {
        let Ev::Out { line } = &event.ev else { continue };
        if !line.contains(r#""type":"result""#) {
            continue;
        }
        let words = line.split("line-").skip(1);
        found.extend(words.filter_map(|word| Some(word.split_once("-end")?.0.to_owned())));
    }
    let wanted = (0..N_TURNS).flat_map(|turn| (0..N_LINES).map(move |i| format!("{turn}-{i}")));
    let missing: Vec<String> = wanted.filter(|line| !found.contains(line)).collect();
    if !missing.is_empty() {
        let (n, first) = (missing.len(), &missing[0]);
        bail!("{n} lines are missing, the first is {first}; the run said {events:?}");
    }
    Ok(())
}

fn rows(engine: &str, wall: Duration, daemon_peak: u64, peak: &Peak) -> Vec<Row> {
    let parts: Vec<String> = peak
        .by_role
        .iter()
        .filter(|(role, _)| **role != Role::Other)
        .map(|(role, (n, kb))| format!("{n} {role:?} {}", mb(*kb)))
        .collect();
    let per_run = peak.total / N_RUNS as u64;
    let what = format!("{N_RUNS} agents at once, `{engine}`");
    vec![
        Row::new(NAME, what, format!("{:.1} s, no event lost", wall.as_secs_f64())).how(format!(
            "{} together at the most; each {N_TURNS} turns of {N_LINES} lines; every \
                 run's events gapless, every line there",
            peak.n_harnesses
        )),
        Row::new(
            NAME,
            format!("memory beyond the harnesses, `{engine}`"),
            format!("{} (PSS; {per_run} kB a run)", mb(peak.total)),
        )
        .limit("< 2 GB", peak.total < TREE_KB_MAX)
        .how(format!(
            "at its highest: {}; daemon RSS {}",
            parts.join(", "),
            mb(daemon_peak)
        )),
    ]
}
