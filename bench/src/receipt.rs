//! How long it takes to make a receipt, and to check one.
//!
//! The demo's repository, and a model that answers at once. A receipt is made by the daemon
//! before it pushes, which says in its log how long that took; it is checked by the
//! program from its start to its end, in the home and from a bundle.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::model::{Model, Script};
use crate::place::Place;
use crate::report::{Row, Samples, ms};

/// The name of this measurement.
pub(crate) const NAME: &str = "receipt";

/// How many tasks are sealed, and how often each kind of check is made.
const N_TASKS: u64 = 5;
const N_CHECKS: usize = 15;

/// How many answers a conversation has.
const N_TURNS: usize = 5;

/// What the daemon says of a receipt: `sealed task 1 in 3.2 ms`.
const SAID: &str = "sealed task ";

pub(crate) fn run(zazen: &Path) -> anyhow::Result<Vec<Row>> {
    let model = Model::start(Script::trivial(N_TURNS))?;
    let mut place = Place::new(zazen, "bwrap", &model.url())?;
    place.up()?;
    // Pull requests take numbers, too: issues come first.
    let issues = (0..N_TASKS).map(|_| place.open_issue()).collect::<anyhow::Result<Vec<_>>>()?;
    for (task, issue) in (1..).zip(issues) {
        place.comment(issue, "/plan")?;
        place.wait_for_event(task, "run-ended", 1)?;
        place.comment(issue, "/implement")?;
        place.wait_for_event(task, "pull-opened", 1)?;
    }
    place.down()?;
    let made = place.log().lines().filter_map(taken).collect::<Vec<f64>>();
    if made.len() as u64 != N_TASKS {
        bail!("the daemon said {} times how long a receipt took", made.len());
    }
    let file = place.beside("task.tar").display().to_string();
    let exported = timed(&place, &["bundle", "export", "1", "-o", &file])?;
    let in_home = checks(&place, &["verify", "1"])?;
    let of_bundle = checks(&place, &["verify", &file])?;
    let bytes = std::fs::metadata(&file).context("look at the bundle")?.len();
    let row = |what: &str, samples: Samples, how: String| {
        let value = format!("p50 {:.1} ms", samples.p50());
        Row::new(NAME, what, value).how(format!("{} of each; {how}", samples.n()))
    };
    let runs = "3 runs of 5 calls each".to_owned();
    Ok(vec![
        row("receipt made and signed", Samples::new(made), runs.clone()),
        row("`zazen verify TASK`", in_home, format!("{runs}; the whole process")),
        row(
            "`zazen verify BUNDLE`",
            of_bundle,
            format!("{} KiB; export took {exported:.0} ms", bytes / 1024),
        ),
    ])
}

/// How long a receipt took, by a line of the log.
fn taken(line: &str) -> Option<f64> {
    let (_, rest) = line.split_once(SAID)?;
    let (_, took) = rest.split_once(" in ")?;
    took.trim_end().strip_suffix(" ms")?.parse().ok()
}

fn checks(place: &Place, args: &[&str]) -> anyhow::Result<Samples> {
    let all = (0..N_CHECKS).map(|_| timed(place, args));
    Ok(Samples::new(all.collect::<anyhow::Result<_>>()?))
}

fn timed(place: &Place, args: &[&str]) -> anyhow::Result<f64> {
    let began = Instant::now();
    place.zazen(args)?;
    Ok(ms(began.elapsed()))
}
