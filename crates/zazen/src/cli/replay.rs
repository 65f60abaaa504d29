//! `zazen replay`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::anyhow;
use zazen_core::engine::Book;
use zazen_core::id::TaskId;
use zazen_core::receipt::{KeyId, Receipt};
use zazen_core::task::Task;
use zazen_core::text::plain;

use super::verify::{self, Keys};
use super::{Context, ErrorKind, Result, context, json, kinded, line, say};
use crate::daemon::{self, Made, OfTask, Replay, ReplayCame as Came, Replayed, Unlike, Verdict};

/// Each run is made again as it was, in the same kind of sandbox, with the recorded answers
/// of the model: no network, no tokens. The checks are run for real.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A task's number, a pull request (`#7`, `owner/name#7` or its address), or a bundle's
    /// file or folder
    #[arg(value_name = "TASK|PR|BUNDLE")]
    what: String,
    #[command(flatten)]
    keys: Keys,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let (home, config) = context.configured()?;
    let (environment, zazen) = (context.environment.clone(), context::zazen()?);
    let replay = Replay { home, config, environment, zazen };
    let mut tell = |made: &Made| {
        if !args.json {
            print(made);
        }
    };
    let replayed = match bundle(&args.what) {
        Some(path) => {
            let trusted = verify::trusted(&args.keys, context)?;
            daemon::runtime()?.block_on(of_bundle(&replay, (path, &trusted), &mut tell))?
        }
        None => of_task(&replay, &args.what, &mut tell)?,
    };
    if args.json {
        json(&replayed)?;
    } else {
        line(&conclusion(&replayed));
    }
    let task = replayed.task;
    match replayed.verdict {
        Verdict::SameTree => Ok(()),
        Verdict::Differs => Err(anyhow!("task {task} came to something else").into()),
        Verdict::Incomplete => {
            Err(anyhow!("not every run of task {task} could be made again").into())
        }
    }
}

/// The path of a bundle, if that is meant. A number is always a task's.
fn bundle(what: &str) -> Option<&Path> {
    let path = Path::new(what);
    (what.parse::<u32>().is_err() && path.exists()).then_some(path)
}

async fn of_bundle(
    replay: &Replay,
    (path, trusted): (&Path, &BTreeSet<KeyId>),
    tell: &mut dyn FnMut(&Made),
) -> Result<Replayed> {
    let bundled = replay.open(path, trusted).await?;
    let Receipt { task, issue, runs, .. } = bundled.receipt();
    let (repo, number, n) = (&issue.repo, issue.number, runs.len());
    say(&format!("replaying task {task} ({repo} #{number}) of a bundle ({n} runs, no network)"));
    Ok(replay.bundle(bundled, tell).await?)
}

fn of_task(replay: &Replay, what: &str, tell: &mut dyn FnMut(&Made)) -> Result<Replayed> {
    let book = Context::book(&replay.home)?;
    let task = find(&book, what).map_err(kinded(ErrorKind::Usage))?;
    let title = plain(&task.title);
    say(&format!("replaying task {}: {title} ({} runs, no network)", task.id, task.n_runs));
    let of = OfTask { task: task.id, repo: task.repo.clone(), n_runs: task.n_runs };
    Ok(daemon::runtime()?.block_on(replay.task(&of, tell))?)
}

/// The task that is meant, by its number or by its pull request.
#[expect(clippy::similar_names, reason = "they are the two sides of one thing")]
pub(super) fn find(book: &Book, what: &str) -> anyhow::Result<Task> {
    if let Ok(id) = what.parse() {
        let missing = || anyhow!("there is no task {id}; `zazen task list` lists them");
        return book.task(TaskId(id)).map(Cow::into_owned).ok_or_else(missing);
    }
    let (repo, number) = match what.rsplit_once('#') {
        Some((repo, number)) => (repo, number),
        None => what.rsplit_once("/pull/").unwrap_or((what, "")),
    };
    let number: u64 = number.parse().map_err(|_| {
        anyhow!("`{what}` is no task's number and no pull request (`#7`, `owner/name#7`)")
    })?;
    let is_in = |task: &Task| repo.is_empty() || repo.ends_with(task.repo.as_str());
    let is_it = |task: &Task| task.state.pull().is_some_and(|it| it.0 == number);
    let mut found = book.tasks().filter(|task| is_it(task) && is_in(task));
    match (found.next(), found.next()) {
        (Some(task), None) => Ok(task.into_owned()),
        (None, _) => Err(anyhow!("no task has the pull request `{what}`")),
        (Some(_), Some(_)) => Err(anyhow!("several repositories have a #{number}; say which")),
    }
}

fn print(made: &Made) {
    let sign = match made.came {
        Came::Same => "same",
        Came::Differs => "DIFF",
        Came::Passed => "--  ",
        Came::Missing => "GONE",
    };
    let (run, phase) = (made.run.to_string(), &made.phase);
    let took = match made.came {
        Came::Same | Came::Differs => {
            let [was, is] = [made.recorded_ms, made.replayed_ms].map(seconds);
            format!(" ({is} s, then {was} s)")
        }
        Came::Passed | Came::Missing => String::new(),
    };
    line(&format!("{sign}  {run:<7} {phase:<12} {}{took}", plain(&made.says)));
    let inner = |text: &str| line(&format!("                           {}", plain(text)));
    made.files.iter().for_each(|file| inner(file));
    made.notes.iter().for_each(|note| inner(&format!("note: {note}")));
    if let Some(unlike) = &made.unlike {
        inner(&format!("note: {}", said(unlike)));
        if let Some(differs) = &unlike.differs {
            inner(&format!("  at {}", differs.at));
            inner(&format!("  then: {}", differs.was.replace('\n', " ")));
            inner(&format!("  now:  {}", differs.is.replace('\n', " ")));
        }
    }
}

fn said(unlike: &Unlike) -> String {
    let Unlike { n, turn, path, differs } = unlike;
    let what = if differs.is_some() { "is not like the recorded one" } else { "has no answer" };
    format!("request {n} (turn {turn}, {path}) {what}")
}

fn seconds(millis: u64) -> String {
    format!("{}.{:02}", millis / 1000, millis % 1000 / 10)
}

fn conclusion(replayed: &Replayed) -> String {
    let Replayed { recorded_ms, replayed_ms, n_answered, .. } = replayed;
    let run = replayed.first.map(|run| run.to_string()).unwrap_or_default();
    let verdict = match replayed.verdict {
        Verdict::SameTree => {
            let tree = replayed.tree.as_deref().map(|tree| format!(" {}", &tree[..12]));
            format!("same tree{}", tree.unwrap_or_default())
        }
        Verdict::Differs => format!("differs: run {run} is the first that does"),
        Verdict::Incomplete if run.is_empty() => "there was nothing to make again".to_owned(),
        Verdict::Incomplete => format!("incomplete: run {run} could not be made again"),
    };
    let [is, was] = [*replayed_ms, *recorded_ms].map(seconds);
    format!("\n{verdict} ({n_answered} answers from recordings, {is} s, then {was} s)")
}
