//! `zazen issue`: issues of the local forge, for people without an editor at hand.

use std::io::{IsTerminal as _, Read as _};

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;
use zazen_core::brief;
use zazen_core::id::{IssueNumber, RepoName};
use zazen_core::text::{one_line, plain};

use super::{Context, ErrorKind, Result, json, kinded, line};
use crate::config::{Config, Forge};
use crate::forge::local::NewIssue;
use crate::forge::{Comment, Issue};

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it at a time")]
pub(super) enum Command {
    /// Open an issue
    New(New),
    /// Comment on an issue; a line with a command such as `/plan` is acted on
    Comment(CommentArgs),
    /// List the issues
    List(List),
    /// Show an issue with its comments
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// What it is about, in a line
    title: String,
    /// The text of the issue [default: standard input, if something is piped in]
    #[arg(long, short)]
    body: Option<String>,
    /// The repository, as owner/name [default: the only one]
    #[arg(long)]
    repo: Option<RepoName>,
    /// A label; can be given several times
    #[arg(long)]
    label: Vec<String>,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    brief: BriefArgs,
}

/// The parts of a brief. With one of them, the text is what there is to know besides.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Brief")]
struct BriefArgs {
    /// What should be true when it is done
    #[arg(long)]
    goal: Option<String>,
    /// What should stay as it is; can be given several times
    #[arg(long)]
    non_goal: Vec<String>,
    /// The command that shows that it is done
    #[arg(long)]
    check: Option<String>,
    /// Where to stop and ask
    #[arg(long)]
    ask_first: Option<String>,
    /// Who is asked for a review; can be given several times
    #[arg(long)]
    reviewer: Vec<String>,
    /// The most that it may cost, such as "$5" or "500k tokens"
    #[arg(long)]
    budget: Option<String>,
    /// After this, no agent begins anything: "2027-01-31" or "2027-01-31 18:00", in UTC
    #[arg(long)]
    deadline: Option<String>,
}

impl BriefArgs {
    /// The text of an issue that is a brief, where one of the parts was given.
    fn text(&self, body: String) -> Result<String> {
        let list: Vec<String> = self.non_goal.iter().map(|it| format!("- {it}")).collect();
        let (non_goals, reviewers) = (list.join("\n"), self.reviewer.join(", "));
        let or_empty = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        let [goal, check, boundary, budget, deadline] =
            [&self.goal, &self.check, &self.ask_first, &self.budget, &self.deadline].map(or_empty);
        let fields = brief::Fields {
            goal: &goal,
            non_goals: &non_goals,
            check: &check,
            boundary: &boundary,
            reviewers: &reviewers,
            budget: &budget,
            deadline: &deadline,
            context: "",
        };
        if fields == brief::Fields::default() {
            return Ok(body);
        }
        fields.check().map_err(|why| kinded(ErrorKind::Usage)(anyhow::anyhow!(why)))?;
        Ok(brief::print(&brief::Fields { context: &body, ..fields }))
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct CommentArgs {
    /// The issue's number
    issue: u64,
    /// The text [default: standard input]
    text: Option<String>,
    /// The repository, as owner/name [default: the only one]
    #[arg(long)]
    repo: Option<RepoName>,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// The repository, as owner/name [default: all]
    #[arg(long)]
    repo: Option<RepoName>,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The issue's number
    issue: u64,
    /// The repository, as owner/name [default: the only one]
    #[arg(long)]
    repo: Option<RepoName>,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

/// An issue, for machines.
#[derive(Debug, Serialize)]
struct IssueJson {
    repo: RepoName,
    issue: IssueNumber,
    title: String,
    author: String,
    open: bool,
    labels: Vec<String>,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<Vec<CommentJson>>,
}

#[derive(Debug, Serialize)]
struct CommentJson {
    comment: u64,
    author: String,
    at: String,
    body: String,
    reactions: Vec<String>,
}

pub(super) fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::New(args) => new(args, context),
        Command::Comment(args) => comment(args, context),
        Command::List(args) => list(&args, context),
        Command::Show(args) => show(&args, context),
    }
}

/// What is on another forge is written there: here are only copies.
fn check_local(config: &Config, repo: &RepoName) -> Result {
    let found = config.repos.iter().find(|known| known.name == *repo);
    let is_local = found.is_none_or(|known| known.forge == Forge::Local);
    let Some(github) = config.github.as_ref().filter(|_| !is_local) else { return Ok(()) };
    let page = github.web().join(&format!("{repo}/issues")).context("name the page")?;
    let why = anyhow::anyhow!("the issues of {repo} are on GitHub; write there: {page}");
    Err(kinded(ErrorKind::Usage)(why))
}

fn new(args: New, context: &Context) -> Result {
    let (home, config, forge) = context.forge()?;
    let repo = Context::repo(&config, args.repo.as_ref())?;
    check_local(&config, &repo)?;
    let body = match args.body {
        Some(body) => body,
        None if std::io::stdin().is_terminal() => String::new(),
        None => piped()?,
    };
    let body = args.brief.text(body)?;
    let issue = forge
        .open_issue(
            &repo,
            &NewIssue {
                title: &args.title,
                body: &body,
                author: &config.name,
                labels: &args.label,
            },
        )
        .map_err(kinded(ErrorKind::Usage))?;
    if args.json {
        return json(&serde_json::json!({ "repo": repo, "issue": issue }));
    }
    line(&format!("#{issue} in {repo}"));
    let path = home.forge_dir(&repo).join("issues").join(issue.to_string());
    line(&format!("  {}", path.join("issue.md").display()));
    line(&format!("  next: zazen issue comment {issue} /plan"));
    Ok(())
}

fn comment(args: CommentArgs, context: &Context) -> Result {
    let (_, config, forge) = context.forge()?;
    let repo = Context::repo(&config, args.repo.as_ref())?;
    check_local(&config, &repo)?;
    let text = match args.text {
        Some(text) => text,
        None => piped()?,
    };
    let issue = IssueNumber(args.issue);
    let id =
        forge.comment(&repo, issue, (&config.name, &text)).map_err(kinded(ErrorKind::Usage))?;
    if args.json {
        return json(&serde_json::json!({ "repo": repo, "issue": issue, "comment": id }));
    }
    line(&format!("comment {id} on #{issue} in {repo}"));
    Ok(())
}

fn piped() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("read the text from standard input")?;
    Ok(text)
}

