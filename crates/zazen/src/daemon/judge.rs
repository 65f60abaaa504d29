//! What a run that has ended came to.
//!
//! A harness's "done" is a claim. What counts is how the process ended, what the
//! plan's text says when it is read, and what the commits are when they have
//! been collected and checked.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use anyhow::Context as _;
use serde_json::json;
use zazen_core::check;
use zazen_core::id::{CommitId, RunId};
use zazen_core::plan;
use zazen_core::review::{self, Quotes, Review, Unfounded};
use zazen_core::task::{
    Digest, EVIDENCE_BYTES_MAX, Outcome, Phase, PlanRef, Task, Trouble, TroubleKind, Why,
};
use zazen_core::text::{cut_middle, plain};
use zazen_core::trace::Claim;
use zazen_core::words;
use zazen_harness::Facts;

use super::contract;
use super::evidence::{self, output_of};
use super::keep::now;
use super::own;
use super::run::{Ended, over_budget, run_trouble};
use super::stuck;
use super::world::World;
use crate::gateway::Sum;
use crate::git::collect::{
    CollectError, Collected, Expect, Guards, Limits, Refused, Signature, collect,
};
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::sandbox::{EndReason, RunDir};

/// The name of the file that says which of our commits stands for which of the agent's.
pub(super) const COMMITS_FILE: &str = "commits.json";

/// Says what a run came to.
pub(super) async fn judge(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (phase, from): (Phase, &CommitId),
    ended: &Ended,
) -> anyhow::Result<Outcome> {
    let mut outcome = look(world, task, dir, (phase, from), ended).await?;
    if let Outcome::Failed { trouble } = &mut outcome {
        trouble.evidence = world.clean(&trouble.evidence);
    }
    Ok(outcome)
}

async fn look(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (phase, from): (Phase, &CommitId),
    ended: &Ended,
) -> anyhow::Result<Outcome> {
    let calls = evidence::calls(world, dir)?;
    let is_cut = calls.is_last_cut;
    let because = |trouble: Trouble| because(&calls, trouble);
    // Unless it ended by itself just before it was stopped.
    let is_stopped = ended.exit.as_ref().is_none_or(|exit| exit.reason == EndReason::Stopped);
    if let Some(verdict) = stuck::verdict(dir)?.filter(|_| is_stopped) {
        keep_commits(world, task, dir, (phase, from), ended).await;
        let trouble = run_trouble(verdict.kind(), &words::stuck(&verdict), &ended.stream);
        return Ok(failed(because(trouble)));
    }
    let Some(exit) = &ended.exit else {
        let what = "the supervisor of the run is gone without a word";
        return Ok(failed(run_trouble(TroubleKind::Crash, what, &ended.stream)));
    };
    if is_stopped {
        return Ok(Outcome::Stopped);
    }
    if let Some((kind, what)) = bad_end(&exit.reason) {
        keep_commits(world, task, dir, (phase, from), ended).await;
        return Ok(failed(because(run_trouble(kind, &what, &ended.stream))));
    }
    match phase {
        Phase::Verify | Phase::Baseline => checked(dir, from, exit.code),
        Phase::Plan => Ok(match claimed(phase, ended, is_cut) {
            Ok(answer) => planned(world, task, &world.clean(answer))?,
            Err(trouble) => failed(because(trouble)),
        }),
        Phase::Ask => Ok(match claimed(phase, ended, is_cut) {
            Ok(answer) if !answer.trim().is_empty() => answered(world, task, &world.clean(answer))?,
            Ok(_) => failed(because(run_trouble(TroubleKind::NoAnswer, "", &ended.stream))),
            Err(trouble) => failed(because(trouble)),
        }),
        Phase::Review => match claimed(phase, ended, is_cut) {
            Ok(answer) => {
                let answer = world.clean(answer);
                match task.state.work() {
                    Some(work) => own::judge(world, task, (dir, work, from), &answer).await,
                    None => reviewed(world, task, from, &answer).await,
                }
            }
            Err(trouble) => Ok(failed(because(trouble))),
        },
        Phase::Implement { .. } | Phase::Correct => match claimed(phase, ended, is_cut) {
            Ok(_) => step_done(world, task, dir, (phase, from), ended).await,
            Err(trouble) => {
                keep_commits(world, task, dir, (phase, from), ended).await;
                Ok(failed(because(trouble)))
            }
        },
    }
}

