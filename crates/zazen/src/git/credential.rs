//! Answers git when it asks who we are.
//!
//! The token is in no argument, environment or file. While one git is at work, a
//! socket waits in a folder that only our user can open; git's own client for such
//! sockets (`git credential-cache get`) asks there, and is answered once, if it
//! belongs to the very process group that we started, and asks for the very host
//! that the token is for. What git would like to keep afterwards is not taken.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, getegid, geteuid, getpgid};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::Call;
use super::source::{Auth, Origin, Source};
use crate::exec::{self, Output};

/// A secret, and who it is for.
#[derive(Debug, Clone)]
pub(super) struct Login {
    auth: Auth,
    origin: Origin,
}

/// Where git asks, for the time of one call.
#[derive(Debug)]
struct Desk {
    folder: TempDir,
    listener: Option<UnixListener>,
    answering: JoinSet<()>,
}

/// What git runs to ask. Only `get` is passed on: told to `store` something nobody listens
/// for, the client would start a process that keeps it.
const HELPER: &str = "credential.helper=!f() { case \"$1\" in get) \
    exec git credential-cache --socket=\"$ZAZEN_DESK\" get;; esac; }; f";

/// Names the socket to the helper.
const DESK_VARIABLE: &str = "ZAZEN_DESK";

/// What the socket is called in its folder.
const SOCKET: &str = "desk";

/// How long a question may be. Git asks in a few short lines.
const QUESTION_BYTES_MAX: u64 = 8 * 1024;

/// How long one who asks may take. Git writes its question at once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

impl Login {
    /// Takes a secret along, if the remote is one that asks for secrets of ours.
    pub(super) fn new(source: &Source, auth: &Auth) -> Option<Self> {
        Some(Self { auth: auth.clone(), origin: source.origin()? })
    }

    /// The answer to a question, in git's words.
    fn answer(&self, question: &str) -> Option<String> {
        let asked =
            |key: &str| question.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let is_for_us = asked("action") == Some("get")
            && asked("protocol") == Some(&self.origin.protocol)
            && asked("host") == Some(&self.origin.host);
        let (user, token) = (self.auth.user(), self.auth.token());
        is_for_us.then(|| format!("username={user}\npassword={token}\n"))
    }

    /// Takes the secret out of what was printed: a remote can make git print anything.
    fn erase(&self, text: &mut Vec<u8>) {
        let token = self.auth.token().as_bytes();
        let mut from = 0;
        while let Some(at) = find(&text[from..], token) {
            let at = from + at;
            text.splice(at..at + token.len(), *b"***");
            from = at + 3;
        }
    }
}

/// Makes a call that may have to prove who we are.
pub(super) async fn run(call: Call, login: &Login) -> anyhow::Result<Output> {
    if !login.auth.is_one_line() {
        bail!("the token for `{}` is empty or has line ends in it", login.origin.host);
    }
    let mut desk = Desk::open()?;
    let command = call.setting(HELPER).env(DESK_VARIABLE, desk.path()).command();
    let mut output = exec::run_started(command, |group| desk.serve(group, login.clone())).await?;
    login.erase(&mut output.stdout);
    login.erase(&mut output.stderr);
    Ok(output)
}

impl Desk {
    fn open() -> anyhow::Result<Self> {
        let what = "make a socket for git to ask for a token";
        // In the system's folder: a home's path may be too long for a socket.
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix("zazen-").permissions(Permissions::from_mode(0o700));
        let folder = folder.tempdir().context(what)?;
        let listener = UnixListener::bind(folder.path().join(SOCKET)).context(what)?;
        Ok(Self { folder, listener: Some(listener), answering: JoinSet::new() })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }

    /// Answers the processes of one group, until this is dropped.
    fn serve(&mut self, group: Pid, login: Login) {
        let Some(listener) = self.listener.take() else { return };
        self.answering.spawn(async move {
            let mut answer = Some(login);
            while let Ok((stream, _)) = listener.accept().await {
                if !is_of(&stream, group) {
                    tracing::warn!("a process that is not our git asked for a token; refused");
                    continue;
                }
                let serving = serve(stream, answer.as_ref());
                if let Ok(Ok(true)) = tokio::time::timeout(ANSWER_TIMEOUT, serving).await {
                    answer = None;
                }
            }
        });
    }
}

/// Whether one who asks belongs to the group. Nobody can join it: a process group takes
/// only processes of its own session, and an agent's supervisor makes another.
fn is_of(stream: &UnixStream, group: Pid) -> bool {
    let Ok(peer) = stream.peer_cred() else { return false };
    let is_ours = peer.uid() == geteuid().as_raw() && peer.gid() == getegid().as_raw();
    let pid = peer.pid().and_then(Pid::from_raw);
    is_ours && pid.is_some_and(|pid| getpgid(Some(pid)) == Ok(group))
}

/// Answers one question, and returns whether the secret was told.
async fn serve(mut stream: UnixStream, login: Option<&Login>) -> std::io::Result<bool> {
    let mut question = String::new();
    (&mut stream).take(QUESTION_BYTES_MAX).read_to_string(&mut question).await?;
    let answer = login.and_then(|login| login.answer(&question));
    if let Some(answer) = &answer {
        stream.write_all(answer.as_bytes()).await?;
    }
    stream.shutdown().await?;
    Ok(answer.is_some())
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests;
