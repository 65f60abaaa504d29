//! What a run costs on top of the bare harness.
//!
//! The same conversation of a few trivial commands, with a model that thinks for
//! no time, is held bare (`zazen mini` in a plain checkout) and as a run of a
//! task, in turns. A run's time is that between its two facts in the journal.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use zazen::sandbox::LaunchSpec;

use crate::model::{Model, Script};
use crate::place::{Place, git};
use crate::process;
use crate::report::{Row, Samples, ms};

/// The name of this measurement.
pub(crate) const NAME: &str = "overhead";

/// How many pairs are counted, after one that is not.
const N_PAIRS: usize = 15;

/// How many answers a conversation has.
const N_TURNS: usize = 5;

/// How long the model thinks where the cost of waiting is measured, and how often.
const THINK: Duration = Duration::from_secs(2);
const N_THINKING: usize = 4;

/// The design's limits.
const WALL_MS_MAX: f64 = 300.0;
const CPU_PERCENT_MAX: f64 = 3.0;

/// One pair: milliseconds bare, as a run to plan, as a run that ends in a commit.
struct Pair {
    bare: f64,
    bare_cpu: f64,
    plan: f64,
    plan_cpu: f64,
    implement: f64,
    verify: f64,
}

pub(crate) fn run(zazen: &Path, engine: &'static str) -> anyhow::Result<Vec<Row>> {
    let model = Model::start(Script::trivial(N_TURNS))?;
    let mut place = Place::new(zazen, engine, &model.url())?;
    place.up()?;
    let mut pairs = Vec::new();
    for n in 0..=N_PAIRS {
        let pair = pair(&mut place, &model, n as u64 + 1)?;
        if n > 0 {
            pairs.push(pair);
        }
    }
    place.down()?;
    let mut rows = rows(engine, &pairs);
    rows.push(waiting(zazen, engine)?);
    Ok(rows)
}

fn pair(place: &mut Place, model: &Model, task: u64) -> anyhow::Result<Pair> {
    let issue = place.open_issue()?;
    let cpu = process::cpu(place.pid());
    place.comment(issue, "/plan")?;
    let ended = place.wait_for_event(task, "run-ended", 1)?;
    let begun = place.wait_for_event(task, "run-begun", 1)?;
    settle(place.pid());
    let plan_cpu = ms(process::cpu(place.pid()).saturating_sub(cpu));
    place.comment(issue, "/implement")?;
    let span = |n| -> anyhow::Result<f64> {
        let ended = place.wait_for_event(task, "run-ended", n)?;
        Ok(between(place.wait_for_event(task, "run-begun", n)?.at, ended.at))
    };
    let (implement, verify) = (span(2)?, span(3)?);
    settle(place.pid());
    let (bare, bare_cpu) = bare(place, model, task)?;
    let plan = between(begun.at, ended.at);
    Ok(Pair { bare, bare_cpu, plan, plan_cpu, implement, verify })
}

