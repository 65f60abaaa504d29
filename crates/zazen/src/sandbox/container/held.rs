//! The container as the supervisor holds it: started, spoken to, and ended.
//!
//! The engine is asked to make, start and remove it. In between, the runner is
//! spoken to on its own socket, and held on to as a process of this machine,
//! so that a run can be followed and killed whether the engine answers or not.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::runtime::{Builder, Runtime};

use super::api::{Api, EngineName, State};
use super::channel::Channel;
use super::image::require_from;
use super::profile::{Profile, container, name};
use crate::sandbox::process::Handle;
use crate::sandbox::run_dir::RunDir;
use crate::sandbox::spec::LaunchSpec;

/// The container of a run.
pub(in crate::sandbox) struct Held {
    engine: Engine,
    name: String,
    channel: UnixStream,
    /// The container's first process, as the host sees it.
    runner: Handle,
}

/// How a container ended.
#[derive(Debug)]
pub(in crate::sandbox) struct Gone {
    pub(in crate::sandbox) status: String,
    /// The engine says that it ran out of memory. It does not always.
    pub(in crate::sandbox) out_of_memory: bool,
    /// What it said by itself, if it did not end well.
    pub(in crate::sandbox) said: String,
}

/// The engine, asked by a process that does nothing meanwhile.
struct Engine {
    runtime: Runtime,
    api: Api,
}

/// How long a container may take from its start to the runner's first word.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it is looked whether a container that says nothing still runs.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// How long an engine may take to notice that a container's process is gone.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(5);

impl Engine {
    fn connect(socket: &Path) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("prepare to talk to the container engine")?;
        Ok(Self { runtime, api: Api::at(socket) })
    }

    fn wait<'a, T, F: Future<Output = T>>(&'a self, ask: impl FnOnce(&'a Api) -> F) -> T {
        self.runtime.block_on(ask(&self.api))
    }
}

impl Held {
    /// Makes the container and starts the runner in it, which waits there.
    /// On a failure nothing is left.
    pub(in crate::sandbox) fn start(
        run_dir: &RunDir,
        spec: &LaunchSpec,
        zazen: &Path,
    ) -> anyhow::Result<Self> {
        let wanted = container(spec)?;
        let engine = Engine::connect(&wanted.socket)?;
        let about = engine.wait(Api::about)?;
        about.check()?;
        let image_id = engine.wait(|api| require_from(api, about.name, &wanted.image))?;
        let name = name(run_dir, spec);
        let channel = Channel::open(run_dir)?;
        let body = Profile { run_dir, spec, zazen, about: &about, image_id }.body()?;
        // What an attempt before this one left, which had no supervisor any more.
        engine.wait(|api| api.remove(&name))?;
        for warning in engine.wait(|api| api.create(&name, body))? {
            // Stderr is `supervisor.log`.
            writeln!(std::io::stderr(), "the container engine warns: {warning}").ok();
        }
        match meet(&engine, &name, &channel) {
            Ok((runner, channel)) => Ok(Self { engine, name, channel, runner }),
            Err(err) => {
                let said = engine.wait(|api| api.log(&name));
                // Tried again once this has failed; what went wrong first is what counts.
                engine.wait(|api| api.remove(&name)).ok();
                Err(explain(&err, &said, (about.name, &wanted.image)))
            }
        }
    }

    /// What the runner says.
    pub(in crate::sandbox) fn listen(&self) -> anyhow::Result<UnixStream> {
        self.channel.try_clone().context("listen to the runner")
    }

    /// Says one line to the runner.
    pub(in crate::sandbox) fn say(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.channel, "{line}").context("talk to the runner")
    }

    /// Kills the runner, and with it all of its process namespace.
    pub(in crate::sandbox) fn kill(&self) {
        self.runner.kill();
    }

    /// Waits until all processes are gone, asks how it was, and removes the container.
    pub(in crate::sandbox) fn wait(self, timeout: Duration) -> anyhow::Result<Gone> {
        if !self.runner.wait(timeout) {
            self.runner.kill();
            self.runner.wait(timeout);
        }
        let state = self.last_state()?;
        let said = match state.exit_code {
            0 => String::new(),
            _ => self.engine.wait(|api| api.log(&self.name)),
        };
        self.engine.wait(|api| api.remove(&self.name))?;
        Ok(Gone {
            status: format!("exit code {}", state.exit_code),
            out_of_memory: state.was_out_of_memory,
            said,
        })
    }

    /// The state of the container once the engine knows that it has ended.
    fn last_state(&self) -> anyhow::Result<State> {
        let deadline = Instant::now() + NOTICE_TIMEOUT;
        loop {
            match self.engine.wait(|api| api.state(&self.name))? {
                Some(state) if state.is_running && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                // Somebody removed it by hand.
                state => return Ok(state.unwrap_or_default()),
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Whatever went wrong, nothing of it goes on.
        self.runner.kill();
    }
}

/// Starts a container, and waits until its runner is on the line.
fn meet(engine: &Engine, name: &str, channel: &Channel) -> anyhow::Result<(Handle, UnixStream)> {
    engine.wait(|api| api.start(name))?;
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let state = engine.wait(|api| api.state(name))?.unwrap_or_default();
        if !state.is_running {
            bail!("the container ended at once, with code {} {}", state.exit_code, state.error);
        }
        if let Some(stream) = channel.accept(state.pid, LOOK_PAUSE)? {
            // Its number cannot be another one's: it is alive, and on the line.
            let runner = Handle::open(state.pid).context("find the container's first process")?;
            return Ok((runner, stream));
        }
        if Instant::now() > deadline {
            bail!("the runner in the container said nothing for {START_TIMEOUT:?}");
        }
    }
}

/// Says what most likely keeps zazen from running in an image.
fn explain(err: &anyhow::Error, said: &str, of: (EngineName, &str)) -> anyhow::Error {
    let (engine, image) = of;
    let text = format!("{err:#} {said}");
    let signs = [
        ("GLIBC_", "has an older glibc than zazen was built with"),
        ("error while loading shared libraries", "lacks a library that zazen needs"),
        ("no such file or directory", "has no glibc (Alpine has not)"),
        ("not found", "has no glibc (Alpine has not)"),
    ];
    let sign = signs.into_iter().find(|(sign, _)| text.contains(sign));
    let text = text.trim();
    match sign {
        Some((_, why)) => anyhow::anyhow!(
            "the image `{image}` {why}, and zazen's own program has to run in it: take an image \
             with glibc 2.34 or newer and libgcc (Debian 12 or newer, Ubuntu 22.04 or newer), or \
             a zazen that is built for musl; the engine says: {text}"
        ),
        None => anyhow::anyhow!("{} could not start the container: {text}", engine.command()),
    }
}
