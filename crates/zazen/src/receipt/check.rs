//! Whether a receipt holds: each link looked at, in a fixed order, offline.
//!
//! The keys that are believed come from the caller; nothing in a receipt or a bundle can
//! add one. What is not there, or was taken out, is unknown, which is not the same as
//! right. See `zazen_core::receipt::link`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use zazen_core::id::{PlanHash, RunId};
use zazen_core::receipt::chain::{self, Bad, Chain, Sealed};
use zazen_core::receipt::envelope::BYTES_MAX;
use zazen_core::receipt::{
    Checks, Envelope, Hash, Hosts, KeyId, Link, OfRun, Outcome, Part, Receipt, Report, Run,
    statement,
};
use zazen_core::usage::Usage;
use zazen_core::words;

use super::lines::{self, Then};
use super::{Place, Repo, bundle, derive};
use crate::git::{Carried, CarryError};
use crate::home::atomic;
use crate::home::keys;

/// What came of looking at a receipt.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The key that it was signed with, if it could be read so far.
    pub key: Option<KeyId>,
    /// What it states, if it could be read.
    pub receipt: Option<Receipt>,
    pub report: Report,
}

/// How much of a list of hashes is read: one for each line that a recording may have.
const LIST_BYTES_MAX: u64 = 128 << 20;

/// Looks at every link of the receipt in a place.
pub async fn check(place: &Place, trusted: &BTreeSet<KeyId>) -> Checked {
    let mut report = Report::default();
    let envelope = match read_envelope(place.receipt()) {
        Ok(envelope) => envelope,
        Err(outcome) => {
            report.add(Link::Envelope, outcome);
            return Checked { key: None, receipt: None, report };
        }
    };
    report.add(Link::Envelope, Outcome::Holds);
    let key = Some(envelope.key);
    let is_signed = keys::is_signed(&envelope);
    let why = "the signature is not over these bytes, or not by that key";
    report.add(Link::Signature, when(is_signed, why));
    if !is_signed {
        return Checked { key, receipt: None, report };
    }
    report.add(Link::Key, is_trusted(envelope.key, trusted));
    let receipt = match statement::parse(envelope.unsigned.payload()) {
        Ok(receipt) => receipt,
        Err(err) => {
            report.add(Link::Statement, broken(err.to_string()));
            return Checked { key, receipt: None, report };
        }
    };
    report.add(Link::Statement, Outcome::Holds);
    if place.is_unpacked() {
        report.add(Link::Bundle, nothing_else(place, &receipt));
    }
    commits(place, &receipt, &mut report).await;
    texts(place, &receipt, &mut report);
    for run in &receipt.runs {
        report.add(Link::Recording(run.run), recording(place, run));
        of_run(place, run, &mut report);
    }
    report.add(Link::Hosts, hosts(place, &receipt));
    evidence(place, &receipt, &mut report);
    report.add(Link::Cost, cost(place, &receipt));
    Checked { key, receipt: Some(receipt), report }
}

/// Reads the envelope of a receipt.
pub fn read_envelope(path: &Path) -> Result<Envelope, Outcome> {
    let bytes = atomic::read_small(path, BYTES_MAX as u64)
        .ok_or_else(|| broken(format!("`{}` is not there, or too large", path.display())))?;
    Envelope::parse(&bytes).map_err(|err| broken(err.to_string()))
}

/// Whether nothing is in a bundle but what its receipt speaks of.
fn nothing_else(place: &Place, receipt: &Receipt) -> Outcome {
    match bundle::strangers(place, receipt) {
        Ok(strangers) => match strangers.first() {
            None => Outcome::Holds,
            Some(name) => broken(format!("the receipt says nothing of `{name}`, which is in it")),
        },
        Err(err) => broken(format!("it cannot be listed: {err}")),
    }
}

fn is_trusted(key: KeyId, trusted: &BTreeSet<KeyId>) -> Outcome {
    if trusted.contains(&key) {
        return Outcome::Holds;
    }
    broken(match trusted.len() {
        0 => format!("it was signed with {key}, and no key is known here"),
        1 => format!("it was signed with {key}, which is not the one key that is known here"),
        n => format!("it was signed with {key}, which is none of the {n} keys that are known here"),
    })
}