fn list(args: &List, context: &Context) -> Result {
    let (_, config, forge) = context.forge()?;
    let mut issues = Vec::new();
    for repo in &config.repos {
        if args.repo.as_ref().is_some_and(|wanted| *wanted != repo.name) {
            continue;
        }
        for number in forge.issue_numbers(&repo.name)? {
            issues.push(forge.issue(&repo.name, number)?);
        }
    }
    if args.json {
        let issues: Vec<IssueJson> = issues.into_iter().map(|issue| of(issue, None)).collect();
        return json(&issues);
    }
    if issues.is_empty() {
        line("no issues yet; `zazen issue new TITLE` opens one");
    }
    for issue in issues {
        let state = if issue.open { "open" } else { "closed" };
        let title = one_line(&issue.title, 80);
        let repo = issue.repo.to_string();
        line(&format!("{repo:<24} #{:<5} {state:<7} {title}", issue.number.0));
    }
    Ok(())
}

fn show(args: &Show, context: &Context) -> Result {
    let (_, config, forge) = context.forge()?;
    let repo = Context::repo(&config, args.repo.as_ref())?;
    let number = IssueNumber(args.issue);
    let issue = forge.issue(&repo, number).map_err(kinded(ErrorKind::Usage))?;
    let comments = forge.comments(&repo, number)?;
    if args.json {
        return json(&of(issue, Some(comments)));
    }
    line(&format!("#{number} {}", one_line(&issue.title, 200)));
    line(&heading(&[issue.repo.as_str(), &plain(&issue.author), &issue.at]));
    if !issue.body.is_empty() {
        line(&format!("\n{}", plain(&issue.body)));
    }
    for comment in comments {
        let seen = if comment.reactions.is_empty() { "" } else { "taken" };
        let author = one_line(&comment.author, 80);
        let id = comment.id.to_string();
        line(&format!("\n── {}\n", heading(&[&id, &author, &comment.at, seen])));
        line(&plain(&comment.body));
    }
    Ok(())
}

/// What is known, in a line. A text that was written by hand says little of itself.
fn heading(parts: &[&str]) -> String {
    let known: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    known.join(" · ")
}

fn of(issue: Issue, comments: Option<Vec<Comment>>) -> IssueJson {
    IssueJson {
        repo: issue.repo,
        issue: issue.number,
        title: issue.title,
        author: issue.author,
        open: issue.open,
        labels: issue.labels,
        at: issue.at,
        body: comments.is_some().then_some(issue.body),
        comments: comments.map(|comments| {
            comments
                .into_iter()
                .map(|comment| CommentJson {
                    comment: comment.id.n,
                    author: comment.author,
                    at: comment.at,
                    body: comment.body,
                    reactions: comment.reactions,
                })
                .collect()
        }),
    }
}
