//! What a run is started with: its workspace, its prompt, its limits.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use zazen_core::check;
use zazen_core::id::{CommitId, RepoName, RunId};
use zazen_core::prompt::{self, Brief, Place, Said, Skills};
use zazen_core::task::{Fork, Phase, State, Task, Try};
use zazen_core::trust::{Author, Tier};
use zazen_core::words;

use super::agents::Acting;
use super::checks;
use super::containers;
use super::crash::{self, Moment};
use super::ground::Ground;
use super::kit::{self, Given};
use super::own;
use super::perform::check_command;
use super::review;
use super::run::{EGRESS_FILE, socket, token};
use super::session::{self, Earlier};
use super::skills;
use super::world::World;
use crate::config::{Config, Coverage};
use crate::exec;
use crate::forge::local::BOT;
use crate::forge::{Comment, Issue};
use crate::gateway::{Outside, Token};
use crate::git::{KeptRef, Mirror, trash, workspace};
use crate::home::Home;
use crate::sandbox::{self, Access, Collect, EngineKind, LaunchSpec, Limits, RunDir, Work};
use zazen_harness::{self as harness, Launch, Order, Session};

/// How much of the disk has to be free for a run to be begun: the trace of an ordinary
/// run, its recording and a small checkout, several times over.
const SPACE_MIN: u64 = 32 << 20;

/// Prepares the workspace, says what is to run in it, and starts it.
#[expect(clippy::too_many_lines, reason = "one case after the other")]
pub(super) async fn start(
    world: &World,
    task: &Task,
    (dir, acting): (&RunDir, Option<&Acting>),
    (run, phase, from): (RunId, Phase, &CommitId),
) -> anyhow::Result<()> {
    check_space(&world.home)?;
    let conversation = Talk::read(world, task)?;
    check_trust(world, task, &conversation)?;
    let mirror = world.mirror(&task.repo).await?;
    review::fetch(world, task, &mirror).await?;
    if let Some(Fork { base, head, .. }) = task.fork() {
        let from = head.as_ref().unwrap_or(base);
        mirror.update_ref(&KeptRef::forked(task.id), from, None).await?;
    }
    let workspace = world.home.work_dir().join(run.to_string());
    clear(world, &workspace)?;
    let objects = mirror.objects();
    let engine = world.engine_of(&task.repo)?;
    let seen_as = seen_as(engine, &objects);
    let (whose, what) = ((dir, acting), (run, phase, from));
    let earlier = session::find(world, (task, &mirror), whose, what).await?;
    let left = earlier.as_ref().and_then(|earlier| earlier.left.as_ref());
    let files = left.filter(|_| access(phase) == Access::ReadWrite).unwrap_or(from);
    let ids = sandbox::sandbox_ids();
    let hides_agent_config = acting.is_some_and(|acting| acting.harness.heeds_repository());
    let also_hidden = acting.map_or(&[][..], |acting| acting.harness.also_hidden());
    let content = workspace::Content { commit: from, files, hides_agent_config, also_hidden };
    workspace::prepare_with(&mirror, &workspace, content, &seen_as, ids).await?;
    let ground = Ground {
        v: Ground::VERSION,
        phase,
        from: from.clone(),
        files: files.clone(),
        hides_agent_config,
        resumes: earlier.as_ref().is_some_and(|earlier| earlier.session.is_some()),
    };
    ground.write(dir)?;
    let (work, launch) = if let Some(acting) = acting {
        let onto = review::onto(world, task, &mirror).await?;
        let told = Told {
            instructions: instructions(world, task, (&mirror, onto.as_ref())).await?,
            skills: skills::give(world, task, (dir, acting.harness), (&mirror, onto.as_ref()))
                .await?,
        };
        let brief = brief(world, task, conversation, told)?;
        let prompt = prompt(world, task, (&mirror, phase), (&brief, onto.as_ref())).await?;
        let prompt = match &earlier {
            Some(earlier) => going_on(task, (prompt, &brief.thread), (earlier, phase, from)),
            None => prompt,
        };
        agent((world, task), (dir, acting), (phase, &prompt), earlier.as_ref())?
    } else {
        (checks(world, task)?, Launch::default())
    };
    drop(mirror);
    let container = match engine {
        EngineKind::Container => Some(containers::of(world, task).await?),
        EngineKind::Bwrap | EngineKind::None => None,
    };
    let hosts = outside(world, task, dir).hosts;
    let mut env = environment(&world.config, launch.env);
    if !hosts.is_empty() {
        env.extend(proxy(&token(dir)?));
    }
    let spec = LaunchSpec {
        v: sandbox::SPEC_VERSION,
        run,
        engine,
        task_marker: task.id.to_string(),
        work,
        env,
        workspace,
        access: access(phase),
        objects,
        files: launch.files,
        tools: tools(&world.config, launch.tools),
        gateway_socket: (!phase.is_checks() || !hosts.is_empty()).then(|| socket(dir)),
        collect: collect(world, task, phase, from)?,
        limits: limits(&world.config),
        container,
    };
    crash::point(world.crash(), Moment::RunPrepared);
    sandbox::submit(&world.zazen, dir.path(), &spec).await?;
    crash::point(world.crash(), Moment::RunSubmitted);
    Ok(())
}