/// Whatever the harness makes of it: a call that was refused for a budget is the reason, and so
/// is a service that answers nothing for a while.
fn because(calls: &Sum, mut trouble: Trouble) -> Trouble {
    match (&calls.refused, &calls.closing) {
        (Some(exceeded), _) => over_budget(exceeded),
        (None, Some(closing)) => {
            trouble.kind = match closing.why {
                Why::Overloaded => TroubleKind::Overloaded,
                Why::Quota | Why::DayBudget | Why::MonthBudget | Why::Reserve | Why::Login => {
                    TroubleKind::Quota
                }
            };
            trouble
        }
        (None, None) => trouble,
    }
}

fn failed(trouble: Trouble) -> Outcome {
    Outcome::Failed { trouble }
}

/// The ends that zazen itself brought about, or that it must not take for the agent's.
fn bad_end(reason: &EndReason) -> Option<(TroubleKind, String)> {
    let (kind, what) = match reason {
        EndReason::Exited | EndReason::Stopped => return None,
        EndReason::Deadline => (TroubleKind::Deadline, "the time limit was reached".to_owned()),
        EndReason::Silence => (TroubleKind::Silence, "nothing was printed for too long".to_owned()),
        EndReason::Memory => (TroubleKind::Memory, "the memory limit was reached".to_owned()),
        EndReason::Disk => (TroubleKind::Disk, "the disk limit was reached".to_owned()),
        EndReason::OutputCap => (TroubleKind::Output, "the output limit was reached".to_owned()),
        EndReason::CanaryFailed => {
            (TroubleKind::Sandbox, "the sandbox let through what it must refuse".to_owned())
        }
        EndReason::RunnerFailed { message } => (TroubleKind::Crash, message.clone()),
    };
    Some((kind, what))
}

/// The agent's answer, if all that is known says that it finished.
fn claimed(phase: Phase, ended: &Ended, is_answer_cut: bool) -> Result<&str, Trouble> {
    let stream = &ended.stream;
    let exit = ended.exit.as_ref();
    let has_changed = match phase {
        Phase::Implement { .. } | Phase::Correct => {
            stream.collected.as_ref().map(|claim| claim.n_commits > 0 || claim.base_mismatch)
        }
        Phase::Plan | Phase::Ask | Phase::Review | Phase::Verify | Phase::Baseline => None,
    };
    let facts = Facts {
        code: exit.and_then(|exit| exit.code),
        signal: exit.and_then(|exit| exit.signal),
        // What zazen ended for that has been told apart before.
        is_overdue: false,
        has_changed,
        is_answer_cut,
    };
    let end = stream.reader.conclude(&facts);
    let Some(kind) = trouble_of(end.claim) else { return Ok(stream.reader.answer()) };
    let what = if stream.reader.end().is_some() { end.text } else { without_end(&facts) };
    let mut trouble = run_trouble(kind, &what, stream);
    trouble.resets = end.reset.map(|reset| reset.resolve(exit.map_or_else(now, |e| e.ended_at)));
    Err(trouble)
}

/// How a harness ended that did not say how the work ended.
fn without_end(facts: &Facts) -> String {
    let how = match (facts.code, facts.signal) {
        (Some(code), _) => format!("the harness ended with status {code}"),
        (None, Some(signal)) => format!("the harness was ended by signal {signal}"),
        (None, None) => "the harness ended".to_owned(),
    };
    format!("{how}, without saying how the work ended")
}

/// What went wrong by an end. Nothing for one that leaves the result to be looked at.
fn trouble_of(claim: Claim) -> Option<TroubleKind> {
    Some(match claim {
        // A step may turn out to have nothing to do. When all of them do, the task says so.
        Claim::Finished | Claim::NothingDone => return None,
        Claim::GaveUp => TroubleKind::GaveUp,
        Claim::NeedsPermission => TroubleKind::NeedsPermission,
        Claim::NeedsLogin => TroubleKind::NeedsLogin,
        Claim::ModelError => TroubleKind::ModelError,
        Claim::Overloaded => TroubleKind::Overloaded,
        Claim::Quota => TroubleKind::Quota,
        Claim::ContextTooLong => TroubleKind::ContextTooLong,
        Claim::TurnLimit => TroubleKind::TurnLimit,
        Claim::Budget => TroubleKind::Budget,
        Claim::Crashed => TroubleKind::Crash,
        Claim::Killed => TroubleKind::Killed,
        Claim::Hung => TroubleKind::Hung,
        Claim::StreamCut => TroubleKind::StreamCut,
    })
}

