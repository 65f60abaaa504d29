//! What zazen writes on GitHub: comments, reactions, draft pull requests.
//!
//! Each function sees to it that something is there. The page of a comment says which one
//! on GitHub it is; where a crash came between GitHub's answer and the page, the marker in
//! the comment says it. A request that writes is sent once: whoever asks again looks again.

use std::time::Instant;

use anyhow::{Context as _, bail};
use zazen_core::engine::IssueRef;
use zazen_core::id::{CommentId, IssueNumber, PullNumber, RepoName, Stream};
use zazen_core::intake::Implied;
use zazen_core::text::one_line;

use super::client::{CallError, EditPull, ReviewComment, Target};
use super::marker::fit;
use super::pace::Act;
use super::trigger::LABELS;
use super::{GitHub, client};
use crate::forge::{NewPull, Pull, PullState};

/// The label on pull requests of ours.
const LABEL: &str = "zazen";

/// How long GitHub lets a title be, in characters.
const TITLE_CHARS_MAX: usize = 256;

impl GitHub {
    /// Sees to it that our comment with this key exists and shows `body`.
    pub(in crate::forge) async fn show(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        (key, body): (&str, &str),
    ) -> anyhow::Result<()> {
        match self.put(repo, issue, (key, body)).await {
            // It was deleted, or moved away: nobody is there to read it.
            Err(err) if is_gone(&err) => {
                tracing::info!("#{issue} of {repo} is gone, so {key} is not said there");
                Ok(())
            }
            done => done,
        }
    }

    async fn put(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        (key, body): (&str, &str),
    ) -> anyhow::Result<()> {
        let place = IssueRef { repo: repo.clone(), issue };
        let marked = self.0.mark.mark(key, body);
        let known = match self.0.pages.own(repo, issue, key)? {
            Some((id, shown)) if shown.trim() == body.trim() => {
                tracing::debug!("comment {id} shows {key} already");
                return Ok(());
            }
            Some((id, _)) => Some(id),
            None => self.find(repo, issue, key).await?,
        };
        let id = match known {
            Some(id) => {
                self.slow_down(&place, Act::Edit)?;
                match self.0.client.edit_comment(repo, id.n, &marked).await {
                    Ok(()) => id,
                    // Somebody deleted it. People are to see what it says all the same.
                    Err(CallError::NotFound { .. } | CallError::Gone { .. }) => {
                        self.0.pages.forget_text(repo, (issue, id))?;
                        self.create(&place, &marked).await?
                    }
                    Err(err) => return Err(err.into()),
                }
            }
            None => self.create(&place, &marked).await?,
        };
        self.0.pages.keep_own((repo, issue, id), (key, body))
    }

    async fn create(&self, at: &IssueRef, marked: &str) -> anyhow::Result<CommentId> {
        self.slow_down(at, Act::Comment)?;
        let id = self.0.client.create_comment(&at.repo, at.issue, marked).await?;
        Ok(CommentId::comment(id))
    }

    /// Looks on GitHub for our comment with this key.
    async fn find(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        key: &str,
    ) -> anyhow::Result<Option<CommentId>> {
        let me = self.0.client.me().await?;
        let comments = self.0.client.comments(repo, issue).await?;
        let mine = comments
            .iter()
            .find(|comment| comment.author.is(&me) && self.0.mark.is_mark(key, &comment.body));
        Ok(mine.map(|comment| CommentId::comment(comment.id)))
    }

    pub(super) fn slow_down(&self, issue: &IssueRef, act: Act) -> anyhow::Result<()> {
        match self.0.pace.take(issue, act, Instant::now()) {
            Ok(()) => Ok(()),
            Err(wait) => bail!(
                "enough was said on #{} of {} in this hour; the next is in {} min",
                issue.issue,
                issue.repo,
                wait.as_secs().div_ceil(60)
            ),
        }
    }

    /// Puts a reaction on a text, once. GitHub itself keeps it single.
    pub(in crate::forge) async fn react(
        &self,
        repo: &RepoName,
        (issue, text): (IssueNumber, CommentId),
        reaction: &str,
    ) -> anyhow::Result<()> {
        if text.stream == Stream::Event {
            return self.take_label((repo, issue), text).await;
        }
        let Some(target) = target(issue, text) else { return Ok(()) };
        match self.0.client.react(repo, target, reaction).await {
            Ok(()) => Ok(()),
            // It was deleted, or the conversation was locked: nobody is there to see it.
            Err(err) if err.is_absent() || matches!(err, CallError::Denied { .. }) => Ok(()),
            Err(err) => Err(err.into()),
        }
    }

    /// A label that was a command is taken off: the command was taken, and can be given again.
    async fn take_label(
        &self,
        (repo, issue): (&RepoName, IssueNumber),
        event: CommentId,
    ) -> anyhow::Result<()> {
        let implied = self.0.pages.text(repo, (issue, event))?.implied;
        let Some(Implied::Command(command)) = implied else { return Ok(()) };
        if let Some((label, _)) = LABELS.iter().find(|(_, name)| *name == command) {
            self.0.client.remove_label(repo, issue, label).await?;
        }
        Ok(())
    }