async fn commits(place: &Place, receipt: &Receipt, report: &mut Report) {
    let range = (&receipt.base.commit, &receipt.head.commit);
    let repo = match place.repo() {
        Repo::Bare(dir) if dir.join("HEAD").exists() => Ok(Carried::in_mirror(dir)),
        Repo::Bare(dir) => Err(unknown(format!("there is no repository `{}`", dir.display()))),
        Repo::Packed(file) if file.exists() => {
            Carried::unpack(file, range).await.map_err(|err| match err {
                CarryError::Broken(why) => broken(why),
                CarryError::Failed(err) => unknown(format!("{err:#}")),
            })
        }
        Repo::Packed(_) => Err(unknown("the commits are not there")),
    };
    let repo = match repo {
        Ok(repo) => repo,
        Err(outcome) => {
            report.add(Link::Head, outcome.clone());
            report.add(Link::Base, outcome);
            return;
        }
    };
    let head = point(&repo, &receipt.head, "commit").await;
    let head = match (head, repo.damage(range).await) {
        (Outcome::Holds, Ok(Some(why))) => broken(format!("something of it is not there: {why}")),
        (Outcome::Holds, Err(err)) => unknown(format!("{err:#}")),
        (head, _) => head,
    };
    report.add(Link::Head, head);
    let base = point(&repo, &receipt.base, "base").await;
    let builds = match repo.builds_on(range.1, range.0).await {
        Ok(builds) => when(builds, "the commit does not build on it"),
        Err(err) => unknown(format!("{err:#}")),
    };
    report.add(Link::Base, both(base, builds));
}

async fn point(repo: &Carried, stated: &zazen_core::receipt::Point, what: &str) -> Outcome {
    match repo.tree_of(&stated.commit).await {
        Ok(Some(tree)) if tree.as_str() == stated.tree.as_str() => Outcome::Holds,
        Ok(Some(tree)) => broken(format!("its tree is {tree}, not {}", stated.tree)),
        Ok(None) => broken(format!("the {what} {} is not there", stated.commit.short())),
        Err(err) => unknown(format!("{err:#}")),
    }
}

/// The texts that were there before the work.
fn texts(place: &Place, receipt: &Receipt, report: &mut Report) {
    let plan = present(place, Part::Plan).unwrap_or_else(|path| match fs::read_to_string(path) {
        Ok(text) if PlanHash::of(&text) == receipt.plan.hash => Outcome::Holds,
        Ok(text) => {
            let found = PlanHash::of(&text);
            broken(format!("its hash is {}, not {}", found.short(), receipt.plan.hash.short()))
        }
        Err(err) => broken(format!("it cannot be read: {err}")),
    });
    report.add(Link::Plan, plan);
    if let Some(contract) = &receipt.contract {
        report.add(Link::Contract, part(place, Part::Contract, contract));
    }
    report.add(Link::Issue, part(place, Part::Issue, &receipt.issue.text));
    report.add(Link::Brief, part(place, Part::Brief, &receipt.brief));
    report.add(Link::Policy, part(place, Part::Policy, &receipt.policy));
}

/// What was found out about the work.
fn evidence(place: &Place, receipt: &Receipt, report: &mut Report) {
    if let Some(guards) = &receipt.guards {
        report.add(Link::Guards, part(place, Part::Guards, &guards.text));
    }
    let stated = checks(place, (Part::Checks, &receipt.checks), receipt);
    let passed = when(receipt.checks.code == Some(0), "the checks did not pass");
    report.add(Link::Checks, both(stated, passed));
    if let Some(baseline) = &receipt.baseline {
        report.add(Link::Baseline, checks(place, (Part::Baseline, baseline), receipt));
    }
    if let Some(review) = &receipt.review {
        report.add(Link::Review, part(place, Part::Review, &review.text));
    }
}

