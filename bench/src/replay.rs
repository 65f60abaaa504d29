//! How often a task that is made again from its recordings comes to the same tree.
//!
//! Tasks of two steps over small repositories in three languages, by `mini` and by the real
//! programs that are here, each in `bwrap`. Their commands print dates, times and ids. Each
//! task is replayed several times, with the model's service still there: it is asked nothing.

mod answers;
mod samples;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde_json::Value;
use zazen_harness::Name;

use self::answers::{Service, THINK};
use self::samples::{JAVASCRIPT, PYTHON, RUST, Sample};
use crate::harnesses::lines;
use crate::place::{Place, git, program};
use crate::report::Row;

/// The name of this measurement.
pub(crate) const NAME: &str = "replay";

/// How often each task is replayed.
const N_REPLAYS: usize = 3;
const N_REPLAYS_FEW: usize = 1;

/// What the replays of one task came to.
#[derive(Default)]
struct Sum {
    n: usize,
    n_same: usize,
    n_requests: u64,
    /// Of these, those that were the very same, and those that were alike.
    n_exact: u64,
    n_alike: u64,
    recorded_ms: u64,
    replayed_ms: u64,
}

/// Those that are replayed: `mini`, and the programs that these variables name.
fn here() -> Vec<(Name, Option<PathBuf>)> {
    let named = [(Name::Claude, "ZAZEN_CLAUDE"), (Name::Codex, "ZAZEN_CODEX")];
    let named = named.into_iter().filter_map(|(name, variable)| {
        let path = std::env::var_os(variable).map(PathBuf::from)?;
        path.is_file().then_some((name, Some(path)))
    });
    [(Name::Mini, None)].into_iter().chain(named).collect()
}

pub(crate) fn run(zazen: &Path, few: bool) -> anyhow::Result<Vec<Row>> {
    let n = if few { N_REPLAYS_FEW } else { N_REPLAYS };
    let mut rows = Vec::new();
    let mut all = Sum::default();
    for (name, path) in here() {
        for sample in [&RUST, &PYTHON, &JAVASCRIPT] {
            let sum = of(zazen, (name, path.as_deref()), sample, n);
            let sum = sum.with_context(|| format!("{} with `{name}`", sample.language))?;
            rows.push(row(&format!("`{name}`, {}", sample.language), &sum));
            all.add(&sum);
        }
    }
    rows.push(row("all", &all));
    Ok(rows)
}

fn row(what: &str, sum: &Sum) -> Row {
    let Sum { n, n_same, n_requests, n_exact, n_alike, recorded_ms, replayed_ms } = sum;
    let n_replays = u64::try_from((*n).max(1)).unwrap_or(1);
    Row::new(NAME, format!("{what}: replays with the same tree"), format!("{n_same} of {n}"))
        .bare(format!("{} ms then, {} ms now", recorded_ms / n_replays, replayed_ms / n_replays))
        .how(format!(
            "{n_requests} requests: {n_exact} the very same, {n_alike} alike; the model thinks \
             {} ms an answer, then",
            THINK.as_millis()
        ))
}

fn of(
    zazen: &Path,
    (name, path): (Name, Option<&Path>),
    sample: &'static Sample,
    n: usize,
) -> anyhow::Result<Sum> {
    let model = Service::start(sample)?;
    let url = format!("http://{}", model.address);
    let mut place = Place::empty(zazen, "bwrap", &url)?;
    place.use_harness(&lines(name, path, &url))?;
    prepare(&place, sample)?;
    place.up()?;
    place.zazen(&["issue", "new", "Add a mean", "--body", "Please."])?;
    place.zazen(&["issue", "comment", "1", "/plan"])?;
    place.wait_for_event(1, "run-ended", 1)?;
    place.zazen(&["issue", "comment", "1", "/implement"])?;
    place.wait_for_event(1, "pull-opened", 1)?;
    place.down()?;
    let n_calls = model.n_calls();
    let mut sum = Sum::default();
    for _ in 0..n {
        sum.take(&replay(&place)?);
    }
    if model.n_calls() != n_calls {
        bail!("a replay asked the model's service");
    }
    Ok(sum)
}

/// Makes the repository, and lets its sandboxes see a Rust where it needs one.
fn prepare(place: &Place, sample: &Sample) -> anyhow::Result<()> {
    let dir = place.beside("sample");
    for (name, text) in sample.files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&dir))?;
        fs::write(path, text)?;
    }
    git(&dir, &["init", "-q", "-b", "main"])?;
    git(&dir, &["add", "-A"])?;
    git(&dir, &["commit", "-q", "-m", "Sum numbers"])?;
    let config = place.root().join("zazen.toml");
    if sample.language == "Rust" {
        let rust = rust(&place.beside("rust"))?;
        let tools = format!("[sandbox]\ntools = [\"{0}\", \"{0}/bin\"]\n", rust.display());
        fs::write(&config, fs::read_to_string(&config)?.replace("[sandbox]\n", &tools))?;
    }
    place.zazen(&["repo", "add", &dir.display().to_string()])?;
    let check = format!("[[repo]]\ncheck = \"{}\"\n", sample.check);
    fs::write(&config, fs::read_to_string(&config)?.replace("[[repo]]\n", &check))?;
    Ok(())
}

/// The compiler by other names, where the sandbox's user gets to it.
fn rust(to: &Path) -> anyhow::Result<PathBuf> {
    let output = program(Path::new("rustc")).args(["--print", "sysroot"]).output()?;
    let from = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    for part in ["bin", "lib"] {
        link(&from.join(part), &to.join(part))?;
    }
    Ok(to.to_owned())
}

fn link(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            link(&path, &to)?;
        } else if fs::hard_link(&path, &to).is_err() {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

fn replay(place: &Place) -> anyhow::Result<Value> {
    let mut command = place.command(&["replay", "1", "--json"]);
    let output = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).with_context(|| format!("zazen replay says: {said}"))
}

impl Sum {
    fn take(&mut self, replayed: &Value) {
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        self.n += 1;
        self.n_same += usize::from(replayed["verdict"] == "same-tree");
        for run in replayed["runs"].as_array().into_iter().flatten() {
            let requests = &run["requests"];
            let (same, alike) = (number(&requests["same"]), number(&requests["alike"]));
            let others = number(&requests["unlike"]) + number(&requests["unanswered"]);
            self.n_requests += same + alike + others;
            self.n_exact += same;
            self.n_alike += alike;
        }
        self.recorded_ms += number(&replayed["recorded_ms"]);
        self.replayed_ms += number(&replayed["replayed_ms"]);
    }

    fn add(&mut self, more: &Self) {
        self.n += more.n;
        self.n_same += more.n_same;
        self.n_requests += more.n_requests;
        self.n_exact += more.n_exact;
        self.n_alike += more.n_alike;
        self.recorded_ms += more.recorded_ms;
        self.replayed_ms += more.replayed_ms;
    }
}
