//! What it saves to go on with a session, against starting over.
//!
//! The real Claude Code carries out a step of twenty turns, undisturbed, and is killed in
//! the fourteenth of another. The run that goes on with its session is beside a whole run,
//! which is what starting over takes. Tokens are counted by the size of what is sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::model::{Model, Script};
use crate::place::Place;
use crate::report::Row;

/// The name of this measurement.
pub(crate) const NAME: &str = "resume";

/// How many commands the step has, and which of them kills the harness.
const N_COMMANDS: usize = 20;
const KILLED_AT: usize = 13;

/// How long the model thinks before each answer. Real ones take longer.
const THINK: Duration = Duration::from_millis(300);

/// What a run took.
struct Taken {
    calls: u64,
    tokens: u64,
    ms: u64,
}

/// Where Claude Code is, where there is one to measure with.
pub(crate) fn claude() -> Option<PathBuf> {
    std::env::var_os("ZAZEN_CLAUDE").map(PathBuf::from).filter(|path| path.is_file())
}

pub(crate) fn run(zazen: &Path, claude: &Path) -> anyhow::Result<Vec<Row>> {
    let whole = measure(zazen, claude, script(None), 2)?;
    let rest = measure(zazen, claude, script(Some(KILLED_AT)), 3)?;
    if rest.calls >= whole.calls {
        bail!("it began anew: {} calls after {}", rest.calls, whole.calls);
    }
    let how = format!(
        "killed in turn {} of {}; the model thinks {} ms a turn",
        KILLED_AT + 1,
        N_COMMANDS + 1,
        THINK.as_millis()
    );
    let row = |what: &str, rest: u64, whole: u64, unit: &str| {
        let saved = 100 - 100 * rest / whole.max(1);
        Row::new(NAME, what, format!("{rest}{unit} (saves {saved} %)"))
            .bare(format!("{whole}{unit}"))
            .how(how.clone())
    };
    Ok(vec![
        row("calls of the model to go on", rest.calls, whole.calls, ""),
        row("tokens to go on", rest.tokens, whole.tokens, ""),
        row("time to go on", rest.ms, whole.ms, " ms"),
    ])
}

fn script(killed_at: Option<usize>) -> Script {
    let mut implement: Vec<String> =
        (0..N_COMMANDS).map(|n| format!("echo 'line {n}' >> README.md; cat README.md")).collect();
    if let Some(at) = killed_at {
        "kill -9 $PPID; sleep 100".clone_into(&mut implement[at]);
    }
    Script { implement, think: THINK, ..Script::trivial(1) }
}

/// What the `n`-th run of a task took. The first is its plan.
fn measure(zazen: &Path, claude: &Path, script: Script, n: usize) -> anyhow::Result<Taken> {
    let model = Model::start(script)?;
    let mut place = Place::new(zazen, "bwrap", &model.url())?;
    place.use_claude(claude)?;
    place.up()?;
    let issue = place.open_issue()?;
    place.comment(issue, "/plan")?;
    place.wait_for_event(1, "run-ended", 1)?;
    place.comment(issue, "/implement")?;
    let ended = place.wait_for_event(1, "run-ended", n)?;
    let begun = place.wait_for_event(1, "run-begun", n)?;
    place.down()?;
    let outcome = find(&ended.data, "outcome").cloned().unwrap_or_default();
    if !outcome.to_string().contains("step-done") {
        bail!("run {n} came to {outcome}");
    }
    let usage = find(&ended.data, "usage").context("what the run used")?;
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let tokens = &usage["tokens"];
    Ok(Taken {
        calls: count(&usage["n_calls"]),
        tokens: ["input", "output", "cache_read", "cache_write"]
            .iter()
            .map(|kind| count(&tokens[kind]))
            .sum(),
        ms: ended.at.saturating_sub(begun.at),
    })
}

/// The first value of this name, however deep.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => {
            map.get(name).or_else(|| map.values().find_map(|value| find(value, name)))
        }
        Value::Array(all) => all.iter().find_map(|value| find(value, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
