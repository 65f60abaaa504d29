//! What this machine has and does: tools that may be missing, processes, files.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// Says loudly that a test does not test anything, or fails it where tools are required.
pub(crate) fn skip(why: &str) {
    let required = env::var_os("ZAZEN_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(!required, "{why}, and ZAZEN_REQUIRE_TOOLS=1");
    println!("SKIPPED: {why}");
}

/// The program or folder that a variable names, which tests cannot do without.
pub(crate) fn named(variable: &str) -> Option<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from);
    if named.is_none() {
        skip(&format!("a tool is missing: `{variable}` names none"));
    }
    named
}

/// A search path that begins with the node which the double of GitHub runs on: scripts for
/// node need a newer one than systems have.
pub(crate) fn with_node() -> Option<String> {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let double = named("ZAZEN_GITHUB_DOUBLE")?;
    let node = double.join(format!("node_modules/node-linux-{arch}/bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([node].into_iter().chain(env::split_paths(&path)));
    Some(path.expect("a path").to_string_lossy().into_owned())
}

/// A process on this machine.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) cmdline: String,
    pub(crate) environ: String,
}

impl Process {
    pub(crate) fn kill(&self) {
        let pid = Pid::from_raw(self.pid).expect("a process");
        kill_process(pid, Signal::KILL).expect("a signal");
    }
}

/// The processes that are meant, of all on this machine.
pub(crate) fn processes(is_meant: impl Fn(&Process) -> bool) -> Vec<Process> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let read = |name: &str| {
            let bytes = fs::read(entry.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
        let process = Process { pid, cmdline: read("cmdline"), environ: read("environ") };
        if is_meant(&process) {
            found.push(process);
        }
    }
    found
}

/// The files below a folder that hold this.
pub(crate) fn files_with(text: &str, folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let kind = path.symlink_metadata().expect("it is there").file_type();
        if kind.is_dir() {
            found.extend(files_with(text, &path));
        } else if kind.is_file() {
            let bytes = fs::read(&path).expect("it can be read");
            if bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}
