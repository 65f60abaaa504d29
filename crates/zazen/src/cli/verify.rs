//! `zazen verify`: whether a receipt holds, and if not, which link of it is broken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use tempfile::TempDir;
use zazen_core::engine::Book;
use zazen_core::id::{CommitId, PullNumber, RepoName, TaskId};
use zazen_core::receipt::{Envelope, Finding, KeyId, Link, Outcome, Report, Verdict, statement};
use zazen_core::task::Task;
use zazen_core::text::plain;
use zazen_core::words;

use super::{Context, ErrorKind, Result, json, kinded, line};
use crate::daemon;
use crate::home::{Home, keys};
use crate::receipt::check::{self, Checked};
use crate::receipt::{Place, bundle};

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Args {
    /// A task's number, a pull request (`#3` or `owner/name#3`), a bundle's file or folder, or
    /// a receipt alone
    #[arg(required_unless_present = "show_key", value_name = "TASK|PR|BUNDLE")]
    what: Option<String>,
    #[command(flatten)]
    keys: Keys,
    /// Look the commits up in this clone of the repository
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// Be content where something could not be checked, and the rest holds
    #[arg(long)]
    partial: bool,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
    /// Print the key that this home signs with, and no more
    #[arg(long, conflicts_with_all = ["what", "key", "trust", "repo", "partial"])]
    show_key: bool,
}

/// The keys that a person names.
#[derive(Debug, clap::Args)]
pub(super) struct Keys {
    /// Believe the keys on this page: somebody's `receipts.pub`
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Believe this key
    #[arg(long, value_name = "KEYID")]
    trust: Vec<KeyId>,
}

/// The answer, for machines.
#[derive(Debug, Serialize)]
struct Json<'a> {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repo: Option<&'a RepoName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<&'a CommitId>,
    links: Vec<LinkJson<'a>>,
}

#[derive(Debug, Serialize)]
struct LinkJson<'a> {
    /// Like `recording 12.3`.
    link: String,
    outcome: &'static str,
    says: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'static str>,
}

/// What is looked at, and what keeps it there meanwhile.
pub(super) enum Found {
    There(Place),
    Unpacked { place: Place, _dir: TempDir },
}

pub(super) fn run(args: &Args, context: &Context) -> Result {
    let Some(what) = &args.what else { return show_key(args, context) };
    let trusted = trusted(&args.keys, context)?;
    let checked = match find(what, context) {
        Ok(found) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let place = found.place().clone();
            let place = match &args.repo {
                Some(dir) => place.with_repo(&super::context::absolute(dir)?),
                None => place,
            };
            runtime.block_on(check::check(&place, &trusted))
        }
        Err(NotFound::Bundle(err)) => not_a_bundle(&err),
        Err(NotFound::Other(err)) => return Err(err),
    };
    if args.json {
        json(&as_json(&checked))?;
    } else {
        print(&checked);
    }
    let said = words::checked(&checked.report);
    match checked.report.verdict() {
        Verdict::Holds => Ok(()),
        Verdict::Partial if args.partial => Ok(()),
        Verdict::Partial => {
            Err(kinded(ErrorKind::Partial)(anyhow!("{said} `--partial` is content with that")))
        }
        Verdict::Broken => Err(kinded(ErrorKind::Failed)(anyhow!("{said}"))),
    }
}

fn show_key(args: &Args, context: &Context) -> Result {
    let home = context.home()?;
    let key = keys::current(&home)?;
    if args.json {
        return json(&serde_json::json!({ "key": key, "known": keys::known(&home)? }));
    }
    match key {
        Some(key) => line(&key.to_string()),
        None => line("no key yet; it is made with the first receipt"),
    }
    Ok(())
}

/// The keys that are believed: those that the person names, and else those of the home.
pub(super) fn trusted(named: &Keys, context: &Context) -> Result<BTreeSet<KeyId>> {
    let mut trusted: BTreeSet<KeyId> = named.trust.iter().copied().collect();
    for page in &named.key {
        trusted.extend(keys::read_known(page)?);
    }
    if named.trust.is_empty()
        && named.key.is_empty()
        && let Ok(home) = context.home()
    {
        trusted.extend(keys::known(&home)?);
    }
    Ok(trusted)
}

/// Why there is nothing to look at.
pub(super) enum NotFound {
    /// The file is there, and is no bundle that could be read.
    Bundle(anyhow::Error),
    Other(super::Failure),
}

impl<E: Into<super::Failure>> From<E> for NotFound {
    fn from(err: E) -> Self {
        Self::Other(err.into())
    }
}

/// Finds what the person means.
pub(super) fn find(what: &str, context: &Context) -> std::result::Result<Found, NotFound> {
    let path = Path::new(what);
    if path.is_dir() {
        return Place::unpacked(path).map(Found::There).map_err(NotFound::Bundle);
    }
    if path.is_file() && check::read_envelope(path).is_ok() {
        return Ok(Found::There(Place::alone(path)));
    }
    if path.is_file() {
        let (dir, place) = bundle::open(path).map_err(NotFound::Bundle)?;
        return Ok(Found::Unpacked { place, _dir: dir });
    }
    let home = context.home()?;
    let book = Context::book(&home)?;
    let task = find_task(what, &book)?;
    Ok(Found::There(of_task(&home, &task)?))
}

