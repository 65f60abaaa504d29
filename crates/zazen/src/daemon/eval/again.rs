//! The steps of a task's plan, carried out again by one agent.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use zazen_core::id::{AgentName, CommitId, RunId, TaskId};
use zazen_core::plan::Plan;
use zazen_core::prompt::{self, Brief, Place, Said, Skills};
use zazen_core::secret::{Scanner, Secret};
use zazen_core::task::{Task, Try};
use zazen_core::text::{one_line, plain};
use zazen_core::usage::Usage;
use zazen_core::words;
use zazen_harness::{self as harness, Harness, Kit, Order, Session};

use super::super::agents;
use super::super::apart::{self, Apart, Job, Ran};
use super::super::launch::{INSTRUCTIONS, INSTRUCTIONS_BYTES_MAX, memory, page};
use super::super::replay::{reader, spec_of, unfinished};
use super::super::run::RECORDING_FILE;
use super::super::session::new_id;
use super::super::steps::steps;
use super::super::version::{Asking, version};
use super::super::world::{local_forge, read_plan};
use super::super::{containers, launch};
use super::{Eval, Row};
use crate::config::{Agent, Repo};
use crate::forge::local::BOT;
use crate::gateway::{self, Source, Token};
use crate::git::collect::{CollectError, Expect, Guards, Limits, Refused, Signature};
use crate::git::workspace::Content;
use crate::sandbox::{Collect, Container, EngineKind, LaunchSpec, RunDir, Work};

/// One task, and the place where its steps are carried out again.
pub(super) struct Again<'a> {
    pub(super) eval: &'a Eval,
    pub(super) apart: &'a Apart,
    pub(super) task: &'a Task,
    /// The keys of the routes, which are no agent's business.
    pub(super) secrets: Vec<Secret>,
}

/// What is the same for all steps of one agent.
struct Setting<'a> {
    of: &'a Agent,
    harness: Harness,
    brief: Brief,
    plan: (String, Plan),
    /// The number that its runs have here.
    place: TaskId,
    container: Option<Container>,
}

/// How long a reason may be here, in characters.
const SAID_CHARS_MAX: usize = 200;

