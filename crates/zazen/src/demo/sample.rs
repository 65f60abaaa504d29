//! The place of the demo: a small repository with tests of its own, and a home.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use zazen_core::id::RepoName;

use super::show::Show;
use crate::cli::{Here, NewHome, NewRepo, create_home, write_repo};
use crate::config::{self, Environment};
use crate::daemon::{Options, World};
use crate::exec;
use crate::home::Home;
use crate::sandbox::{self, EngineKind, Zazen};

pub(super) const ISSUE_TITLE: &str = "Sum by month";
pub(super) const ISSUE_BODY: &str = include_str!("../../assets/demo/issue.md");

/// The files of the repository: their paths, texts, and whether they are programs.
const FILES: [(&str, &str, bool); 3] = [
    ("README.md", include_str!("../../assets/demo/tally/README.md"), false),
    ("tally", include_str!("../../assets/demo/tally/tally"), true),
    ("tests/run.sh", include_str!("../../assets/demo/tally/tests/run.sh"), false),
];

/// The model's answers, as the gateway recorded them: those of the model that `mini` is given.
const RECORDING: &str = include_str!("../../assets/demo/recording.jsonl");

/// The name of the person in the demo.
const PERSON: &str = "you";

/// Where everything is.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) home: Home,
    pub(super) repo: RepoName,
    /// The program itself. After `cargo run` it is not on the path.
    pub(super) zazen: PathBuf,
}

/// Makes the repository and the home.
pub(super) async fn make(dir: Option<&Path>, show: &mut Show) -> anyhow::Result<Sample> {
    let dir = folder(dir)?;
    let zazen = std::env::current_exe().context("find zazen's own program")?;
    let engine = engine(&zazen, show).await;
    let clone = dir.join("tally");
    make_repo(&clone).await?;
    let home = make_home(&dir.join("home"), engine)?;
    let repo: RepoName = "local/tally".parse().context("name the repository")?;
    let source = clone.display().to_string();
    write_repo(&home, &NewRepo { name: &repo, source: Some(&source), branch: None, check: None })?;
    show.made(&clone, home.root(), engine.word());
    Ok(Sample { home, repo, zazen })
}

impl Sample {
    /// All that the daemon of the demo needs.
    pub(super) async fn open_world(&self, environment: &Environment) -> anyhow::Result<Arc<World>> {
        let config = config::read(self.home.root(), environment)?;
        let options = Options {
            home: self.home.clone(),
            config,
            environment: environment.clone(),
            zazen: self.zazen.clone(),
        };
        World::open(options).await
    }
}

fn folder(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    let dir = match asked {
        Some(dir) => {
            let dir = std::path::absolute(dir)?;
            if fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
                bail!("{} is not empty; name a new folder", dir.display());
            }
            fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
            dir
        }
        None => tempfile::Builder::new().prefix("zazen-demo-").tempdir()?.keep(),
    };
    // The sandbox's own user passes through here when zazen runs as root.
    let mode = if sandbox::sandbox_ids().is_some() { 0o711 } else { 0o700 };
    fs::set_permissions(&dir, fs::Permissions::from_mode(mode))?;
    Ok(dir)
}

/// The sandbox of the demo. Where bubblewrap does not hold, there is none, and that is said.
async fn engine(zazen: &Path, show: &mut Show) -> EngineKind {
    let probe = sandbox::probe(EngineKind::Bwrap, &Zazen(zazen.to_owned())).await;
    if probe.isolated {
        return EngineKind::Bwrap;
    }
    let worst = probe.axes.iter().find(|axis| !axis.achieved);
    let why = worst.map_or("it does not hold here".to_owned(), |axis| axis.detail.clone());
    show.no_sandbox(&why);
    EngineKind::None
}

async fn make_repo(dir: &Path) -> anyhow::Result<()> {
    for (name, text, is_program) in FILES {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        if is_program {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
    }
    let message = "A program that sums expenses";
    for args in
        [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", message]]
    {
        let mut command = exec::Command::new("git").args(args).cwd(dir);
        for who in ["AUTHOR", "COMMITTER"] {
            command = command
                .env(format!("GIT_{who}_NAME"), PERSON)
                .env(format!("GIT_{who}_EMAIL"), "you@localhost");
        }
        let command = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("HOME", "/nonexistent");
        let output = exec::run(command).await.context("start git")?;
        if !output.status.success() {
            bail!("make the sample repository: {}", output.stderr_text().trim());
        }
    }
    Ok(())
}

fn make_home(root: &Path, engine: EngineKind) -> anyhow::Result<Home> {
    let route = "[models.anthropic]\napi = \"anthropic\"\n\
                 # The demo's answers. Write `key_env` instead, and a real model answers.\n\
                 playback = \".zazen/demo/recording.jsonl\"\n";
    let home = create_home(
        root,
        &NewHome {
            name: PERSON.to_owned(),
            agent: Here::MINI,
            here: Vec::new(),
            engine: engine.word(),
            route: Some(route.to_owned()),
            tools: Vec::new(),
            env: Vec::new(),
        },
    )?;
    let dir = home.dot_dir().join("demo");
    fs::create_dir_all(&dir)?;
    let recording = dir.join("recording.jsonl");
    fs::write(&recording, RECORDING).with_context(|| format!("write {}", recording.display()))?;
    Ok(home)
}
