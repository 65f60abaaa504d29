//! Copies of what is said on other forges.
//!
//! They are pages like those of the local forge, so whoever reads issues reads them the
//! same way. What another forge says beside the text stands in keys of the page. A text
//! is copied once: what people change later on is not what was approved.

use std::path::Path;

use anyhow::Context as _;
use zazen_core::command::Name;
use zazen_core::id::{CommentId, IssueNumber, PullNumber, RepoName, Time};
use zazen_core::intake::Implied;
use zazen_core::page::Page;
use zazen_core::trust::Permission;

use super::{BOT, Local, new_page, now, put, read_page, value};
use crate::forge::{Happened, Proposed, Pull, PullState};

/// A text of another forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy<'a> {
    pub author: &'a str,
    pub body: &'a str,
    /// When it was written.
    pub at: Time,
    /// What its author may do in the repository. Nothing is said of zazen itself.
    pub permission: Option<Permission>,
    /// What the forge calls the author: a member, a contributor.
    pub association: &'a str,
    pub is_bot: bool,
    /// What it asks for by other means than words: a label, a review, red checks.
    pub implied: Option<Implied>,
    /// What somebody did, where it stands for an act and not for words.
    pub happened: Option<Happened>,
    /// Whether it was written before zazen was there: then it asks for nothing.
    pub is_old: bool,
}

/// What an issue is, beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About<'a> {
    pub title: &'a str,
    pub open: bool,
    pub labels: &'a [String],
    /// What is proposed, if it is a pull request.
    pub proposed: Option<Proposed>,
}

/// How a page says that checks are red; the commit follows.
const RED_CHECKS: &str = "red-checks";

/// What stands on the page of a repository.
const SINCE: &str = "Commands that were written before this time ask zazen for nothing.";

impl Local {
    /// Keeps the text of an issue. What is there stays, unless it is to be `refreshed`;
    /// whether it is open and its labels are always as given.
    pub fn keep_issue(
        &self,
        (repo, issue): (&RepoName, IssueNumber),
        about: &About<'_>,
        text: &Copy<'_>,
        refreshed: bool,
    ) -> anyhow::Result<()> {
        let path = self.text_path(repo, (issue, CommentId::ISSUE));
        let there = if path.exists() { Some(read_page(&path)?) } else { None };
        let mut page = match there {
            // A page of our own says which issue it is, and is not to be lost.
            Some(page) if !refreshed || page.get("key").is_some() => page,
            Some(_) | None => {
                let mut page = text.page()?;
                page.set("title", about.title);
                page
            }
        };
        page.set("state", if about.open { "open" } else { "closed" });
        if let Some(proposed) = &about.proposed {
            put_proposed(&mut page, proposed);
        }
        let labels: Vec<&str> = about.labels.iter().map(String::as_str).collect();
        page.set_list("labels", &labels);
        put_changed(&path, &page)
    }

    /// Keeps a text on an issue. One that is there stays, unless it is to be `refreshed`.
    pub fn keep_text(
        &self,
        at: (&RepoName, IssueNumber, CommentId),
        text: &Copy<'_>,
        refreshed: bool,
    ) -> anyhow::Result<()> {
        let (repo, issue, id) = at;
        let path = self.text_path(repo, (issue, id));
        // A page of our own comment says which one it is, and is not to be lost.
        if path.exists() && (!refreshed || read_page(&path)?.get("key").is_some()) {
            return Ok(());
        }
        put_changed(&path, &text.page()?)
    }

    /// When zazen was pointed at this repository. The first time that it is asked is kept.
    pub fn since(&self, repo: &RepoName) -> anyhow::Result<Time> {
        let path = self.repo_dir(repo).join("repo.md");
        if path.exists() {
            let said = value(&read_page(&path)?, "since");
            return moment(&said)
                .with_context(|| format!("`since: {said}` in {} is no time", path.display()));
        }
        let since = now();
        let page = new_page(&[("since", &since)], SINCE)?;
        put(&path, &page.print())?;
        moment(&since).context("the present time can be read")
    }

    /// The name by which people speak to zazen in this repository, once it is known.
    pub fn bot(&self, repo: &RepoName) -> Option<String> {
        let page = read_page(&self.repo_dir(repo).join("repo.md")).ok()?;
        Some(value(&page, "bot")).filter(|bot| !bot.is_empty())
    }

    /// Keeps the name by which people speak to zazen in this repository.
    pub fn keep_bot(&self, repo: &RepoName, bot: &str) -> anyhow::Result<()> {
        let path = self.repo_dir(repo).join("repo.md");
        let mut page = read_page(&path)?;
        page.set("bot", bot);
        put_changed(&path, &page)
    }

    /// Whether a text of another forge is kept.
    pub fn has_text(&self, repo: &RepoName, at: (IssueNumber, CommentId)) -> bool {
        self.text_path(repo, at).exists()
    }