    /// Sees to it that there is a draft pull request for this branch, and says what it is.
    pub(in crate::forge) async fn open_pull(
        &self,
        repo: &RepoName,
        new: &NewPull<'_>,
    ) -> anyhow::Result<PullNumber> {
        let title = one_line(new.title, TITLE_CHARS_MAX);
        let body = fit(new.body);
        let pull = match self.open_one(repo, new.branch).await? {
            Some(pull) => {
                let edit = EditPull {
                    title: Some(title.clone()),
                    body: Some(body.clone()),
                    ..EditPull::default()
                };
                self.0.client.edit_pull(repo, pull.number, &edit).await?
            }
            None => self.create_pull(repo, new, (&title, &body)).await?,
        };
        let page = Pull {
            number: pull.number,
            title,
            branch: new.branch.to_owned(),
            base: new.base.to_owned(),
            state: PullState::Open,
            draft: pull.draft,
            body,
            head: new.head.to_owned(),
        };
        self.0.pages.keep_pull(repo, &page, Some(new.issue))?;
        self.0.client.add_labels(repo, IssueNumber(pull.number.0), &[LABEL]).await?;
        Ok(pull.number)
    }

    /// Brings a pull request of ours up to date. Its title is people's by now.
    pub(in crate::forge) async fn update_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
        (head, body): (&str, &str),
    ) -> anyhow::Result<()> {
        let edit = EditPull { body: Some(fit(body)), ..EditPull::default() };
        self.0.client.edit_pull(repo, number, &edit).await?;
        self.0.pages.update_pull(repo, number, (head, body))
    }

    /// Sees to it that a text has our answer with this key, in its thread if it is in one.
    pub(in crate::forge) async fn answer(
        &self,
        repo: &RepoName,
        (on, text): (IssueNumber, CommentId),
        (key, body): (&str, &str),
    ) -> anyhow::Result<()> {
        if !matches!(text.stream, Stream::Review | Stream::ReviewComment) {
            return self.show(repo, on, (key, body)).await;
        }
        let (me, pull) = (self.0.client.me().await?, PullNumber(on.0));
        let lines = self.0.client.review_comments(repo, pull).await?;
        if lines.iter().any(|line| line.author.is(&me) && self.0.mark.is_mark(key, &line.body)) {
            return Ok(());
        }
        let Some(to) = thread(text, &lines) else {
            return self.show(repo, on, (key, body)).await;
        };
        self.slow_down(&IssueRef { repo: repo.clone(), issue: on }, Act::Comment)?;
        self.0
            .client
            .reply_to_review_comment(repo, pull, (to, &self.0.mark.mark(key, body)))
            .await?;
        Ok(())
    }

    async fn open_one(
        &self,
        repo: &RepoName,
        branch: &str,
    ) -> anyhow::Result<Option<client::Pull>> {
        let pulls = self.0.client.pulls_of_branch(repo, branch).await?;
        Ok(pulls.into_iter().find(|pull| pull.state == PullState::Open && pull.is_of(repo)))
    }

    async fn create_pull(
        &self,
        repo: &RepoName,
        new: &NewPull<'_>,
        (title, body): (&str, &str),
    ) -> anyhow::Result<client::Pull> {
        let wanted = client::NewPull {
            title: title.to_owned(),
            body: body.to_owned(),
            head: new.branch.to_owned(),
            base: new.base.to_owned(),
            draft: true,
        };
        match self.0.client.create_pull(repo, &wanted).await {
            Err(err) if err.is_there_already() => {
                let there = self.open_one(repo, new.branch).await?;
                there.with_context(|| format!("open a draft pull request in {repo}: {err}"))
            }
            pull => Ok(pull?),
        }
    }
}

fn is_gone(err: &anyhow::Error) -> bool {
    matches!(err.downcast_ref(), Some(CallError::Gone { .. }))
}

/// The first comment of the thread in which a text is answered; GitHub takes no other. A
/// review is answered in its thread if it has just one: else people would read the same in each.
fn thread(text: CommentId, lines: &[ReviewComment]) -> Option<u64> {
    if text.stream == Stream::ReviewComment {
        let first = lines.iter().find(|line| line.id == text.n).and_then(|line| line.answers);
        return Some(first.unwrap_or(text.n));
    }
    let mut of_review = lines.iter().filter(|line| line.review == Some(text.n));
    let only = of_review.next().filter(|_| of_review.next().is_none())?;
    Some(only.answers.unwrap_or(only.id))
}

/// What on GitHub a text of ours is, where reactions can be put on it.
fn target(issue: IssueNumber, text: CommentId) -> Option<Target> {
    match text.stream {
        Stream::Comment if text == CommentId::ISSUE => Some(Target::Issue(issue)),
        Stream::Comment => Some(Target::Comment(text.n)),
        Stream::ReviewComment => Some(Target::ReviewComment(text.n)),
        Stream::Event | Stream::Review | Stream::Checks => None,
    }
}
