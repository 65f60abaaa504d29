//! Webhooks that are acknowledged while agents stream.
//!
//! Fifty agents plan at once, each with a model that answers in a slow stream. Meanwhile
//! deliveries come in bursts to the daemon itself: each is signed, synced, and leads to a
//! conversation that the daemon reads at GitHub. Afterwards every run has ended well, and
//! every event of it is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use zazen::sandbox::Ev;

use crate::hooked::Hooked;
use crate::model::{Model, Script};
use crate::report::{Row, Samples};
use crate::webhooks;

/// The name of this measurement.
pub(crate) const NAME: &str = "crowd";

/// How many agents stream, and how many where it is only to be seen that it works.
const N_RUNS: usize = 50;
const N_RUNS_FEW: usize = 3;

/// How many parts a model's answer has. They are 20 ms apart: half a minute in all.
const N_PARTS: usize = 1500;
const N_PARTS_FEW: usize = 150;

/// How many deliveries come at the same time.
const N_AT_ONCE: usize = 16;

/// The design's limit, in milliseconds.
const P99_MAX: f64 = 20.0;

pub(crate) fn run(zazen: &Path, few: bool) -> anyhow::Result<Vec<Row>> {
    let (n_runs, n_parts) = if few { (N_RUNS_FEW, N_PARTS_FEW) } else { (N_RUNS, N_PARTS) };
    let script = Script { n_together: n_runs, n_parts, ..Script::trivial(1) };
    let model = Model::start(script)?;
    let hooked = Hooked::start(zazen, "none", &model)?;
    for n in 0..n_runs {
        let issue = hooked.github.opens_issue(&format!("Sum by month, the {n}th time"));
        let told = hooked.github.comments(issue, "/plan");
        hooked.deliver(&told)?;
    }
    for task in 1..=n_runs {
        hooked.place.wait_for_start(task as u64, 1)?;
    }
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut took, mut n_bursts) = (Vec::new(), 0_usize);
    let began = Instant::now();
    while n_ended(&hooked)? == 0 {
        let name = format!("crowd-{n_bursts}");
        let to = (hooked.door.address, &hooked.door.secrets);
        took.extend(client.block_on(webhooks::burst(to, N_AT_ONCE, &name))?);
        n_bursts += 1;
        if few {
            break;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    for task in 1..=n_runs {
        hooked.place.wait_for_event(task as u64, "run-ended", 1)?;
        check(&hooked, task as u64)?;
    }
    hooked.finish()?;
    let took = Samples::new(took);
    let (p50, p99) = (took.p50(), took.p99());
    #[expect(clippy::cast_precision_loss, reason = "a few ten thousand")]
    let rate = took.n() as f64 / seconds;
    let value = format!("{rate:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms");
    let row = Row::new(NAME, format!("deliveries acknowledged while {n_runs} runs stream"), value)
        .limit("p99 ≤ 20 ms", p99 <= P99_MAX)
        .how(format!(
            "{} deliveries, {N_AT_ONCE} at once, signed, parsed and synced by the daemon that \
             serves the runs; no run disturbed, no event lost",
            took.n()
        ));
    Ok(vec![row])
}

fn n_ended(hooked: &Hooked) -> anyhow::Result<usize> {
    Ok(hooked.place.journal()?.iter().filter(|fact| fact.event == "run-ended").count())
}

/// Sees to it that a run lost nothing.
fn check(hooked: &Hooked, task: u64) -> anyhow::Result<()> {
    let events = hooked.place.events(task, 1)?;
    let numbers: BTreeSet<u64> = events.iter().map(|line| line.seq).collect();
    let is_whole = numbers.len() == events.len()
        && numbers.first() == Some(&1)
        && numbers.last() == Some(&(events.len() as u64));
    if !is_whole || !matches!(events.last().map(|line| &line.ev), Some(Ev::Ended { .. })) {
        bail!("events of run {task}.1 are missing: {numbers:?}");
    }
    Ok(())
}