    /// Keeps a comment of our own, and what is now shown there.
    pub fn keep_own(
        &self,
        (repo, issue, id): (&RepoName, IssueNumber, CommentId),
        (key, body): (&str, &str),
    ) -> anyhow::Result<()> {
        let path = self.text_path(repo, (issue, id));
        put_changed(&path, &new_page(&[("author", BOT), ("key", key)], body)?)
    }

    /// The comment of our own with this key, and what it shows.
    pub fn own(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        key: &str,
    ) -> anyhow::Result<Option<(CommentId, String)>> {
        let comments = self.comments(repo, issue)?;
        let mine = comments
            .into_iter()
            .find(|comment| comment.author == BOT && comment.key.as_deref() == Some(key));
        Ok(mine.map(|comment| (comment.id, comment.body)))
    }

    /// Forgets a comment that is gone there.
    pub fn forget_text(&self, repo: &RepoName, at: (IssueNumber, CommentId)) -> anyhow::Result<()> {
        match std::fs::remove_file(self.text_path(repo, at)) {
            Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(err.into()),
            _ => Ok(()),
        }
    }

    /// Keeps what a pull request of ours is by now.
    pub fn keep_pull(
        &self,
        repo: &RepoName,
        pull: &Pull,
        issue: Option<IssueNumber>,
    ) -> anyhow::Result<()> {
        let path = self.pull_path(repo, pull.number);
        let mut page = if path.exists() { read_page(&path)? } else { new_page(&[], &pull.body)? };
        let state = match pull.state {
            PullState::Open => "open",
            PullState::Merged => "merged",
            PullState::Closed => "closed",
        };
        page.set("title", &pull.title);
        page.set("author", BOT);
        page.set("state", state);
        page.set("draft", if pull.draft { "true" } else { "false" });
        page.set("branch", &pull.branch);
        page.set("base", &pull.base);
        page.set("head", &pull.head);
        if let Some(issue) = issue {
            page.set("issue", &issue.to_string());
        }
        put_changed(&path, &page)
    }

    /// The numbers of the pull requests that there is a page of.
    pub fn has_pull(&self, repo: &RepoName, number: PullNumber) -> bool {
        self.pull_path(repo, number).exists()
    }
}

impl Copy<'_> {
    fn page(&self) -> anyhow::Result<Page> {
        let permission = self.permission.map(|permission| permission.to_string());
        let at = written(self.at);
        let mut keys =
            vec![("author", self.author), ("at", at.as_str()), ("association", self.association)];
        keys.extend(permission.as_deref().map(|permission| ("permission", permission)));
        if self.is_bot {
            keys.push(("bot", "true"));
        }
        let implied = self.implied.as_ref().map(written_implied);
        keys.extend(implied.as_deref().map(|implied| ("implied", implied)));
        keys.extend(self.happened.map(|happened| ("happened", happened.word())));
        if self.is_old {
            keys.push(("old", "true"));
        }
        new_page(&keys, self.body)
    }
}

/// Writes a page if that changes it: each change wakes whoever watches.
fn put_changed(path: &Path, page: &Page) -> anyhow::Result<()> {
    let text = page.print();
    let there: Option<String> = read(path);
    if there.as_deref() == Some(text.as_str()) { Ok(()) } else { put(path, &text) }
}

/// What a copy asks for without a command in it.
pub(super) fn implied(page: &Page) -> Option<Implied> {
    let said = value(page, "implied");
    match said.split_once(' ') {
        Some((RED_CHECKS, head)) => Some(Implied::RedChecks { head: head.parse().ok()? }),
        Some(_) => None,
        None => Name::from_word(&said).map(Implied::Command),
    }
}

/// What the page of a conversation says that is about a pull request.
pub(super) fn proposed(page: &Page) -> Option<Proposed> {
    let is_true = |key| value(page, key) == "true";
    (value(page, "kind") == "pull").then_some(())?;
    Some(Proposed {
        head: value(page, "head").parse().ok()?,
        base: value(page, "base"),
        draft: is_true("draft"),
        merged: is_true("merged"),
        fork: is_true("fork"),
    })
}

fn put_proposed(page: &mut Page, proposed: &Proposed) {
    let Proposed { head, base, draft, merged, fork } = proposed;
    page.set("kind", "pull");
    page.set("head", head.as_str());
    page.set("base", base);
    for (key, is_so) in [("draft", draft), ("merged", merged), ("fork", fork)] {
        page.set(key, if *is_so { "true" } else { "false" });
    }
}

fn written_implied(implied: &Implied) -> String {
    match implied {
        Implied::Command(name) => name.word().to_owned(),
        Implied::RedChecks { head } => format!("{RED_CHECKS} {head}"),
    }
}

/// A time, as pages show it.
fn written(time: Time) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(time.0).unwrap_or(0));
    at.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads a time as pages show it.
fn moment(text: &str) -> Option<Time> {
    let at: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok().map(Time)
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
