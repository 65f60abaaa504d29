//! A place to work in: a home, a repository, and the daemon as a process.

mod wait;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::model::{Model, Script};
use super::podman::podman;

/// See the module. The daemon is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    dir: TempDir,
    daemon: Option<Child>,
    env: Vec<(String, String)>,
    /// What the next daemons are started by, with its arguments: `strace`, say.
    wrapper: Vec<String>,
}

/// What a home is set up with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// `bwrap` or `none`.
    pub(crate) engine: &'static str,
    /// The lines below `[harness]`.
    pub(crate) harness: String,
    /// The lines below `[models.anthropic]`, after `api`.
    pub(crate) route: String,
    /// More lines, whole tables.
    pub(crate) more: String,
}

impl Setup {
    /// `mini`, answered by a service at `url`.
    pub(crate) fn mini(engine: &'static str, url: &str) -> Self {
        Self {
            engine,
            harness: "use = \"mini\"\nmodel = \"claude-sonnet-4-5\"\n".to_owned(),
            route: format!("base_url = \"{url}\"\nkey_env = \"ZAZEN_TEST_KEY\"\n"),
            more: String::new(),
        }
    }
}

/// The real key, as the test's service expects it and no agent may see it.
pub(crate) const KEY: &str = "sk-canary-3f1c9a7e55d04b7c";

impl Place {
    /// A home without a sandbox, and a model that follows `script`.
    pub(crate) fn with(script: Script) -> (Self, Model) {
        let model = Model::start(script);
        (Self::new(&Setup::mini("none", &model.url())), model)
    }

    /// Makes a home and the demo's repository.
    pub(crate) fn new(setup: &Setup) -> Self {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/tally");
        Self::beside(setup, |repo| {
            fs::create_dir_all(repo.join("tests")).expect("a folder");
            for file in ["README.md", "tally", "tests/run.sh"] {
                fs::copy(demo.join(file), repo.join(file)).expect("a file of the sample");
            }
        })
    }

    /// Makes a home and a repository of these files.
    pub(crate) fn over(setup: &Setup, files: &[(&str, &str)]) -> Self {
        Self::beside(setup, |repo| {
            for (name, text) in files {
                let path = repo.join(name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
                fs::write(path, text).expect("a file of the sample");
            }
        })
    }

    /// Makes a home, and a repository that `fill` puts its files into.
    fn beside(setup: &Setup, fill: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::Builder::new().prefix("zazen-it-").tempdir().expect("a folder");
        open_to_all(dir.path());
        let place = Self { dir, daemon: None, env: Vec::new(), wrapper: Vec::new() };
        fill(&place.repo());
        place.commit_all();
        place.zazen(&["init", "--yes", &place.home().display().to_string()]);
        let config = format!(
            "version = 1\nname = \"ada\"\n[harness]\n{}[models.anthropic]\napi = \"anthropic\"\n{}\
             [sandbox]\nengine = \"{}\"\n{}[limits]\nwall = \"5m\"\nsilence = \"3m\"\n{}\n",
            setup.harness,
            setup.route,
            setup.engine,
            of_engine(setup.engine),
            setup.more
        );
        fs::write(place.home().join("zazen.toml"), config).expect("the configuration is written");
        place.zazen(&["repo", "add", &place.repo().display().to_string()]);
        place
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.dir.path().join("tally")
    }

    /// The bare repository that branches are pushed to.
    pub(crate) fn remote(&self) -> PathBuf {
        self.home().join(".zazen/remotes/local/tally.git")
    }

    /// Sets a variable for the daemons that are started from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(n, _)| n != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.env.retain(|(n, _)| n != name);
    }

    /// Starts the daemons from now on through another program. It has to become the
    /// daemon, or to stay out of its way.
    pub(crate) fn wrap(&mut self, wrapper: &[String]) {
        self.wrapper = wrapper.to_vec();
    }

    /// Makes a repository of what is there.
    fn commit_all(&self) {
        let to = self.repo();
        git(&to, &["init", "-q", "-b", "main"]);
        git(&to, &["add", "-A"]);
        git(&to, &["commit", "-q", "-m", "A program that sums expenses"]);
    }

