//! What every subcommand needs: which home, which configuration, who asks.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use zazen_core::engine::Book;
use zazen_core::id::RepoName;

use super::{ErrorKind, Failure, Result, kinded};
use crate::config::{self, Config, Environment};
use crate::daemon;
use crate::forge::local::Local;
use crate::home::Home;

/// See the module.
#[derive(Debug)]
pub(crate) struct Context {
    asked: Option<PathBuf>,
    pub(crate) environment: Environment,
}

impl Context {
    pub(super) fn new(asked: Option<PathBuf>, environment: Environment) -> Self {
        Self { asked, environment }
    }

    /// The home that the person means.
    pub(crate) fn home(&self) -> Result<Home> {
        let found = match &self.asked {
            Some(dir) => Home::open(&absolute(dir)?),
            None => Home::find(&absolute(Path::new("."))?),
        };
        found.map_err(anyhow::Error::from).map_err(kinded(ErrorKind::Config))
    }

    /// The home and its checked configuration.
    pub(crate) fn configured(&self) -> Result<(Home, Config)> {
        let home = self.home()?;
        let config = config::read(home.root(), &self.environment)
            .map_err(anyhow::Error::from)
            .map_err(kinded(ErrorKind::Config))?;
        Ok((home, config))
    }

    /// The home, its configuration, and its forge.
    pub(crate) fn forge(&self) -> Result<(Home, Config, Local)> {
        let (home, config) = self.configured()?;
        let forge = daemon::local_forge(&home, &config);
        Ok((home, config, forge))
    }

    /// What the journal says. The daemon need not be up, and is not disturbed.
    pub(crate) fn book(home: &Home) -> Result<Book> {
        Ok(daemon::read_book(home)?)
    }

    /// The repository that the person named, or the only one that there is.
    pub(crate) fn repo(config: &Config, named: Option<&RepoName>) -> Result<RepoName> {
        let all = || {
            let known: Vec<&str> = config.repos.iter().map(|repo| repo.name.as_str()).collect();
            if known.is_empty() {
                "none; `zazen repo add` adds one".to_owned()
            } else {
                known.join(", ")
            }
        };
        let usage = |why: String| kinded(ErrorKind::Usage)(anyhow::anyhow!("{why}"));
        match (named, config.repos.as_slice()) {
            (Some(name), repos) if repos.iter().any(|repo| repo.name == *name) => Ok(name.clone()),
            (Some(name), _) => Err(usage(format!("{name} is not known here; there is: {}", all()))),
            (None, [only]) => Ok(only.name.clone()),
            (None, []) => {
                Err(usage("there is no repository yet; `zazen repo add PATH` adds one".into()))
            }
            (None, _) => Err(usage(format!("say which with `--repo`; there is: {}", all()))),
        }
    }
}

/// A path as it is from everywhere.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(path).with_context(|| format!("find {}", path.display()));
    absolute.map_err(Failure::from)
}

/// The program itself, for the processes that it starts.
pub(crate) fn zazen() -> Result<PathBuf> {
    Ok(std::env::current_exe().context("find zazen's own program")?)
}
