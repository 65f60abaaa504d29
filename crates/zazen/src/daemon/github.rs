//! The client for GitHub, as the owner's configuration asks for it.
//!
//! The secrets are read here and go to the client; they stay in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use zazen_core::secret::Secret;

use crate::config::{Config, Environment, GithubLogin};
use crate::forge::github::client::{AppKey, Client, Gh, Limits, Login, Options};

/// What `gh` needs of the environment to find its login, in its files or in a keyring.
const GH_VARIABLES: [&str; 6] = [
    "HOME",
    "GH_CONFIG_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
];

/// Makes the client, where GitHub is used. Nothing is sent yet.
pub fn github_client(config: &Config, environment: &Environment) -> anyhow::Result<Option<Client>> {
    let Some(github) = &config.github else { return Ok(None) };
    let login = match &github.login {
        GithubLogin::None => return Ok(None),
        GithubLogin::App { id, key } => {
            let pem = read_private(key).context(
                "read the App's key; `zazen github setup` makes an App, and its page at GitHub \
                 makes a new key",
            )?;
            Login::App { id: *id, key: AppKey::from_pem(&pem)? }
        }
        GithubLogin::Variable(name) => {
            let token = environment.variable(name).with_context(|| {
                format!("the variable {name} is not set; it should hold the token for GitHub")
            })?;
            Login::Token(Secret::new(token.trim()))
        }
        GithubLogin::File(path) => {
            let token = read_private(path).context("read the token for GitHub")?;
            Login::Token(Secret::new(token.trim()))
        }
        GithubLogin::Gh => {
            let program = environment.find_program("gh").context(
                "`gh` is not on the PATH, and `github.gh` asks for its token; install it, or \
                 write `token_env`",
            )?;
            let variable = |name: &str| Some((name.to_owned(), environment.variable(name)?));
            let env = GH_VARIABLES.into_iter().filter_map(variable).collect();
            Login::Gh(Gh { program, env })
        }
    };
    let limits = if github.keeps_limits { Limits::Github } else { Limits::AsTold };
    Client::new(Options { api: github.api.clone(), login, limits }).map(Some)
}

/// Reads a file with a secret, unless others than its owner can read it as well.
pub(super) fn read_private(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let meta = fs::metadata(path).with_context(|| format!("look at `{shown}`"))?;
    let mode = meta.permissions().mode();
    anyhow::ensure!(
        mode.trailing_zeros() >= 6,
        "`{shown}` can be read by others than you (mode {:o}); `chmod 600` it",
        mode & 0o777
    );
    fs::read_to_string(path).with_context(|| format!("read `{shown}`"))
}