/// Removes what was half made when the daemon ended: nothing has run in it but our own git.
fn clear(world: &World, workspace: &Path) -> anyhow::Result<()> {
    if workspace.exists() {
        exec::end_leftovers(&format!("--git-dir={}/", workspace.display()));
        trash::remove(workspace, &world.home.trash_dir())?;
    }
    Ok(())
}

/// Begins no run on a disk on which it could not even write down what it does. It
/// would fail, and so would the next one.
fn check_space(home: &Home) -> anyhow::Result<()> {
    let dir = home.runs_dir();
    let facts = rustix::fs::statvfs(&dir).map_err(io::Error::from);
    let facts = facts.with_context(|| format!("look at the disk of {}", dir.display()))?;
    let n_free = facts.f_bavail.saturating_mul(facts.f_frsize);
    if n_free < SPACE_MIN {
        let mib = n_free >> 20;
        let why = format!("only {mib} MiB are free on the disk of {}", dir.display());
        bail!(io::Error::new(io::ErrorKind::StorageFull, why));
    }
    Ok(())
}

/// What people wrote on the issue. Read once, so that what is checked is what agents get.
struct Talk {
    issue: Issue,
    comments: Vec<Comment>,
}

impl Talk {
    fn read(world: &World, task: &Task) -> anyhow::Result<Self> {
        let issue = world.forge.issue(&task.repo, task.issue)?;
        let mut comments = world.forge.comments(&task.repo, task.issue)?;
        comments.retain(|comment| comment.author != BOT);
        Ok(Self { issue, comments })
    }

    fn authors(&self) -> impl Iterator<Item = Author<'_>> {
        let Issue { author, permission, is_bot, .. } = &self.issue;
        let of_issue = Author { name: author, permission: *permission, is_bot: *is_bot };
        let of_comments = self.comments.iter().map(|comment| {
            let Comment { author, permission, is_bot, .. } = comment;
            Author { name: author, permission: *permission, is_bot: *is_bot }
        });
        // Of a pull request of zazen's own, nobody is the author. A person's copy says what
        // they may do, whatever they call themselves.
        let is_own = author == BOT && permission.is_none();
        of_comments.chain(Some(of_issue).filter(|_| !is_own))
    }
}

/// Begins no run in which an agent would read a stranger's text in a weaker sandbox than
/// the owner allows.
fn check_trust(world: &World, task: &Task, conversation: &Talk) -> anyhow::Result<()> {
    let Config { trust, strangers_engine, .. } = &world.config;
    let engine = world.repo(&task.repo)?.engine;
    if trust.tier_of_all(conversation.authors()) == Tier::Stranger && engine < *strangers_engine {
        bail!(
            "people who are not in `trust.people` wrote on issue #{}, and `trust.strangers_engine` \
             asks for a stronger sandbox than the `engine` of {} is; use that engine",
            task.issue,
            task.repo
        );
    }
    Ok(())
}

