//! Makes the receipt of a commit, and takes it to the remote.
//!
//! What is stated comes from the journal, from the runs' folders and from the mirror. The
//! texts that its hashes are of are kept as they were, in `.zazen/receipts`; the signed
//! receipt comes last, in the task's folder. So a crash anywhere leaves no receipt or a
//! whole one, and what is there is looked for first: there is one for each commit.

mod policy;
mod told;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use zazen_core::engine::Fact;
use zazen_core::id::{CommitId, ContentHash, RunId, Time};
use zazen_core::receipt::{
    self, Checks, Envelope, Guards, Hash, Hosts, Issue, OfRun, Part, Point, Receipt, Review, Run,
    Unsigned, name, statement,
};
use zazen_core::task::{Event, OwnReview, PlanRef, Proof, Published, State, Task, TroubleKind};
use zazen_core::text::one_line;
use zazen_core::usage::Usage;
use zazen_core::words::ReceiptAt;

use self::told::Told;
use super::contract;
use super::crash::{self, Moment};
use super::evidence;
use super::examine;
use super::ground::{self, skills};
use super::own::REVIEW_FILE;
use super::perform::{check_command, may_pass, trouble};
use super::push::{remote, shut_out};
use super::token;
use super::world::World;
use crate::gateway;
use crate::git::publish::receipts::{self, ReceiptError, push_receipt};
use crate::home::Home;
use crate::home::atomic::{self, Durability};
use crate::home::keys::{self, SigningKey};
use crate::receipt::{Place, check, derive};
use crate::sandbox::RunDir;

/// How much of what the checks printed is kept beside a receipt, in bytes.
const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// How long a command may be in a receipt, in characters.
const COMMAND_CHARS_MAX: usize = 4_000;

/// The file in the folder of a receipt's texts that says that the remote has it.
const PUBLISHED: &str = "published";

/// Sees to it that a commit has its receipt.
pub(super) async fn perform(
    world: &World,
    task: &Task,
    head: &CommitId,
) -> anyhow::Result<Vec<Fact>> {
    let State::Publishing(published) = &task.state else { return Ok(Vec::new()) };
    let event = match seal(world, task, (published, head)).await {
        Ok(receipt) => Event::Sealed { head: head.clone(), receipt },
        Err(err) if may_pass(&err) => return Err(err),
        // A run's folder that is gone or damaged, say. A person has to look at it.
        Err(err) => Event::Blocked { trouble: trouble(TroubleKind::Repository, &err) },
    };
    Ok(vec![Fact::of(task.id, event)])
}

/// Makes the receipt of a commit, unless it is there, and says which it is.
async fn seal(
    world: &World,
    task: &Task,
    (published, head): (&Published, &CommitId),
) -> anyhow::Result<ContentHash> {
    if let Some((text, _)) = made(world, task, head)? {
        return Ok(ContentHash::of(text.as_bytes()));
    }
    let began = Instant::now();
    let (plan, proof) = (&published.work.plan, &published.work.proof);
    let (home, id) = (world.home.clone(), task.id);
    // A journal may have a million lines.
    let told = tokio::task::spawn_blocking(move || Told::read(&home, id)).await??;
    let base = task.base.clone().context("the base is not known")?;
    let place = place(&world.home, &world.task_dir(task), task, head);
    let mirror = world.mirror(&task.repo).await?;
    let point = async |commit: &CommitId| -> anyhow::Result<Point> {
        let tree = mirror.tree_of(commit).await?;
        Ok(Point { commit: commit.clone(), tree: tree.as_str().parse()? })
    };
    let (base, head) = (point(&base).await?, point(head).await?);
    drop(mirror);
    let texts = Texts { world, task, place: &place };
    let (plan, brief) = (texts.plan(plan, &told)?, texts.brief(&told)?);
    let contract = texts.contract(&published.work.plan)?;
    let issue = texts.issue()?;
    let policy = policy::text(&world.config.text, &task.repo)?;
    let policy = texts.keep(Part::Policy, &policy)?;
    let runs = runs(world, task, (&place, &told)).await?;
    let mut usage = Usage::default();
    for run in &runs {
        usage += run.usage;
    }
    let traffic = derive::traffic(&place, runs.iter().map(|run| run.run))?;
    let receipt = Receipt {
        v: receipt::VERSION,
        zazen: env!("CARGO_PKG_VERSION").to_owned(),
        task: task.id,
        issue,
        brief,
        plan,
        contract,
        policy,
        base,
        head,
        hosts: Hosts::of(&traffic),
        guards: texts.guards(proof, &told)?,
        checks: texts.checks((Part::Checks, published.verified_by), &runs)?,
        baseline: match &proof.before {
            Some(before) => Some(texts.checks((Part::Baseline, before.run), &runs)?),
            None => None,
        },
        review: texts.review(proof)?,
        runs,
        usage,
    };
    crash::point(world.crash(), Moment::SealKept);
    let text = sign(world, &receipt)?;
    atomic::write(place.receipt(), text.as_bytes(), Durability::Durable)
        .with_context(|| format!("write {}", place.receipt().display()))?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    tracing::info!("sealed task {} in {took:.1} ms", task.id);
    Ok(ContentHash::of(text.as_bytes()))
}

