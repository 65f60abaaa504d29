//! Carries out one effect, and reports what came of it.
//!
//! Each arm first looks whether its result is there already: after a crash the
//! same effect is asked for again, and must not be done twice.

use std::fs;
use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use zazen_core::effect::{Effect, Key};
use zazen_core::engine::{Change, Fact};
use zazen_core::id::{CommentId, CommitId, IssueNumber, RepoName, RunId};
use zazen_core::intake::PartOpened;
use zazen_core::plan::Plan;
use zazen_core::reply::Reply;
use zazen_core::task::{
    Answer, Around, Digest, Event, Note, Published, Saying, Slot, State, Task, TextRef, Trouble,
    TroubleKind,
};
use zazen_core::text::{cut_middle, one_line, plain, slug};
use zazen_core::words::{self, Evidence, FileChange, Kept};

use super::checks;
use super::contract;
use super::crash::{self, Moment};
use super::evidence;
use super::examine;
use super::keep::now;
use super::links;
use super::own;
use super::push;
use super::rebase;
use super::review;
use super::reviewers;
use super::run;
use super::seal;
use super::split;
use super::tell;
use super::world::World;
use crate::config::Forge;
use crate::forge::NewPull;
use crate::forge::github::client::CallError;
use crate::git::publish::{BranchName, PushError};
use crate::git::{FetchError, KeptRef, Mirror};
use crate::home::atomic::{self, Durability};
use crate::sandbox;

/// What came of an effect.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) key: Key,
    pub(super) ending: Ending,
}

/// How an effect ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// It is done, or will never be. These are the facts.
    Done(Vec<Fact>),
    /// The issue of a step is there. It is to have a task.
    Part(PartOpened),
    /// It failed in a way that may pass.
    Later { why: String },
}

/// The reaction that says "your command was taken".
const TAKEN: &str = "eyes";

/// How much of the validation command is in the title of a check, in characters.
const COMMAND_CHARS_MAX: usize = 120;

/// Performs `effect`. `task` is its task as it was when the effect was asked for, with how
/// the issues stood then that it has to do with.
pub(super) async fn perform(
    world: Arc<World>,
    effect: Effect,
    (task, around): (Option<Task>, Around),
) -> Report {
    let key = effect.key();
    crash::point(world.crash(), Moment::EffectBefore);
    let ended = match (effect, task) {
        (Effect::OpenPart { step, .. }, Some(task)) => split::open_part(&world, &task, step).await,
        (Effect::Show { slot, digest, .. }, Some(task)) => {
            show(&world, (&task, &around), slot, digest).await.map(Ending::Done)
        }
        (effect, task) => act(&world, effect, task).await.map(Ending::Done),
    };
    let ending = match ended {
        Ok(ending) => ending,
        Err(err) => Ending::Later { why: world.clean(&plain(&format!("{err:#}"))) },
    };
    crash::point(world.crash(), Moment::EffectAfter);
    Report { key, ending }
}

async fn act(world: &Arc<World>, effect: Effect, task: Option<Task>) -> anyhow::Result<Vec<Fact>> {
    if let Effect::Reply { repo, issue, comment, reply } = effect {
        return answer(world, (repo, issue, comment), &reply).await;
    }
    let task = task.context("the effect is for a task that is not known")?;
    match effect {
        Effect::FindBase { .. } => find_base(world, &task).await,
        Effect::Run { run, phase, from } => run::perform(world, &task, (run, phase, from)).await,
        Effect::PutOff { hold, passed, .. } => {
            Ok(vec![Fact::of(task.id, Event::PutOff { hold, passed })])
        }
        Effect::Resume { until, .. } => Ok(vec![Fact::of(task.id, Event::Resumed { until })]),
        Effect::StopRun { run } => stop(world, run).await,
        Effect::Acknowledge { text, .. } => acknowledge(world, &task, text).await,
        Effect::Tell { run, text, by, .. } => {
            tell::perform(world, &task, (run, Saying { text, by })).await
        }
        Effect::Examine { head, .. } => examine::perform(world, &task, &head).await,
        Effect::Seal { head, .. } => seal::perform(world, &task, &head).await,
        Effect::Push { head, .. } => push::perform(world, &task, &head).await,
        Effect::OpenPull { head, .. } => open_pull(world, &task, &head).await,
        Effect::Rebase { head, .. } => rebase::perform(world, &task, &head).await,
        Effect::UpdatePull { head, .. } => update_pull(world, &task, &head).await,
        Effect::PostReview { at, .. } => review::post(world, &task, &at).await,
        Effect::AnswerThread { to, head, .. } => {
            answer_thread(world, &task, Answer { to, head }).await
        }
        // These are dealt with before.
        Effect::Reply { .. } | Effect::Show { .. } | Effect::OpenPart { .. } => Ok(Vec::new()),
    }
}