/// Whether checks are those of the run that they are said to be of.
fn checks(place: &Place, (at, stated): (Part, &Checks), receipt: &Receipt) -> Outcome {
    let phase = if at == Part::Baseline { "baseline" } else { "verify" };
    let ran = receipt.runs.iter().find(|run| run.run == stated.run);
    let ended = match ran {
        None => broken(format!("run {} is not among the runs", stated.run)),
        Some(run) if run.phase != phase => {
            broken(format!("run {} was for {}, and not for {phase}", run.run, run.phase))
        }
        Some(run) if run.end.code == stated.code => Outcome::Holds,
        Some(run) => broken(format!(
            "run {} ended with {}, and {} is stated",
            run.run,
            status(run.end.code),
            status(stated.code)
        )),
    };
    both(part(place, at, &stated.output), ended)
}

fn status(code: Option<i32>) -> String {
    code.map_or_else(|| "no status".to_owned(), |code| format!("status {code}"))
}

fn recording(place: &Place, run: &Run) -> Outcome {
    let Some(stated) = &run.recording else {
        let path = place.part(Part::Run(run.run, OfRun::Recording));
        return when(!path.exists(), "there is a recording, and none is stated");
    };
    let at = Part::Run(run.run, OfRun::Recording);
    let path = place.part(at);
    if !path.exists() {
        return unknown("it is not there");
    }
    let skipped = place.withheld(at).map(|withheld| withheld.lines.clone());
    let list = place.part(Part::Run(run.run, OfRun::Chain));
    let compared = match atomic::read_small(&list, LIST_BYTES_MAX) {
        None => without_list(&path, stated),
        Some(list) => match chain::parse_list(&String::from_utf8_lossy(&list), stated) {
            Ok(hashes) => with_list(&path, &hashes, skipped.as_deref().unwrap_or_default()),
            Err(err) => Ok(broken(err.to_string())),
        },
    };
    let outcome = compared.unwrap_or_else(|err| broken(err.to_string()));
    match (outcome, skipped) {
        (Outcome::Holds, Some(lines)) => unknown(words::unknown_link(&lines)),
        (outcome, _) => outcome,
    }
}

/// Names the first line that is not as it was.
fn with_list(path: &Path, hashes: &[Hash], skipped: &[u64]) -> io::Result<Outcome> {
    let (mut bad, mut n_lines) = (None, 0);
    lines::each(path, |n, line| {
        n_lines = n;
        if !skipped.contains(&n) || n > hashes.len() as u64 {
            bad = chain::compare(hashes, n, &Hash::of(line));
        }
        Ok(if bad.is_some() { Then::Stop } else { Then::Go })
    })?;
    let missing = Bad::Missing { line: n_lines + 1 };
    let bad = bad.or((n_lines < hashes.len() as u64).then_some(missing));
    Ok(bad.map_or(Outcome::Holds, |bad| broken(words::broken_link(&bad))))
}

/// Without the list it is only known that something is not as it was.
fn without_list(path: &Path, stated: &Sealed) -> io::Result<Outcome> {
    let mut chain = Chain::default();
    lines::each(path, |_, line| {
        chain.push(line);
        Ok(Then::Go)
    })?;
    let why = "a line of it is not as it was; without `recording.chain` nobody can say which";
    Ok(when(chain.sealed() == *stated, why))
}

/// Who acted, where, and how it ended.
fn of_run(place: &Place, stated: &Run, report: &mut Report) {
    let run = stated.run;
    let file = |of| match stated.files.get(&of) {
        Some(hash) => part(place, Part::Run(run, of), hash),
        None => {
            when(!place.part(Part::Run(run, of)).exists(), "a file is there that is not stated")
        }
    };
    let files = OfRun::NOTED.into_iter().map(file).fold(Outcome::Holds, both);
    let trace = file(OfRun::Events);
    // What is stated is read out of the files again, as far as those are the right ones.
    let found = match (&files, &trace) {
        (Outcome::Holds, Outcome::Holds) => Some(derive::facts(place, run)),
        _ => None,
    };
    let (is_agent, is_end) = match found {
        None => (Outcome::Holds, Outcome::Holds),
        Some(Err(err)) => (broken(format!("{err:#}")), Outcome::Holds),
        Some(Ok(found)) => {
            let is_sandbox = found.sandbox == stated.sandbox;
            (
                when(
                    found.agent == stated.agent && found.sandbox.engine == stated.sandbox.engine,
                    "its files name another agent or engine than is stated",
                ),
                when(
                    found.end == stated.end && is_sandbox,
                    "it says of its end, or of the sandbox, something else than is stated",
                ),
            )
        }
    };
    report.add(Link::Run(run), both(files, is_agent));
    report.add(Link::Trace(run), both(trace, is_end));
}

