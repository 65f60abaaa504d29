//! A home to measure in, with a repository, a daemon, and people's verbs.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tempfile::TempDir;
use zazen::home::Home;
use zazen::sandbox::{Ev, EventLine, RunDir};
use zazen_core::id::{RunId, TaskId};

/// See the module. The daemon is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    dir: TempDir,
    zazen: PathBuf,
    daemon: Option<Child>,
    n_issues: u64,
}

/// One fact of the journal, as far as it matters here.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) event: String,
    pub(crate) task: Option<u64>,
    pub(crate) at: u64,
    pub(crate) data: Value,
}

/// The repository's name in the configuration.
pub(crate) const REPO: &str = "local/tally";

/// How long anything that is waited for may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often is looked whether something has happened. Short enough to wait for
/// the right thing; every time in the table is taken from stamps, not from here.
const LOOK_EVERY: Duration = Duration::from_millis(4);

impl Place {
    /// Makes a home whose agents ask the model's service at `url`, with its repository.
    pub(crate) fn new(zazen: &Path, engine: &str, url: &str) -> anyhow::Result<Self> {
        let place = Self::empty(zazen, engine, url)?;
        place.zazen(&["repo", "add", &place.repo().display().to_string()])?;
        Ok(place)
    }

    /// The same, without the repository.
    pub(crate) fn empty(zazen: &Path, engine: &str, url: &str) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("zazen-bench-").tempdir()?;
        // The sandbox's own user has to pass, where this runs as root.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        let place = Self { dir, zazen: zazen.to_owned(), daemon: None, n_issues: 0 };
        place.make_repo()?;
        place.zazen(&["init", "--yes", &place.root().display().to_string()])?;
        let more = match engine {
            "container" => {
                let (socket, image) = podman(zazen)?;
                format!("container_socket = \"unix://{socket}\"\nimage = \"{image}\"\n")
            }
            _ => String::new(),
        };
        let config = format!(
            "version = 1\nname = \"ada\"\n[harness]\nuse = \"mini\"\n\
             model = \"claude-sonnet-4-5\"\n[models.anthropic]\napi = \"anthropic\"\n\
             base_url = \"{url}\"\nkey_env = \"BENCH_KEY\"\n[sandbox]\nengine = \"{engine}\"\n\
             {more}[runs]\nparallel = 100\n[limits]\nwall = \"5m\"\nsilence = \"4m\"\n"
        );
        fs::write(place.root().join("zazen.toml"), config)?;
        Ok(place)
    }

    /// Adds the repository as one on GitHub, which tells of things at `listen`.
    pub(crate) fn on_github(&self, api: SocketAddr, listen: SocketAddr) -> anyhow::Result<()> {
        let source = self.repo();
        let more = format!(
            "[github]\napi = \"http://{api}\"\ntoken_env = \"BENCH_TOKEN\"\npoll = \"off\"\n\
             limits = \"as-told\"\nlisten = \"{listen}\"\n[[repo]]\nname = \"{REPO}\"\n\
             forge = \"github\"\nsource = \"{}\"\n",
            source.display()
        );
        let config = self.root().join("zazen.toml");
        let text = fs::read_to_string(&config)? + &more;
        Ok(fs::write(config, text)?)
    }

    /// Lets agents be Claude Code from now on.
    pub(crate) fn use_claude(&self, program: &Path) -> anyhow::Result<()> {
        let path = self.root().join("zazen.toml");
        let claude = format!("use = \"claude\"\nclaude = \"{}\"\n", program.display());
        let text = fs::read_to_string(&path)?.replace("use = \"mini\"\n", &claude);
        Ok(fs::write(path, text)?)
    }

    /// Lets agents be of another harness from now on: the lines of `[harness]`, and more tables.
    pub(crate) fn use_harness(&self, (harness, more): &(String, String)) -> anyhow::Result<()> {
        let path = self.root().join("zazen.toml");
        let mini = "use = \"mini\"\nmodel = \"claude-sonnet-4-5\"\n";
        let text = fs::read_to_string(&path)?.replace(mini, harness) + more;
        Ok(fs::write(path, text)?)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(self.root())
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.dir.path().join("tally")
    }

    /// A folder beside the home, for what is measured bare.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn make_repo(&self) -> anyhow::Result<()> {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/zazen/assets/demo/tally");
        let to = self.repo();
        fs::create_dir_all(to.join("tests"))?;
        for file in ["README.md", "tally", "tests/run.sh"] {
            fs::copy(from.join(file), to.join(file)).with_context(|| format!("copy `{file}`"))?;
        }
        git(&to, &["init", "-q", "-b", "main"])?;
        git(&to, &["add", "-A"])?;
        git(&to, &["commit", "-q", "-m", "A program that sums expenses"])
    }

    /// Runs the program to its end.
    pub(crate) fn zazen(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = self.command(args).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            bail!("`zazen {}`: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The program with arguments, for this home.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = program(&self.zazen);
        command.args(args).env("ZAZEN_HOME", self.root()).env("BENCH_KEY", "sk-bench");
        command.env("BENCH_TOKEN", "github_pat_bench");
        command.env("USER", "ada").env_remove("RUST_LOG");
        command
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("daemon.log")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Starts the daemon, and says how long it took until it was ready.
    pub(crate) fn up(&mut self) -> anyhow::Result<Duration> {
        let log = fs::File::create(self.log_file())?;
        let mut command = self.command(&["up"]);
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        self.daemon = Some(child);
        loop {
            let log = self.log();
            // It says how many tasks it knows once it has read them all.
            if log.contains(" tasks") {
                return Ok(began.elapsed());
            }
            if self.daemon.as_mut().is_some_and(|daemon| !matches!(daemon.try_wait(), Ok(None))) {
                bail!("the daemon did not start: {log}");
            }
            self.check_patience(began, "the daemon is ready")?;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The process that is the daemon.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.as_ref().map_or(0, Child::id)
    }

    /// Ends the daemon as its owner does.
    pub(crate) fn down(&mut self) -> anyhow::Result<()> {
        let Some(mut daemon) = self.daemon.take() else { return Ok(()) };
        let pid = rustix::process::Pid::from_child(&daemon);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = daemon.wait()?;
        if !status.success() {
            bail!("the daemon ended with {status}: {}", self.log());
        }
        Ok(())
    }

    /// Opens an issue.
    pub(crate) fn open_issue(&mut self) -> anyhow::Result<u64> {
        self.n_issues += 1;
        let title = format!("Sum by month, the {}th time", self.n_issues);
        let answer =
            self.zazen(&["issue", "new", &title, "--body", "Please sum by month, too.", "--json"])?;
        let issue: Value = serde_json::from_str(&answer)?;
        issue["number"].as_u64().or(issue["issue"].as_u64()).context("the issue has a number")
    }

    /// Writes a comment's file as any program may, and says when it was there.
    pub(crate) fn comment(&self, issue: u64, text: &str) -> anyhow::Result<SystemTime> {
        let dir = self.root().join(format!("forge/{REPO}/issues/{issue}/comments"));
        fs::create_dir_all(&dir)?;
        let n = fs::read_dir(&dir)?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".md")?.parse().ok())
            .max()
            .unwrap_or(0_u64);
        let temporary = dir.join(".new");
        let mut file = fs::File::create(&temporary)?;
        write!(file, "---\nauthor: ada\nat: 2026-01-01T00:00:00Z\n---\n\n{text}\n")?;
        let at = SystemTime::now();
        fs::rename(&temporary, dir.join(format!("{:04}.md", n + 1)))?;
        Ok(at)
    }

    /// The folder of a run.
    pub(crate) fn run_dir(&self, task: u64, n: u32) -> RunDir {
        let task = TaskId(u32::try_from(task).unwrap_or(u32::MAX));
        RunDir::new(self.home().run_dir(RunId { task, n }))
    }

    /// The events of a run so far.
    pub(crate) fn events(&self, task: u64, n: u32) -> anyhow::Result<Vec<EventLine>> {
        self.run_dir(task, n).read_new(&mut 0)
    }

    /// Waits until the work of a run has begun, and says when it had.
    pub(crate) fn wait_for_start(&self, task: u64, n: u32) -> anyhow::Result<u64> {
        self.wait(&format!("run {task}.{n} has begun"), || {
            let events = self.events(task, n)?;
            let started = events.iter().find(|line| matches!(line.ev, Ev::Started { .. }));
            Ok(started.map(|line| line.at.0))
        })
    }

    /// Waits until the journal tells an event of a task for the `n`-th time.
    pub(crate) fn wait_for_event(&self, task: u64, name: &str, n: usize) -> anyhow::Result<Told> {
        self.wait(&format!("`{name}` of task {task}"), || {
            let mut told = self.journal()?.into_iter();
            Ok(told.by_ref().filter(|it| it.event == name && it.task == Some(task)).nth(n - 1))
        })
    }

    /// What the journal's active segment tells.
    pub(crate) fn journal(&self) -> anyhow::Result<Vec<Told>> {
        let text = fs::read_to_string(self.home().journal_dir().join("active.jsonl"))?;
        Ok(text.lines().filter_map(told).collect())
    }

    /// Waits for something.
    pub(crate) fn wait<T>(
        &self,
        what: &str,
        mut look: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            self.check_patience(began, what)?;
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn check_patience(&self, began: Instant, what: &str) -> anyhow::Result<()> {
        if began.elapsed() > PATIENCE {
            bail!("waited {PATIENCE:?} until {what}; the daemon says: {}", self.log());
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }
}

fn told(line: &str) -> Option<Told> {
    let line: Value = serde_json::from_str(line).ok()?;
    // What happened to a task alone is named by its first change.
    let event = match line["ev"].as_str()? {
        "task" => line["data"]["changes"][0]["event"]["event"].as_str()?,
        event => event,
    };
    Some(Told {
        event: event.to_owned(),
        task: line["task"].as_u64(),
        at: line["at"].as_u64()?,
        data: line["data"].clone(),
    })
}

/// Milliseconds since 1970, as stamps in journals have them.
pub(crate) fn millis(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

/// A program to be started as a person starts it.
#[expect(clippy::disallowed_methods, reason = "what is measured is started from outside")]
pub(crate) fn program(path: &Path) -> Command {
    Command::new(path)
}

/// Runs git as a person does.
pub(crate) fn git(dir: &Path, args: &[&str]) -> anyhow::Result<()> {
    let output = program(Path::new("git"))
        .arg("-C")
        .arg(dir)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()?;
    if !output.status.success() {
        bail!("`git {}`: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// The podman that tests have too: where it listens, and its image.
pub(crate) fn podman(zazen: &Path) -> anyhow::Result<(String, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/zazen/tests/podman");
    let output = program(&script).arg(zazen).output().context("start `tests/podman`")?;
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    match answer.split_whitespace().collect::<Vec<_>>()[..] {
        [socket, image] => Ok((socket.to_owned(), image.to_owned())),
        _ => bail!("podman: {}", String::from_utf8_lossy(&output.stderr).trim()),
    }
}