/// How much of the output of red checks is read to find what failed, in bytes.
const RED_BYTES_MAX: usize = 4 << 20;

fn checked(dir: &RunDir, from: &CommitId, code: Option<i32>) -> anyhow::Result<Outcome> {
    if code == Some(0) {
        return Ok(Outcome::ChecksGreen { head: from.clone() });
    }
    let output = output_of(dir, RED_BYTES_MAX)?;
    let output = check::trim(check::parts(&output).0, EVIDENCE_BYTES_MAX - 200);
    let how = match code {
        Some(code) => format!("The validation command ended with status {code}."),
        None => "The validation command was ended by a signal.".to_owned(),
    };
    let evidence = format!("{how}\n\n{output}");
    Ok(failed(Trouble::new(TroubleKind::RedChecks, evidence)))
}

fn planned(world: &World, task: &Task, answer: &str) -> anyhow::Result<Outcome> {
    let parsed = match plan::parse(&plain(answer)) {
        Ok(parsed) => parsed,
        Err(err) => return Ok(unreadable(TroubleKind::UnreadablePlan, &err, answer)),
    };
    if let Err(err) = contract::check_questions(world, task, &parsed)? {
        return Ok(unreadable(TroubleKind::UnreadablePlan, &err, answer));
    }
    let text = plan::print(&parsed);
    let hash = world.keep_plan(&text)?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let plan = PlanRef {
        contract: Some(contract::of(world, task, (&hash, &parsed))?),
        hash,
        version: task.plan.as_ref().map_or(0, |plan| plan.version) + 1,
        n_steps: count(parsed.steps.len()),
        n_questions: count(parsed.questions.len()),
    };
    Ok(Outcome::Planned { plan })
}

/// An answer that is not what was asked for: why, and what it was.
pub(super) fn unreadable(kind: TroubleKind, why: &dyn fmt::Display, answer: &str) -> Outcome {
    let evidence = format!("{why}\n\nThis was the answer:\n\n{answer}");
    failed(Trouble::new(kind, cut_middle(&plain(&evidence), EVIDENCE_BYTES_MAX)))
}

fn answered(world: &World, task: &Task, answer: &str) -> anyhow::Result<Outcome> {
    let dir = world.task_dir(task);
    fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    let text = plain(answer);
    atomic::write(&Home::report_page(&dir), text.as_bytes(), Durability::Durable)?;
    Ok(Outcome::Answered { digest: Digest::of(&text) })
}

/// The review, with only those places that are in the reviewed commit.
async fn reviewed(
    world: &World,
    task: &Task,
    at: &CommitId,
    answer: &str,
) -> anyhow::Result<Outcome> {
    let mut review = match review::parse(&plain(answer)) {
        Ok(review) => review,
        Err(err) => return Ok(unreadable(TroubleKind::UnreadableReview, &err, answer)),
    };
    look_up(world, task, (at, &mut review, Quotes::Welcome)).await?;
    let dir = world.task_dir(task);
    fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    let text = review::print(&review);
    atomic::write(&Home::report_page(&dir), text.as_bytes(), Durability::Durable)?;
    let n_findings = u32::try_from(review.findings.len()).unwrap_or(u32::MAX);
    let digest = Digest::of(&text);
    Ok(Outcome::Reviewed { digest, n_findings, n_blocking: 0, sends_back: false })
}