impl Again<'_> {
    /// Carries the steps out, runs the checks, and says what came of it.
    pub(super) async fn row(&self, agent: &AgentName, place: TaskId) -> anyhow::Result<Row> {
        let Eval { home, config, environment, .. } = self.eval;
        let of = config.agents.get(agent);
        let of = of.with_context(|| format!("there is no agent `{agent}` in zazen.toml"))?;
        let harness = agents::find(config, environment, of)?;
        let base = steps(home, self.task.id, self.task.n_runs)?.base;
        let plan = self.task.plan.as_ref().context("it has no plan")?;
        let plan = read_plan(home, &plan.hash)?;
        let setting = Setting {
            of,
            brief: self.brief(&base).await?,
            container: self.container()?,
            harness,
            plan,
            place,
        };
        let mut row = Row {
            task: self.task.id,
            agent: Some(agent.clone()),
            who: self.who(agent, &setting).await,
            checks: None,
            n_done: 0,
            n_steps: u32::try_from(setting.plan.1.steps.len()).unwrap_or(u32::MAX),
            n_files: 0,
            n_added: 0,
            n_removed: 0,
            usage: Usage::default(),
            took_ms: 0,
            says: String::new(),
        };
        let mut head = base.clone();
        for index in 0..setting.plan.1.steps.len() {
            match self.step(&setting, index, &head, &mut row).await? {
                Ok(commit) => head = commit,
                Err(says) => {
                    row.says = format!("step {}: {says}", index + 1);
                    break;
                }
            }
            row.n_done += 1;
        }
        let stat = self.apart.mirror.diff_stat(&base, &head).await?;
        row.n_files = stat.files.len();
        row.n_added = stat.files.iter().map(|file| file.added).sum();
        row.n_removed = stat.files.iter().map(|file| file.removed).sum();
        if row.says.is_empty() {
            row.checks = Some(self.check(&setting, &head).await?);
        }
        Ok(row)
    }

    /// Carries out one step. Says why, if nothing came of it.
    async fn step(
        &self,
        setting: &Setting<'_>,
        index: usize,
        from: &CommitId,
        row: &mut Row,
    ) -> anyhow::Result<Result<CommitId, String>> {
        let config = &self.eval.config;
        let token = Token::random().context("make a token")?;
        let spec = self.spec(setting, index, from, &token)?;
        let run = spec.run;
        let hides_agent_config = setting.of.harness.heeds_repository();
        let also_hidden = setting.of.harness.also_hidden();
        let content = Content { commit: from, files: from, hides_agent_config, also_hidden };
        let source = Source::Live { route: setting.of.route.clone() };
        let (label, repo) = (format!("implement/{}", index + 1), self.task.repo.clone());
        let job = Job { spec, content, label, repo, token, source };
        let ran = self.apart.run(job, setting.harness.reader()).await?;
        let sum = gateway::sum_up(&ran.dir.path().join(RECORDING_FILE), &config.prices)?;
        row.usage += sum.usage;
        row.took_ms += u64::try_from(ran.took().as_millis()).unwrap_or(u64::MAX);
        if let Some(exceeded) = &sum.refused {
            return Ok(Err(words::exceeded(exceeded)));
        }
        if let Some(why) = unfinished(&ran, sum.is_last_cut) {
            return Ok(Err(why));
        }
        self.left(&ran, run, from).await
    }

    fn spec(
        &self,
        setting: &Setting<'_>,
        index: usize,
        from: &CommitId,
        token: &Token,
    ) -> anyhow::Result<LaunchSpec> {
        let config = &self.eval.config;
        let (text, plan) = &setting.plan;
        let asked = Place { index, text };
        let prompt = prompt::implement(&setting.brief, plan, asked, "", &Try::default());
        let prompt =
            Scanner::knowing(self.secrets.iter().map(Secret::expose)).redact(&prompt).into_owned();
        let (session, shown) = (new_id()?, token.to_string());
        let kit = Kit { denied: config.policy.denied.clone(), ..Kit::default() };
        let launch = setting.harness.launch(Order {
            task: harness::Task::Write,
            prompt: &prompt,
            route: &setting.of.route,
            token: &shown,
            session: Some(Session::New(&session)),
            kit: &kit,
        });
        let n = u32::try_from(index + 1)?;
        let run = RunId { task: setting.place, n };
        let n_steps = u32::try_from(plan.steps.len())?;
        let title = plan.steps.get(index).map_or("", |step| step.title.as_str());
        let mut spec = self.bare(setting, run)?;
        // The socket's own path is put in where the run is made.
        spec.gateway_socket = Some(super::super::run::socket(&self.apart.dir(run)));
        spec.env = launch::environment(config, launch.env);
        spec.tools = launch::tools(config, launch.tools);
        spec.files = launch.files;
        spec.work =
            Work::Harness { argv: launch.argv, stdin: launch.stdin, open_until: launch.open_until };
        spec.collect = Some(Collect {
            base: from.clone(),
            message: words::step_commit(self.task.id, self.task.issue, title, Some((n, n_steps))),
            author: config.policy.author.clone(),
            takes_hidden: config.policy.agent_config,
        });
        Ok(spec)
    }

    fn bare(&self, setting: &Setting<'_>, run: RunId) -> anyhow::Result<LaunchSpec> {
        let engine = containers::kind(self.repo()?.engine);
        let at = self.apart.workspace(run);
        Ok(apart::bare_spec(&self.eval.config, (engine, setting.container.clone()), run, at))
    }

    fn repo(&self) -> anyhow::Result<&Repo> {
        let repo = self.eval.config.repos.iter().find(|repo| repo.name == self.task.repo);
        repo.with_context(|| format!("{} is not in zazen.toml any more", self.task.repo))
    }

    /// Takes what a step left, as that of a task is taken.
    async fn left(
        &self,
        ran: &Ran,
        run: RunId,
        from: &CommitId,
    ) -> anyhow::Result<Result<CommitId, String>> {
        let Some(claim) = &ran.claim else {
            return Ok(Err("its result could not be gathered".to_owned()));
        };
        if claim.n_commits == 0 {
            return Ok(Ok(from.clone()));
        }
        let policy = &self.eval.config.policy;
        let guards = Guards {
            scanner: Arc::new(Scanner::knowing(self.secrets.iter().map(Secret::expose))),
            secret_exceptions: policy.secret_exceptions.clone(),
            agent_config: policy.agent_config,
        };
        let signature = Signature {
            author: policy.author.clone(),
            time: 0,
            trailers: words::trailers(self.task.id, self.task.issue, None),
        };
        let (base, limits) = (from.clone(), Limits::STANDARD);
        let expect = Expect { base, run, limits, guards, signature };
        match self.apart.collect(ran, &expect).await {
            Ok(collected) => Ok(Ok(collected.head)),
            Err(CollectError::Refused(Refused::Empty)) => Ok(Ok(from.clone())),
            Err(CollectError::Refused(why)) => Ok(Err(said(&why.to_string()))),
            Err(CollectError::Failed(err)) => Err(err),
        }
    }

    async fn check(&self, setting: &Setting<'_>, head: &CommitId) -> anyhow::Result<bool> {
        let repo = self.repo()?;
        let command = Some(repo.check.clone()).filter(|check| !check.is_empty());
        let command = command.or_else(|| setting.plan.1.validation.clone());
        let command = command.context("the plan names no validation command")?;
        let n = u32::try_from(setting.plan.1.steps.len())?.saturating_add(1);
        let mut spec = self.bare(setting, RunId { task: setting.place, n })?;
        spec.work = Work::Check { command };
        let content =
            Content { commit: head, files: head, hides_agent_config: false, also_hidden: &[] };
        let token = Token::random().context("make a token")?;
        let (label, repo) = ("verify".to_owned(), self.task.repo.clone());
        let job = Job { spec, content, label, repo, token, source: Source::Nobody };
        let ran = self.apart.run(job, reader(None)).await?;
        Ok(ran.exit.is_some_and(|exit| exit.code == Some(0)))
    }

    async fn who(&self, agent: &AgentName, setting: &Setting<'_>) -> String {
        let Eval { home, config, .. } = self.eval;
        let kind = containers::kind(config.sandbox.engine);
        let asking = Asking { kind, zazen: self.apart.zazen(), home: Some(home) };
        let version = version(asking, &setting.harness).await;
        words::agent(words::Agent {
            name: agent,
            harness: setting.of.harness.word(),
            version: version.as_deref().unwrap_or_default(),
            model: &setting.of.model,
            effort: &setting.of.effort,
        })
    }

    /// What runs of the task were made of, where they were in containers.
    fn container(&self) -> anyhow::Result<Option<Container>> {
        if containers::kind(self.repo()?.engine) != EngineKind::Container {
            return Ok(None);
        }
        for n in 1..=self.task.n_runs {
            let dir = RunDir::new(self.eval.home.run_dir(RunId { task: self.task.id, n }));
            if let Some(container) = spec_of(&dir)?.and_then(|spec| spec.container) {
                return Ok(Some(container));
            }
        }
        bail!("no run of task {} was in a container; which one it needs is not known", self.task.id)
    }

    /// What the agent is told of the issue and of this place, as the pages are now.
    async fn brief(&self, base: &CommitId) -> anyhow::Result<Brief> {
        let Eval { home, config, soul, .. } = self.eval;
        let task = self.task;
        let forge = local_forge(home, config);
        let issue = forge.issue(&task.repo, task.issue)?;
        let comments = forge.comments(&task.repo, task.issue)?.into_iter();
        let comments = comments.filter(|comment| comment.author != BOT);
        Ok(Brief {
            repo: Some(task.repo.clone()),
            issue: Some(task.issue),
            title: issue.title,
            body: issue.body,
            thread: comments.map(|it| Said { by: it.author, text: it.body }).collect(),
            soul: soul.clone().unwrap_or_else(|| page(&home.soul_page())),
            memory: memory(home, &task.repo),
            missions: page(&home.missions_page()),
            hosts: Vec::new(),
            instructions: self.instructions(base).await?,
            skills: Skills::default(),
            check: self.repo()?.check.clone(),
        })
    }

    async fn instructions(&self, base: &CommitId) -> anyhow::Result<String> {
        if !self.eval.config.policy.repo_texts.instructions {
            return Ok(String::new());
        }
        for name in INSTRUCTIONS {
            let text = self.apart.mirror.read_file(base, name, INSTRUCTIONS_BYTES_MAX).await?;
            if let Some(text) = text {
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
        }
        Ok(String::new())
    }
}

fn said(text: &str) -> String {
    one_line(&plain(text), SAID_CHARS_MAX)
}
