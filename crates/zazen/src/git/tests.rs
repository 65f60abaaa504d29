//! What the tests of git share: a person's repository, a mirror, an agent's
//! workspace. And the test of them all: an agent plants what it can, and
//! nothing of it runs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::SystemTime;

use tempfile::TempDir;
use zazen_core::id::{CommitId, RunId, TaskId};
use zazen_core::secret::Scanner;

use super::collect::{Collected, Expect, Guards, Limits, Refused, Signature, collect};
use super::publish::{BranchName, Pushed, Remote, push};
use super::*;
use crate::exec::{Command, run_blocking};

mod hostile;
pub(super) mod http;

/// A folder with a person's repository (`person`) and room for the rest.
pub(super) struct Place {
    dir: TempDir,
}

/// An agent's checkout, in which it does what it likes.
pub(super) struct Agent {
    pub(super) dir: PathBuf,
    pub(super) base: CommitId,
}

/// A secret that looks like nothing.
pub(super) const KNOWN_SECRET: &str = "correct horse battery staple";

pub(super) const RUN: RunId = RunId { task: TaskId(12), n: 3 };

/// Runs git as people do, without our precautions.
pub(super) fn git_as(dir: &Path, args: &[&str], stdin: &[u8], user: Option<Ids>) -> Output {
    let who = [
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
        ("HOME", "/nonexistent"),
        ("GIT_EDITOR", "true"),
    ];
    let command = Command::new("git").args(args).cwd(dir).stdin(stdin).user(user);
    run_blocking(&who.iter().fold(command, |command, (key, value)| command.env(key, value)))
        .unwrap()
}

/// The name on commits of ours.
pub(super) const US: &str = "zazen <agent@zazen.invalid>";

/// Commits one file under our name, in a repository of a person.
pub(super) fn commit_as_us(dir: &Path, path: &str, text: &str) -> CommitId {
    fs::write(dir.join(path), text).unwrap();
    git(dir, &["add", "-A"]);
    let message = format!("change {path}\n\nRefs: #7\nZazen-Task: 12");
    git(dir, &["commit", "-q", "--allow-empty", "-m", &message]);
    let id = git(dir, &["rev-parse", "HEAD"]);
    let text = git(dir, &["cat-file", "commit", &id]).replace("Ada <ada@example.org>", US);
    let ours = git_with(dir, &["hash-object", "-t", "commit", "-w", "--stdin"], text.as_bytes());
    git(dir, &["reset", "-q", "--hard", &ours]);
    ours.parse().unwrap()
}

/// Runs git as people do; it has to succeed. Returns what it printed.
pub(super) fn git(dir: &Path, args: &[&str]) -> String {
    git_with(dir, args, b"")
}

pub(super) fn git_with(dir: &Path, args: &[&str], stdin: &[u8]) -> String {
    let output = git_as(dir, args, stdin, None);
    assert!(output.status.success(), "git {args:?}: {}", output.stderr_text());
    output.stdout_text().trim_end().to_owned()
}

impl Place {
    /// A person's repository with two commits.
    pub(super) fn new() -> Self {
        let place = Self::empty();
        place.commit("README.md", "# Engine\n", "first");
        place.commit("src/main.rs", "fn main() {}\n", "second");
        place
    }

    /// A person's repository without a commit.
    pub(super) fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Another user has to get through to the workspace in it.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let place = Self { dir };
        fs::create_dir(place.person()).unwrap();
        git(&place.person(), &["init", "-q", "-b", "main"]);
        place
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn person(&self) -> PathBuf {
        self.path("person")
    }

    /// The person commits one file.
    pub(super) fn commit(&self, path: &str, text: &str, message: &str) -> CommitId {
        let file = self.person().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        git(&self.person(), &["add", "-A"]);
        git(&self.person(), &["commit", "-q", "-m", message]);
        self.head()
    }

    pub(super) fn head(&self) -> CommitId {
        git(&self.person(), &["rev-parse", "HEAD"]).parse().unwrap()
    }

    /// The mirror of the person's repository, as it is at the moment.
    pub(super) async fn mirror(&self) -> Mirror {
        let mirror = self.unfetched().await;
        mirror.fetch(None).await.unwrap();
        mirror
    }

