//! Copies a conversation into the home.
//!
//! What is copied: the issues and pull requests that somebody asked zazen about, or that it
//! works on. Everything that people do becomes a text by somebody, on a page of its own:
//! comments, reviews, labels. A text is copied once. It is copied anew only while nothing
//! is under way on the issue, so what agents read is what was there when it was approved.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use zazen_core::command::{self, Command, Name};
use zazen_core::id::{CommentId, IssueNumber, PullNumber, RepoName, Stream};
use zazen_core::intake::Implied;
use zazen_core::text::one_line;
use zazen_core::trust::Permission;

use super::client::{Actor, Item, ReviewState, Text};
use super::marker::marker;
use super::{GitHub, trigger};
use crate::forge::local::{About, BOT, Copy};
use crate::forge::{Happened, Proposed, Pull, PullState};

/// What the home knows of an issue before it is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// zazen works on it, or has.
    pub is_ours: bool,
    /// Work on it was approved: what was read stays as it was.
    pub is_frozen: bool,
}

/// What came of copying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// Nobody asks zazen for anything there.
    NotOurs,
    /// It is there, and nothing of it was copied.
    There,
    /// The pages are as GitHub is.
    UpToDate,
    /// It was deleted, transferred, or is not to be seen any more.
    Gone,
}

/// How long it is believed what somebody may do who gives no command: their words are read
/// by agents or not, and nothing starts from them.
const PERMISSION_AGE_MAX: Duration = Duration::from_secs(10 * 60);

/// How long a title may be, in characters.
const TITLE_CHARS_MAX: usize = 256;

/// One text, with its place.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: CommentId,
    pub(super) text: Text,
    /// What it asks for without saying it.
    pub(super) implied: Option<Implied>,
    pub(super) happened: Option<Happened>,
    /// It is zazen's own.
    pub(super) is_own: bool,
}

impl Found {
    /// Words, and nothing else.
    pub(super) fn said(id: CommentId, text: Text) -> Self {
        Self { id, text, implied: None, happened: None, is_own: false }
    }
}

impl GitHub {
    /// Makes the pages of an issue or a pull request say what GitHub says.
    pub async fn copy(
        &self,
        (repo, number): (&RepoName, IssueNumber),
        known: Known,
    ) -> anyhow::Result<Copied> {
        let item = match self.0.client.issue(repo, number).await {
            Err(err) if err.is_absent() => return Ok(Copied::Gone),
            item => item?,
        };
        if item.is_pull {
            self.copy_pull(repo, PullNumber(number.0)).await?;
        }
        let me = self.0.client.me().await?;
        self.0.pages.keep_bot(repo, spoken_to(&me))?;
        let found = self.find_texts((repo, number), (&item, &me), known).await?;
        let is_kept = self.0.pages.has_text(repo, (number, CommentId::ISSUE));
        let bots = [spoken_to(&me)];
        let is_asked = found.iter().any(|found| self.asks((repo, number), (found, &bots)));
        if !known.is_ours && !is_kept && !is_asked {
            return Ok(Copied::NotOurs);
        }
        self.keep((repo, number), (&item, found), (known, &bots)).await?;
        Ok(Copied::UpToDate)
    }

    /// Looks whether an issue is still there. What changed on it, GitHub lists.
    pub async fn look_for(&self, repo: &RepoName, number: IssueNumber) -> anyhow::Result<Copied> {
        match self.0.client.issue(repo, number).await {
            Err(err) if err.is_absent() => Ok(Copied::Gone),
            item => Ok(item.map(|_| Copied::There)?),
        }
    }

    /// Everything on an issue that others said, in the order of each stream.
    async fn find_texts(
        &self,
        (repo, number): (&RepoName, IssueNumber),
        (item, me): (&Item, &Actor),
        known: Known,
    ) -> anyhow::Result<Vec<Found>> {
        let mut found = vec![Found::said(CommentId::ISSUE, trigger::of_item(item))];
        for text in self.0.client.comments(repo, number).await? {
            found.push(Found::said(CommentId::comment(text.id), text));
        }
        if item.is_pull {
            found.extend(self.find_reviews((repo, number)).await?);
        }
        if known.is_ours || trigger::may_be(item, me) {
            let events = self.0.client.events(repo, number).await?;
            found.extend(events.iter().filter_map(|event| trigger::of_event(event, me)));
        }
        // With a person's token, that person's words are not ours: ours have the marker.
        found.retain(|found| found.id == CommentId::ISSUE || !is_own(&found.text, me));
        if let Some(own) = found.first_mut().filter(|found| is_own(&found.text, me)) {
            // A pull request of ours. Its page says what it says.
            own.is_own = true;
            own.text.body.clear();
        }
        Ok(found)
    }

    /// Whether somebody asks zazen for something that it has not read yet.
    fn asks(
        &self,
        (repo, number): (&RepoName, IssueNumber),
        (found, bots): (&Found, &[&str]),
    ) -> bool {
        let asks = found.implied.is_some() || is_command(&found.text.body, bots);
        asks && !self.is_old(repo, &found.text) && !self.0.pages.has_text(repo, (number, found.id))
    }

    fn is_old(&self, repo: &RepoName, text: &Text) -> bool {
        self.0.since.get(repo).is_none_or(|since| text.created < *since)
    }

