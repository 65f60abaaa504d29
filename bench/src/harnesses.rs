//! How soon a harness says its first word under zazen, beside the harness alone.
//!
//! A task's run is begun, with its workspace, sandbox, canary and gateway; as soon as it has
//! said something it is stopped, and the same command is started alone: the same arguments,
//! variables, settings and prompt, with a home and a checkout of its own, and no zazen around
//! it. Those that speak the Agent Client Protocol have zazen's client in both cases.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use zazen::sandbox::{Ev, LaunchSpec, Work};
use zazen_harness::{Choice, Name};

use crate::model::{Model, Script};
use crate::place::{Place, git, program};
use crate::report::{Row, Samples, ms};

/// The name of this measurement.
pub(crate) const NAME: &str = "harnesses";

/// How many pairs are counted, after one that is not.
const N_PAIRS: usize = 7;
const N_PAIRS_FEW: usize = 1;

/// How long the model thinks: longer than any first word takes that does not wait for it.
const THINK: Duration = Duration::from_secs(30);

/// Those that are here: `mini`, and what a variable such as `ZAZEN_CODEX` names.
fn here() -> Vec<(Name, Option<PathBuf>)> {
    let named = Name::ALL.into_iter().filter_map(|name| {
        name.abilities().program?;
        let variable = format!("ZAZEN_{}", name.word().to_uppercase());
        let path = std::env::var_os(variable).map(PathBuf::from)?;
        path.is_file().then_some((name, Some(path)))
    });
    named.chain([(Name::Mini, None)]).collect()
}

pub(crate) fn run(zazen: &Path, few: bool) -> anyhow::Result<Vec<Row>> {
    let n_pairs = if few { N_PAIRS_FEW } else { N_PAIRS };
    let mut rows = Vec::new();
    for (name, path) in here() {
        let row = of(zazen, (name, path.as_deref()), n_pairs);
        rows.push(row.with_context(|| format!("measure `{name}`"))?);
    }
    Ok(rows)
}

fn of(zazen: &Path, (name, path): (Name, Option<&Path>), n_pairs: usize) -> anyhow::Result<Row> {
    let model = Model::start(Script { think: THINK, ..Script::trivial(1) })?;
    let mut place = Place::new(zazen, "bwrap", &model.url())?;
    place.use_harness(&lines(name, path, &model.url()))?;
    place.up()?;
    let (mut under, mut alone) = (Vec::new(), Vec::new());
    for n in 0..=n_pairs {
        let task = n as u64 + 1;
        let issue = place.open_issue()?;
        place.comment(issue, "/plan")?;
        let begun = place.wait_for_event(task, "run-begun", 1)?;
        let first = place.wait("the harness says something", || {
            let events = place.events(task, 1)?;
            let first = events.iter().find(|line| matches!(line.ev, Ev::Out { .. }));
            if first.is_none() && events.iter().any(|line| matches!(line.ev, Ev::Ended { .. })) {
                bail!("it ended without a word: {events:?}");
            }
            Ok(first.map(|line| line.at.0))
        })?;
        place.comment(issue, "/stop")?;
        place.wait_for_event(task, "run-ended", 1)?;
        let bare = start_alone(&place, &model, (zazen, task))?;
        if n > 0 {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of one start")]
            under.push(first.saturating_sub(begun.at) as f64);
            alone.push(ms(bare));
        }
    }
    place.down()?;
    let (under, alone) = (Samples::new(under), Samples::new(alone));
    let ratio = under.p50() / alone.p50();
    let says = format!("{:.0} ms ({ratio:.2} × alone)", under.p50());
    let version = name.abilities().tested.unwrap_or(env!("CARGO_PKG_VERSION"));
    Ok(Row::new(NAME, format!("`{name}`: run begun → its first event"), says)
        .bare(format!("{:.0} ms", alone.p50()))
        .how(format!(
            "median of {} pairs in turns, `bwrap`; {} {version}; the model has said nothing yet",
            under.n(),
            name.abilities().title
        )))
}

/// The lines of a configuration with this harness.
pub(crate) fn lines(name: Name, path: Option<&Path>, url: &str) -> (String, String) {
    let abilities = name.abilities();
    let route = abilities.speaks.first().map_or("anthropic", |api| api.word());
    let model = match abilities.model {
        Choice::Needed(such_as) => such_as,
        Choice::Optional | Choice::Never => "",
    };
    let path = path.map(|path| format!("program = \"{}\"\n", path.display())).unwrap_or_default();
    let harness = format!("use = \"{name}\"\nmodel = \"{model}\"\nroute = \"{route}\"\n{path}");
    let more = if route == "anthropic" {
        String::new()
    } else {
        format!(
            "[models.{route}]\napi = \"{route}\"\nbase_url = \"{url}\"\nkey_env = \"BENCH_KEY\"\n"
        )
    };
    (harness, more)
}

/// Starts what a run was started with, and says how long its first line took.
fn start_alone(
    place: &Place,
    model: &Model,
    (zazen, task): (&Path, u64),
) -> anyhow::Result<Duration> {
    let spec: LaunchSpec = serde_json::from_slice(&fs::read(place.run_dir(task, 1).spec())?)?;
    let Work::Harness { argv, stdin, .. } = spec.work else { bail!("it is a check") };
    let (dir, home) = (place.beside(&format!("alone-{task}")), place.beside(&format!("h-{task}")));
    git(&place.repo(), &["clone", "-q", ".", &dir.display().to_string()])?;
    fs::create_dir(&home)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = path.to_string_lossy();
    let fill = |text: &str| {
        text.replace("{gateway}", &model.url())
            .replace("{home}", &home.display().to_string())
            .replace("{workspace}", &dir.display().to_string())
            .replace("{zazen}", &zazen.display().to_string())
            .replace("{path}", &path)
    };
    for (name, text) in &spec.files {
        let at = home.join(name);
        fs::create_dir_all(at.parent().unwrap_or(&home))?;
        fs::write(at, fill(text))?;
    }
    let argv: Vec<String> = argv.iter().map(|word| fill(word)).collect();
    let [word, rest @ ..] = argv.as_slice() else { bail!("there is nothing to start") };
    let began = Instant::now();
    let mut child = program(Path::new(word))
        .args(rest)
        .env_clear()
        .env("HOME", &home)
        .envs(spec.env.iter().map(|(name, value)| (name, fill(value))))
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = child.stdin.take().context("its prompt")?;
    input.write_all(stdin.as_bytes())?;
    // One that reads to the end of its input begins then; the others are killed in a moment.
    drop(input);
    let mut line = String::new();
    let n = BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
    let took = began.elapsed();
    child.kill()?;
    child.wait()?;
    if n == 0 {
        bail!("alone, it ended without a word");
    }
    Ok(took)
}