/// The files of a receipt in the home.
fn place(home: &Home, task_dir: &Path, task: &Task, head: &CommitId) -> Place {
    Place::in_home(home, task_dir, (task.id, &task.repo, head))
}

/// The receipt of a commit that is there already, if it is one of ours.
fn made(world: &World, task: &Task, head: &CommitId) -> anyhow::Result<Option<(String, Receipt)>> {
    let page = Home::receipt_page(&world.task_dir(task));
    if !page.exists() {
        return Ok(None);
    }
    let Ok(envelope) = check::read_envelope(&page) else { return Ok(None) };
    let is_ours = keys::is_signed(&envelope) && keys::known(&world.home)?.contains(&envelope.key);
    let Ok(receipt) = statement::parse(envelope.unsigned.payload()) else { return Ok(None) };
    let is_it = is_ours && receipt.task == task.id && receipt.head.commit == *head;
    Ok(is_it.then(|| (envelope.print(), receipt)))
}

fn sign(world: &World, receipt: &Receipt) -> anyhow::Result<String> {
    let text = statement::print(receipt);
    // All that went into it was cleaned; it is looked at once more, as it is for everybody.
    if let Some(found) = world.scanner().find(text.as_bytes()).first() {
        bail!("the receipt would have something in it that looks like {}", found.what);
    }
    let envelope: Envelope = SigningKey::of(&world.home)?.sign(Unsigned::new(text))?;
    Ok(envelope.print())
}

/// What is stated of all runs, with the texts that are kept of them.
async fn runs(
    world: &World,
    task: &Task,
    (place, told): (&Place, &Told),
) -> anyhow::Result<Vec<Run>> {
    let mut runs = Vec::new();
    for n in 1..=task.n_runs {
        let run = RunId { task: task.id, n };
        keep_run(world, place, run)?;
        let phase = told.phases.get(&run).cloned().unwrap_or_else(|| derive::LOST.to_owned());
        let (place, prices) = (place.clone(), world.config.prices.clone());
        // A trace may have hundreds of megabytes.
        let stated = tokio::task::spawn_blocking(move || -> anyhow::Result<Run> {
            let path = place.part(Part::Run(run, OfRun::Recording));
            if let Some((_, list)) = derive::seal(&path)? {
                write(&place.part(Part::Run(run, OfRun::Chain)), &list)?;
            }
            let mut stated = derive::run(&place, run, &phase)?;
            let begun = gateway::sum_up(&path, &prices)?.usage.n_calls;
            stated.n_unrecorded = begun.saturating_sub(stated.usage.n_calls);
            Ok(stated)
        });
        runs.push(stated.await?.with_context(|| format!("describe run {run}"))?);
    }
    Ok(runs)
}

