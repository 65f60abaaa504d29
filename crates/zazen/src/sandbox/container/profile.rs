//! What a container is made of: the same little as a bubblewrap sandbox, on an
//! image in the place of the host's `/usr`.
//!
//! No network, no capability, no new privileges, a root that is read-only, and
//! the work's own user. What a run may know comes to it through the runner,
//! never through the container's description, which the engine keeps and shows
//! to everybody who may ask it.

use std::path::Path;

use anyhow::{Context, bail};
use rustix::process::{Resource, getrlimit};
use serde_json::{Value, json};

use super::api::{About, EngineName};
use super::{CHANNEL_INSIDE, LABEL_OF_HOME, LABEL_OF_RUN, plain};
use crate::sandbox::bwrap::{
    GATEWAY_INSIDE, HOME_INSIDE, INSIDE_INSIDE, OUT_INSIDE, SHM_BYTES, ZAZEN_INSIDE, check_tool,
};
use crate::sandbox::inside::{home_mark, markers};
use crate::sandbox::run_dir::RunDir;
use crate::sandbox::spec::{Access, Container, LaunchSpec, OBJECTS_INSIDE, WORKSPACE_INSIDE};
use crate::sandbox::{etc, reach};

/// How many files a process may hold open, where we may say so much.
const N_FILES_MAX: u64 = 65_536;

/// How many processes the user of all runs may have, in all of them together.
/// Each run's own are counted by its control group; this is what podman itself
/// allows at most where process numbers end at 32768.
const N_PROCESSES_OF_USER_MAX: u64 = 32_768;

/// The container of a run, as it is asked for.
pub(super) struct Profile<'a> {
    pub(super) run_dir: &'a RunDir,
    pub(super) spec: &'a LaunchSpec,
    pub(super) zazen: &'a Path,
    pub(super) about: &'a About,
    /// The full name of the image, so that what runs is what was looked at.
    pub(super) image_id: String,
}

/// The container that a spec names.
pub(super) fn container(spec: &LaunchSpec) -> anyhow::Result<&Container> {
    spec.container.as_ref().context("the spec names no container; that takes an image")
}

/// The name of a run's container: the same for every attempt to start it.
pub(super) fn name(run_dir: &RunDir, spec: &LaunchSpec) -> String {
    let runs = run_dir.path().parent().unwrap_or(run_dir.path());
    format!("zazen-{}-{}", home_mark(runs), spec.run)
}

/// Checks what can be checked before anything is started.
pub(in crate::sandbox) fn check(run_dir: &RunDir, spec: &LaunchSpec) -> anyhow::Result<()> {
    container(spec)?;
    for path in [run_dir.path(), &spec.workspace, &spec.objects] {
        plain(path)?;
        reach::check_reachable(path)?;
    }
    for tool in &spec.tools {
        check_tool(run_dir, tool)?;
    }
    Ok(())
}

