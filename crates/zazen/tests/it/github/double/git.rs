//! Real git over real HTTP: bare repositories behind `git http-backend`, and who may push.
//!
//! What a push has changed is found by comparing the branches before and after.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;
use hyper::Method;

use super::state::{Holder, Permission, State};
use super::wire::{Ask, Reply};

/// Keeps an App without `workflows` from changing what runs in CI, as GitHub does.
const UPDATE_HOOK: &str = "#!/bin/sh\n\
    [ -n \"$DOUBLE_NO_WORKFLOWS\" ] || exit 0\n\
    case $3 in 0000*) exit 0 ;; esac\n\
    if git log --format= --name-only \"$3\" --not --all | grep -q '^\\.github/workflows/'; then\n\
    echo \"refusing to allow a GitHub App to create or update workflow without \\`workflows\\` \
    permission\" >&2\n\
    exit 1\nfi\n";

/// A repository's branches with their commits.
pub(super) type Heads = BTreeMap<String, String>;

/// A change of one branch.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    pub(super) branch: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// The folder of the bare repositories.
#[derive(Debug, Clone)]
pub(super) struct Git {
    pub(super) root: PathBuf,
}

/// A request of git, as its path says it.
#[derive(Debug, Clone)]
pub(super) struct GitAsk {
    pub(super) owner: String,
    pub(super) is_push: bool,
    /// `git/upload-pack`, `git/receive-pack`.
    pub(super) template: String,
}

/// Reads a path as a request of git: `/ada/tally.git/info/refs`.
pub(super) fn parse(ask: &Ask) -> Option<GitAsk> {
    let (owner, rest) = ask.path.strip_prefix('/')?.split_once('/')?;
    let (_, what) = rest.split_once(".git/")?;
    let asked = match what {
        "info/refs" => ask.query("service")?,
        "git-upload-pack" | "git-receive-pack" => what.to_owned(),
        _ => return None,
    };
    let is_push = asked == "git-receive-pack";
    let template = asked.replacen("git-", "git/", 1);
    Some(GitAsk { owner: owner.to_owned(), is_push, template })
}

/// Whether a token may do this, and as what it shows itself.
pub(super) fn check(state: &State, holder: Option<&Holder>, ask: &GitAsk) -> Result<(), Reply> {
    let level = |permissions: &BTreeMap<String, String>| {
        permissions.get("contents").map_or("", String::as_str).to_owned()
    };
    let (reads, writes) = match holder {
        None | Some(Holder::App) => (false, false),
        Some(Holder::Person { login }) => {
            let has = state.permission(login);
            let own = ask.owner == *login;
            (has >= Permission::Read, has >= Permission::Write || own)
        }
        Some(Holder::Machine { login, permissions }) => {
            let (has, level) = (state.permission(login), level(permissions));
            let writes = has >= Permission::Write && level == "write";
            (has >= Permission::Read && !level.is_empty(), writes)
        }
        Some(Holder::Installation { permissions, .. }) => {
            let level = level(permissions);
            (!level.is_empty(), level == "write")
        }
    };
    if writes || (!ask.is_push && (reads || !state.is_private)) {
        return Ok(());
    }
    if holder.is_none() {
        let mut reply = Reply::error(401, "Requires authentication");
        reply.set("www-authenticate", "Basic realm=\"GitHub\"");
        return Err(reply);
    }
    let mut reply = Reply::empty(if ask.is_push { 403 } else { 404 });
    reply.body = Bytes::from("Write access to repository not granted.");
    reply.set("content-type", "text/plain");
    Err(reply)
}

impl Git {
    /// Makes the repository with the sample in it.
    pub(super) fn seed(&self, owner: &str, name: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo/tally");
        let work = self.root.join("seed");
        std::fs::create_dir_all(work.join("tests")).expect("a folder");
        for file in ["README.md", "tally", "tests/run.sh"] {
            std::fs::copy(from.join(file), work.join(file)).expect("a file of the sample");
        }
        self.run(&work, &["init", "-q", "-b", "main"]);
        self.run(&work, &["add", "-A"]);
        self.run(&work, &["commit", "-q", "-m", "A program that sums expenses"]);
        self.clone_bare(&work, owner, name);
        std::fs::remove_dir_all(work).expect("the folder is removed");
    }

