//! Whether a run that was made again came to the same.

use std::collections::BTreeSet;
use std::fs;

use zazen_core::id::CommitId;
use zazen_core::text::{one_line, plain};

use super::super::apart::Ran;
use super::super::run::EGRESS_FILE;
use super::recorded::{Recorded, unfinished};
use super::{Came, Made, Requests, Unlike};
use crate::gateway::{By, Heard};

/// What a run left.
pub(super) enum Left {
    /// It was to answer, and to change nothing.
    Answer,
    Commit(CommitId),
    /// Something that is not taken, and why.
    Refused(String),
}

/// How many files are named where many differ.
const FILES_MAX: usize = 20;

/// How long the name of a file may be here, in characters.
const NAME_CHARS_MAX: usize = 200;

/// How the questions were answered, and the first that was not like the recorded one.
pub(super) fn requests(heard: &[Heard]) -> (Requests, Option<Unlike>) {
    let mut requests = Requests::default();
    for heard in heard {
        *match heard.by {
            By::Same => &mut requests.same,
            By::Alike => &mut requests.alike,
            By::Place => &mut requests.unlike,
            By::Nothing => &mut requests.unanswered,
        } += 1;
    }
    let is_unlike = |heard: &Heard| matches!(heard.by, By::Place | By::Nothing);
    // One that was never answered matters more than one that is merely another.
    let at = heard.iter().position(|it| it.by == By::Nothing);
    let at = at.or_else(|| heard.iter().position(is_unlike));
    let unlike = at.map(|at| {
        let Heard { turn, path, differs, .. } = heard[at].clone();
        Unlike { n: at + 1, turn, path: path.to_owned(), differs }
    });
    (requests, unlike)
}

/// What an agent's run came to, against the recorded one.
pub(super) fn agent(
    made: &mut Made,
    recorded: &Recorded,
    (ran, left): (&Ran, &Left),
    files: Vec<String>,
) {
    let unfinished = unfinished(ran, false);
    let is_same = match left {
        Left::Answer => plain(ran.reader.answer()).trim() == recorded.answer.trim(),
        Left::Commit(_) => files.is_empty(),
        Left::Refused(_) => false,
    };
    made.came = if is_same && unfinished.is_none() { Came::Same } else { Came::Differs };
    let unanswered = made.unlike.as_ref().filter(|_| made.requests.unanswered > 0);
    made.says = match (made.came, left, unfinished) {
        (Came::Same, Left::Answer, _) => "same answer".to_owned(),
        (Came::Same, ..) => "same tree".to_owned(),
        (_, _, Some(how)) => match unanswered {
            Some(unlike) => unlike.no_answer(),
            None => format!("it did not finish: {how}"),
        },
        (_, Left::Answer, None) => "its answer is another one".to_owned(),
        (_, Left::Refused(why), None) => format!("its result is not taken: {why}"),
        (_, Left::Commit(_), None) => {
            let n = files.len();
            format!("{n} {} not the same", if n == 1 { "file is" } else { "files are" })
        }
    };
    let name = |file: String| one_line(&plain(&file), NAME_CHARS_MAX);
    made.files = files.into_iter().take(FILES_MAX).map(name).collect();
}

impl Unlike {
    fn no_answer(&self) -> String {
        let Self { n, turn, path, .. } = self;
        format!("request {n} (turn {turn}, {path}) has no recorded answer")
    }
}

/// What the checks came to, against the recorded ones. They are run for real.
pub(super) fn check(made: &mut Made, recorded: &Recorded, ran: &Ran) {
    let status = |ran: &Ran| match ran.exit.as_ref() {
        Some(exit) => match (exit.code, exit.signal) {
            (Some(code), _) => format!("status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => exit.reason.word().to_owned(),
        },
        None => "no end".to_owned(),
    };
    let (was, is) = (status(&recorded.ran), status(ran));
    if was == is {
        made.came = Came::Same;
        made.says = format!("the checks ended with {is}, as then");
        return;
    }
    made.came = Came::Differs;
    made.says = format!("the checks ended with {is}, and with {was} then");
    let hosts = hosts(recorded);
    if !hosts.is_empty() {
        let hosts: Vec<String> = hosts.into_iter().collect();
        made.notes.push(format!("they reached {} then, and nothing now", hosts.join(", ")));
    }
}

/// The hosts that a run reached when it was recorded.
fn hosts(recorded: &Recorded) -> BTreeSet<String> {
    let log = fs::read_to_string(recorded.ran.dir.path().join(EGRESS_FILE)).unwrap_or_default();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let allowed = lines.filter(|line| line.get("ev").is_some_and(|ev| ev == "allowed"));
    let hosts = allowed.filter_map(|line| Some(line.get("authority")?.as_str()?.to_owned()));
    hosts.map(|host| one_line(&plain(&host), NAME_CHARS_MAX)).collect()
}