fn access(phase: Phase) -> Access {
    match phase {
        Phase::Plan | Phase::Ask | Phase::Review => Access::ReadOnly,
        Phase::Implement { .. } | Phase::Correct | Phase::Verify | Phase::Baseline => {
            Access::ReadWrite
        }
    }
}

/// Where a run sees a mirror's objects.
pub(super) fn seen_as(engine: EngineKind, objects: &Path) -> PathBuf {
    if engine.is_isolated() { sandbox::OBJECTS_INSIDE.into() } else { objects.to_owned() }
}

/// The folders of the host that a run sees: the owner's, and those of its agent.
pub(super) fn tools(config: &Config, of_agent: Vec<PathBuf>) -> Vec<PathBuf> {
    config.sandbox.tools.iter().cloned().chain(of_agent).collect()
}

pub(super) fn limits(config: &Config) -> Limits {
    let limits = &config.limits;
    Limits {
        memory_bytes: limits.memory_bytes,
        n_processes_max: limits.n_processes_max,
        wall: limits.wall,
        silence: limits.silence,
        disk_bytes: limits.disk_bytes,
        output_bytes: limits.output_bytes,
    }
}

pub(super) fn environment(
    config: &Config,
    launch: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let sandbox = &config.sandbox;
    let bins = sandbox.tools.iter().filter(|tool| tool.file_name().is_some_and(|n| n == "bin"));
    let path: Vec<String> =
        bins.map(|bin| bin.display().to_string()).chain(["{path}".to_owned()]).collect();
    let mut env = BTreeMap::from([("PATH".to_owned(), path.join(":"))]);
    env.extend(sandbox.env.clone());
    env.extend(launch);
    env
}

/// What the runs of a task may reach besides the model: nothing, where the repository is
/// not in the configuration any more.
pub(super) fn outside(world: &World, task: &Task, dir: &RunDir) -> Outside {
    let limits = &world.config.limits;
    Outside {
        repo: task.repo.to_string(),
        hosts: world.repo(&task.repo).map(|repo| repo.hosts.clone()).unwrap_or_default(),
        servers: Acting::read(dir)
            .map(|acting| kit::services_of(world, (&task.repo, acting.harness)))
            .unwrap_or_default(),
        log_to: dir.path().join(EGRESS_FILE),
        download_bytes: limits.download_bytes,
        upload_bytes: limits.upload_bytes,
    }
}

/// The variables by which programs find the way to hosts. Each program knows some of them.
///
/// The token is one that makes no model call: `mini` gives its commands none that does.
fn proxy(token: &Token) -> BTreeMap<String, String> {
    let token = token.for_hosts();
    let proxy = format!("http://run:{token}@{{gateway_host}}");
    let mut env = BTreeMap::new();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        env.insert(name.to_owned(), proxy.clone());
    }
    for name in ["NO_PROXY", "no_proxy"] {
        // Servers of its own, in the sandbox, and the gateway's routes to the model.
        env.insert(name.to_owned(), "localhost,127.0.0.1,::1".to_owned());
    }
    // Else git asks first without the token, only to be told that it needs one.
    env.insert("GIT_HTTP_PROXY_AUTHMETHOD".to_owned(), "basic".to_owned());
    env
}

fn collect(
    world: &World,
    task: &Task,
    phase: Phase,
    from: &CommitId,
) -> anyhow::Result<Option<Collect>> {
    let step = match phase {
        Phase::Implement { step } => Some(step),
        Phase::Correct => None,
        Phase::Plan | Phase::Ask | Phase::Review | Phase::Verify | Phase::Baseline => {
            return Ok(None);
        }
    };
    let work = task.state.work().context("the task has no work")?;
    let (_, plan) = world.plan(&work.plan.hash)?;
    let title = step
        .and_then(|step| plan.steps.get(step.saturating_sub(1) as usize))
        .map_or_else(|| mended(task), |step| step.title.clone());
    let place = step.map(|step| (step, work.plan.n_steps));
    Ok(Some(Collect {
        base: from.clone(),
        message: words::step_commit(task.id, task.issue, &title, place),
        author: world.config.policy.author.clone(),
        takes_hidden: world.config.policy.agent_config,
    }))
}

