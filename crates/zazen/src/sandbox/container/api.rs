//! What is asked of a container engine, each with a limit of time.
//!
//! Only what podman and docker both know, and of the answers only what is
//! needed: the rest differs between them, and changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::http::{Answer, Ask, Body, ask, quoted};
use super::{LABEL_OF_HOME, LABEL_OF_RUN};
use crate::sandbox::reach;

/// One engine, ready to be asked.
pub(super) struct Api {
    socket: PathBuf,
}

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub name: EngineName,
    pub version: String,
    /// 1 or 2.
    pub cgroup_version: String,
    /// What it says of its own security, such as `name=rootless`.
    pub options: Vec<String>,
}

/// Which engine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineName {
    Podman,
    Docker,
}

/// How a container stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) is_running: bool,
    /// Its first process, as the host sees it; 0 if there is none.
    pub(super) pid: i32,
    pub(super) exit_code: i64,
    pub(super) was_out_of_memory: bool,
    pub(super) error: String,
}

/// How long one answer may take. Starting a container takes half a second, and
/// on a busy machine with slow disks many times that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a removal is tried again, and after which pause. Podman fails to kill what
/// ends by itself in the same moment, and does better right after.
const N_REMOVALS_MAX: u32 = 20;
const REMOVAL_PAUSE: Duration = Duration::from_millis(100);

/// How long a build may take. It may fetch and compile a toolchain.
const BUILD_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// How much of what a container said by itself is read, to explain a failure.
const LOG_LINES_MAX: usize = 20;

/// How many of the last lines of a failed build are shown.
const BUILD_LINES_MAX: usize = 12;

/// What an engine without root says of its security.
const ROOTLESS: &str = "name=rootless";