async fn answer(
    world: &World,
    (repo, issue, comment): (RepoName, IssueNumber, CommentId),
    reply: &Reply,
) -> anyhow::Result<Vec<Fact>> {
    for (by, fact) in reply.facts() {
        remember(world, (&repo, issue, comment), by, fact)?;
    }
    let text = words::reply(reply);
    let text = world.clean(text.as_str());
    world.publisher.show(&repo, issue, (&format!("reply/{comment}"), &text)).await?;
    let change = Change::Replied { repo, issue, comment };
    Ok(vec![Fact { cause: None, changes: vec![change] }])
}

/// Adds a fact to the memory of a repository, once: its line says where it comes from.
fn remember(
    world: &World,
    (repo, issue, comment): (&RepoName, IssueNumber, CommentId),
    by: &str,
    fact: &str,
) -> anyhow::Result<()> {
    let path = world.home.memory_dir().join("repos").join(format!("{repo}.md"));
    let dir = path.parent().context("a memory is in a folder")?;
    fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    let old = match fs::read_to_string(&path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => String::new(),
        text => text.with_context(|| format!("read {}", path.display()))?,
    };
    let source = format!("#{issue} {comment})");
    if old.lines().any(|line| line.starts_with("- ") && line.ends_with(&source)) {
        return Ok(());
    }
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let line = words::remembered(fact, by, &format!("{day}, {source}"));
    let mut text = old.trim_end().to_owned();
    if text.is_empty() {
        text = format!("# {repo}");
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&world.clean(&line));
    text.push('\n');
    atomic::write(&path, text.as_bytes(), Durability::Durable)
        .with_context(|| format!("write {}", path.display()))
}

async fn find_base(world: &World, task: &Task) -> anyhow::Result<Vec<Fact>> {
    let event = match look_for_base(world, task).await {
        Ok(base) => Event::BaseFound { base },
        Err(err) if may_pass(&err) => return Err(err),
        Err(err) => Event::Blocked { trouble: trouble(TroubleKind::Repository, &err) },
    };
    Ok(vec![Fact::of(task.id, event)])
}

async fn look_for_base(world: &World, task: &Task) -> anyhow::Result<CommitId> {
    let repo = world.repo(&task.repo)?;
    let mirror = world.mirror(&task.repo).await?;
    world.fetch(&task.repo, &mirror).await?;
    let branch = base_branch(world, task, &mirror).await?;
    let base = mirror
        .resolve(&branch)
        .await?
        .with_context(|| format!("`{}` has no branch `{branch}`", repo.source))?;
    // The branch moves on; the task's commits are on top of this one.
    mirror.update_ref(&KeptRef::base(task.id), &base, None).await.or_else(|_| anyhow::Ok(()))?;
    Ok(base)
}

pub(super) async fn base_branch(
    world: &World,
    task: &Task,
    mirror: &Mirror,
) -> anyhow::Result<String> {
    let repo = world.repo(&task.repo)?;
    if !repo.branch.is_empty() {
        return Ok(repo.branch.clone());
    }
    let default = mirror.default_branch().await?;
    default.with_context(|| format!("`{}` has no commits yet", repo.source))
}

async fn stop(world: &World, run: RunId) -> anyhow::Result<Vec<Fact>> {
    // Whoever follows the run sees it end, and reports it. After a restart nobody does.
    sandbox::stop(&world.home.run_dir(run), run::STOP_GRACE).await?;
    Ok(vec![run::ended_without_follower(world, run)?])
}

async fn show(
    world: &World,
    (task, around): (&Task, &Around),
    slot: Slot,
    digest: Digest,
) -> anyhow::Result<Vec<Fact>> {
    let text = match slot {
        Slot::Plan => contract::plan_comment(world, (task, around))?,
        Slot::Note(n) => {
            let index = usize::try_from(n).unwrap_or(usize::MAX).saturating_sub(1);
            let note = task.notes.get(index).context("there is no such note")?;
            let answer = if matches!(note, Note::Answered { .. }) {
                links::linked(world, task, evidence::answer(world, task)?).await
            } else if let Note::Unchanged { run } = note {
                evidence::words_of(world, *run)
            } else if let Note::Held { hold } = note {
                examine::held(world, task, hold)?
            } else {
                String::new()
            };
            words::note(note, &answer, kept(world, task).as_ref())
        }
    };
    let text = world.clean(text.as_str());
    let key = format!("{}/{slot}", task.id);
    world.publisher.show(&task.repo, task.issue, (&key, &text)).await?;
    Ok(vec![Fact::of(task.id, Event::Shown { slot, digest })])
}