    /// Runs the program, and expects it to succeed.
    pub(crate) fn zazen(&self, args: &[&str]) -> String {
        let output = self.try_zazen(args);
        assert!(
            output.status.success(),
            "zazen {args:?} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("the answer is text")
    }

    /// Runs the program.
    pub(crate) fn try_zazen(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().expect("zazen starts")
    }

    /// Runs the program in a folder, as somebody does who has no home.
    pub(crate) fn zazen_in(&self, dir: &Path, args: &[&str]) -> Output {
        let mut command = self.command(args);
        command.env_remove("ZAZEN_HOME").current_dir(dir).stdin(Stdio::null());
        command.output().expect("zazen starts")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_by(&[], args)
    }

    #[expect(clippy::disallowed_methods, reason = "tests start the program as a person does")]
    fn command_by(&self, wrapper: &[String], args: &[&str]) -> Command {
        let mut line = wrapper.to_vec();
        line.push(env!("CARGO_BIN_EXE_zazen").to_owned());
        let mut command = Command::new(&line[0]);
        command
            .args(&line[1..])
            .args(args)
            .env("ZAZEN_HOME", self.home())
            .env("ZAZEN_TEST_KEY", KEY)
            .env("USER", "ada")
            .env_remove("RUST_LOG")
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the daemon. Its log is appended to `daemon.log`.
    pub(crate) fn up(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("daemon.log"))
            .expect("a log");
        let child = self
            .command_by(&self.wrapper, &["up", "--verbose"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the daemon starts");
        self.daemon = Some(child);
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("daemon.log")).unwrap_or_default()
    }

    /// Kills the daemon as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().expect("it can be killed");
            daemon.wait().expect("it ends");
        }
    }

    /// Whether the daemon has ended by itself.
    pub(crate) fn is_down(&mut self) -> bool {
        match &mut self.daemon {
            Some(daemon) => daemon.try_wait().expect("it can be looked at").is_some(),
            None => true,
        }
    }

    /// The process that is the daemon.
    pub(crate) fn daemon_pid(&self) -> u32 {
        self.daemon.as_ref().expect("the daemon is up").id()
    }

    /// Asks the daemon to end, and waits for it.
    pub(crate) fn down(&mut self) {
        let Some(mut daemon) = self.daemon.take() else { return };
        wait_until_it_listens(daemon.id());
        let pid = i32::try_from(daemon.id()).expect("a process");
        let pid = rustix::process::Pid::from_raw(pid).expect("a process");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
        let status = daemon.wait().expect("it ends");
        assert!(status.success(), "the daemon ended with {status}:\n{}", self.log());
    }

    /// One task, as `zazen task list --json` shows it.
    pub(crate) fn task(&self, id: u64) -> Option<Value> {
        let list: Value = serde_json::from_str(&self.zazen(&["task", "list", "--json"]))
            .expect("the answer is JSON");
        list.as_array()?.iter().find(|task| task["task"] == id).cloned()
    }

    /// Writes the demo's issue and asks for a plan.
    pub(crate) fn ask_for_plan(&self) {
        self.zazen(&["issue", "new", "Sum by month", "--body", "Please sum by month, too."]);
        self.zazen(&["issue", "comment", "1", "/plan"]);
    }

    /// Approves the plan on the issue.
    pub(crate) fn approve(&self) {
        self.zazen(&["issue", "comment", "1", "Leave empty months out.\n\n/implement"]);
    }

    /// Has the daemon plan the demo's issue, and approves the plan.
    pub(crate) fn carry_out(&mut self) {
        self.up();
        self.ask_for_plan();
        self.wait_for(1, &["awaiting-approval", "failed"]);
        self.approve();
    }

    /// Takes the demo's issue to its draft, or to where it fails.
    pub(crate) fn carry_through(&mut self) {
        self.carry_out();
        self.wait_for(1, &["drafted", "failed"]);
    }

    /// Comments on an issue.
    pub(crate) fn comment(&self, issue: u64, text: &str) {
        self.zazen(&["issue", "comment", &issue.to_string(), text]);
    }

    /// The comments on issue 1, as `(author, body)`.
    pub(crate) fn comments(&self) -> Vec<(String, String)> {
        self.comments_of(1)
    }