/// Keeps what is noted of a run: without its tokens, which open nothing any more.
fn keep_run(world: &World, place: &Place, run: RunId) -> anyhow::Result<()> {
    let dir = RunDir::new(world.home.run_dir(run));
    for of in OfRun::NOTED {
        let path = dir.path().join(of.file());
        let text = if of == OfRun::Skills {
            skills::print(&ground::kept_skills(&dir))?
        } else if path.exists() {
            let text = fs::read_to_string(&path);
            Some(text.with_context(|| format!("read {}", path.display()))?)
        } else {
            None
        };
        if let Some(text) = text {
            let text = world.clean(&without_tokens(&text));
            write(&place.part(Part::Run(run, of)), &text)?;
        }
    }
    Ok(())
}

/// A text without the tokens that stand in the environment of a run. What stands in their
/// place says which of the two it was.
fn without_tokens(spec: &str) -> String {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(spec) else {
        return spec.to_owned();
    };
    let env = value["env"].as_object().into_iter().flatten();
    let texts: Vec<&str> = env.filter_map(|(_, value)| value.as_str()).collect();
    token::pairs(&texts, &token::TAKEN_OUT)
        .into_iter()
        .fold(spec.to_owned(), |text, (token, instead)| text.replace(&token, instead))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let dir = path.parent().context("a text is in a folder")?;
    atomic::create_dirs(dir).with_context(|| format!("make {}", dir.display()))?;
    atomic::write(path, text.as_bytes(), Durability::Durable)
        .with_context(|| format!("write {}", path.display()))
}

/// Keeps the texts that a receipt has the hashes of.
struct Texts<'a> {
    world: &'a World,
    task: &'a Task,
    place: &'a Place,
}

impl Texts<'_> {
    fn keep(&self, part: Part, text: &str) -> anyhow::Result<Hash> {
        let text = self.world.clean(text);
        write(&self.place.part(part), &text)?;
        Ok(Hash::of(text.as_bytes()))
    }

    fn plan(&self, plan: &PlanRef, told: &Told) -> anyhow::Result<receipt::Plan> {
        let (text, _) = self.world.plan(&plan.hash)?;
        // The approval is of exactly this text, so nothing is taken out of it here: it was
        // cleaned when it was kept.
        write(&self.place.part(Part::Plan), &text)?;
        let approved_by = name(told.approved_by(&plan.hash).unwrap_or_default());
        Ok(receipt::Plan { hash: plan.hash.clone(), version: plan.version, approved_by })
    }

    fn contract(&self, plan: &PlanRef) -> anyhow::Result<Option<Hash>> {
        let Some(contract) = &plan.contract else { return Ok(None) };
        // As the plan: it is exactly what was approved, and was cleaned when it was kept.
        let text = contract::text(self.world, contract)?;
        write(&self.place.part(Part::Contract), &text)?;
        Ok(Some(Hash::of(text.as_bytes())))
    }

    fn issue(&self) -> anyhow::Result<Issue> {
        let issue = self.world.forge.issue(&self.task.repo, self.task.issue)?;
        let text = format!("# {}\n\n{}\n", issue.title.trim(), issue.body.trim());
        let text = self.keep(Part::Issue, &text)?;
        Ok(Issue { repo: self.task.repo.clone(), number: self.task.issue, text })
    }

    fn brief(&self, told: &Told) -> anyhow::Result<Hash> {
        let brief = serde_json::json!({
            "title": self.task.title,
            "request": self.task.request,
            "asked_by": told.opened_by,
            "answers": told.answers,
        });
        self.keep(Part::Brief, &format!("{}\n", statement::canonical(&brief)))
    }

    fn checks(&self, (part, run): (Part, RunId), runs: &[Run]) -> anyhow::Result<Checks> {
        let work = self.task.state.work().context("the task has no work")?;
        let (_, plan) = self.world.plan(&work.plan.hash)?;
        let command = self.world.clean(&check_command(self.world, self.task, &plan)?);
        let output = evidence::output(self.world, run, OUTPUT_BYTES_MAX)?;
        let found = runs.iter().find(|stated| stated.run == run);
        let code = found.and_then(|stated| stated.end.code);
        let command = one_line(&command, COMMAND_CHARS_MAX);
        Ok(Checks { run, command, code, output: self.keep(part, &output)? })
    }

    fn guards(&self, proof: &Proof, told: &Told) -> anyhow::Result<Option<Guards>> {
        let Some(examined) = &proof.examined else { return Ok(None) };
        let Some(text) = examine::known(self.world, self.task, examined)? else {
            let path = Home::guards_file(&self.world.task_dir(self.task));
            bail!("{} is not what the guards said of this commit", path.display());
        };
        write(&self.place.part(Part::Guards), &text)?;
        let released_by = examined.hold.as_ref().and_then(|hold| told.released_by(hold));
        Ok(Some(Guards {
            text: Hash::of(text.as_bytes()),
            n_flags: examined.n_flagged,
            held: examined.hold.is_some(),
            released_by: name(released_by.unwrap_or_default()),
        }))
    }

    /// The review as it was checked, its findings looked up at the commit.
    fn reviewed(&self, run: RunId) -> anyhow::Result<String> {
        let path = self.world.home.run_dir(run).join(REVIEW_FILE);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }

    fn review(&self, proof: &Proof) -> anyhow::Result<Option<Review>> {
        let Some(OwnReview { run, n_findings, n_blocking }) = proof.review else { return Ok(None) };
        let text = self.keep(Part::Review, &self.reviewed(run)?)?;
        Ok(Some(Review { run, text, n_findings, n_blocking }))
    }
}