/// Where the finished commits of a task are, in the words of a command.
fn kept(world: &World, task: &Task) -> Option<Kept> {
    let head = task.state.work()?.head.as_ref()?;
    let mirror = world.home.mirrors_dir().join(format!("{}.git", task.repo));
    Some(Kept {
        commit: head.short().to_owned(),
        fetch: format!(
            "git fetch {} 'refs/zazen/{}/*:refs/zazen/{}/*'",
            mirror.display(),
            task.id,
            task.id
        ),
    })
}

async fn acknowledge(world: &World, task: &Task, text: TextRef) -> anyhow::Result<Vec<Fact>> {
    world.publisher.react(&task.repo, (text.on, text.id), TAKEN).await?;
    let on = Some(text.on).filter(|on| *on != task.issue);
    Ok(vec![Fact::of(task.id, Event::Acknowledged { comment: text.id, on })])
}

/// Answers where the text stands.
async fn answer_thread(world: &World, task: &Task, answer: Answer) -> anyhow::Result<Vec<Fact>> {
    let text = words::thread_answer(&answer);
    let key = format!("{}/answer/{}", task.id, answer.to.id);
    let (place, text) = ((answer.to.on, answer.to.id), world.clean(text.as_str()));
    world.publisher.answer(&task.repo, place, (&key, &text)).await?;
    Ok(vec![Fact::of(task.id, Event::ThreadAnswered { to: answer.to })])
}

/// The branch of a task. It never changes: it is made of the number and the first title.
pub(super) fn branch(task: &Task) -> anyhow::Result<BranchName> {
    BranchName::new(task.id, &slug(&task.title)).context("name the branch")
}

async fn open_pull(world: &World, task: &Task, head: &CommitId) -> anyhow::Result<Vec<Fact>> {
    let State::Publishing(published) = &task.state else { return Ok(Vec::new()) };
    let (pull, base_branch) = pull_text(world, task, (published, head)).await?;
    let branch = branch(task)?;
    let body = world.clean(pull.body.as_str());
    let new = NewPull {
        title: &world.clean(&pull.title),
        body: &body,
        branch: branch.as_str(),
        base: &base_branch,
        head: head.as_str(),
        issue: task.issue,
    };
    let mut opened = world.publisher.open_pull(&task.repo, &new).await;
    if opened.as_ref().is_err_and(is_denied) {
        world.forget_tokens();
        opened = world.publisher.open_pull(&task.repo, &new).await;
    }
    let number = match opened {
        Err(err) if is_denied(&err) => {
            let trouble = trouble(TroubleKind::Refused, &err);
            return Ok(vec![Fact::of(task.id, Event::Blocked { trouble })]);
        }
        // Asked again, it would be refused again; a person has to choose.
        Err(err) if is_no_drafts(&err) => {
            let trouble = trouble(TroubleKind::NoDrafts, &err);
            return Ok(vec![Fact::of(task.id, Event::Blocked { trouble })]);
        }
        number => number?,
    };
    report(world, task, published, &body).await?;
    reviewers::ask(world, task, number).await?;
    Ok(vec![Fact::of(task.id, Event::PullOpened { pull: number })])
}

/// Brings the description of an open pull request up to date. Its title is people's by now.
async fn update_pull(world: &World, task: &Task, head: &CommitId) -> anyhow::Result<Vec<Fact>> {
    let State::Publishing(published) = &task.state else { return Ok(Vec::new()) };
    let number = task.state.pull().context("there is no pull request to update")?;
    let (pull, _) = pull_text(world, task, (published, head)).await?;
    let body = world.clean(pull.body.as_str());
    world.publisher.update_pull(&task.repo, number, (head.as_str(), &body)).await?;
    report(world, task, published, &body).await?;
    Ok(vec![Fact::of(task.id, Event::PullUpdated { head: head.clone() })])
}

