//! Makes one run again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use zazen_core::id::RepoName;
use zazen_core::likeness::{HOME, Places, WORKSPACE};
use zazen_core::secret::Scanner;
use zazen_harness::{Harness, Name};

use super::super::agents;
use super::super::apart::{Apart, Job, Ran};
use super::super::containers;
use super::super::ground::{copy, kept_skills};
use super::super::token;
use super::super::version::{Asking, version};
use super::abroad;
use super::compare::{self, Left};
use super::recorded::{Loaded, Recorded, reader};
use super::{Came, Made, Replay, Requests};
use crate::config::{Config, Environment};
use crate::gateway::{Recording, Source, Token};
use crate::git::collect::{CollectError, Expect, Guards, Limits, Refused, Signature};
use crate::git::{Mirror, trash, workspace};
use crate::sandbox::{self, EngineKind, LaunchSpec, Work};

/// What it takes to make runs again.
pub(super) struct Again<'a> {
    pub(super) replay: &'a Replay,
    pub(super) apart: &'a Apart,
    /// Only read.
    pub(super) mirror: &'a Mirror,
    pub(super) repo: &'a RepoName,
    pub(super) origin: Origin,
}

/// Where runs were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Home,
    /// In another home, perhaps. What is of that machine counts for nothing.
    Bundle,
}

/// A run that was made again, with the tree of an agent's run that is the same.
pub(super) type MadeWithTree = (Made, Option<String>);

