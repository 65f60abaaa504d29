//! How a runner in a container reports: a unix socket in a folder of the run.
//!
//! Not the container's own stdout, which an engine may cut, drop or keep for
//! ever: what is written here waits until the supervisor has read it. And when
//! the supervisor dies, however that happens, the kernel closes this, by which
//! the runner knows that it has to end. There is one connection, made before
//! any work is started; then the socket is gone.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};

use super::CHANNEL_INSIDE;
use crate::sandbox::run_dir::RunDir;

/// The name of the socket in its folder.
const NAME: &str = "s";

/// The socket that a runner is waited for on.
pub(super) struct Channel {
    listener: UnixListener,
    path: PathBuf,
}

impl Channel {
    /// Opens the socket, in a folder of its own that will be shown.
    pub(super) fn open(run_dir: &RunDir) -> anyhow::Result<Self> {
        let folder = run_dir.channel();
        let path = folder.join(NAME);
        let open = || -> std::io::Result<UnixListener> {
            fs::create_dir_all(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o711))?;
            if fs::symlink_metadata(&path).is_ok() {
                fs::remove_file(&path)?;
            }
            // By this name a path of any length will do, and a sandbox, which sees the
            // names of the sockets that it is connected to, learns nothing by it.
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let here = rustix::fs::open(&folder, flags, Mode::empty())?;
            let here = format!("/proc/self/fd/{}/{NAME}", here.as_raw_fd());
            let listener = UnixListener::bind(here)?;
            // The runner is another user where the supervisor is root.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let listener = open().with_context(|| format!("open `{}`", path.display()))?;
        Ok(Self { listener, path })
    }

    /// Waits a moment for the runner. Only the container's first process is one.
    pub(super) fn accept(
        &self,
        runner: i32,
        timeout: Duration,
    ) -> anyhow::Result<Option<UnixStream>> {
        let mut fds = [PollFd::new(&self.listener, PollFlags::IN)];
        let timeout = Timespec::try_from(timeout).context("a moment")?;
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(err) => return Err(err).context("wait for the runner"),
        }
        let (stream, _) = self.listener.accept().context("wait for the runner")?;
        let peer = rustix::net::sockopt::socket_peercred(&stream).context("see who connected")?;
        if peer.pid.as_raw_pid() != runner {
            bail!(
                "process {} connected in the place of the runner, which is {runner}; zazen and \
                 the container engine have to be on one machine, outside of containers",
                peer.pid.as_raw_pid()
            );
        }
        stream.set_nonblocking(false).context("listen to the runner")?;
        Ok(Some(stream))
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // Nobody else may come after the runner.
        fs::remove_file(&self.path).ok();
    }
}

/// Where the runner finds the socket.
pub(in crate::sandbox) fn inside() -> PathBuf {
    Path::new(CHANNEL_INSIDE).join(NAME)
}

/// Connects the runner to its supervisor.
pub(in crate::sandbox) fn connect(socket: &Path) -> anyhow::Result<UnixStream> {
    UnixStream::connect(socket)
        .with_context(|| format!("reach the supervisor at `{}`", socket.display()))
}
