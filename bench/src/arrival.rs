//! From a webhook to an agent at work, and what a task costs in calls to GitHub.
//!
//! A scripted GitHub has a comment `/plan`; the time is taken from the first byte of the
//! webhook that tells of it until the harness's process runs, by the runner's own stamp. In
//! between zazen reads the conversation through the API. Then one task is seen through to
//! its draft, with every webhook that GitHub would send, and its calls are counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

use crate::hooked::Hooked;
use crate::model::{Model, Script};
use crate::place::{Told, millis};
use crate::report::{Row, Samples};

/// The name of this measurement.
pub(crate) const NAME: &str = "arrival";

/// How many tasks are begun to warm up, and are not counted.
const N_WARM_UP: usize = 3;

/// How many tasks are counted, and how many where it is only to be seen that it works.
const N_TASKS: usize = 30;
const N_TASKS_FEW: usize = 2;

/// The design's limits, in milliseconds.
const P50_MAX: f64 = 100.0;
const P99_MAX: f64 = 400.0;

pub(crate) fn run(zazen: &Path, (engine, few): (&str, bool)) -> anyhow::Result<Vec<Row>> {
    let model = Model::start(Script::trivial(1))?;
    let hooked = Hooked::start(zazen, engine, &model)?;
    let n_tasks = if few { N_TASKS_FEW } else { N_TASKS };
    let mut took = Vec::new();
    for n in 0..N_WARM_UP + n_tasks {
        let issue = hooked.github.opens_issue(&format!("Sum by month, the {n}th time"));
        let told = hooked.github.comments(issue, "/plan");
        let at = SystemTime::now();
        hooked.deliver(&told)?;
        let task = n as u64 + 1;
        let started = hooked.place.wait_for_start(task, 1)?;
        // Until the plan is on the issue, something is still under way.
        hooked.until(task, "shown")?;
        if n >= N_WARM_UP {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
            took.push(started as f64 - millis(at));
        }
    }
    hooked.finish()?;
    let took = Samples::new(took);
    let (p50, p99) = (took.p50(), took.p99());
    let what = format!("webhook sent → harness runs, `{engine}`");
    let row = Row::new(NAME, what, format!("p50 {p50:.0} ms, p99 {p99:.0} ms"))
        .limit("p50 < 100 ms, p99 < 400 ms", p50 < P50_MAX && p99 < P99_MAX)
        .how(format!(
            "{} warm tasks, one at a time; the conversation is read from a GitHub on loopback \
             that answers at once",
            took.n()
        ));
    Ok(vec![row])
}

/// Counts the calls of one task from `/plan` to its draft.
pub(crate) fn calls(zazen: &Path) -> anyhow::Result<Vec<Row>> {
    let model = Model::start(Script::trivial(2))?;
    let hooked = Hooked::start(zazen, "none", &model)?;
    let issue = hooked.github.opens_issue("Sum by month");
    hooked.github.take_calls();
    let told = hooked.github.comments(issue, "/plan");
    hooked.deliver(&told)?;
    hooked.until(1, "shown")?;
    hooked.until_quiet()?;
    let planning = hooked.github.take_calls();
    let told = hooked.github.comments(issue, "/implement");
    hooked.deliver(&told)?;
    hooked.until(1, "pull-opened")?;
    hooked.until_quiet()?;
    let implementing = hooked.github.take_calls();
    hooked.finish()?;
    Ok(vec![
        row("calls from `/plan` to the plan on the issue", &planning),
        row("calls from `/implement` to the draft", &implementing),
    ])
}

fn row(what: &str, calls: &BTreeMap<String, usize>) -> Row {
    let n_looks: usize =
        calls.iter().filter(|(kind, _)| kind.starts_with("GET ")).map(|(_, n)| n).sum();
    let n_all: usize = calls.values().sum();
    let mut how = String::from("a token, webhooks for every act, no polling, git's own left out: ");
    for (index, (kind, n)) in calls.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let _infallible = write!(how, "{comma}{n} × `{kind}`");
    }
    let value = format!("{n_all}: {n_looks} looks, {} acts", n_all - n_looks);
    Row::new(NAME, what, value).how(how)
}

impl Hooked {
    /// Waits until a task had this event, and delivers what happens meanwhile.
    fn until(&self, task: u64, event: &str) -> anyhow::Result<()> {
        let Self { place, github, door } = self;
        let word = format!("\"event\":\"{event}\"");
        place.wait(&format!("`{event}` of task {task}"), || {
            for told in github.take_happened() {
                door.deliver(&told)?;
            }
            let journal = place.journal()?;
            // A fact may have several changes.
            let has =
                |fact: &Told| fact.task == Some(task) && fact.data.to_string().contains(&word);
            Ok(journal.iter().any(has).then_some(()))
        })
    }
}
