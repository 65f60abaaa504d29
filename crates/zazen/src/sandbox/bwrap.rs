//! The profile of a bubblewrap sandbox: what is in it, and nothing else.
//!
//! Empty namespaces of every kind, no capability, no second user namespace, the
//! system calls of `filter` refused, a root that is read-only but for the
//! workspace, the private home, the folder for the result and a small `/tmp`.
//! The network is an empty one. What a run may know comes to it through the
//! runner, never on this command line, which everybody on the machine can read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::etc;
use super::filter;
use super::reach::{self, sandbox_ids};
use super::run_dir::RunDir;
use super::spec::{Access, LaunchSpec, OBJECTS_INSIDE, WORKSPACE_INSIDE};
use crate::exec::Command;

pub(super) const HOME_INSIDE: &str = "/home/agent";
pub(super) const OUT_INSIDE: &str = "/run/zazen/out";
pub(super) const ZAZEN_INSIDE: &str = "/run/zazen/bin/zazen";
pub(super) const INSIDE_INSIDE: &str = "/run/zazen/spec.json";
pub(super) const GATEWAY_INSIDE: &str = "/run/zazen/gateway";

/// Where `bwrap` may be. Not searched in `PATH`, which others may have set.
const BWRAP_PATHS: [&str; 3] =
    ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/run/current-system/sw/bin/bwrap"];

/// Folders of the host's root that are links into `/usr` on most systems.
const ROOT_FOLDERS: [&str; 5] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64"];

/// What of `/etc` is shown: certificates, the linker's cache, the links that
/// Debian's commands go through, and the time zone. None of it is about users.
const ETC_SHOWN: [&str; 6] = [
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
];

/// Folders that no tool is, because they would show the host.
const NEVER_SHOWN: [&str; 8] = ["/", "/proc", "/sys", "/dev", "/run", "/tmp", "/home", "/etc"];

/// How large `/dev/shm` may grow. It counts as memory of the run.
pub(super) const SHM_BYTES: u64 = 64 << 20;

/// Finds bubblewrap.
pub(super) fn find() -> anyhow::Result<&'static str> {
    BWRAP_PATHS
        .into_iter()
        .find(|path| Path::new(path).is_file())
        .context("find `bwrap`; install the package `bubblewrap` (0.8 or newer)")
}

/// The command that makes the sandbox and starts the runner in it.
pub(super) fn command(
    run_dir: &RunDir,
    spec: &LaunchSpec,
    zazen: &Path,
) -> anyhow::Result<Command> {
    let mut mounts = Mounts::default();
    mounts.system();
    mounts.etc(run_dir)?;
    mounts.tmpfs("/tmp", spec.limits.memory_bytes / 2);
    mounts.add(["--symlink", "../tmp", "/var/tmp"]);
    mounts.of_run(run_dir, spec, zazen);
    mounts.tools(run_dir, &spec.tools)?;
    mounts.add(["--remount-ro", "/"]);
    let mut command = Command::new(find()?);
    for program in filter::files()? {
        command = command.arg_fd("--add-seccomp-fd", program);
    }
    Ok(command
        .args([
            "--unshare-user",
            "--unshare-all",
            "--disable-userns",
            "--cap-drop",
            "ALL",
            "--die-with-parent",
            "--new-session",
            "--as-pid-1",
            "--hostname",
            "zazen",
        ])
        .args(mounts.args)
        .args(["--chdir", WORKSPACE_INSIDE, "--", ZAZEN_INSIDE, "runner", INSIDE_INSIDE])
        .user(sandbox_ids()))
}

/// Checks that everything that will be mounted is there and can be reached.
pub(super) fn check(run_dir: &RunDir, spec: &LaunchSpec, zazen: &Path) -> anyhow::Result<()> {
    find()?;
    for path in [run_dir.path(), &spec.workspace, &spec.objects, zazen] {
        reach::check_reachable(path)?;
    }
    for tool in &spec.tools {
        check_tool(run_dir, tool)?;
        reach::check_reachable(tool)?;
    }
    Ok(())
}