/// Waits until a daemon has nothing below it: a commit of the home, say.
fn settle(daemon: u32) {
    sleep(Duration::from_millis(1200));
    while process::tree(daemon).len() > 1 {
        sleep(Duration::from_millis(20));
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of one run")]
fn between(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64
}

/// Holds the conversation with no zazen around it. Says its wall and processor time.
fn bare(place: &Place, model: &Model, task: u64) -> anyhow::Result<(f64, f64)> {
    let spec: LaunchSpec = serde_json::from_slice(&fs::read(place.run_dir(task, 1).spec())?)?;
    let zazen::sandbox::Work::Harness { stdin, .. } = spec.work else { bail!("it is a check") };
    let dir = place.beside(&format!("bare-{task}"));
    git(&place.repo(), &["clone", "-q", ".", &dir.display().to_string()])?;
    let url = format!("{}/anthropic", model.url());
    let args = ["mini", "--api", "anthropic", "--base-url", &url, "--model", "claude-sonnet-4-5"];
    let began = Instant::now();
    let mut child = place
        .command(&args)
        .args(["--turns", "50"])
        .env("ZAZEN_MINI_TOKEN", "bench-token")
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("its prompt")?.write_all(stdin.as_bytes())?;
    let cpu = read_to_end(&mut child)?;
    let status = child.wait()?;
    if !status.success() {
        bail!("the bare harness ended with {status}");
    }
    Ok((ms(began.elapsed()), ms(cpu)))
}

/// Reads all that it says, and takes its processor time at its last line.
fn read_to_end(child: &mut Child) -> anyhow::Result<Duration> {
    let mut stdout = BufReader::new(child.stdout.take().context("its output")?);
    let mut line = String::new();
    let mut cpu = Duration::ZERO;
    while stdout.read_line(&mut line)? > 0 {
        if line.contains(r#""type":"end""#) {
            cpu = process::cpu(child.id());
        }
        line.clear();
    }
    stdout.read_to_string(&mut line)?;
    Ok(cpu)
}

fn rows(engine: &str, pairs: &[Pair]) -> Vec<Row> {
    let median = |part: &dyn Fn(&Pair) -> f64| Samples::new(pairs.iter().map(part).collect()).p50();
    let bare = median(&|pair| pair.bare);
    let bare_cpu = median(&|pair| pair.bare_cpu);
    let row = |what: &str, extra: f64, whole: f64, how: &str| {
        Row::new(NAME, format!("{what}, `{engine}`"), format!("+{extra:.0} ms (whole {whole:.0})"))
            .bare(format!("{bare:.0} ms"))
            .limit("< 300 ms", extra < WALL_MS_MAX)
            .how(format!("median of {} pairs in turns; {how}", pairs.len()))
    };
    let plan = median(&|pair| pair.plan);
    let implement = median(&|pair| pair.implement);
    let verify = median(&|pair| pair.verify);
    let plan_cpu = median(&|pair| pair.plan_cpu);
    vec![
        row(
            "a run that reads",
            median(&|pair| pair.plan - pair.bare),
            plan,
            "plan; run begun → run ended in the journal",
        ),
        row(
            "a run that commits",
            median(&|pair| pair.implement - pair.bare),
            implement,
            "implement; commit made, bundled, checked and collected",
        ),
        Row::new(NAME, format!("the checks' run, `{engine}`"), format!("{verify:.0} ms"))
            .how("verify; the command is `true`"),
        Row::new(
            NAME,
            format!("processor time around a run, `{engine}`"),
            format!("+{:.0} ms", plan_cpu - bare_cpu),
        )
        .bare(format!("{bare_cpu:.0} ms"))
        .how("plan, from the comment on: finding the base, pages and the home's commit included"),
    ]
}

/// What a run costs while its agent waits for the model, which is nearly always.
fn waiting(zazen: &Path, engine: &'static str) -> anyhow::Result<Row> {
    let model = Model::start(Script { think: THINK, ..Script::trivial(N_THINKING) })?;
    let mut place = Place::new(zazen, engine, &model.url())?;
    place.up()?;
    let issue = place.open_issue()?;
    place.comment(issue, "/plan")?;
    place.wait_for_start(1, 1)?;
    sleep(Duration::from_millis(2500));
    let tree = process::tree(place.pid());
    let ours: Vec<u32> = tree
        .iter()
        .filter(|it| it.role != process::Role::Harness && it.role != process::Role::Other)
        .map(|it| it.pid)
        .collect();
    let total = || ours.iter().map(|&pid| process::own_cpu(pid)).sum::<Duration>();
    let (began, before) = (Instant::now(), total());
    sleep(THINK.mul_f64(2.0));
    let used = total().saturating_sub(before);
    let percent = 100.0 * used.as_secs_f64() / began.elapsed().as_secs_f64();
    place.wait_for_event(1, "run-ended", 1)?;
    place.down()?;
    let what = format!("processor while an agent is at work, `{engine}`");
    let how = "daemon, supervisor, sandbox and runner of one run, per second of the run; the model \
               thinks for 2 s a turn";
    Ok(Row::new(NAME, what, format!("{percent:.2} % of a core"))
        .limit("< 3 %", percent < CPU_PERCENT_MAX)
        .how(how))
}
