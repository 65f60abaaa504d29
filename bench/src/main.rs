//! Measures the numbers that zazen is held to, on a release build.
//!
//! `cargo run --release -p bench` measures everything; with names, only those.
//! Each measurement is a file of its own here and says what it does. Everything
//! is compared with the bare thing in the same run where there is one, because
//! another machine, or another hour, gives other numbers.

mod appends;
mod arrival;
mod crowd;
mod demo;
mod gateway;
mod github;
mod grown;
mod guards;
mod harnesses;
mod hooked;
mod idle;
mod loopback;
mod machine;
mod model;
mod overhead;
mod parallel;
mod place;
mod process;
mod receipt;
mod replay;
mod report;
mod resume;
mod secrets;
mod size;
mod start;
mod streams;
mod webhooks;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};

use self::machine::Machine;
use self::place::program;
use self::report::{Report, Row};

/// Measures zazen.
#[derive(Debug, Parser)]
struct Args {
    /// What to measure; everything, without a name
    measurements: Vec<Measurement>,
    /// Print the numbers for machines
    #[arg(long)]
    json: bool,
    /// Measure only a few of each, where it can be chosen, to see that it works
    #[arg(long)]
    few: bool,
    /// What `bench/guards-corpus` made, for `guards`
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// The program to measure [default: a release build of this repository, made first]
    #[arg(long)]
    zazen: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// From a comment to an agent at work
    Start,
    /// What a run costs on top of the bare harness
    Overhead,
    /// What the gateway adds to a model call
    Gateway,
    /// What a daemon with nothing to do takes
    Idle,
    /// How it starts with very many tasks, and what it takes then
    Many,
    /// How large the program is
    Size,
    /// How fast the secret scanner is, and how often it is wrong
    Secrets,
    /// How many facts a second become durable
    Appends,
    /// A hundred agents at once
    Parallel,
    /// How many webhooks a second are acknowledged, and how soon
    Webhooks,
    /// From a webhook to an agent at work; what a task costs in calls to GitHub
    Arrival,
    /// How many webhooks a second are acknowledged while agents stream
    Crowd,
    /// How long the demo takes
    Demo,
    /// How long it takes to make a receipt, and to check one
    Receipt,
    /// What it saves to go on with a session
    Resume,
    /// How fast the streams of harnesses are read, and what that takes of memory
    Streams,
    /// How soon each harness says its first word, beside the harness alone
    Harnesses,
    /// How often a task that is replayed comes to the same tree, and how long that takes
    Replay,
    /// How often the guards raise an alarm over merged changes, of a corpus
    Guards,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match measure_all(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            say(&format!("bench: {err:#}"));
            ExitCode::FAILURE
        }
    }
}

fn measure_all(args: &Args) -> anyhow::Result<()> {
    let zazen = match &args.zazen {
        Some(zazen) => zazen.canonicalize().context("find the program")?,
        None => build()?,
    };
    let all = Measurement::value_variants();
    let wanted = if args.measurements.is_empty() { all } else { &args.measurements };
    let mut report = Report { machine: Machine::read(), rows: Vec::new() };
    for &measurement in wanted {
        let name = measurement.to_possible_value().map_or(String::new(), |v| v.get_name().into());
        say(&format!("bench: {name} (load {})", machine::load()));
        let rows =
            measure(measurement, &zazen, args).with_context(|| format!("measure `{name}`"))?;
        report.rows.extend(rows);
    }
    let text = if args.json { serde_json::to_string_pretty(&report)? } else { report.markdown() };
    print(&text);
    Ok(())
}

fn measure(measurement: Measurement, zazen: &Path, args: &Args) -> anyhow::Result<Vec<Row>> {
    let few = args.few;
    let in_both = |measure: fn(&Path, &'static str) -> anyhow::Result<Vec<Row>>| {
        Ok([measure(zazen, "bwrap")?, measure(zazen, "none")?].concat())
    };
    match measurement {
        Measurement::Start => {
            let mut rows = in_both(start::run)?;
            // Said where it is missing; everything else can be measured without it.
            match place::podman(zazen) {
                Ok(_) => rows.extend(start::run(zazen, "container")?),
                Err(err) => say(&format!("bench: no rows for containers: {err:#}")),
            }
            Ok(rows)
        }
        Measurement::Overhead => in_both(overhead::run),
        Measurement::Gateway => gateway::run(),
        Measurement::Idle => idle::run(zazen),
        Measurement::Many => idle::many(zazen),
        Measurement::Size => size::run(zazen),
        Measurement::Secrets => secrets::run(),
        Measurement::Appends => appends::run(),
        Measurement::Parallel => in_both(parallel::run),
        Measurement::Webhooks => webhooks::run(),
        Measurement::Arrival => {
            let mut rows = arrival::run(zazen, ("bwrap", few))?;
            rows.extend(arrival::run(zazen, ("none", few))?);
            rows.extend(arrival::calls(zazen)?);
            Ok(rows)
        }
        Measurement::Crowd => crowd::run(zazen, few),
        Measurement::Demo => demo::run(zazen),
        Measurement::Receipt => receipt::run(zazen),
        Measurement::Resume => {
            if let Some(claude) = resume::claude() {
                return resume::run(zazen, &claude);
            }
            say("bench: no rows for `resume`: set `ZAZEN_CLAUDE` to a Claude Code");
            Ok(Vec::new())
        }
        Measurement::Streams => streams::run(few),
        Measurement::Harnesses => harnesses::run(zazen, few),
        Measurement::Replay => replay::run(zazen, few),
        Measurement::Guards => {
            let Some(corpus) = &args.corpus else {
                say("bench: no rows for `guards`: make a corpus, and name it with `--corpus`");
                return Ok(Vec::new());
            };
            guards::run(corpus)
        }
    }
}

/// Builds the program that is handed out, and says where it is.
fn build() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = program(Path::new(&cargo))
        .args(["build", "--release", "--quiet", "--package", "zazen"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdout(Stdio::null())
        .status()
        .context("start cargo")?;
    if !status.success() {
        bail!("the release build failed ({status})");
    }
    let here = std::env::current_exe().context("find our own program")?;
    let target = here.parent().and_then(Path::parent).context("find the target folder")?;
    target.join("release/zazen").canonicalize().context("find the release build")
}

#[expect(clippy::print_stderr, reason = "this is for who waits")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stdout, reason = "this is the result")]
fn print(text: &str) {
    println!("{text}");
}