    /// Makes a bare copy that can be pushed to.
    pub(super) fn clone_bare(&self, from: &Path, owner: &str, name: &str) {
        let to = self.bare(owner, name);
        std::fs::create_dir_all(to.parent().expect("it is in a folder")).expect("a folder");
        let (from, target) = (from.display().to_string(), to.display().to_string());
        self.run(&self.root, &["clone", "-q", "--bare", &from, &target]);
        self.run(&to, &["config", "http.receivepack", "true"]);
        self.run(&to, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
        self.run(&to, &["config", "uploadpack.allowFilter", "true"]);
        let hook = to.join("hooks/update");
        std::fs::create_dir_all(to.join("hooks")).expect("a folder");
        std::fs::write(&hook, UPDATE_HOOK).expect("a hook");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(hook, mode).expect("the mode is set");
    }

    /// Refuses every push from now on.
    pub(super) fn refuse(&self, owner: &str, name: &str, why: &str) {
        let hook = self.bare(owner, name).join("hooks/pre-receive");
        let text = format!("#!/bin/sh\necho 'error: {why}' >&2\nexit 1\n");
        std::fs::write(&hook, text).expect("a hook");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(hook, mode).expect("the mode is set");
    }

    pub(super) fn bare(&self, owner: &str, name: &str) -> PathBuf {
        self.root.join(owner).join(format!("{name}.git"))
    }

    pub(super) fn heads(&self, owner: &str, name: &str) -> Heads {
        let format = "--format=%(refname:lstrip=2) %(objectname)";
        let refs = self.run(&self.bare(owner, name), &["for-each-ref", format, "refs/heads/"]);
        let pairs = refs.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(name, commit)| (name.to_owned(), commit.to_owned())).collect()
    }

    /// Answers one request of git's own protocol.
    #[expect(clippy::disallowed_methods, reason = "the double is git's server")]
    pub(super) fn backend(&self, ask: &Ask, is_app: bool) -> Reply {
        let mut command = Command::new("git");
        command
            .arg("http-backend")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "safe.directory")
            .env("GIT_CONFIG_VALUE_0", "*")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", &ask.path)
            .env("REQUEST_METHOD", ask.method.as_str())
            .env("QUERY_STRING", &ask.query)
            .env("REMOTE_USER", "double")
            .env("REMOTE_ADDR", "127.0.0.1")
            .env("CONTENT_TYPE", ask.header("content-type").unwrap_or_default())
            .env("CONTENT_LENGTH", ask.body.len().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if is_app {
            command.env("DOUBLE_NO_WORKFLOWS", "1");
        }
        for (variable, header) in
            [("HTTP_CONTENT_ENCODING", "content-encoding"), ("GIT_PROTOCOL", "git-protocol")]
        {
            if let Some(value) = ask.header(header) {
                command.env(variable, value);
            }
        }
        let mut child = command.spawn().expect("git http-backend starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        let body = ask.body.clone();
        let writer = std::thread::spawn(move || {
            // It may end before it has read everything.
            drop(std::io::Write::write_all(&mut stdin, &body));
        });
        let output = child.wait_with_output().expect("git http-backend answers");
        writer.join().expect("the body is written");
        parse_cgi(&output.stdout)
    }

    /// Runs git here, as somebody.
    pub(super) fn run(&self, dir: &Path, args: &[&str]) -> String {
        self.run_as("Ada", dir, args)
    }

    pub(super) fn run_as(&self, who: &str, dir: &Path, args: &[&str]) -> String {
        match self.try_run(who, dir, args) {
            Ok(text) => text,
            Err(why) => panic!("git {args:?}: {why}"),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "tests use git as a person does")]
    #[expect(clippy::unused_self, reason = "it reads as the others do")]
    pub(super) fn try_run(&self, who: &str, dir: &Path, args: &[&str]) -> Result<String, String> {
        let output = Command::new("git")
            .arg("-C")
            .arg(dir)
            .args(["-c", &format!("user.name={who}"), "-c", "safe.directory=*"])
            .args(["-c", &format!("user.email={}@example.org", who.to_lowercase())])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .output()
            .map_err(|err| err.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Says which branches are other than before.
pub(super) fn moved(before: &Heads, after: &Heads) -> Vec<Moved> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changed
        .map(|name| Moved {
            branch: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

fn parse_cgi(output: &[u8]) -> Reply {
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(output.len());
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let body = output.get(end + 4..).unwrap_or_default();
    let mut reply = Reply::empty(200);
    reply.body = Bytes::copy_from_slice(body);
    for line in head.lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name.eq_ignore_ascii_case("status") {
            reply.status = value.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(500);
        } else {
            reply.set(&name.to_ascii_lowercase(), value);
        }
    }
    reply
}

/// Whether a request is the one that carries a push.
pub(super) fn carries_push(ask: &Ask) -> bool {
    ask.method == Method::POST && ask.path.ends_with("/git-receive-pack")
}
