//! What agents are given and denied beside their prompt: servers of tools, and lists.
//! Part of the checking of `zazen.toml`; see the parent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use url::Url;
use zazen_core::deny::{Denied, ToolName};
use zazen_core::id::RepoName;
use zazen_core::secret::Scanner;

use super::{Check, Error, Key, Repo, raw};
use crate::http::may_carry_secrets;

/// A server of the Model Context Protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub at: ServerAt,
    /// The repositories whose agents get it. Nothing means all.
    pub repos: Option<BTreeSet<RepoName>>,
    /// The only tools of it that agents may use. Empty means all.
    pub tools: Vec<ToolName>,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerAt {
    /// A program, which is started in the sandbox.
    Program {
        /// A path of the host, or a name that is looked for in the sandbox.
        program: Program,
        args: Vec<String>,
        env: BTreeMap<String, String>,
    },
    /// A service, which only the gateway speaks to.
    Service { url: Url, key: Key },
}

/// How a program is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// Its folder is shown to runs.
    Path(PathBuf),
    /// It is on the `PATH` there.
    Name(String),
}

/// How long the name of a server may be: it is part of the names of its tools.
const NAME_BYTES_MAX: usize = 32;

impl Server {
    /// Whether the agents of a repository get it.
    pub fn is_for(&self, repo: &RepoName) -> bool {
        self.repos.as_ref().is_none_or(|repos| repos.contains(repo))
    }
}

impl Check<'_> {
    pub(super) fn servers(
        &self,
        raw: BTreeMap<String, raw::Server>,
        repos: &[Repo],
    ) -> Result<BTreeMap<String, Server>, Error> {
        let mut servers = BTreeMap::new();
        for (name, raw) in raw {
            let server = self.server(&name, raw, repos)?;
            servers.insert(name, server);
        }
        Ok(servers)
    }

    fn server(&self, name: &str, raw: raw::Server, repos: &[Repo]) -> Result<Server, Error> {
        let wrong = |key: &str, why: &str| Err(self.wrong(&["mcp", name, key], why));
        let is_char = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(is_char) {
            let why = format!(
                "`mcp.{name}`: a server's name has only a-z, 0-9 and `-`, and at most \
                 {NAME_BYTES_MAX} of them"
            );
            return Err(self.wrong(&["mcp", name], &why));
        }
        let is_service = raw.url.is_some();
        let at = match (raw.command, raw.url) {
            (Some(_), Some(_)) | (None, None) => {
                let why = "write `command`, for a program in the sandbox, or `url`, for a service \
                           behind the gateway; one of the two";
                return wrong(if is_service { "url" } else { "command" }, why);
            }
            (Some(command), None) if raw.key_env.is_none() && raw.key_file.is_none() => {
                self.program(name, command, raw.env)?
            }
            (Some(_), None) => {
                let why = "a program in the sandbox gets no key, as agents could read it; run it \
                           as a service elsewhere and write its `url`";
                return wrong("command", why);
            }
            (None, Some(_)) if !raw.env.is_empty() => {
                return wrong("env", "`env` is for a program; a service has none from here");
            }
            (None, Some(url)) => self.service(name, &url, (raw.key_env, raw.key_file))?,
        };
        let tools = self.tool_names(&["mcp", name, "tools"], &raw.tools)?;
        let repos = raw.repos.map(|names| self.repos_of(name, &names, repos)).transpose()?;
        Ok(Server { at, repos, tools })
    }

    fn program(
        &self,
        name: &str,
        command: Vec<String>,
        env: BTreeMap<String, String>,
    ) -> Result<ServerAt, Error> {
        let mut words = command.into_iter();
        let Some(program) = words.next().filter(|program| !program.is_empty()) else {
            let why = "`command` is a program and its arguments: [\"/opt/issues/server\", \"-q\"]";
            return Err(self.wrong(&["mcp", name, "command"], why));
        };
        let args: Vec<String> = words.collect();
        let shapes = Scanner::shapes();
        if args.iter().chain(env.values()).any(|text| shapes.is_in(text.as_bytes())) {
            let why = "there is what looks like a secret; agents read the arguments and the \
                       variables of what runs beside them: write a `url` with `key_env`";
            return Err(self.wrong(&["mcp", name], why));
        }
        if let Some(key) = env.keys().find(|key| key.is_empty() || key.contains(['=', '\0'])) {
            return Err(self.wrong(&["mcp", name, "env"], &format!("`{key}` is no variable")));
        }
        let program = if program.contains('/') {
            Program::Path(self.host_path(&program))
        } else {
            Program::Name(program)
        };
        Ok(ServerAt::Program { program, args, env })
    }

    fn service(
        &self,
        name: &str,
        text: &str,
        keys: (Option<String>, Option<String>),
    ) -> Result<ServerAt, Error> {
        let is_service = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        };
        let Some(url) = Url::parse(text).ok().filter(is_service) else {
            let why = format!("`{text}` is not a URL like `https://host/mcp`, without a login");
            return Err(self.wrong(&["mcp", name, "url"], &why));
        };
        let key = match keys {
            (Some(_), Some(_)) => {
                let why = "write `key_env` or `key_file`, not both";
                return Err(self.wrong(&["mcp", name, "key_file"], why));
            }
            (Some(variable), None) => Key::Variable(variable),
            (None, Some(path)) => Key::File(self.host_path(&path)),
            (None, None) => Key::None,
        };
        if key != Key::None && !may_carry_secrets(&url) {
            let why = "a key goes out over https only, or to an address of this machine";
            return Err(self.wrong(&["mcp", name, "url"], why));
        }
        Ok(ServerAt::Service { url, key })
    }

    fn repos_of(
        &self,
        server: &str,
        names: &[String],
        repos: &[Repo],
    ) -> Result<BTreeSet<RepoName>, Error> {
        let found = names.iter().zip(0_usize..).map(|(name, n)| {
            let found = repos.iter().find(|repo| repo.name.as_str() == name);
            found.map(|repo| repo.name.clone()).ok_or_else(|| {
                let why = format!("there is no `[[repo]]` with the name `{name}`");
                self.wrong(&["mcp", server, "repos", &n.to_string()], &why)
            })
        });
        found.collect()
    }

    pub(super) fn denied(&self, commands: &[String], tools: &[String]) -> Result<Denied, Error> {
        let commands = commands.iter().zip(0_usize..).map(|(text, n)| {
            let at = ["policy", "commands_denied", &n.to_string()];
            text.parse().map_err(|err: zazen_core::deny::InvalidBeginning| {
                self.wrong(&at, &err.to_string())
            })
        });
        let commands = commands.collect::<Result<_, Error>>()?;
        Ok(Denied { commands, tools: self.tool_names(&["policy", "tools_denied"], tools)? })
    }

    fn tool_names(&self, at: &[&str], names: &[String]) -> Result<Vec<ToolName>, Error> {
        let all = names.iter().zip(0_usize..).map(|(name, n)| {
            let place = n.to_string();
            let at: Vec<&str> = at.iter().copied().chain([place.as_str()]).collect();
            name.parse()
                .map_err(|err: zazen_core::deny::InvalidToolName| self.wrong(&at, &err.to_string()))
        });
        all.collect()
    }
}