    async fn keep(
        &self,
        (repo, number): (&RepoName, IssueNumber),
        (item, found): (&Item, Vec<Found>),
        (known, bots): (Known, &[&str]),
    ) -> anyhow::Result<()> {
        let is_new = |found: &Found| !self.0.pages.has_text(repo, (number, found.id));
        // Who asks for a new plan has read what is there now.
        let refreshed =
            !known.is_frozen || found.iter().any(|found| is_new(found) && plans(found, bots));
        let about = About {
            title: &one_line(&item.title, TITLE_CHARS_MAX),
            open: item.open,
            labels: &item.labels,
            proposed: self.proposed(repo, item).await?,
        };
        for found in &found {
            let is_issue = found.id == CommentId::ISSUE;
            if !is_new(found) && !refreshed && !is_issue {
                continue;
            }
            let permission = self.permission(repo, (found, bots)).await?;
            let copy = self.copy_of(repo, found, permission);
            if is_issue {
                self.0.pages.keep_issue((repo, number), &about, &copy, refreshed)?;
            } else {
                self.0.pages.keep_text((repo, number, found.id), &copy, refreshed)?;
            }
        }
        Ok(())
    }

    fn copy_of<'a>(
        &self,
        repo: &RepoName,
        found: &'a Found,
        permission: Option<Permission>,
    ) -> Copy<'a> {
        let Text { author, body, created, association, .. } = &found.text;
        Copy {
            author: if found.is_own { BOT } else { &author.login },
            body,
            at: *created,
            permission,
            association,
            is_bot: author.is_bot,
            implied: found.implied.clone(),
            happened: found.happened,
            is_old: self.is_old(repo, &found.text),
        }
    }

    /// What the author of a text may do. Asked anew for whoever gives a command.
    async fn permission(
        &self,
        repo: &RepoName,
        (found, bots): (&Found, &[&str]),
    ) -> anyhow::Result<Option<Permission>> {
        if found.is_own {
            return Ok(None);
        }
        let login = &found.text.author.login;
        let key = (repo.clone(), login.clone());
        let is_command = found.implied.is_some() || is_command(&found.text.body, bots);
        let known =
            self.0.permissions.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if let Some((permission, at)) = known
            && !is_command
            && at.elapsed() < PERMISSION_AGE_MAX
        {
            return Ok(Some(permission));
        }
        let asked = self.0.client.permission(repo, login).await;
        let permission = asked.with_context(|| format!("ask what {login} may do in {repo}"))?;
        let mut known = self.0.permissions.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, at)| at.elapsed() < PERMISSION_AGE_MAX);
        known.insert(key, (permission, Instant::now()));
        Ok(Some(permission))
    }

    /// What is proposed by a pull request, anybody's.
    async fn proposed(&self, repo: &RepoName, item: &Item) -> anyhow::Result<Option<Proposed>> {
        if !item.is_pull {
            return Ok(None);
        }
        let pull = self.0.client.pull(repo, PullNumber(item.number.0)).await?;
        Ok(Some(Proposed {
            fork: !pull.is_of(repo),
            merged: pull.state == PullState::Merged,
            head: pull.head,
            base: pull.base,
            draft: pull.draft,
        }))
    }

    /// Keeps what a pull request is by now.
    async fn copy_pull(&self, repo: &RepoName, number: PullNumber) -> anyhow::Result<()> {
        if !self.0.pages.has_pull(repo, number) {
            return Ok(());
        }
        let pull = self.0.client.pull(repo, number).await?;
        let page = Pull {
            number,
            title: pull.title,
            branch: pull.branch,
            base: pull.base,
            state: pull.state,
            draft: pull.draft,
            body: String::new(),
            head: pull.head.to_string(),
        };
        self.0.pages.keep_pull(repo, &page, None)
    }

    /// Reviews that say something, and comments on lines.
    async fn find_reviews(
        &self,
        (repo, number): (&RepoName, IssueNumber),
    ) -> anyhow::Result<Vec<Found>> {
        let pull = PullNumber(number.0);
        let lines = self.0.client.review_comments(repo, pull).await?;
        let mut found = Vec::new();
        for review in self.0.client.reviews(repo, pull).await? {
            if review.state == ReviewState::Pending {
                continue;
            }
            let asks_for_changes = review.state == ReviewState::ChangesRequested;
            let text = trigger::of_review(&review, &lines);
            if asks_for_changes || !text.body.trim().is_empty() {
                let id = CommentId::of(Stream::Review, review.id);
                let implied = asks_for_changes.then_some(Implied::Command(Name::Fix));
                found.push(Found { implied, ..Found::said(id, text) });
            }
        }
        for line in &lines {
            let id = CommentId::of(Stream::ReviewComment, line.id);
            found.push(Found::said(id, trigger::of_line(line)));
        }
        Ok(found)
    }
}

/// The name after the `@` by which people speak to us.
fn spoken_to(me: &Actor) -> &str {
    me.login.strip_suffix("[bot]").unwrap_or(&me.login)
}

/// Whether a text is ours. With a person's token, that person's words are not: ours have
/// the marker.
fn is_own(text: &Text, me: &Actor) -> bool {
    text.author.is(me) && (me.is_bot || marker(&text.body).is_some())
}

fn is_command(body: &str, bots: &[&str]) -> bool {
    let parsed = command::parse(body, bots);
    !parsed.commands.is_empty() || parsed.bad.is_some()
}

fn plans(found: &Found, bots: &[&str]) -> bool {
    let parsed = command::parse(&found.text.body, bots);
    found.implied == Some(Implied::Command(Name::Plan))
        || parsed.commands.iter().any(|command| matches!(command, Command::Plan { .. }))
}