fn hosts(place: &Place, receipt: &Receipt) -> Outcome {
    let mut outcome = Outcome::Holds;
    for run in &receipt.runs {
        let at = Part::Run(run.run, OfRun::Egress);
        let found = match run.files.get(&OfRun::Egress) {
            Some(hash) => part(place, at, hash),
            None => when(!place.part(at).exists(), "there is a log, and none is stated"),
        };
        outcome = both(outcome, of(run.run, found));
    }
    if outcome != Outcome::Holds {
        return outcome;
    }
    match derive::traffic(place, receipt.runs.iter().map(|run| run.run)) {
        Ok(traffic) => {
            when(Hosts::of(&traffic) == receipt.hosts, "the logs do not add up to what is stated")
        }
        Err(err) => broken(format!("{err:#}")),
    }
}

fn cost(place: &Place, receipt: &Receipt) -> Outcome {
    let mut sum = Usage::default();
    let mut outcome = Outcome::Holds;
    for run in &receipt.runs {
        sum += run.usage;
        let at = Part::Run(run.run, OfRun::Recording);
        let found = match (&run.recording, place.withheld(at)) {
            (_, Some(withheld)) => unknown(words::unknown_link(&withheld.lines)),
            (Some(_), None) if !place.part(at).exists() => unknown("its recording is not there"),
            _ => match derive::usage(&place.part(at)) {
                Ok(usage) => when(
                    usage == run.usage,
                    "its recording adds up to something else than is stated",
                ),
                Err(err) => broken(format!("{err:#}")),
            },
        };
        outcome = both(outcome, of(run.run, found));
    }
    both(outcome, when(sum == receipt.usage, "the runs do not add up to the stated total"))
}

/// Says of which run it is.
fn of(run: RunId, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Holds => Outcome::Holds,
        Outcome::Broken { why } => broken(format!("run {run}: {why}")),
        Outcome::Unknown { why } => unknown(format!("run {run}: {why}")),
    }
}

/// Whether a part is there to be looked at.
fn present(place: &Place, part: Part) -> Result<Outcome, std::path::PathBuf> {
    if let Some(withheld) = place.withheld(part) {
        return Ok(unknown(words::unknown_link(&withheld.lines)));
    }
    let path = place.part(part);
    if path.exists() { Err(path) } else { Ok(unknown(format!("`{part}` is not there"))) }
}

/// Whether a part is the one that is stated.
fn part(place: &Place, part: Part, stated: &Hash) -> Outcome {
    present(place, part).unwrap_or_else(|path| match derive::hash_file(&path) {
        Ok(Some(found)) if found == *stated => Outcome::Holds,
        Ok(Some(found)) => {
            broken(format!("the hash of `{part}` is {}, not {}", found.short(), stated.short()))
        }
        Ok(None) => unknown(format!("`{part}` is not there")),
        Err(err) => broken(format!("`{part}` cannot be read: {err}")),
    })
}

/// The worse of the two.
fn both(one: Outcome, other: Outcome) -> Outcome {
    match (&one, &other) {
        (Outcome::Broken { .. }, _) | (_, Outcome::Holds) => one,
        (Outcome::Unknown { .. }, Outcome::Unknown { .. }) => one,
        _ => other,
    }
}

fn when(holds: bool, why: impl Into<String>) -> Outcome {
    if holds { Outcome::Holds } else { broken(why) }
}

pub(super) fn broken(why: impl Into<String>) -> Outcome {
    Outcome::Broken { why: why.into() }
}

fn unknown(why: impl Into<String>) -> Outcome {
    Outcome::Unknown { why: why.into() }
}
