//! `zazen doctor`: every requirement, what is missing, and the one line that mends it.

use std::path::PathBuf;

use serde::Serialize;

use super::{Context, ErrorKind, Result, context, json, kinded, line};
use crate::config::{self, Config, Engine};
use crate::home::Home;
use crate::home::{keys, lock};
use crate::sandbox::EngineKind;
use crate::{daemon, exec, sandbox};

mod agents;
mod containers;
mod skills;
mod tools;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    level: Level,
    says: String,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    Good,
    Warning,
    Bad,
}

/// How much space a home should have to itself, in bytes: a few workspaces and their builds.
const SPACE_BYTES_MIN: u64 = 2 << 30;

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let findings = runtime.block_on(look(context));
    let is_bad = findings.iter().any(|finding| finding.level == Level::Bad);
    if args.json {
        json(&findings)?;
    } else {
        findings.iter().for_each(print);
    }
    if is_bad {
        return Err(kinded(ErrorKind::Unavailable)(anyhow::anyhow!(
            "something is missing; see above"
        )));
    }
    Ok(())
}

fn print(finding: &Finding) {
    let sign = match finding.level {
        Level::Good => "ok  ",
        Level::Warning => "warn",
        Level::Bad => "BAD ",
    };
    line(&format!("{sign}  {:<16} {}", finding.what, zazen_core::text::plain(&finding.says)));
    if let Some(fix) = &finding.fix {
        line(&format!("                       fix: {fix}"));
    }
}

async fn look(context: &Context) -> Vec<Finding> {
    let mut findings = vec![git().await];
    let configured = context.configured();
    let (home, config) = match configured {
        Ok(configured) => configured,
        Err(err) => {
            findings.push(bad(
                "home",
                &err.to_string(),
                "zazen init DIR, or mend the line it names",
            ));
            findings.extend(sandbox_findings(EngineKind::Bwrap).await);
            return findings;
        }
    };
    findings.push(good("home", &home.root().display().to_string()));
    findings.push(daemon_finding(&home));
    for kind in daemon::kinds(&config) {
        match kind {
            EngineKind::Container => findings.extend(containers::look(&config).await),
            EngineKind::Bwrap | EngineKind::None => findings.extend(sandbox_findings(kind).await),
        }
    }
    findings.push(reach(&home, &config));
    findings.extend(agents::look(context, (&home, &config)).await);
    findings.extend(agents::nobody_else(&config));
    findings.extend(models(context, &config));
    findings.extend(github(context, &config));
    findings.extend(repos(&config));
    findings.extend(skills::look(&home, &config));
    findings.extend(tools::look(context, &config));
    findings.push(receipts(&home));
    findings.push(space(&home));
    findings
}

/// The key that receipts are signed with.
fn receipts(home: &Home) -> Finding {
    match keys::current(home) {
        Ok(Some(key)) => good("receipts", &format!("are signed with {key}")),
        Ok(None) => good("receipts", "the key is made with the first one"),
        Err(err) => bad("receipts", &format!("{err:#}"), "do what it says"),
    }
}

async fn git() -> Finding {
    match exec::run(exec::Command::new("git").arg("--version")).await {
        Ok(output) if output.status.success() => good("git", output.stdout_text().trim()),
        Ok(_) | Err(_) => bad("git", "is not there", "apt-get install git, or your system's way"),
    }
}

fn daemon_finding(home: &Home) -> Finding {
    match lock::holder(home) {
        Some(holder) => good("daemon", &format!("is up (process {})", holder.pid)),
        None => warning("daemon", "is not up", "zazen up"),
    }
}

/// What the engine that is asked for does here, and whether another would do.
async fn sandbox_findings(kind: EngineKind) -> Vec<Finding> {
    if kind != EngineKind::None {
        return vec![sandbox_finding(kind).await];
    }
    let mut also = sandbox_finding(EngineKind::Bwrap).await;
    "could use".clone_into(&mut also.what);
    if also.level == Level::Bad {
        also.level = Level::Warning;
    }
    let fix = "set `sandbox.engine = \"bwrap\"`";
    vec![warning("sandbox", daemon::NO_SANDBOX, fix), also]
}

