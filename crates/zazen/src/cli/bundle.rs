//! `zazen bundle`: a receipt and all that stands beside it, in one file, out and in.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use serde::Serialize;
use zazen_core::receipt::{Receipt, statement};
use zazen_core::secret::{Scanner, Secret};

use super::{Context, Result, json, line, verify};
use crate::config::{Config, Environment, Target};
use crate::daemon;
use crate::git::{Mirror, Source};
use crate::receipt::bundle::{self, Exported};
use crate::receipt::{Place, Repo, check};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write one file with all that proves a task: for `verify` and `replay`, anywhere
    Export(Export),
    /// Unpack such a file: into this home, or a folder
    Import(Import),
}

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// A task's number, or a pull request (`#3`)
    task: String,
    /// The file to write [default: task-NUMBER.zazen.tar]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    file: PathBuf,
    /// The new folder to unpack it into [default: a folder of the home]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct ExportJson {
    file: String,
    files: u64,
    bytes: u64,
    /// How many secrets were taken out, by the files.
    redacted: Vec<(String, u64, Vec<u64>)>,
    missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ImportJson {
    folder: String,
    task: u32,
    repo: String,
    head: String,
}

pub(super) fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Export(args) => export(&args, context),
        Command::Import(args) => import(&args, context),
    }
}

fn export(args: &Export, context: &Context) -> Result {
    let (home, config) = context.configured()?;
    let book = Context::book(&home)?;
    let task = verify::find_task(&args.task, &book)?;
    let place = verify::of_task(&home, &task)?;
    let receipt = read(&place)?;
    let source = config.repos.iter().find(|repo| repo.name == task.repo);
    let source = source.map_or("", |repo| repo.source.as_str());
    let to = args.output.clone();
    let to = to.unwrap_or_else(|| PathBuf::from(format!("task-{}.zazen.tar", task.id)));
    let scanner = scanner(&config, &context.environment);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exported = runtime.block_on(async {
        let mirror = mirror(&place, source).await?;
        bundle::export((&place, &mirror), &receipt, &scanner, &to).await
    })?;
    say_exported(args, &to, &exported)
}

fn say_exported(args: &Export, to: &Path, exported: &Exported) -> Result {
    if args.json {
        let redacted = exported.withheld.iter();
        return json(&ExportJson {
            file: to.display().to_string(),
            files: exported.n_files,
            bytes: exported.n_bytes,
            redacted: redacted
                .map(|(part, what)| (part.to_string(), what.n_secrets, what.lines.clone()))
                .collect(),
            missing: exported.missing.iter().map(ToString::to_string).collect(),
        });
    }
    let kib = exported.n_bytes.div_ceil(1024);
    line(&format!("{}: {} files, {kib} KiB", to.display(), exported.n_files));
    for part in &exported.missing {
        line(&format!("not in it, as it is gone: {part}"));
    }
    for (part, what) in &exported.withheld {
        let lines: Vec<String> = what.lines.iter().take(20).map(u64::to_string).collect();
        let lines = lines.join(", ");
        let lines = if lines.is_empty() { lines } else { format!(" (lines {lines})") };
        line(&format!(
            "{} secrets were taken out of {part}{lines}: that cannot be checked by others",
            what.n_secrets
        ));
    }
    if exported.withheld.is_empty() {
        line("nothing in it looks like a secret; what people and files say is in it in full");
    }
    Ok(())
}

fn import(args: &Import, context: &Context) -> Result {
    // Looked at before anything is written: what it is about names the folder.
    let (dir, place) = bundle::open(&args.file)?;
    let receipt = read(&place)?;
    let name = format!("{}-{}", receipt.task, receipt.head.commit.short());
    drop(dir);
    let to = match &args.to {
        Some(to) => super::context::absolute(to)?,
        None => context.home()?.imported_dir().join(name),
    };
    bundle::import(&args.file, &to)?;
    if args.json {
        return json(&ImportJson {
            folder: to.display().to_string(),
            task: receipt.task.0,
            repo: receipt.issue.repo.to_string(),
            head: receipt.head.commit.to_string(),
        });
    }
    line(&format!("{}", to.display()));
    line(&format!("check it: zazen verify {}", to.display()));
    Ok(())
}

/// What a receipt states, before anything about it is believed.
fn read(place: &Place) -> Result<Receipt> {
    let read = || -> anyhow::Result<Receipt> {
        let envelope = check::read_envelope(place.receipt())
            .map_err(|_| anyhow!("it is no receipt; `zazen verify` says more"))?;
        Ok(statement::parse(envelope.unsigned.payload())?)
    };
    let what = || format!("read {}", place.receipt().display());
    Ok(read().with_context(what)?)
}

async fn mirror(place: &Place, source: &str) -> anyhow::Result<Mirror> {
    let Repo::Bare(dir) = place.repo() else { anyhow::bail!("the commits are not in this home") };
    anyhow::ensure!(dir.join("HEAD").exists(), "there is no mirror `{}`", dir.display());
    let source: Source = source.parse().or_else(|_| dir.display().to_string().parse())?;
    Mirror::open_or_create(dir, &source).await
}

/// Knows the keys that can be read here, and the shapes of other secrets.
fn scanner(config: &Config, environment: &Environment) -> Scanner {
    let keys = config.models.values().filter_map(|model| match &model.target {
        Target::Live { key, .. } => daemon::read_key(key, environment).ok().flatten(),
        Target::Playback { .. } => None,
    });
    let keys: Vec<Secret> = keys.collect();
    Scanner::knowing(keys.iter().map(Secret::expose))
}
