//! `zazen bisect`.

use zazen_core::text::plain;

use super::replay::find;
use super::{Context, ErrorKind, Result, context, json, kinded, line};
use crate::daemon::{self, Bisect, Bisected, Found, Point};

/// The command is run on the base and on what the steps left, in a fresh sandbox each time,
/// without a model and without a network, until the step is found where it changes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A task's number, or a pull request: `#7`, `owner/name#7` or its address
    #[arg(value_name = "TASK|PR")]
    what: String,
    /// Run the command on every commit, though the step is found
    #[arg(long)]
    all: bool,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
    /// The command, and its arguments; one alone may be any line for a shell
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let (home, config) = context.configured()?;
    let book = Context::book(&home)?;
    let task = find(&book, &args.what).map_err(kinded(ErrorKind::Usage))?;
    let steps = daemon::steps(&home, task.id, task.n_runs)?;
    let bisect = Bisect {
        home,
        config,
        zazen: context::zazen()?,
        task: task.id,
        repo: task.repo.clone(),
        n_runs: task.n_runs,
        command: command(&args.command),
        is_thorough: args.all,
    };
    let bisected = daemon::runtime()?.block_on(bisect.run(steps, &mut |point| {
        if !args.json {
            print(point);
        }
    }))?;
    if args.json {
        return json(&bisected);
    }
    line("");
    for said in conclusion(&bisected) {
        line(&said);
    }
    Ok(())
}

/// A line for a shell.
fn command(words: &[String]) -> String {
    match words {
        [only] => only.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./=:@,+".contains(&b);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn print(point: &Point) {
    let what = if point.passes { "passes" } else { "fails " };
    line(&format!("{what}  {}", named(point)));
}

fn named(point: &Point) -> String {
    let Point { run, step, title, commit, .. } = point;
    let at = match (run, step) {
        (None, _) => "base".to_owned(),
        (Some(run), Some(step)) => format!("step {step} (run {run})"),
        (Some(run), None) => format!("correction (run {run})"),
    };
    format!("{:<18} {}  {}", at, commit.short(), plain(title))
}

fn conclusion(bisected: &Bisected) -> Vec<String> {
    let mut said = Vec::new();
    match (bisected.found, &bisected.at) {
        (Found::Broke, Some(at)) => said.push(format!("broken by {}", named(at))),
        (Found::Mended, Some(at)) => said.push(format!("mended by {}", named(at))),
        (Found::Fails, _) => said.push("it fails on the base and at the end".to_owned()),
        _ => said.push("it passes on the base and at the end".to_owned()),
    }
    if !bisected.is_monotone {
        said.push("it changes more than once in between; see above".to_owned());
    } else if bisected.n_untried > 0 {
        let n = bisected.n_untried;
        said.push(format!("{n} commits were not tried; `--all` tries every one"));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_several_words_reaches_the_shell_as_these_words() {
        let words =
            |words: &[&str]| command(&words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["cargo test || true"]), "cargo test || true");
        assert_eq!(words(&["grep", "-q", "it's", "a b", ""]), r"grep -q 'it'\''s' 'a b' ''");
    }
}