    pub(super) async fn unfetched(&self) -> Mirror {
        let source = Source::Path(self.person());
        Mirror::open_or_create(&self.path("mirrors/engine"), &source).await.unwrap()
    }

    /// A workspace at the tip of `main`, seen as from inside the sandbox.
    pub(super) async fn agent(&self, mirror: &Mirror) -> Agent {
        let base = mirror.resolve("main").await.unwrap().unwrap();
        let dir = self.path("work");
        workspace::prepare(mirror, &dir, &base, &mirror.objects(), None).await.unwrap();
        Agent { dir, base }
    }
}

impl Agent {
    /// The agent commits one file.
    pub(super) fn commit(&self, path: &str, text: &str) -> CommitId {
        let file = self.dir.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        git(&self.dir, &["add", "-A"]);
        git(&self.dir, &["commit", "-q", "-m", &format!("change {path}")]);
        git(&self.dir, &["rev-parse", "HEAD"]).parse().unwrap()
    }

    /// The agent makes a commit by hand, of a tree whose entries may be
    /// anything: mode, name, content (or the id, for a submodule).
    pub(super) fn craft(&self, entries: &[(&str, &[u8], &[u8])]) -> CommitId {
        let mut tree = Vec::new();
        for (mode, name, content) in entries {
            let id = match *mode {
                "160000" => String::from_utf8(content.to_vec()).unwrap(),
                "40000" => self.hash("tree", content),
                _ => self.hash("blob", content),
            };
            tree.extend_from_slice(format!("{mode} ").as_bytes());
            tree.extend_from_slice(name);
            tree.push(0);
            tree.extend((0..40).step_by(2).map(|i| u8::from_str_radix(&id[i..i + 2], 16).unwrap()));
        }
        let tree = self.hash("tree", &tree);
        let commit = git(&self.dir, &["commit-tree", &tree, "-p", "HEAD", "-m", "crafted"]);
        git(&self.dir, &["update-ref", "HEAD", &commit]);
        commit.parse().unwrap()
    }

    fn hash(&self, kind: &str, content: &[u8]) -> String {
        let args = ["hash-object", "-w", "--literally", "-t", kind, "--stdin"];
        git_with(&self.dir, &args, content)
    }

    /// The agent hands in its work.
    pub(super) fn bundle(&self) -> PathBuf {
        self.bundle_of(&["refs/zazen/result", &format!("^{}", self.base)])
    }

    pub(super) fn bundle_of(&self, what: &[&str]) -> PathBuf {
        let path = self.dir.with_extension("bundle");
        git(&self.dir, &["update-ref", "refs/zazen/result", "HEAD"]);
        let args = ["bundle", "create", "-q", path.to_str().unwrap()];
        git(&self.dir, &[&args[..], what].concat());
        path
    }

    pub(super) fn expect(&self) -> Expect {
        let guards = Guards {
            scanner: Arc::new(Scanner::knowing([KNOWN_SECRET])),
            secret_exceptions: vec!["tests/fixtures/".to_owned()],
            agent_config: false,
        };
        let signature = Signature {
            author: US.to_owned(),
            time: 1_700_000_000,
            trailers: "Refs: #7\nZazen-Task: 12\n".to_owned(),
        };
        let limits = Limits::STANDARD;
        Expect { base: self.base.clone(), run: RUN, limits, guards, signature }
    }

    /// Hands in the work and has it judged.
    pub(super) async fn hand_in(&self, mirror: &Mirror) -> Result<Collected, Refused> {
        judge(mirror, &self.bundle(), &self.expect()).await
    }
}

/// Collects a bundle, where nothing but the bundle can be at fault. A refused
/// one must leave nothing behind.
pub(super) async fn judge(
    mirror: &Mirror,
    bundle: &Path,
    expect: &Expect,
) -> Result<Collected, Refused> {
    let before = listing(mirror.dir());
    let collected = collect(mirror, bundle, expect).await;
    let names = listing(mirror.dir());
    assert!(!names.iter().any(|name| name.contains("quarantine")), "{names:?}");
    match collected {
        Ok(collected) => Ok(collected),
        Err(collect::CollectError::Refused(refused)) => {
            assert_eq!(names, before, "a refused result is left in the mirror");
            Err(refused)
        }
        Err(collect::CollectError::Failed(err)) => panic!("{err:#}"),
    }
}