/// Checks that a tool's folder is one, and shows nothing else of the host.
pub(super) fn check_tool(run_dir: &RunDir, tool: &Path) -> anyhow::Result<()> {
    let real = tool.canonicalize().with_context(|| format!("find `{}`", tool.display()))?;
    let run_dir = run_dir.path().canonicalize().context("find the run's folder")?;
    let is_plain = tool.is_absolute() && tool.components().all(|part| part.as_os_str() != "..");
    let shows_host =
        NEVER_SHOWN.iter().any(|path| tool == Path::new(path) || real == Path::new(path));
    if !is_plain || shows_host || run_dir.starts_with(&real) {
        bail!("`{}` cannot be shown in a sandbox; name the tool's own folder", tool.display());
    }
    Ok(())
}

#[derive(Default)]
struct Mounts {
    args: Vec<String>,
}

impl Mounts {
    fn add<const N: usize>(&mut self, args: [&str; N]) {
        self.args.extend(args.map(str::to_owned));
    }

    fn read_only(&mut self, from: &Path, to: &str) {
        self.add(["--ro-bind", &from.to_string_lossy(), to]);
    }

    fn read_write(&mut self, from: &Path, to: &str) {
        self.add(["--bind", &from.to_string_lossy(), to]);
    }

    fn tmpfs(&mut self, at: &str, n_bytes: u64) {
        self.add(["--size", &n_bytes.to_string(), "--tmpfs", at]);
    }

    fn system(&mut self) {
        self.add(["--ro-bind", "/usr", "/usr"]);
        for folder in ROOT_FOLDERS {
            match fs::read_link(folder) {
                Ok(target) => self.add(["--symlink", &target.to_string_lossy(), folder]),
                Err(_) => self.add(["--ro-bind-try", folder, folder]),
            }
        }
        // With `/proc` read-only, the kernel's switches stay closed even to a
        // process that is root outside.
        self.add(["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]);
        self.tmpfs("/dev/shm", SHM_BYTES);
        self.add(["--remount-ro", "/dev"]);
    }

    fn etc(&mut self, run_dir: &RunDir) -> anyhow::Result<()> {
        for path in ETC_SHOWN {
            self.add(["--ro-bind-try", path, path]);
        }
        for (path, at) in etc::write(run_dir)? {
            self.read_only(&path, &at);
        }
        Ok(())
    }

    fn of_run(&mut self, run_dir: &RunDir, spec: &LaunchSpec, zazen: &Path) {
        self.read_write(&run_dir.home(), HOME_INSIDE);
        self.read_write(&run_dir.out(), OUT_INSIDE);
        self.read_only(zazen, ZAZEN_INSIDE);
        self.read_only(&run_dir.inside(), INSIDE_INSIDE);
        self.read_only(&spec.objects, OBJECTS_INSIDE);
        if let Some(folder) = spec.gateway_socket.as_deref().and_then(Path::parent) {
            self.read_only(folder, GATEWAY_INSIDE);
        }
        match spec.access {
            Access::ReadOnly => self.read_only(&spec.workspace, WORKSPACE_INSIDE),
            Access::ReadWrite => self.read_write(&spec.workspace, WORKSPACE_INSIDE),
        }
    }

    fn tools(&mut self, run_dir: &RunDir, tools: &[PathBuf]) -> anyhow::Result<()> {
        for tool in tools {
            check_tool(run_dir, tool)?;
            self.read_only(tool, &tool.to_string_lossy());
            // A link shows its target's content here; programs that look for
            // their own files need the target at its own place too.
            let real = tool.canonicalize().with_context(|| format!("find `{}`", tool.display()))?;
            if real != *tool {
                self.read_only(&real, &real.to_string_lossy());
            }
        }
        Ok(())
    }
}