async fn sandbox_finding(kind: EngineKind) -> Finding {
    let word = kind.word();
    let Ok(zazen) = context::zazen() else {
        return bad("sandbox", "zazen's own program is not to be found", "install zazen again");
    };
    let probe = sandbox::probe(kind, &sandbox::Zazen(zazen)).await;
    if probe.isolated {
        let axes: Vec<String> =
            probe.axes.iter().map(|axis| format!("{}: {}", axis.name, axis.detail)).collect();
        return good("sandbox", &format!("{word}; {}", axes.join("; ")));
    }
    let worst = probe.axes.iter().find(|axis| !axis.achieved);
    let says = worst.map_or(format!("{word} does not hold here"), |axis| {
        format!("{word} does not hold here: {}: {}", axis.name, axis.detail)
    });
    let fix = worst.and_then(|axis| axis.fix.clone());
    bad("sandbox", &says, fix.as_deref().unwrap_or("apt-get install bubblewrap"))
}

fn reach(home: &Home, config: &Config) -> Finding {
    if config.sandbox.engine == Engine::None {
        return good("ways", "no sandbox, nothing to reach");
    }
    // What is inside of the home, the daemon opens itself when it starts.
    for path in config.sandbox.tools.iter().map(PathBuf::as_path).chain([home.root()]) {
        if let Err(err) = sandbox::check_reachable(path) {
            return bad("ways", &format!("{err:#}"), "chmod o+x the folder it names");
        }
    }
    good("ways", "the sandbox can reach the home's workspaces and the tools")
}

fn models(context: &Context, config: &Config) -> Vec<Finding> {
    let used = config.used_routes();
    let look = |(name, model): (&String, &config::Model)| {
        let what = format!("models.{name}");
        match &model.target {
            config::Target::Playback { recording } if recording.exists() => {
                good(&what, "plays back a recording; nothing leaves this machine")
            }
            config::Target::Playback { recording } => {
                bad(&what, &format!("{} is not there", recording.display()), "mend `playback`")
            }
            config::Target::Live { base_url, key, .. } => {
                match daemon::read_key(key, &context.environment) {
                    Ok(Some(_)) => good(&what, &format!("{base_url}, with a key")),
                    Ok(None) => good(&what, &format!("{base_url}, without a key")),
                    Err(err) if used.contains(name.as_str()) => bad(
                        &what,
                        &format!("{err:#}"),
                        "set that variable where `zazen up` is started",
                    ),
                    Err(err) => warning(&what, &format!("{err:#}"), "set it, or remove the route"),
                }
            }
        }
    };
    config.models.iter().map(look).collect()
}

/// Whether there is what zazen logs in to GitHub with. Nothing is sent; `github status` does that.
fn github(context: &Context, config: &Config) -> Option<Finding> {
    let at = config.github.as_ref()?.api.to_string();
    let fix = "zazen github setup, or mend `[github]` in zazen.toml";
    Some(match daemon::github_client(config, &context.environment) {
        Ok(Some(_)) => good("github", &format!("{at}, with a login; try it: zazen github status")),
        Ok(None) => warning("github", "zazen.toml does not say how to log in", fix),
        Err(err) => bad("github", &format!("{err:#}"), fix),
    })
}

fn repos(config: &Config) -> Vec<Finding> {
    if config.repos.is_empty() {
        return vec![warning("repos", "there is none yet", "zazen repo add PATH")];
    }
    let look = |repo: &config::Repo| {
        let is_gone = repo.source.starts_with('/') && !std::path::Path::new(&repo.source).exists();
        if is_gone {
            bad(
                repo.name.as_str(),
                &format!("{} is gone", repo.source),
                "mend `source` in zazen.toml",
            )
        } else {
            good(repo.name.as_str(), &repo.source)
        }
    };
    config.repos.iter().map(look).collect()
}

fn space(home: &Home) -> Finding {
    let Ok(stat) = rustix::fs::statvfs(home.root()) else {
        return warning("disk", "the free space is not known", "df");
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let says = format!("{} MiB free", free >> 20);
    if free < SPACE_BYTES_MIN {
        return warning("disk", &says, "make space; below a few MiB zazen stops taking on work");
    }
    good("disk", &says)
}

fn good(what: &str, says: &str) -> Finding {
    Finding { what: what.to_owned(), level: Level::Good, says: says.to_owned(), fix: None }
}

fn warning(what: &str, says: &str, fix: &str) -> Finding {
    let fix = Some(fix.to_owned());
    Finding { what: what.to_owned(), level: Level::Warning, says: says.to_owned(), fix }
}

fn bad(what: &str, says: &str, fix: &str) -> Finding {
    Finding { level: Level::Bad, ..warning(what, says, fix) }
}