/// What a correction is, for its commit.
fn mended(task: &Task) -> String {
    let is_reviewed = task.state.work().is_some_and(|work| work.proof.sent_back().is_some());
    let what = match () {
        () if task.state.is_rework() => "Rework",
        () if is_reviewed => "Work in the review of",
        () => "Mend the checks of",
    };
    format!("{what} {}", task.title)
}

/// The validation command, and what measures coverage behind it.
fn checks(world: &World, task: &Task) -> anyhow::Result<Work> {
    let work = task.state.work().with_context(|| no_plan(task))?;
    let (_, plan) = world.plan(&work.plan.hash)?;
    let command = check_command(world, task, &plan)?;
    let Coverage { command: coverage, file } = &world.repo(&task.repo)?.coverage;
    let is_measured = !coverage.is_empty() || !file.is_empty();
    let command = if is_measured { check::script(&command, (coverage, file)) } else { command };
    Ok(Work::Check { command })
}

fn no_plan(task: &Task) -> String {
    format!("task {} has no approved plan", task.id)
}

/// The try that a run is, with what the agent is told of those before.
fn attempt_of(task: &Task) -> Try {
    if let State::Received(attempt) | State::Planning(attempt) = &task.state {
        return attempt.clone();
    }
    task.state.work().map_or_else(Try::default, |work| work.attempt.clone())
}

/// What is asked of an agent.
async fn prompt(
    world: &World,
    task: &Task,
    (mirror, phase): (&Mirror, Phase),
    (brief, onto): (&Brief, Option<&CommitId>),
) -> anyhow::Result<String> {
    let work = task.state.work();
    let attempt = &attempt_of(task);
    Ok(match (phase, work) {
        (Phase::Plan, _) => {
            let earlier = task.plan.as_ref().map(|plan| world.plan(&plan.hash)).transpose()?;
            let earlier = earlier.as_ref().map(|(text, _)| text.as_str());
            prompt::plan(brief, &task.request, earlier, attempt)
        }
        (Phase::Ask, _) => prompt::ask(brief, &task.request, attempt),
        (Phase::Review, Some(work)) => {
            own::prompt(world, task, (mirror, work, brief), attempt).await?
        }
        (Phase::Review, None) => prompt::review(brief, &task.request, onto, attempt),
        (Phase::Implement { step }, Some(work)) => {
            let (text, plan) = world.plan(&work.plan.hash)?;
            let place = Place { index: step.saturating_sub(1) as usize, text: &text };
            prompt::implement(brief, &plan, place, &work.answers, attempt)
        }
        (Phase::Correct, Some(work)) if let Some(rework) = &work.rework => {
            let (text, plan) = world.plan(&work.plan.hash)?;
            prompt::rework(brief, &plan, &text, rework, attempt)
        }
        (Phase::Correct, Some(work)) if let Some(review) = work.proof.sent_back() => {
            own::correction(world, (work, brief), review.run, attempt)?
        }
        (Phase::Correct, Some(work)) => {
            let (text, plan) = world.plan(&work.plan.hash)?;
            prompt::correct(brief, (&plan, &text), &checks::told(world, &work.proof)?, attempt)
        }
        (Phase::Implement { .. } | Phase::Correct, None) => bail!(no_plan(task)),
        (Phase::Verify | Phase::Baseline, _) => bail!("checks are run without an agent"),
    })
}

/// What is asked of an agent that goes on from where another was interrupted: its own
/// session has the task already.
fn going_on(
    task: &Task,
    (prompt, thread): (String, &[Said]),
    (earlier, phase, from): (&Earlier, Phase, &CommitId),
) -> String {
    let tree = earlier.tree((phase, from));
    if earlier.session.is_some() {
        prompt::go_on((&earlier.trouble, &attempt_of(task).remarks), thread, &tree)
    } else if earlier.account.is_empty() && earlier.left.is_none() {
        prompt
    } else {
        prompt::with_account(prompt, &earlier.account, &tree)
    }
}