impl Again<'_> {
    /// Makes a run, if that can be done, and tells what it came to.
    pub(super) async fn told(
        &self,
        loaded: Loaded,
        tell: &mut dyn FnMut(&Made),
    ) -> anyhow::Result<MadeWithTree> {
        let (made, tree) = match loaded {
            Loaded::Whole(recorded) => self.make(*recorded).await?,
            Loaded::Not(made) => (made, None),
        };
        tell(&made);
        Ok((made, tree))
    }

    async fn make(&self, recorded: Recorded) -> anyhow::Result<MadeWithTree> {
        let mut made = Made::of(&recorded);
        if let Some(why) = self.lacks(&recorded).await? {
            return Ok((made.missing(why), None));
        }
        let mut spec = recorded.spec.clone();
        if self.origin == Origin::Bundle
            && let Err(err) = self.fit(&mut spec, &recorded)
        {
            return Ok((made.missing(format!("{err:#}")), None));
        }
        made.notes = self.prepare(&mut spec, &recorded).await?;
        let recording = match self.recording(&recorded, &spec) {
            Ok(recording) => recording.map(Arc::new),
            Err(err) => {
                return Ok((made.missing(format!("its recording cannot be read: {err:#}")), None));
            }
        };
        let ran = match self.start(spec, &recorded, recording.as_ref()).await {
            Ok(ran) => ran,
            Err(err) => {
                return Ok((made.missing(format!("it could not be started: {err:#}")), None));
            }
        };
        made.replayed_ms = u64::try_from(ran.took().as_millis()).unwrap_or(u64::MAX);
        if let Some(recording) = recording {
            (made.requests, made.unlike) = compare::requests(&recording.heard());
        }
        if matches!(recorded.spec.work, Work::Check { .. }) {
            compare::check(&mut made, &recorded, &ran);
            return Ok((made, None));
        }
        let left = self.left(&recorded, &ran).await?;
        let files = self.files(&recorded, &left).await?;
        compare::agent(&mut made, &recorded, (&ran, &left), files);
        let tree = match (&left, made.came) {
            (Left::Commit(commit), Came::Same) => Some(self.apart.mirror.tree_of(commit).await?),
            _ => None,
        };
        Ok((made, tree.map(|tree| tree.as_str().to_owned())))
    }

    /// Says which of the commits that it takes is not there.
    async fn lacks(&self, recorded: &Recorded) -> anyhow::Result<Option<String>> {
        for commit in [&recorded.ground.from, &recorded.ground.files, &recorded.head] {
            if !self.mirror.has(commit).await? {
                let place = match self.origin {
                    Origin::Home => "in the mirror any more",
                    Origin::Bundle => "in the bundle",
                };
                return Ok(Some(format!("the commit {} is not {place}", commit.short())));
            }
        }
        Ok(None)
    }

    /// Puts what is of this home into the spec of another one.
    fn fit(&self, spec: &mut LaunchSpec, recorded: &Recorded) -> anyhow::Result<()> {
        let Replay { config, environment, .. } = self.replay;
        let harness = recorded.acting.as_ref().map(|acting| acting.harness);
        abroad::fit((config, environment), self.repo, (spec, harness))
    }

    /// Fits the spec to this place. Says what is not as it was.
    async fn prepare(
        &self,
        spec: &mut LaunchSpec,
        recorded: &Recorded,
    ) -> anyhow::Result<Vec<String>> {
        let mut notes = Vec::new();
        notes.extend(self.place_workspace(spec)?);
        if let Some(acting) = &recorded.acting {
            let skills = kept_skills(&recorded.ran.dir);
            if skills.exists() {
                self.give_skills(recorded, &skills, acting.harness)?;
            }
            notes.extend(self.find_program(spec, recorded).await);
        }
        if spec.engine == EngineKind::None {
            notes.push("without a sandbox, nothing kept it from the network".to_owned());
        }
        Ok(notes)
    }

    /// In a sandbox the workspace is at the same place wherever it is here. Without one, it is
    /// made where it was: paths are in what the agent asked and was answered.
    fn place_workspace(&self, spec: &mut LaunchSpec) -> anyhow::Result<Option<String>> {
        let here = self.apart.workspace(spec.run);
        let was = std::mem::replace(&mut spec.workspace, here);
        let work = self.replay.home.work_dir();
        if spec.engine.is_isolated() {
            return Ok(None);
        }
        if self.origin == Origin::Bundle || was.parent() != Some(work.as_path()) {
            let note = format!("its workspace was {}, which is not in this home", was.display());
            return Ok(Some(note));
        }
        trash::remove(&was, &self.replay.home.trash_dir())?;
        spec.workspace = was;
        Ok(None)
    }

    fn give_skills(&self, recorded: &Recorded, from: &Path, harness: Name) -> anyhow::Result<()> {
        let dir = self.apart.dir(recorded.run);
        super::super::run::make_dir(dir.path())?;
        let place = harness.skills();
        let (above, _) = place.folder.rsplit_once('/').unwrap_or_default();
        sandbox::make_in_home(&dir, above)?;
        let to = dir.home().join(place.folder);
        copy(from, &to)?;
        sandbox::hand_over(&to)
    }

    /// Sees to it that the program is there, and says whether it is another one by now.
    async fn find_program(&self, spec: &mut LaunchSpec, recorded: &Recorded) -> Vec<String> {
        let mut notes = Vec::new();
        let Some(acting) = &recorded.acting else { return notes };
        let Work::Harness { argv, .. } = &mut spec.work else { return notes };
        let Some(was) = argv.first().map(PathBuf::from) else { return notes };
        let Replay { config, environment, .. } = self.replay;
        let harness = harness((config, environment), acting.harness, &was);
        let now = harness.as_ref().and_then(Harness::program).map(|program| program.path);
        if let Some(now) = now.filter(|now| was.is_absolute() && !was.exists() && *now != was) {
            notes.push(format!("its program was {}, and is {} now", was.display(), now.display()));
            now.display().to_string().clone_into(&mut argv[0]);
            spec.tools.retain(|tool| tool.exists());
            spec.tools.extend(now.parent().map(Path::to_owned));
        }
        let asking = Asking {
            kind: containers::kind(self.replay.config.sandbox.engine),
            zazen: self.apart.zazen(),
            home: Some(&self.replay.home),
        };
        let version = match &harness {
            Some(harness) => version(asking, harness).await,
            None => None,
        };
        if let (Some(was), Some(now)) = (&acting.version, version)
            && *was != now
        {
            let name = acting.harness;
            notes.push(format!("{name} was of version {was}, and is of version {now} now"));
        }
        notes
    }

    /// The answers, for an agent.
    fn recording(
        &self,
        recorded: &Recorded,
        spec: &LaunchSpec,
    ) -> anyhow::Result<Option<Recording>> {
        if matches!(spec.work, Work::Check { .. }) {
            return Ok(None);
        }
        let recording = Recording::parse(&recorded.recording)?;
        let places = |workspace: &Path, home: &Path| {
            let text = |path: &Path| path.display().to_string();
            Places::new([(text(workspace), WORKSPACE), (text(home), HOME)])
        };
        let was = places(&recorded.spec.workspace, &recorded.private_home());
        let is = places(&spec.workspace, &self.apart.dir(spec.run).home());
        Ok(Some(recording.of_run(was, is)))
    }

    async fn start(
        &self,
        mut spec: LaunchSpec,
        recorded: &Recorded,
        recording: Option<&Arc<Recording>>,
    ) -> anyhow::Result<Ran> {
        let token = Token::random().context("make a token")?;
        token::renew(&mut spec, &token);
        let acting = recorded.acting.as_ref();
        let content = workspace::Content {
            commit: &recorded.ground.from,
            files: &recorded.ground.files,
            hides_agent_config: recorded.ground.hides_agent_config,
            also_hidden: acting.map_or(&[][..], |acting| acting.harness.also_hidden()),
        };
        let source = recording.map_or(Source::Nobody, |it| Source::Playback(Arc::clone(it)));
        let (label, repo) = (recorded.ground.phase.to_string(), self.repo.clone());
        let job = Job { spec, content, label, repo, token, source };
        self.apart.run(job, reader(recorded.acting.as_ref())).await
    }

    /// What it left, taken as the original was.
    async fn left(&self, recorded: &Recorded, ran: &Ran) -> anyhow::Result<Left> {
        let from = &recorded.ground.from;
        let Some(wanted) = &recorded.spec.collect else { return Ok(Left::Answer) };
        let Some(claim) = &ran.claim else {
            return Ok(Left::Refused("its result could not be gathered".to_owned()));
        };
        if claim.n_commits == 0 {
            return Ok(Left::Commit(from.clone()));
        }
        let scanner = Arc::new(Scanner::knowing(std::iter::empty::<&str>()));
        // What it holds was judged when it was made. Here it is only compared.
        let guards = Guards { scanner, secret_exceptions: vec![String::new()], agent_config: true };
        let ended = recorded.ran.exit.as_ref().map_or(0, |exit| exit.ended_at.0 / 1000);
        let signature = Signature {
            author: wanted.author.clone(),
            time: ended.cast_signed(),
            trailers: wanted.message.rsplit("\n\n").next().unwrap_or_default().to_owned(),
        };
        let (base, run, limits) = (from.clone(), recorded.run, Limits::STANDARD);
        let expect = Expect { base, run, limits, guards, signature };
        match self.apart.collect(ran, &expect).await {
            Ok(collected) => Ok(Left::Commit(collected.head)),
            Err(CollectError::Refused(Refused::Empty)) => Ok(Left::Commit(from.clone())),
            Err(CollectError::Refused(why)) => Ok(Left::Refused(why.to_string())),
            Err(CollectError::Failed(err)) => Err(err),
        }
    }

    /// The files in which it differs from what was left then.
    async fn files(&self, recorded: &Recorded, left: &Left) -> anyhow::Result<Vec<String>> {
        let Left::Commit(head) = left else { return Ok(Vec::new()) };
        let stat = self.apart.mirror.diff_stat(&recorded.head, head).await?;
        Ok(stat.files.into_iter().map(|file| file.path).collect())
    }
}

/// The harness that is here: the very program, if an agent of the configuration has it.
pub(super) fn harness(
    (config, environment): (&Config, &Environment),
    name: Name,
    program: &Path,
) -> Option<Harness> {
    let agents = config.agents.values().filter(|agent| agent.harness == name);
    let found: Vec<Harness> =
        agents.filter_map(|agent| agents::find(config, environment, agent).ok()).collect();
    let is_it = |harness: &&Harness| harness.program().is_none_or(|it| it.path == program);
    found.iter().find(is_it).or(found.first()).cloned()
}

impl Made {
    /// Says why it could not be made again.
    fn missing(self, why: String) -> Self {
        Self { came: Came::Missing, says: why, ..self }
    }

    fn of(recorded: &Recorded) -> Self {
        Self {
            run: recorded.run,
            phase: recorded.ground.phase.to_string(),
            came: Came::Missing,
            says: String::new(),
            files: Vec::new(),
            notes: Vec::new(),
            requests: Requests::default(),
            unlike: None,
            recorded_ms: u64::try_from(recorded.ran.took().as_millis()).unwrap_or(u64::MAX),
            replayed_ms: 0,
        }
    }
}
