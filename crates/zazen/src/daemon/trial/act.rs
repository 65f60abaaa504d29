//! One run of a trial: as those of tasks, but that nothing is journalled and nobody parks.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;
use zazen_core::id::{CommitId, IssueNumber, RunId, TaskId};
use zazen_core::trace;
use zazen_core::usage::Usage;
use zazen_core::words;
use zazen_harness::{self as harness, Order, Session};

use super::super::agents::Acting;
use super::super::run::{self, EGRESS_FILE, Ended, GATEWAY_DIR, RECORDING_FILE};
use super::super::{containers, kit, launch, session};
use super::place::Place;
use crate::gateway::{self, Grant, Outside};
use crate::git::collect::{Expect, Guards, Limits as CollectLimits, Signature, collect};
use crate::git::workspace;
use crate::sandbox::{self, Access, Collect, EngineKind, Ev, LaunchSpec, Outcome, RunDir, Work};

/// What one run is for.
pub(super) struct Act<'a> {
    pub(super) n: u32,
    pub(super) task: harness::Task,
    pub(super) prompt: String,
    /// The session that it goes on with.
    pub(super) resumed: Option<&'a Kept>,
}

/// A session that a run left.
pub(super) struct Kept {
    id: String,
    at: PathBuf,
}

/// What a run came to.
pub(super) struct Acted {
    pub(super) ended: Ended,
    /// What the gateway saw of it.
    pub(super) sum: gateway::Sum,
    pub(super) seen: Seen,
    /// What it left in commits. None where that is nothing.
    pub(super) head: Option<CommitId>,
    /// Why what it left was not taken.
    pub(super) refused: Option<String>,
    pub(super) session: Option<Kept>,
}

/// What is in the lines of a run.
#[derive(Default)]
pub(super) struct Seen {
    /// How many things the canary was refused, if nothing worked that it tried.
    pub(super) canary: Option<usize>,
    /// From the work's start to its first line.
    pub(super) first_line: Option<Duration>,
    pub(super) events: Vec<trace::Event>,
}

/// How many reports of calls wait. Nobody reads them here.
const REPORTS_MAX: usize = 64;

/// How much longer than a run its token is good for.
const TOKEN_SLACK: Duration = Duration::from_secs(60);

impl Act<'_> {
    /// The run in which all is tried.
    pub(super) fn first(place: &Place) -> Self {
        Self { n: 1, task: harness::Task::Write, prompt: place.proof.first(), resumed: None }
    }
}