/// Looks up what a review speaks of in the files of the reviewed commit.
pub(super) async fn look_up(
    world: &World,
    task: &Task,
    (at, review, quotes): (&CommitId, &mut Review, Quotes),
) -> anyhow::Result<Unfounded> {
    let mirror = world.mirror(&task.repo).await?;
    let mut files = BTreeMap::new();
    for place in review.findings.iter().filter_map(|finding| finding.place.as_ref()) {
        if !files.contains_key(&place.path) {
            // What cannot be read has no lines: nothing is said about one of them.
            let text = mirror.read_file(at, &place.path, REVIEWED_BYTES_MAX).await;
            let text = text.ok().flatten().unwrap_or_default();
            files.insert(place.path.clone(), String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(review.check(quotes, |path| files.get(path).map(String::as_str)))
}

/// How large a file may be whose lines are looked up.
const REVIEWED_BYTES_MAX: u64 = 4 << 20;

/// The step's commits, collected and checked.
async fn step_done(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (phase, from): (Phase, &CommitId),
    ended: &Ended,
) -> anyhow::Result<Outcome> {
    let Some(claim) = &ended.stream.collected else {
        let what = "the result of the run could not be gathered";
        return Ok(failed(run_trouble(TroubleKind::Crash, what, &ended.stream)));
    };
    if claim.base_mismatch && claim.n_commits == 0 {
        // An older commit is checked out: there is nothing to collect, and the work before is gone.
        let what =
            format!("the workspace was left at {}, which is not on top of {from}", claim.head);
        return Ok(failed(run_trouble(TroubleKind::WrongBase, &what, &ended.stream)));
    }
    if claim.n_commits == 0 {
        return Ok(Outcome::StepDone { head: from.clone(), n_commits: 0 });
    }
    let collected = match collect_from(world, task, dir, (phase, from), ended).await {
        Ok(collected) => collected,
        Err(CollectError::Refused(Refused::Empty)) => {
            return Ok(Outcome::StepDone { head: from.clone(), n_commits: 0 });
        }
        Err(CollectError::Refused(why)) => {
            let what = why.to_string();
            return Ok(failed(run_trouble(kind_of(&why), &what, &ended.stream)));
        }
        Err(CollectError::Failed(err)) => return Err(err),
    };
    // The agent committed by itself, and did not finish doing so.
    if !claim.committed_by_runner && !claim.left_over.is_empty() {
        let files = claim.left_over.join("\n");
        let what = format!("these files were changed after the last commit:\n{files}");
        return Ok(failed(run_trouble(TroubleKind::DirtyTree, &what, &ended.stream)));
    }
    let n_commits = u32::try_from(collected.commits.len()).unwrap_or(u32::MAX);
    Ok(Outcome::StepDone { head: collected.head, n_commits })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are of the one kind")]
fn kind_of(why: &Refused) -> TroubleKind {
    match why {
        Refused::WrongBase { .. } => TroubleKind::WrongBase,
        Refused::Secrets { .. } => TroubleKind::Secret,
        Refused::AgentConfig { .. } => TroubleKind::AgentConfig,
        _ => TroubleKind::RefusedResult,
    }
}

/// Keeps the commits of a run that failed, where there are some. They are offered to
/// people; and an agent that goes on where this one was interrupted finds them in its
/// workspace as changes that are not committed.
async fn keep_commits(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (phase, from): (Phase, &CommitId),
    ended: &Ended,
) {
    if ended.stream.collected.as_ref().is_none_or(|claim| claim.n_commits == 0) {
        return;
    }
    if let Err(err) = collect_from(world, task, dir, (phase, from), ended).await {
        tracing::info!("the commits of a failed run of task {} were not kept: {err}", task.id);
    }
}

async fn collect_from(
    world: &World,
    task: &Task,
    dir: &RunDir,
    (phase, from): (Phase, &CommitId),
    ended: &Ended,
) -> Result<Collected, CollectError> {
    let run: RunId = task.run.as_ref().map_or_else(|| task.next_run(), |run| run.id);
    let mirror = world.mirror(&task.repo).await?;
    let policy = &world.config.policy;
    let step = match phase {
        Phase::Implement { step } => task.state.work().map(|work| (step, work.plan.n_steps)),
        Phase::Plan
        | Phase::Ask
        | Phase::Review
        | Phase::Verify
        | Phase::Correct
        | Phase::Baseline => None,
    };
    let guards = Guards {
        scanner: world.scanner(),
        secret_exceptions: policy.secret_exceptions.clone(),
        agent_config: policy.agent_config,
    };
    let signature = Signature {
        author: policy.author.clone(),
        // When it ended, not now: the same again when the same is judged again.
        time: ended.exit.as_ref().map_or(0, |exit| (exit.ended_at.0 / 1000).cast_signed()),
        trailers: words::trailers(task.id, task.issue, step),
    };
    let limits = Limits::STANDARD;
    let expect = Expect { base: from.clone(), run, limits, guards, signature };
    let collected = collect(&mirror, &dir.bundle(), &expect).await?;
    note_commits(dir, &collected)?;
    Ok(collected)
}

/// Keeps which of our commits stands for which of the agent's.
fn note_commits(dir: &RunDir, collected: &Collected) -> anyhow::Result<()> {
    let pairs = collected.rewritten.iter();
    let pairs: Vec<_> =
        pairs.map(|(agent, ours)| json!({ "agent": agent, "ours": ours })).collect();
    let text = serde_json::to_vec_pretty(&pairs).context("print the commits of a run")?;
    atomic::write(&dir.path().join(COMMITS_FILE), &text, Durability::Relaxed)
        .context("note the commits of a run")
}