/// The paths of all files in a folder.
pub(super) fn listing(dir: &Path) -> Vec<String> {
    snapshot(dir).into_keys().collect()
}

/// All files in a folder, with their bytes and their times.
pub(super) fn snapshot(dir: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let facts = path.symlink_metadata().unwrap();
            let bytes = if facts.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            let name = path.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
            files.insert(name, (bytes, facts.modified().unwrap()));
            if facts.is_dir() {
                folders.push(path);
            }
        }
    }
    files
}

/// A program that leaves a mark, and the file that it leaves.
struct Mark {
    program: PathBuf,
    file: PathBuf,
}

impl Mark {
    fn new(place: &Place) -> Self {
        let (program, file) = (place.path("leave-mark"), place.path("MARK"));
        fs::write(&program, format!("#!/bin/sh\necho \"$0\" >>{}\ncat\n", file.display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { program, file }
    }

    fn is_there(&self) -> bool {
        self.file.exists()
    }

    /// Plants all that git is known to start into a `.git`.
    fn plant(&self, git_dir: &Path) {
        let mark = self.program.display().to_string();
        let config = PLANTED_CONFIG.replace("MARK", &mark);
        let path = git_dir.join("config");
        let old = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{old}\n{config}")).unwrap();
        fs::write(git_dir.join("planted.inc"), format!("[core]\n\tfsmonitor = {mark}\n")).unwrap();
        fs::write(git_dir.join("config.worktree"), format!("[core]\n\tpager = {mark}\n")).unwrap();
        for hook in HOOKS {
            let hook = git_dir.join("hooks").join(hook);
            fs::create_dir_all(hook.parent().unwrap()).unwrap();
            fs::copy(&self.program, &hook).unwrap();
        }
        fs::create_dir_all(git_dir.join("info")).unwrap();
        let attributes = "* filter=planted diff=planted merge=planted\n";
        fs::write(git_dir.join("info/attributes"), attributes).unwrap();
    }
}

const HOOKS: &[&str] = &[
    "pre-commit",
    "commit-msg",
    "prepare-commit-msg",
    "post-commit",
    "post-checkout",
    "post-merge",
    "pre-push",
    "pre-rebase",
    "pre-auto-gc",
    "reference-transaction",
    "post-index-change",
    "post-rewrite",
    "fsmonitor-watchman",
];

const PLANTED_CONFIG: &str = "\
[core]
\tfsmonitor = MARK
\tsshCommand = MARK
\tpager = MARK
\teditor = MARK
\taskPass = MARK
\tgitProxy = MARK
\talternateRefsCommand = MARK
[diff]
\texternal = MARK
[diff \"planted\"]
\tcommand = MARK
\ttextconv = MARK
[filter \"planted\"]
\tclean = MARK
\tsmudge = MARK
\tprocess = MARK
[merge \"planted\"]
\tdriver = MARK
[gpg]
\tprogram = MARK
[gpg \"ssh\"]
\tprogram = MARK
[commit]
\tgpgSign = true
[log]
\tshowSignature = true
[credential]
\thelper = !MARK
[protocol]
\tallow = always
[url \"ext::MARK \"]
\tinsteadOf = https://
[uploadpack]
\tpackObjectsHook = MARK
[remote \"origin\"]
\turl = ext::MARK
\tuploadpack = MARK
\treceivepack = MARK
\tpromisor = true
[extensions]
\tworktreeConfig = true
[include]
\tpath = planted.inc
[alias]
\tfetch = !MARK
";

/// Plants things that git takes for repositories among the files.
fn plant_among_files(dir: &Path, mark: &Mark) {
    let attributes = "* filter=planted diff=planted merge=planted\n";
    fs::write(dir.join(".gitattributes"), attributes).unwrap();
    fs::create_dir(dir.join("redirect")).unwrap();
    fs::write(dir.join("redirect/.git"), "gitdir: ../embedded\n").unwrap();
    git(dir, &["init", "-q", "--bare", "embedded"]);
    git(dir, &["init", "-q", "nested"]);
    mark.plant(&dir.join("embedded"));
    mark.plant(&dir.join("nested/.git"));
    let modules = "[submodule \"x\"]\n\tpath = ../../x\n\turl = ext::sh -c touch% MARK\n";
    fs::write(dir.join(".gitmodules"), modules).unwrap();
}

#[tokio::test]
async fn nothing_that_an_agent_plants_in_its_workspace_runs() {
    let place = Place::new();
    let mark = Mark::new(&place);
    let mirror = place.mirror().await;
    let agent = place.agent(&mirror).await;
    let theirs = agent.commit("fix.rs", "// fixed\n");
    let bundle = agent.bundle();
    mark.plant(&agent.dir.join(".git"));
    plant_among_files(&agent.dir, &mark);
    git_as(&agent.dir, &["status"], b"", None);
    assert!(mark.is_there(), "what was planted is not alive, so that this test shows nothing");
    fs::remove_file(&mark.file).unwrap();

    let redirected = place.path("redirected");
    fs::create_dir(&redirected).unwrap();
    fs::write(redirected.join(".git"), format!("gitdir: {}/.git\n", agent.dir.display())).unwrap();

    let collected = judge(&mirror, &bundle, &agent.expect()).await.unwrap();
    let [(old, head)] = &collected.rewritten[..] else { panic!("{collected:?}") };
    assert_eq!((old, head), (&theirs, &collected.head));
    mirror.fetch(None).await.unwrap();
    mirror.diff(&agent.base, head, 10_000).await.unwrap();
    mirror.diff_stat(&agent.base, head).await.unwrap();
    mirror.commits_between(&agent.base, head).await.unwrap();
    let next = place.path("next");
    workspace::prepare(&mirror, &next, head, &mirror.objects(), None).await.unwrap();
    let remote = place.path("remote.git");
    create_bare(&remote, &mirror).await.unwrap();
    let remote = Remote { source: Source::Path(remote), auth: None };
    let branch = BranchName::new(RUN.task, "fix").unwrap();
    assert_eq!(push(&mirror, &remote, &branch, head).await.unwrap(), Pushed::Created);
    mirror.pack().await.unwrap();
    for dir in [&agent.dir, &redirected, &next] {
        trash::remove(dir, &place.path("trash")).unwrap();
    }
    trash::reap(&place.path("trash")).unwrap();
    assert!(!mark.is_there(), "{}", fs::read_to_string(&mark.file).unwrap());
}

#[tokio::test]
async fn nothing_that_is_planted_in_the_source_runs() {
    let place = Place::new();
    let mark = Mark::new(&place);
    let attributes = "* filter=planted diff=planted merge=planted\n";
    place.commit(".gitattributes", attributes, "third");
    let modules = "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c touch% MARK\n";
    let head = place.commit(".gitmodules", modules, "fourth");
    mark.plant(&place.person().join(".git"));

    let mirror = place.mirror().await;
    let agent = place.agent(&mirror).await;
    assert_eq!(agent.base, head);
    mirror.diff(&agent.base, &head, 10_000).await.unwrap();
    assert_eq!(mirror.default_branch().await.unwrap().as_deref(), Some("main"));
    assert!(!mark.is_there(), "{}", fs::read_to_string(&mark.file).unwrap());
}

#[tokio::test]
async fn what_git_says_of_a_failure_is_passed_on_in_one_line() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let failed = mirror.git().call("cat-file").args(["blob", "no\u{1b}[2Jsuch"]).run().await;
    let err = failed.unwrap_err().to_string();
    assert!(err.contains("`git cat-file` failed"), "{err}");
    assert!(err.contains("Not a valid object name"), "{err}");
    assert!(!err.contains('\u{1b}'), "{err:?}");
}

#[tokio::test]
async fn configuration_of_the_machine_and_of_the_user_is_not_read() {
    let place = Place::new();
    let mirror = place.mirror().await;
    let listed = mirror.git().call("config").args(["--list", "--show-origin", "-z"]);
    let text = listed.run().await.unwrap().stdout_text();
    for origin in text.split('\0').step_by(2).filter(|origin| !origin.is_empty()) {
        assert!(origin == "command line:" || origin.contains("mirrors/engine/config"), "{origin}");
    }
}