/// Puts the result of the validation command on the commit that it was run on.
async fn report(
    world: &World,
    task: &Task,
    published: &Published,
    summary: &str,
) -> anyhow::Result<()> {
    let (_, plan) = world.plan(&published.work.plan.hash)?;
    let command = check_command(world, task, &plan)?;
    let title = world.clean(&format!("passed: {}", one_line(&command, COMMAND_CHARS_MAX)));
    let id = published.verified_by.to_string();
    world.publisher.report(&task.repo, &published.head, (&id, &title, summary)).await
}

/// Whether a merge is to close the issue. The local forge closes none by itself.
fn closes(world: &World, task: &Task) -> anyhow::Result<bool> {
    let is_there = world.repo(&task.repo)?.forge == Forge::Github;
    Ok(is_there && world.config.github.as_ref().is_some_and(|github| github.closes))
}

/// What the pull request says, and the branch that it is to go into.
async fn pull_text(
    world: &World,
    task: &Task,
    (published, head): (&Published, &CommitId),
) -> anyhow::Result<(words::Pull, String)> {
    let work = &published.work;
    let (_, plan) = world.plan(&work.plan.hash)?;
    let base = task.base.clone().context("the base is not known")?;
    let mirror = world.mirror(&task.repo).await?;
    let stat = mirror.diff_stat(&base, head).await?;
    let base_branch = base_branch(world, task, &mirror).await?;
    drop(mirror);
    let files = stat.files.into_iter().map(|file| FileChange {
        path: file.path,
        lines: (!file.binary).then_some((file.added, file.removed)),
    });
    let (checks, output) = checks::of(world, &work.proof, published.verified_by)?;
    let guards = examine::report(world, task, work.proof.examined.as_ref())?;
    let evidence = Evidence {
        base,
        head: head.clone(),
        plan: work.plan.hash.clone(),
        contract: work.plan.contract.as_ref().map(|contract| contract.hash.clone()),
        closes: closes(world, task)?,
        command: check_command(world, task, &plan)?,
        output: world.clean(&output),
        checks,
        guards: guards.map(|found| (words::guards(&found), words::guard_findings(&found))),
        review: Some(own::told(world, task, &work.proof)?),
        files: files.collect(),
        sandbox: evidence::sandbox_words(world, published.verified_by)?,
        traffic: evidence::traffic(&world.home, task)?,
        agents: evidence::agents(world, task),
        usage: task.usage,
        elapsed_ms: now().millis_since(task.opened),
        reports: evidence::reports(world, task),
        receipt: seal::published(world, task, head)?,
    };
    Ok((words::pull(task, &plan, &evidence), base_branch))
}

/// The validation command: the owner's, or the one of the approved plan.
pub(super) fn check_command(world: &World, task: &Task, plan: &Plan) -> anyhow::Result<String> {
    let repo = world.repo(&task.repo)?;
    if !repo.check.is_empty() {
        return Ok(repo.check.clone());
    }
    plan.validation.clone().context("the plan names no validation command")
}

/// Trouble of this kind, with the error as its evidence.
pub(super) fn trouble(kind: TroubleKind, err: &anyhow::Error) -> Trouble {
    let evidence = plain(&format!("{err:#}"));
    Trouble::new(kind, cut_middle(&evidence, zazen_core::task::EVIDENCE_BYTES_MAX))
}

fn is_no_drafts(err: &anyhow::Error) -> bool {
    err.chain().any(|cause| cause.downcast_ref().is_some_and(CallError::is_no_drafts))
}

/// Whether the forge knows who asks, and says no.
fn is_denied(err: &anyhow::Error) -> bool {
    let is = |call: &CallError| matches!(call, CallError::Denied { .. });
    err.chain().any(|cause| cause.downcast_ref().is_some_and(is))
}

/// Whether an error is this machine's or the network's, and of a kind that goes away: then
/// the same is tried again, and no task is given up for it.
pub(super) fn may_pass(err: &anyhow::Error) -> bool {
    use std::io::{Error, ErrorKind};

    let lasts = [ErrorKind::NotFound, ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
    let is_far = err.chain().any(|cause| {
        cause.downcast_ref().is_some_and(CallError::is_passing)
            || cause.downcast_ref().is_some_and(FetchError::is_passing)
            || cause.downcast_ref().is_some_and(PushError::is_passing)
    });
    if is_far {
        return true;
    }
    let io = err.chain().find_map(|cause| cause.downcast_ref::<Error>());
    // What another program says of a full disk has come to us as text.
    io.is_some_and(|io| !lasts.contains(&io.kind())) || format!("{err:#}").contains(DISK_FULL)
}

/// How programs say that the disk is full.
const DISK_FULL: &str = "No space left on device";