/// Adds the receipt of a commit to those of the remote, if there is one.
///
/// A remote that takes no such ref keeps no work back: the receipt is in the home, and the
/// pull request says nothing of the remote.
pub(super) async fn publish(world: &World, task: &Task, head: &CommitId) -> anyhow::Result<()> {
    let Some((text, receipt)) = made(world, task, head)? else { return Ok(()) };
    let mirror = world.mirror(&task.repo).await?;
    let remote = remote(world, task, &mirror).await?;
    let at = receipt.runs.iter().map(|run| run.end.ended_at).max().unwrap_or(Time(0));
    let author = world.config.policy.author.as_str();
    let new = receipts::Receipt { task: task.id, head, text: text.as_bytes(), author, at };
    let published = world.home.receipt_dir(task.id, head).join(PUBLISHED);
    match push_receipt(&mirror, &remote, &new).await {
        Ok(_) => write(&published, &format!("{new}\n")),
        Err(ReceiptError::Shut(err)) if err.is_passing() => Err(shut_out(world, err)),
        Err(err) if err.is_passing() => Err(err.into()),
        Err(err) => {
            tracing::warn!("the receipt of task {} is only in the home: {err:#}", task.id);
            Ok(())
        }
    }
}

/// Where people find the receipt of a commit, if the remote has it.
pub(super) fn published(
    world: &World,
    task: &Task,
    head: &CommitId,
) -> anyhow::Result<Option<ReceiptAt>> {
    let Some((text, _)) = made(world, task, head)? else { return Ok(None) };
    let path = world.home.receipt_dir(task.id, head).join(PUBLISHED);
    let Ok(path) = fs::read_to_string(path) else { return Ok(None) };
    let envelope = Envelope::parse(text.as_bytes())?;
    Ok(Some(ReceiptAt {
        fetch: format!(
            "git fetch origin {} && git show FETCH_HEAD:{}",
            receipts::REF,
            path.trim_end()
        ),
        key: envelope.key.to_string(),
    }))
}

#[cfg(test)]
mod tests;
