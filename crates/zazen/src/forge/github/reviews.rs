//! Reviews that zazen gives: one each, with comments beside the lines that are changed.
//!
//! GitHub takes a review whole or not at all: one line that is not part of its diff, and
//! nothing is posted. Then the same is said without places. A review never approves and
//! never blocks; see [`crate::daemon`] for what goes into one.

use zazen_core::engine::IssueRef;
use zazen_core::id::{CommentId, IssueNumber, RepoName, Stream};

use super::GitHub;
use super::client::{self, CallError, Inline, ReviewEvent, Side};
use super::marker::HomeMark;
use super::pace::Act;
use crate::forge::NewReview;

impl GitHub {
    /// Sees to it that our review with this key is on the pull request.
    pub(in crate::forge) async fn review(
        &self,
        repo: &RepoName,
        (key, new): (&str, &NewReview<'_>),
    ) -> anyhow::Result<()> {
        let (pull, issue) = (new.at.pull, IssueNumber(new.at.pull.0));
        let me = self.0.client.me().await?;
        let there = self.0.client.reviews(repo, pull).await?;
        let is_ours = |review: &&client::Review| {
            review.author.is(&me) && self.0.mark.is_mark(key, &review.body)
        };
        if let Some(review) = there.iter().find(is_ours) {
            tracing::debug!("review {} is {key} already", review.id);
            return self.keep_review((repo, issue, review.id), (key, new.body));
        }
        self.slow_down(&IssueRef { repo: repo.clone(), issue }, Act::Comment)?;
        let mut wanted = client::NewReview {
            commit: new.at.head.clone(),
            event: ReviewEvent::Comment,
            body: self.0.mark.mark(key, new.body),
            inline: inline(&self.0.mark, key, new),
        };
        let mut given = self.0.client.create_review(repo, pull, &wanted).await;
        if let Err(CallError::Invalid { why }) = &given
            && !wanted.inline.is_empty()
        {
            tracing::info!("the review of #{pull} is posted without its lines: {why}");
            (wanted.body, wanted.inline) = (self.0.mark.mark(key, new.whole), Vec::new());
            given = self.0.client.create_review(repo, pull, &wanted).await;
        }
        match given {
            Ok(id) => self.keep_review((repo, issue, id), (key, &wanted.body)),
            // The commit is not part of the pull request any more.
            Err(CallError::Invalid { why }) => {
                tracing::info!("the review of #{pull} is posted as a comment: {why}");
                self.show(repo, issue, (key, new.whole)).await
            }
            Err(err) => Err(err.into()),
        }
    }

    fn keep_review(
        &self,
        (repo, issue, id): (&RepoName, IssueNumber, u64),
        (key, body): (&str, &str),
    ) -> anyhow::Result<()> {
        let id = CommentId::of(Stream::Review, id);
        self.0.pages.keep_own((repo, issue, id), (key, body))
    }
}

/// Each has a marker: with a person's token, nothing else says that it is ours.
fn inline(home: &HomeMark, key: &str, new: &NewReview<'_>) -> Vec<Inline> {
    let asides = new.asides.iter().zip(1..);
    let inline = asides.map(|(aside, n)| Inline {
        path: aside.path.clone(),
        line: u64::from(aside.line),
        side: Side::New,
        body: home.mark(&format!("{key}/{n}"), &aside.body),
    });
    inline.collect()
}