/// How an engine describes itself, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Version {
    version: String,
    components: Option<Vec<Component>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Info {
    security_options: Option<Vec<String>>,
    cgroup_version: Option<String>,
    /// Podman says it here, and not among the options.
    rootless: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: InspectedState,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedState {
    running: bool,
    #[serde(default)]
    pid: i32,
    #[serde(default)]
    exit_code: i64,
    #[serde(default, rename = "OOMKilled")]
    oom_killed: bool,
    #[serde(default)]
    error: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    warnings: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedImage {
    id: String,
}

/// One line of what a build says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BuildStep {
    stream: String,
    error: Option<String>,
}

impl Api {
    /// The engine that listens on a socket.
    pub(super) fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    pub(super) async fn about(&self) -> anyhow::Result<About> {
        let version: Version = self.get("/version").await?.good()?.read()?;
        let info: Info = self.get("/info").await?.good()?.read()?;
        Ok(About::of(version, info))
    }

    /// The full name of an image, if it is on the machine.
    pub(super) async fn image_id(&self, image: &str) -> anyhow::Result<Option<String>> {
        let found = self.get(&format!("/images/{}/json", quoted(image))).await?.found();
        let found = found.with_context(|| format!("look for the image `{image}`"))?;
        found.map(|found| Ok(found.read::<InspectedImage>()?.id)).transpose()
    }

    /// Makes a container, and says what the engine warns of.
    pub(super) async fn create(&self, name: &str, body: Value) -> anyhow::Result<Vec<String>> {
        let path = format!("/containers/create?name={}", quoted(name));
        let created = self.ask(Method::POST, &path, Body::Json(body)).await?.good();
        let created = created.with_context(|| format!("make the container `{name}`"))?;
        Ok(created.read::<Created>()?.warnings.unwrap_or_default())
    }

    pub(super) async fn start(&self, name: &str) -> anyhow::Result<()> {
        let path = format!("/containers/{name}/start");
        let started = self.ask(Method::POST, &path, Body::None).await?;
        started.good().with_context(|| format!("start the container `{name}`"))?;
        Ok(())
    }

    /// How a container stands, if there is one of this name.
    pub(super) async fn state(&self, name: &str) -> anyhow::Result<Option<State>> {
        let found = self.get(&format!("/containers/{name}/json")).await?.found();
        let found = found.with_context(|| format!("look at the container `{name}`"))?;
        let Some(found) = found else { return Ok(None) };
        let Inspected { state } = found.read()?;
        Ok(Some(State {
            is_running: state.running,
            pid: state.pid,
            exit_code: state.exit_code,
            was_out_of_memory: state.oom_killed,
            error: state.error,
        }))
    }

    /// What a container's first process said by itself, the end of it.
    pub(super) async fn log(&self, name: &str) -> String {
        let path = format!("/containers/{name}/logs?stdout=true&stderr=true&tail={LOG_LINES_MAX}");
        match self.get(&path).await.and_then(Answer::good) {
            Ok(answer) => unframed(&answer.body),
            Err(_) => String::new(),
        }
    }

    /// Ends a container and all that is in it. One that is gone already is removed.
    pub(super) async fn remove(&self, name: &str) -> anyhow::Result<()> {
        let path = format!("/containers/{name}?force=true&v=true");
        let mut removed = self.ask(Method::DELETE, &path, Body::None).await?;
        for _ in 0..N_REMOVALS_MAX {
            if removed.status != StatusCode::INTERNAL_SERVER_ERROR {
                break;
            }
            tokio::time::sleep(REMOVAL_PAUSE).await;
            removed = self.ask(Method::DELETE, &path, Body::None).await?;
        }
        // Somebody else is removing it in this very moment.
        if removed.status == StatusCode::CONFLICT && removed.message().contains("in progress") {
            return Ok(());
        }
        removed.found().map(drop).with_context(|| format!("remove the container `{name}`"))
    }

    /// All containers of a home, running or not: each with its run, as it is labelled.
    pub(super) async fn of_home(&self, home: &str) -> anyhow::Result<Vec<(String, String)>> {
        let filters = format!(r#"{{"label":["{LABEL_OF_HOME}={home}"]}}"#);
        let path = format!("/containers/json?all=true&filters={}", quoted(&filters));
        let found = self.get(&path).await?.good().context("list the containers")?;
        let found: Vec<Listed> = found.read()?;
        let named = found.into_iter().filter_map(|container| {
            let run = container.labels?.get(LABEL_OF_RUN)?.clone();
            Some((run, container.id))
        });
        Ok(named.collect())
    }

    /// Builds an image from a context, which is a tar, and gives it a name.
    pub(super) async fn build(
        &self,
        context: Vec<u8>,
        file: &str,
        name: &str,
    ) -> anyhow::Result<()> {
        let (quoted_file, name) = (quoted(file), quoted(name));
        let path = format!("/build?dockerfile={quoted_file}&t={name}&rm=true&forcerm=true");
        let asked = Ask {
            method: Method::POST,
            path: &path,
            body: Body::Tar(context),
            timeout: BUILD_TIMEOUT,
        };
        let what = || format!("build the image from `{file}`");
        let built = ask(&self.socket, asked).await?.good().with_context(what)?;
        let steps = serde_json::Deserializer::from_slice(&built.body).into_iter::<BuildStep>();
        let steps: Vec<BuildStep> = steps.collect::<Result<_, _>>().with_context(what)?;
        let Some(failure) = steps.iter().find_map(|step| step.error.as_ref()) else {
            return Ok(());
        };
        let said: String = steps.iter().map(|step| step.stream.as_str()).collect();
        let lines: Vec<&str> = said.lines().collect();
        let last = &lines[lines.len().saturating_sub(BUILD_LINES_MAX)..];
        bail!("{}: {}\n{}", what(), failure.trim(), last.join("\n"))
    }

    async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask(Method::GET, path, Body::None).await
    }

    async fn ask(&self, method: Method, path: &str, body: Body) -> anyhow::Result<Answer> {
        ask(&self.socket, Ask { method, path, body, timeout: ANSWER_TIMEOUT }).await
    }
}

impl About {
    fn of(version: Version, info: Info) -> Self {
        let mut options = info.security_options.unwrap_or_default();
        options.extend(info.rootless.then(|| ROOTLESS.to_owned()));
        let is_podman =
            version.components.iter().flatten().any(|component| component.name.contains("Podman"));
        Self {
            name: if is_podman { EngineName::Podman } else { EngineName::Docker },
            version: version.version,
            cgroup_version: info.cgroup_version.unwrap_or_default(),
            options,
        }
    }

    /// Whether it has the rights of an ordinary user.
    pub fn is_rootless(&self) -> bool {
        self.has(ROOTLESS)
    }

    /// Whether it gives containers other users than they ask for.
    fn remaps_users(&self) -> bool {
        self.has("name=userns")
    }

    pub(super) fn has_selinux(&self) -> bool {
        self.has("name=selinux")
    }

    fn has(&self, name: &str) -> bool {
        self.options.iter().any(|option| option.contains(name))
    }

    /// Refuses an engine in which the work could not have the user that it should.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let is_root = reach::sandbox_ids().is_some();
        match self.name {
            EngineName::Docker if self.is_rootless() => bail!(
                "docker without root cannot give the work its own user; use podman without root, \
                 or a docker with root"
            ),
            EngineName::Docker if self.remaps_users() => bail!(
                "this docker remaps users (`userns-remap`), so the work could not write to its \
                 workspace; use podman, or a docker without it"
            ),
            EngineName::Podman if self.is_rootless() && is_root => bail!(
                "this podman belongs to an ordinary user, and zazen is root; use root's own \
                 (`/run/podman/podman.sock`), or start zazen as that user"
            ),
            EngineName::Podman | EngineName::Docker => Ok(()),
        }
    }
}

impl EngineName {
    /// The command that people know it by.
    pub fn command(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }
}

/// The text of a log, in which every piece has eight bytes before it: where it
/// was written to, and its length.
fn unframed(log: &[u8]) -> String {
    let mut rest = log;
    let mut text = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [_, _, _, _, length @ ..] = *head;
        let n_bytes = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let (piece, after) = after.split_at(n_bytes.min(after.len()));
        text.extend_from_slice(piece);
        rest = after;
    }
    String::from_utf8_lossy(&text).trim().to_owned()
}

#[cfg(test)]
mod tests;
