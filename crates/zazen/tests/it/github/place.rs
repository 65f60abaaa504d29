//! A place whose repository is on GitHub: the double, a model, a home that is connected.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::double::Double;
use crate::harness::model::{Model, Script};
use crate::harness::place::{Place, Setup};

/// How long anything that is waited for may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);

/// What the daemon logs once it is up.
const UP: &str = " INFO up in ";

/// How zazen hears of what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hears {
    Webhooks,
    Polls,
    Both,
}

/// See the module.
#[derive(Debug)]
pub(super) struct OnGitHub {
    pub(super) github: Double,
    pub(super) place: Place,
    pub(super) model: Model,
}

impl OnGitHub {
    /// Connects a home to a double by its App. Says loudly if there can be none.
    pub(super) fn start(hears: Hears, script: Script) -> Option<Self> {
        Some(Self::with(Double::start()?, hears, script))
    }

    pub(super) fn with(github: Double, hears: Hears, script: Script) -> Self {
        let login = format!("app_id = {}\n", github.app_id());
        Self::by(github, &login, hears, script)
    }

    /// Connects a home to a double by what stands in its configuration.
    pub(super) fn by(github: Double, login: &str, hears: Hears, script: Script) -> Self {
        Self::by_with(github, (login, ""), hears, script)
    }

    /// As [`Self::by`], with more about the repository.
    pub(super) fn by_with(
        github: Double,
        (login, repo): (&str, &str),
        hears: Hears,
        script: Script,
    ) -> Self {
        let model = Model::start(script);
        let mut setup = Setup::mini("none", &model.url());
        let port = free_port();
        let (listen, poll) = match hears {
            Hears::Webhooks => (Some(port), "off"),
            Hears::Polls => (None, "1s"),
            Hears::Both => (Some(port), "1s"),
        };
        let listen =
            listen.map(|port| format!("listen = \"127.0.0.1:{port}\"\n")).unwrap_or_default();
        setup.more = format!(
            "[github]\napi = \"{}\"\n{login}poll = \"{poll}\"\nlimits = \"as-told\"\n{listen}\
             [[repo]]\nname = \"{}\"\nforge = \"github\"\nsource = \"{}\"\n{repo}",
            github.url(),
            github.repo(),
            github.git_url()
        );
        let place = Place::new(&setup);
        let secrets = place.home().join(".zazen/github");
        fs::create_dir_all(&secrets).unwrap();
        keep(&secrets.join("app.pem"), github.app_key());
        keep(&secrets.join("webhook-secret"), github.webhook_secret());
        github.hook_to(&format!("http://127.0.0.1:{port}/github/webhook"));
        Self { github, place, model }
    }

    /// Starts the daemon, and waits until it hears.
    pub(super) fn up(&mut self) {
        let n_up = self.place.log().matches(UP).count();
        self.place.up();
        self.place.wait("the daemon is up", |place| {
            (place.log().matches(UP).count() > n_up).then_some(())
        });
    }

    /// The first comment of zazen's that has these words.
    pub(super) fn wait_said(&mut self, number: u64, words: &str) -> String {
        let Self { github, place, .. } = self;
        place.wait(&format!("zazen says {words:?} on #{number}"), |_| {
            said(github, number).into_iter().find(|body| body.contains(words))
        })
    }

    /// Waits for something at GitHub.
    pub(super) fn wait<T>(&mut self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let n_done = self.place.n_done();
            if let Some(found) = look(self) {
                return found;
            }
            let is_over = began.elapsed() >= PATIENCE;
            assert!(!is_over, "waited too long until {what}\n{}", self.place.log());
            self.place.until_more_than(n_done);
        }
    }

    /// Waits until so many commits are on the branch of the only pull request.
    pub(super) fn wait_subjects(&mut self, n: usize) -> Vec<String> {
        let branch = self.pull()["head"]["ref"].as_str().expect("a branch").to_owned();
        self.wait(&format!("{n} commits are on `{branch}`"), |on| {
            Some(on.github.subjects(&format!("main..{branch}"))).filter(|found| found.len() >= n)
        })
    }

    /// The only pull request.
    pub(super) fn pull(&self) -> Value {
        let [pull] = self.github.pulls().try_into().expect("one pull request");
        pull
    }

    /// Ends everything; nothing was asked that GitHub would not know, and no secret is
    /// anywhere in the home but where it belongs.
    pub(super) fn finish(mut self) {
        self.place.down();
        assert_eq!(self.place.processes(), Vec::<String>::new());
        let secrets = self.github.secrets();
        let found = files_with(&self.place.home(), &secrets);
        assert!(found.is_empty(), "a secret is in {found:?}");
        let log = self.place.log();
        assert!(!secrets.iter().any(|secret| log.contains(secret)), "a secret is in the log");
        self.github.finish();
    }
}

/// What zazen wrote on an issue.
pub(super) fn said(github: &Double, number: u64) -> Vec<String> {
    let comments = github.comments(number).into_iter();
    comments.filter(|(author, _)| author.ends_with("[bot]")).map(|(_, body)| body).collect()
}

fn keep(path: &Path, secret: &str) {
    fs::write(path, secret).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A port that is free, and that no connection out of this machine will be given: those are
/// above. Daemons that are started again have to find it free, too.
fn free_port() -> u16 {
    let spread = u16::try_from(std::process::id() % 9_000).expect("it fits");
    let mut ports = (10_000 + spread..32_000).step_by(7);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(is_free).expect("some port is free")
}

/// The files below a folder that hold one of these texts, but for those that are there to
/// hold it, and for programs.
fn files_with(dir: &Path, texts: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_kept = path.ends_with("github/app.pem") || path.ends_with("github/webhook-secret");
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if !path.ends_with(".zazen/bin") {
                found.extend(files_with(&path, texts));
            }
            // To read a pipe is to wait for its writer.
        } else if kind.is_file() && !is_kept {
            let bytes = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            if texts.iter().any(|secret| text.contains(secret)) {
                found.push(path);
            }
        }
    }
    found
}
