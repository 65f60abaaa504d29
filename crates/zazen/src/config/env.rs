//! The environment, read once.

use std::path::PathBuf;

/// Names the moment in which a debug build ends itself. See `daemon::crash`.
pub const CRASH_VARIABLE: &str = "ZAZEN_CRASH";

/// What zazen takes from its environment.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The person's home folder, for `~/`.
    pub home: PathBuf,
    /// The name of the person who runs zazen.
    pub user: String,
    /// Where programs are looked for.
    pub path: Vec<PathBuf>,
    /// `ZAZEN_HOME`: which home the command line means, if not the present folder.
    pub zazen_home: Option<PathBuf>,
    /// Where a container engine may listen, the likeliest first.
    pub container_sockets: Vec<PathBuf>,
    /// The moment to crash in, for tests of crash safety. Only debug builds look at it.
    pub crash: Option<String>,
}

impl Environment {
    /// Reads the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    pub fn read() -> Self {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            home: var("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from),
            user: var("USER").or_else(|| var("LOGNAME")).unwrap_or_else(|| "you".to_owned()),
            path: var("PATH")
                .map(|path| std::env::split_paths(&path).collect())
                .unwrap_or_default(),
            zazen_home: var("ZAZEN_HOME").map(PathBuf::from),
            container_sockets: container_sockets(var),
            crash: var(CRASH_VARIABLE),
        }
    }

    /// The value of one variable: a model's key, say.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    pub fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.trim().is_empty())
    }

    /// Looks for a program as a shell does.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.path.iter().map(|dir| dir.join(name)).find(|path| is_program(path))
    }
}

/// What the tools of the engines are told, then where podman and docker listen.
/// An engine on another machine is passed over: it could not see our files.
fn container_sockets(var: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let told = ["DOCKER_HOST", "CONTAINER_HOST"].into_iter().filter_map(&var);
    let told = told.filter_map(|host| host.strip_prefix("unix://").map(PathBuf::from));
    let own = var("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("podman/podman.sock"));
    let of_all = ["/run/podman/podman.sock", "/var/run/docker.sock"].map(PathBuf::from);
    told.chain(own).chain(of_all).collect()
}

fn is_program(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