impl Place {
    /// Has the agent act, and gathers what it left.
    pub(super) async fn act(&self, act: Act<'_>) -> anyhow::Result<Acted> {
        let world = &self.world;
        let run = RunId { task: TaskId(1), n: act.n };
        let dir = RunDir::new(world.home.run_dir(run));
        run::make_dir(dir.path())?;
        let acting = world.agents.acting(&self.agent)?;
        let (sender, reports) = mpsc::channel(REPORTS_MAX);
        let door = world.gateway.open(self.grant(&dir, run, &acting)?, sender).await?;
        let spec = self.spec((&dir, run), &acting, &act).await?;
        sandbox::submit(&world.zazen, dir.path(), &spec).await?;
        // Who does not want to wait any longer leaves no agent at work.
        let ended = tokio::select! {
            ended = run::follow(world, &dir, (run, Some(acting)), reports) => ended?,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(ended) = ended else {
            sandbox::stop(dir.path(), Duration::ZERO).await?;
            bail!("it was interrupted");
        };
        door.close().await.context("close the gateway's door")?;
        let recording = dir.path().join(RECORDING_FILE);
        let sum = gateway::sum_up(&recording, &world.config.prices)?;
        let seen = self.see(&dir)?;
        let (head, refused) = match act.task {
            harness::Task::Write => self.collect(&dir, run, &ended).await?,
            harness::Task::Read => (None, None),
        };
        let session = self.session(&dir, &ended)?;
        Ok(Acted { ended, sum, seen, head, refused, session })
    }

    fn grant(&self, dir: &RunDir, run: RunId, acting: &Acting) -> anyhow::Result<Grant> {
        run::make_dir(&dir.path().join(GATEWAY_DIR))?;
        let limits = &self.world.config.limits;
        Ok(Grant {
            run,
            repo: self.repo.clone(),
            may_use_reserve: false,
            of_task: zazen_core::budget::Limit::default(),
            // A person wants to see what works now.
            is_forced: true,
            task_usage: Usage::default(),
            lifetime: limits.wall.saturating_add(TOKEN_SLACK),
            label: format!("trial/{}", run.n),
            token: run::token(dir)?,
            socket: run::socket(dir),
            source: self.world.source(&acting.route),
            record_to: dir.path().join(RECORDING_FILE),
            outside: Outside {
                repo: self.repo.to_string(),
                hosts: zazen_core::host::Hosts::default(),
                servers: Vec::new(),
                log_to: dir.path().join(EGRESS_FILE),
                download_bytes: limits.download_bytes,
                upload_bytes: limits.upload_bytes,
            },
            socket_mode: run::socket_mode(),
        })
    }

    async fn spec(
        &self,
        (dir, run): (&RunDir, RunId),
        acting: &Acting,
        act: &Act<'_>,
    ) -> anyhow::Result<LaunchSpec> {
        let world = &self.world;
        let engine = world.engine_of(&self.repo)?;
        let mirror = world.mirror(&self.repo).await?;
        let objects = mirror.objects();
        let seen_as = launch::seen_as(engine, &objects);
        let at = world.home.work_dir().join(run.to_string());
        workspace::prepare(&mirror, &at, &self.base, &seen_as, sandbox::sandbox_ids()).await?;
        drop(mirror);
        let token = run::token(dir)?;
        let kit = kit::of(world, (&self.repo, acting.harness), &token)?.kit;
        let token = token.to_string();
        let new = session::new_id()?;
        let session = match act.resumed {
            Some(kept) => {
                let inner = acting.harness.sessions().context("it has no sessions")?;
                sandbox::put_in(&kept.at, dir, inner)?;
                Session::Resumed(&kept.id)
            }
            None => Session::New(&new),
        };
        let (prompt, route) = (act.prompt.as_str(), acting.route.as_str());
        let (task, session) = (act.task, Some(session));
        let order = Order { task, prompt, route, token: &token, session, kit: &kit };
        let launch = self.harness.launch(order);
        let (access, collect) = match act.task {
            harness::Task::Read => (Access::ReadOnly, None),
            harness::Task::Write => (Access::ReadWrite, Some(self.wanted())),
        };
        let container = match engine {
            EngineKind::Container => Some(
                containers::named(&world.config)?
                    .into_iter()
                    .next()
                    .context("a trial needs `sandbox.image`: an image that is there")?,
            ),
            EngineKind::Bwrap | EngineKind::None => None,
        };
        Ok(LaunchSpec {
            v: sandbox::SPEC_VERSION,
            run,
            engine,
            task_marker: "trial".to_owned(),
            work: Work::Harness {
                argv: launch.argv,
                stdin: launch.stdin,
                open_until: launch.open_until,
            },
            env: launch::environment(&world.config, launch.env),
            workspace: at,
            access,
            objects,
            files: launch.files,
            tools: launch::tools(&world.config, launch.tools),
            gateway_socket: Some(run::socket(dir)),
            collect,
            limits: launch::limits(&world.config),
            container,
        })
    }

    fn wanted(&self) -> Collect {
        Collect {
            base: self.base.clone(),
            message: "Trial".to_owned(),
            author: self.world.config.policy.author.clone(),
            takes_hidden: false,
        }
    }

    /// Reads what the run wrote, from its beginning.
    fn see(&self, dir: &RunDir) -> anyhow::Result<Seen> {
        let mut seen = Seen::default();
        let mut reader = self.harness.reader();
        let (mut offset, mut began) = (0, None);
        loop {
            let lines = dir.read_new(&mut offset)?;
            if lines.is_empty() {
                return Ok(seen);
            }
            for line in lines {
                match line.ev {
                    Ev::Canary { ok: true, tried } => {
                        let refused = tried.iter().filter(|it| it.outcome == Outcome::Refused);
                        seen.canary = Some(refused.count());
                    }
                    Ev::Started { .. } => began = Some(line.at),
                    Ev::Out { line: text } => {
                        let since = began.map(|began| line.at.millis_since(began));
                        seen.first_line = seen.first_line.or(since.map(Duration::from_millis));
                        seen.events.extend(reader.read(&text));
                    }
                    Ev::Canary { .. } | Ev::Err { .. } | Ev::Ready { .. } => {}
                    Ev::Result(_) | Ev::Failed { .. } | Ev::Ended { .. } => {}
                }
            }
        }
    }

    /// Takes its commits, as those of a task are taken.
    async fn collect(
        &self,
        dir: &RunDir,
        run: RunId,
        ended: &Ended,
    ) -> anyhow::Result<(Option<CommitId>, Option<String>)> {
        let has_some = ended.stream.collected.as_ref().is_some_and(|claim| claim.n_commits > 0);
        if !has_some {
            return Ok((None, None));
        }
        let world = &self.world;
        let guards =
            Guards { scanner: world.scanner(), secret_exceptions: Vec::new(), agent_config: false };
        let signature = Signature {
            author: world.config.policy.author.clone(),
            time: 0,
            trailers: words::trailers(run.task, IssueNumber(1), None),
        };
        let (base, limits) = (self.base.clone(), CollectLimits::STANDARD);
        let expect = Expect { base, run, limits, guards, signature };
        let mirror = world.mirror(&self.repo).await?;
        match collect(&mirror, &dir.bundle(), &expect).await {
            Ok(collected) => Ok((Some(collected.head), None)),
            Err(err) => Ok((None, Some(err.to_string()))),
        }
    }

    fn session(&self, dir: &RunDir, ended: &Ended) -> anyhow::Result<Option<Kept>> {
        let Some(inner) = self.harness.name().sessions() else { return Ok(None) };
        let said = ended.stream.reader.session().filter(|id| session::is_id(id));
        let Some(id) = said.map(str::to_owned) else { return Ok(None) };
        let at = self.world.home.dot_dir().join("trial-session");
        if at.exists() {
            return Ok(None);
        }
        let is_there = sandbox::take_out(dir, inner, &at)? && sandbox::has_session(&at, &id);
        Ok(is_there.then_some(Kept { id, at }))
    }
}