impl Profile<'_> {
    pub(super) fn body(self) -> anyhow::Result<Value> {
        let env = markers(self.spec.run, self.run_dir);
        let env: Vec<String> =
            env.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        let runs = self.run_dir.path().parent().unwrap_or(self.run_dir.path());
        Ok(json!({
            "Hostname": "zazen",
            "User": format!("{}:{}", reach::work_uid(), reach::work_gid()),
            "Env": env,
            "Entrypoint": [ZAZEN_INSIDE],
            "Cmd": ["runner", INSIDE_INSIDE],
            "WorkingDir": WORKSPACE_INSIDE,
            "Labels": { LABEL_OF_RUN: self.spec.run.to_string(), LABEL_OF_HOME: home_mark(runs) },
            "Image": self.image_id,
            "HostConfig": self.host_config()?,
        }))
    }

    fn host_config(&self) -> anyhow::Result<Value> {
        let limits = &self.spec.limits;
        let memory = i64::try_from(limits.memory_bytes).context("the memory limit is too large")?;
        let mut security = vec!["no-new-privileges"];
        if self.about.has_selinux() {
            // Else nothing of the host could be mounted without changing its labels.
            security.push("label=disable");
        }
        let is_rootless_podman = self.about.name == EngineName::Podman && self.about.is_rootless();
        let cpus_milli = container(self.spec)?.cpus_milli;
        let nano_cpus = cpus_milli.map_or(0, |milli| i64::from(milli) * 1_000_000);
        Ok(json!({
            "NetworkMode": "none",
            "IpcMode": "private",
            "CgroupnsMode": "private",
            // Without root, the work stays the user that zazen is.
            "UsernsMode": if is_rootless_podman { "keep-id" } else { "" },
            "ReadonlyRootfs": true,
            "CapDrop": ["ALL"],
            "SecurityOpt": security,
            "Privileged": false,
            "Init": false,
            "AutoRemove": false,
            "Memory": memory,
            // Of memory and swap together: none of it is swap.
            "MemorySwap": memory,
            "NanoCpus": nano_cpus,
            "PidsLimit": i64::try_from(limits.n_processes_max).unwrap_or(i64::MAX),
            "Ulimits": ulimits(),
            "ShmSize": SHM_BYTES,
            "Tmpfs": tmpfs(limits.memory_bytes, self.about.name),
            "Mounts": self.mounts()?,
            "LogConfig": { "Type": "json-file" },
        }))
    }

    fn mounts(&self) -> anyhow::Result<Vec<Value>> {
        let (run_dir, spec) = (self.run_dir, self.spec);
        let mut mounts = vec![
            writable(&run_dir.home(), HOME_INSIDE)?,
            writable(&run_dir.out(), OUT_INSIDE)?,
            read_only(self.zazen, ZAZEN_INSIDE)?,
            read_only(&run_dir.inside(), INSIDE_INSIDE)?,
            read_only(&spec.objects, OBJECTS_INSIDE)?,
            // A socket can be connected to where nothing can be written.
            read_only(&run_dir.channel(), CHANNEL_INSIDE)?,
        ];
        mounts.push(match spec.access {
            Access::ReadOnly => read_only(&spec.workspace, WORKSPACE_INSIDE)?,
            Access::ReadWrite => writable(&spec.workspace, WORKSPACE_INSIDE)?,
        });
        if let Some(folder) = spec.gateway_socket.as_deref().and_then(Path::parent) {
            mounts.push(read_only(folder, GATEWAY_INSIDE)?);
        }
        for (path, at) in etc::write(run_dir)? {
            mounts.push(read_only(&path, &at)?);
        }
        for tool in &spec.tools {
            check_tool(run_dir, tool)?;
            mounts.push(read_only(tool, &plain(tool)?)?);
            let real = tool.canonicalize().with_context(|| format!("find `{}`", tool.display()))?;
            if real != *tool {
                mounts.push(read_only(&real, &plain(&real)?)?);
            }
        }
        Ok(mounts)
    }
}

fn read_only(from: &Path, at: &str) -> anyhow::Result<Value> {
    mount(from, at, true)
}

fn writable(from: &Path, at: &str) -> anyhow::Result<Value> {
    mount(from, at, false)
}

fn mount(from: &Path, at: &str, is_read_only: bool) -> anyhow::Result<Value> {
    if !from.exists() {
        bail!("`{}` is to be mounted, and is not there", from.display());
    }
    let from = std::path::absolute(from).context("find where we are")?;
    Ok(json!({ "Type": "bind", "Source": plain(&from)?, "Target": at, "ReadOnly": is_read_only }))
}

/// The folders that are in memory. They count as memory of the run.
fn tmpfs(memory_bytes: u64, engine: EngineName) -> Value {
    // Else podman would copy what the image has there, with its rights.
    let empty = if engine == EngineName::Podman { ",notmpcopyup" } else { "" };
    let of_mode =
        |mode| format!("rw,exec,nosuid,nodev,size={},mode={mode}{empty}", memory_bytes / 2);
    json!({ "/tmp": of_mode("1777"), "/var/tmp": of_mode("1777"), "/run": of_mode("0755") })
}

/// Limits of each process, not above our own: an engine that has no more rights
/// than we could not allow more.
fn ulimits() -> Value {
    let most = |resource: Resource, limit: u64| {
        getrlimit(resource).maximum.map_or(limit, |own| own.min(limit))
    };
    let ulimit = |name: &str, limit: u64| json!({ "Name": name, "Soft": limit, "Hard": limit });
    json!([
        ulimit("nofile", most(Resource::Nofile, N_FILES_MAX)),
        ulimit("nproc", most(Resource::Nproc, N_PROCESSES_OF_USER_MAX)),
    ])
}

#[cfg(test)]
mod tests;