/// The harness with its prompt.
fn agent(
    (world, task): (&World, &Task),
    (dir, acting): (&RunDir, &Acting),
    (phase, prompt): (Phase, &str),
    earlier: Option<&Earlier>,
) -> anyhow::Result<(Work, Launch)> {
    let kind = match access(phase) {
        Access::ReadOnly => harness::Task::Read,
        Access::ReadWrite => harness::Task::Write,
    };
    let token = token(dir)?;
    let harness = world.agents.harness(&acting.agent)?;
    // A secret that a person wrote down is none of the model's business.
    let prompt = world.clean(prompt);
    let route = acting.route.as_str();
    let id = session::id(dir, earlier)?;
    let session = match earlier.and_then(|earlier| earlier.session.as_ref()) {
        Some(_) => Session::Resumed(&id),
        None => Session::New(&id),
    };
    let Given { kit, folders } = kit::of(world, (&task.repo, acting.harness), &token)?;
    let token = token.to_string();
    let session = Some(session);
    let order = Order { task: kind, prompt: &prompt, route, token: &token, session, kit: &kit };
    let mut launch = harness.launch(order);
    launch.tools.extend(folders);
    let work = Work::Harness {
        argv: launch.argv.clone(),
        stdin: launch.stdin.clone(),
        open_until: launch.open_until.clone(),
    };
    Ok((work, launch))
}

/// What the agent is told of how to work here.
struct Told {
    instructions: String,
    skills: Skills,
}

/// What the agent is told of the issue, of people, and of this place.
fn brief(world: &World, task: &Task, conversation: Talk, told: Told) -> anyhow::Result<Brief> {
    let Talk { issue, comments } = conversation;
    let Told { instructions, skills } = told;
    let said = |comment: Comment| Said { by: comment.author, text: comment.body };
    let home = &world.home;
    Ok(Brief {
        repo: Some(task.repo.clone()),
        issue: Some(task.issue),
        title: issue.title,
        body: issue.body,
        thread: comments.into_iter().map(said).collect(),
        soul: page(&home.soul_page()),
        memory: memory(home, &task.repo),
        missions: page(&home.missions_page()),
        hosts: world.repo(&task.repo)?.hosts.entries(),
        instructions,
        skills,
        check: world.repo(&task.repo)?.check.clone(),
    })
}

/// What the repository tells agents, as it stands on the base branch: never what an
/// earlier step made of it.
async fn instructions(
    world: &World,
    task: &Task,
    (mirror, base): (&Mirror, Option<&CommitId>),
) -> anyhow::Result<String> {
    let Some(base) = base.filter(|_| world.config.policy.repo_texts.instructions) else {
        return Ok(String::new());
    };
    for name in INSTRUCTIONS {
        match mirror.read_file(base, name, INSTRUCTIONS_BYTES_MAX).await {
            Ok(Some(text)) => return Ok(String::from_utf8_lossy(&text).into_owned()),
            Ok(None) => {}
            Err(err) => tracing::warn!("`{name}` of {} is not given to agents: {err:#}", task.repo),
        }
    }
    Ok(String::new())
}

/// Where repositories say what agents should know. The first that is there is taken: the
/// others mostly repeat it, or point at it.
pub(super) const INSTRUCTIONS: [&str; 3] = ["AGENTS.md", "CLAUDE.md", "GEMINI.md"];

/// How long they may be. Longer ones are a book, and the prompt has no room for it.
pub(super) const INSTRUCTIONS_BYTES_MAX: u64 = 64 * 1024;

/// What was learnt before, everywhere and of this repository.
pub(super) fn memory(home: &Home, repo: &RepoName) -> String {
    let memory = home.memory_dir();
    let own = memory.join("repos").join(format!("{repo}.md"));
    [page(&memory.join("global.md")), page(&own)].join("\n").trim().to_owned()
}

/// A page's text, or nothing: a person may have deleted it.
pub(super) fn page(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
