//! What of `zazen.toml` is about containers: where the engine is, and which image.

use std::path::{Path, PathBuf};

use super::raw;
use super::{Check, Engine, Error};

/// How containers are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containers {
    /// Where an engine may listen; the first that does is the one.
    pub sockets: Vec<PathBuf>,
    /// How much of the processors one run may use, in thousandths of one.
    pub cpus_milli: Option<u32>,
    /// What runs of a repository start in that names no image itself.
    pub image: Option<String>,
}

/// What a repository's runs start in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// It is on the machine under this name.
    Named(String),
    /// It is built from this file of the repository's base branch.
    Built { containerfile: String },
}

/// The most processors that are believed.
const CPUS_MAX: f64 = 10_000.0;

impl Check<'_> {
    /// Reads the name of an engine.
    pub(super) fn engine(&self, key: &[&str], name: &str) -> Result<Engine, Error> {
        match name {
            "bwrap" => Ok(Engine::Bwrap),
            "container" => Ok(Engine::Container),
            "none" => Ok(Engine::None),
            other => {
                let why = format!(
                    "`{other}` is not an engine; there are `bwrap`, `container` and `none`"
                );
                Err(self.wrong(key, &why))
            }
        }
    }

    pub(super) fn containers(&self, raw: &raw::Sandbox) -> Result<Containers, Error> {
        let sockets = match &raw.container_socket {
            None => self.environment.container_sockets.clone(),
            Some(text) => {
                let path = text.strip_prefix("unix://").unwrap_or(text);
                if path.contains("://") {
                    let why = format!(
                        "`{text}` is not a unix socket; the engine has to be on this machine, \
                         like `unix:///run/podman/podman.sock`"
                    );
                    return Err(self.wrong(&["sandbox", "container_socket"], &why));
                }
                vec![self.host_path(path)]
            }
        };
        Ok(Containers { sockets, cpus_milli: self.cpus(raw)?, image: raw.image.clone() })
    }

    fn cpus(&self, raw: &raw::Sandbox) -> Result<Option<u32>, Error> {
        let Some(cpus) = raw.container_cpus else { return Ok(None) };
        if !(0.01..=CPUS_MAX).contains(&cpus) {
            let why = format!("`container_cpus` is {cpus}; write a number like 1.5");
            return Err(self.wrong(&["sandbox", "container_cpus"], &why));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between two small numbers"
        )]
        Ok(Some((cpus * 1000.0).round() as u32))
    }

    /// What the runs of a repository start in; nothing, if they need no image.
    pub(super) fn image(
        &self,
        raw: &raw::Repo,
        (place, engine, default): (&str, Engine, Option<&String>),
    ) -> Result<Option<Image>, Error> {
        let image = match (&raw.image, &raw.containerfile) {
            (Some(_), Some(_)) => {
                let why = "write `image` or `containerfile`, not both";
                return Err(self.wrong(&["repo", place, "containerfile"], why));
            }
            (Some(image), None) => Some(Image::Named(image.clone())),
            (None, Some(file)) if !is_inside(file) => {
                let why = format!("`{file}` is not a path inside the repository");
                return Err(self.wrong(&["repo", place, "containerfile"], &why));
            }
            (None, Some(file)) => Some(Image::Built { containerfile: file.clone() }),
            (None, None) => default.cloned().map(Image::Named),
        };
        if engine == Engine::Container && image.is_none() {
            let why = format!(
                "the engine of `{}` is `container`, which takes an image: write `image` or \
                 `containerfile` here, or `image` in `[sandbox]`",
                raw.name
            );
            return Err(self.wrong(&["repo", place], &why));
        }
        Ok(image)
    }
}

/// Whether a path names a file below the repository's root, by its shape.
fn is_inside(file: &str) -> bool {
    let parts = Path::new(file).components();
    let all_plain = parts.clone().all(|part| matches!(part, std::path::Component::Normal(_)));
    all_plain && parts.count() > 0 && !file.ends_with('/')
}
