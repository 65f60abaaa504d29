//! From an event to an agent at work.
//!
//! A person's comment `/plan` is written, and the time is taken until the
//! harness's process runs, by the runner's own stamp. The daemon is warm, the
//! mirror is there, and nothing else is under way.

use std::path::Path;
use std::time::SystemTime;

use crate::model::{Model, Script};
use crate::place::{Place, millis};
use crate::report::{Row, Samples};

/// The name of this measurement.
pub(crate) const NAME: &str = "start";

/// How many tasks are begun to warm up, and are not counted.
const N_WARM_UP: usize = 3;

/// How many tasks are counted, per engine and way of writing the comment.
const N_TASKS: usize = 30;

/// The design's limits, in milliseconds.
const P50_MAX: f64 = 100.0;
const P99_MAX: f64 = 400.0;

/// Where the time goes, by stamps that are kept anyway, in milliseconds after the comment.
#[derive(Debug, Clone, Copy)]
struct Marks {
    opened: f64,
    base: f64,
    begun: f64,
    spec: f64,
    ready: f64,
    started: f64,
}

pub(crate) fn run(zazen: &Path, engine: &'static str) -> anyhow::Result<Vec<Row>> {
    let model = Model::start(Script::trivial(1))?;
    let mut place = Place::new(zazen, engine, &model.url())?;
    place.up()?;
    let mut task = 0;
    let mut from_file = Vec::new();
    let mut from_program = Vec::new();
    for n in 0..N_WARM_UP + N_TASKS {
        for by_program in [false, true] {
            let issue = place.open_issue()?;
            task += 1;
            let at = if by_program {
                let at = SystemTime::now();
                place.zazen(&["issue", "comment", &issue.to_string(), "/plan"])?;
                at
            } else {
                place.comment(issue, "/plan")?
            };
            place.wait_for_start(task, 1)?;
            place.wait_for_event(task, "run-ended", 1)?;
            if n >= N_WARM_UP {
                let marks = marks(&place, task, millis(at))?;
                if by_program { &mut from_program } else { &mut from_file }.push(marks);
            }
        }
    }
    place.down()?;
    Ok(rows(engine, &from_file, &from_program))
}

fn rows(engine: &str, from_file: &[Marks], from_program: &[Marks]) -> Vec<Row> {
    let file = Samples::new(from_file.iter().map(|marks| marks.started).collect());
    let program = Samples::new(from_program.iter().map(|marks| marks.started).collect());
    let mut rows: Vec<Row> = [
        (file, "comment's file written", "the file is put there as any program may"),
        (program, "`zazen issue comment` started", "the command line's own start included"),
    ]
    .into_iter()
    .map(|(samples, from, how)| {
        let held = samples.p50() < P50_MAX && samples.p99() < P99_MAX;
        let row = Row::new(NAME, format!("{from} → harness runs, `{engine}`"), pair(&samples))
            .how(format!("{} warm tasks, one at a time; {how}", samples.n()));
        // What another program makes takes as long as that program does.
        if engine == "container" { row } else { row.limit("p50 < 100 ms, p99 < 400 ms", held) }
    })
    .collect();
    let median = |part: fn(&Marks) -> f64| Samples::new(from_file.iter().map(part).collect()).p50();
    let parts = format!(
        "taken {:.0}, base known {:.0}, run begun {:.0}, sandbox asked for {:.0}, sandbox stands \
         {:.0}, harness runs {:.0} ms",
        median(|m| m.opened),
        median(|m| m.base),
        median(|m| m.begun),
        median(|m| m.spec),
        median(|m| m.ready),
        median(|m| m.started),
    );
    let how = "medians after the file was written, by stamps";
    rows.push(Row::new(NAME, format!("where that goes, `{engine}`"), parts).how(how));
    rows
}

fn pair(samples: &Samples) -> String {
    format!("p50 {:.0} ms, p99 {:.0} ms", samples.p50(), samples.p99())
}

fn marks(place: &Place, task: u64, from: f64) -> anyhow::Result<Marks> {
    use zazen::sandbox::Ev;

    let journal = place.journal()?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let after = |at: u64| at as f64 - from;
    let told = |name: &str| {
        let fact = journal.iter().find(|fact| fact.task == Some(task) && fact.event == name);
        fact.map_or(f64::NAN, |fact| after(fact.at))
    };
    let base = journal
        .iter()
        .find(|fact| fact.task == Some(task) && fact.data.to_string().contains("base-found"))
        .map_or(f64::NAN, |fact| after(fact.at));
    let spec = place.run_dir(task, 1).spec().metadata()?.modified()?;
    let events = place.events(task, 1)?;
    let event = |is: fn(&Ev) -> bool| {
        events.iter().find(|line| is(&line.ev)).map_or(f64::NAN, |line| after(line.at.0))
    };
    Ok(Marks {
        opened: told("opened"),
        base,
        begun: told("run-begun"),
        spec: millis(spec) - from,
        ready: event(|ev| matches!(ev, Ev::Ready { .. })),
        started: event(|ev| matches!(ev, Ev::Started { .. })),
    })
}