/// The files of a task's last receipt.
pub(super) fn of_task(home: &Home, task: &Task) -> Result<Place> {
    let task_dir = daemon::task_dir(home, task);
    let page = Home::receipt_page(&task_dir);
    if !page.exists() {
        let why = format!(
            "task {} has no receipt; one is made when its checks have passed, before it is pushed",
            task.id
        );
        return Err(kinded(ErrorKind::Failed)(anyhow!(why)));
    }
    // Where it cannot be read, that is what will be said; the rest is then not looked at.
    let head = check::read_envelope(&page).ok().and_then(|envelope| head_of(&envelope));
    let nowhere = || "0".repeat(40).parse().expect("forty digits are a commit");
    let head = head.unwrap_or_else(nowhere);
    Ok(Place::in_home(home, &task_dir, (task.id, &task.repo, &head)))
}

fn head_of(envelope: &Envelope) -> Option<CommitId> {
    Some(statement::parse(envelope.unsigned.payload()).ok()?.head.commit)
}

/// The task that a person means by its number, or by that of its pull request.
pub(super) fn find_task(what: &str, book: &Book) -> Result<Task> {
    let usage = |why: String| kinded(ErrorKind::Usage)(anyhow!(why));
    let Some((repo, number)) = what.split_once('#') else {
        let number = what.parse().map_err(|_| {
            usage(format!("`{what}` is no task, no pull request (`#3`), and no file"))
        })?;
        let task = book.task(TaskId(number));
        return Ok(task.with_context(|| format!("there is no task {number}"))?.into_owned());
    };
    let number = number.parse().map(PullNumber);
    let number = number.map_err(|_| usage(format!("`{what}` is no pull request, like `#3`")))?;
    let is_it = |task: &Task| {
        task.state.pull() == Some(number) && (repo.is_empty() || task.repo.as_str() == repo)
    };
    let found: Vec<Task> =
        book.tasks().filter(|task| is_it(task)).map(std::borrow::Cow::into_owned).collect();
    match <[Task; 1]>::try_from(found) {
        Ok([task]) => Ok(task),
        Err(none) if none.is_empty() => {
            Err(anyhow!("no task here has the pull request `{what}`").into())
        }
        Err(_) => Err(usage(format!("there are several `{what}`; write `owner/name{what}`"))),
    }
}

impl Found {
    pub(super) fn place(&self) -> &Place {
        match self {
            Self::There(place) | Self::Unpacked { place, .. } => place,
        }
    }
}

/// A file that is no bundle is one whose first link is broken.
fn not_a_bundle(err: &anyhow::Error) -> Checked {
    let mut report = Report::default();
    report.add(Link::Bundle, Outcome::Broken { why: plain(&format!("{err:#}")) });
    Checked { key: None, receipt: None, report }
}

fn print(checked: &Checked) {
    if let Some(receipt) = &checked.receipt {
        let (repo, issue) = (&receipt.issue.repo, receipt.issue.number);
        line(&format!(
            "task {} ({repo} #{issue}) at {}, by zazen {}",
            receipt.task,
            receipt.head.commit.short(),
            plain(&receipt.zazen)
        ));
    }
    if let Some(key) = checked.key {
        line(&format!("signed with {key}"));
    }
    checked.report.findings.iter().for_each(print_link);
    if checked.report.verdict() == Verdict::Holds {
        line(&words::checked(&checked.report));
    }
}

fn print_link(finding: &Finding) {
    let (sign, why) = match &finding.outcome {
        Outcome::Holds => ("ok  ", None),
        Outcome::Broken { why } => ("BAD ", Some(why)),
        Outcome::Unknown { why } => ("?   ", Some(why)),
    };
    line(&format!("{sign}  {:<14} {}", finding.link.to_string(), words::link(finding.link)));
    if let Some(why) = why {
        line(&format!("                     {}", plain(why)));
    }
    if let Outcome::Broken { .. } = finding.outcome {
        line(&format!("                     do: {}", words::mend_link(finding.link)));
    }
}

fn as_json(checked: &Checked) -> Json<'_> {
    let receipt = checked.receipt.as_ref();
    Json {
        verdict: match checked.report.verdict() {
            Verdict::Holds => "holds",
            Verdict::Partial => "partial",
            Verdict::Broken => "broken",
        },
        key: checked.key,
        task: receipt.map(|receipt| receipt.task),
        repo: receipt.map(|receipt| &receipt.issue.repo),
        head: receipt.map(|receipt| &receipt.head.commit),
        links: checked.report.findings.iter().map(link_json).collect(),
    }
}

fn link_json(finding: &Finding) -> LinkJson<'_> {
    let (outcome, why) = match &finding.outcome {
        Outcome::Holds => ("holds", None),
        Outcome::Broken { why } => ("broken", Some(why.as_str())),
        Outcome::Unknown { why } => ("unknown", Some(why.as_str())),
    };
    LinkJson {
        link: finding.link.to_string(),
        outcome,
        says: words::link(finding.link),
        why,
        fix: (outcome == "broken").then(|| words::mend_link(finding.link)),
    }
}