    /// The comments on an issue, as `(author, body)`.
    pub(crate) fn comments_of(&self, issue: u64) -> Vec<(String, String)> {
        let issue = self.json(&["issue", "show", &issue.to_string(), "--json"]);
        issue["comments"]
            .as_array()
            .expect("comments")
            .iter()
            .map(|c| (text(&c["author"]), text(&c["body"])))
            .collect()
    }

    /// What zazen wrote on an issue.
    pub(crate) fn said(&self, issue: u64) -> Vec<String> {
        let comments = self.comments_of(issue).into_iter();
        comments.filter(|(author, _)| author == "zazen").map(|(_, body)| body).collect()
    }

    /// Runs the program, and reads its answer.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.zazen(args)).expect("the answer is JSON")
    }

    /// The folder of a task's pages.
    pub(crate) fn task_folder(&self, id: u64) -> PathBuf {
        let show = self.json(&["task", "show", &id.to_string(), "--json"]);
        PathBuf::from(show["folder"].as_str().expect("a folder"))
    }

    /// Changes `zazen.toml` as with an editor.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let path = self.home().join("zazen.toml");
        let text = fs::read_to_string(&path).expect("the configuration");
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).expect("the configuration is written");
    }

    /// The branches on the remote that zazen made, with their commits.
    pub(crate) fn branches(&self) -> Vec<(String, String)> {
        if !self.remote().exists() {
            return Vec::new();
        }
        let refs = git(
            &self.remote(),
            &["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/zazen/"],
        );
        refs.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, commit)| (name.to_owned(), commit.to_owned()))
            .collect()
    }

    /// The pages of the pull requests.
    pub(crate) fn pulls(&self) -> Vec<String> {
        let dir = self.home().join("forge/local/tally/pulls");
        let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
        let mut pages: Vec<PathBuf> =
            entries.map(|entry| entry.expect("an entry").path()).collect();
        pages.sort();
        pages.iter().map(|page| fs::read_to_string(page).expect("a page")).collect()
    }

    /// The processes that belong to a run of this home.
    pub(crate) fn processes(&self) -> Vec<String> {
        let runs = self.home().join(".zazen/runs").display().to_string();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("/proc").flatten() {
            let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
            let environ = String::from_utf8_lossy(&read("environ")).into_owned();
            let cmdline = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
            if cmdline.contains(&runs) || environ.contains(&runs) {
                found.push(cmdline);
            }
        }
        found
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = std::mem::replace(&mut self.dir, tempfile::tempdir().expect("a folder"));
            let path = kept.keep();
            println!("the place is kept in {}", path.display());
        }
        if let Some(mut daemon) = self.daemon.take() {
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }
}

/// Waits until a process would notice SIGTERM, or is no more: in its first milliseconds
/// it would just die of it, as any program does.
fn wait_until_it_listens(pid: u32) {
    let listens = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        let is_over = status.contains("State:\tZ") || status.is_empty();
        is_over || caught.is_some_and(|mask| mask & (1 << 14) != 0)
    };
    for _ in 0..2000 {
        if listens() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What an engine needs to be told beside its name.
fn of_engine(engine: &str) -> String {
    if engine != "container" {
        return String::new();
    }
    let podman = podman().expect("whoever asks for containers looks for podman first");
    format!(
        "container_socket = \"unix://{}\"\nimage = \"{}\"\n",
        podman.socket.display(),
        podman.image
    )
}

/// Runs git as a person does.
#[expect(clippy::disallowed_methods, reason = "tests use git as a person does")]
pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git starts");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("git prints text")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Lets everybody write in a folder: agents may be another user.
pub(crate) fn open_to_writers(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).expect("the mode is set");
}

/// The sandbox's own user has to pass, where tests run as root.
fn open_to_all(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).expect("the mode is set");
}

/// Whether sandboxes can be had here. Says loudly if not, and fails where they must be.
pub(crate) fn has_bwrap() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|dir| dir.join("bwrap").exists()) {
        return true;
    }
    assert!(std::env::var_os("ZAZEN_REQUIRE_TOOLS").is_none(), "bwrap is not installed");
    println!("SKIPPED: bwrap is not installed");
    false
}

/// Every file below a folder, with what is in it.
pub(crate) fn files_below(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            found.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            found.insert(entry.path(), fs::read(entry.path()).expect("a file"));
        }
    }
    found
}
