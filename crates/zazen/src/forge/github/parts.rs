//! Issues of zazen's own: one for each step of a plan that is split.
//!
//! Each begins with a marker, as its comments do, so that one whose answer was lost is found.
//! That it is a sub-issue of the other is a link which not every server has; its text says so
//! all the same.

use zazen_core::engine::IssueRef;
use zazen_core::id::{IssueNumber, RepoName, Time};

use super::GitHub;
use super::client::{Item, NewIssue};
use super::pace::Act;
use crate::forge::NewPart;

/// How far GitHub's clock may be behind ours: an issue that was opened after a person had the
/// plan split may look older by so much.
const CLOCKS_APART_MS: u64 = 60 * 60 * 1000;

impl GitHub {
    /// Sees to it that our issue with this key exists, and says which it is.
    pub(in crate::forge) async fn open_part(
        &self,
        repo: &RepoName,
        new: &NewPart<'_>,
    ) -> anyhow::Result<IssueNumber> {
        let there = self.find_part(repo, new).await?.map(|item| (item.number, item.id));
        let (number, id) = if let Some(there) = there {
            there
        } else {
            self.slow_down(&IssueRef { repo: repo.clone(), issue: new.of }, Act::Issue)?;
            let (title, body) = (new.title.to_owned(), self.0.mark.mark(new.key, new.body));
            let issue = NewIssue { title, body, labels: Vec::new() };
            self.0.client.create_issue(repo, &issue).await?
        };
        self.0.pages.keep_own_issue((repo, number), new)?;
        match self.0.client.add_sub_issue(repo, new.of, id).await {
            Err(err) if err.is_passing() => return Err(err.into()),
            // It is one already, or this server has none.
            Err(err) => tracing::debug!("#{number} is no sub-issue of #{}: {err}", new.of),
            Ok(()) => {}
        }
        Ok(number)
    }

    /// Looks for our issue with this key: on our pages, then on GitHub.
    async fn find_part(&self, repo: &RepoName, new: &NewPart<'_>) -> anyhow::Result<Option<Item>> {
        if let Some(number) = self.0.pages.own_issue(repo, (new.of, new.key))? {
            match self.0.client.issue(repo, number).await {
                // Somebody deleted it, and the step still needs one.
                Err(err) if err.is_absent() => {}
                item => return Ok(Some(item?)),
            }
        }
        let me = self.0.client.me().await?;
        let since = Time(new.since.0.saturating_sub(CLOCKS_APART_MS));
        let items = self.0.client.items_since(repo, since).await?;
        let mine = |item: &Item| {
            !item.is_pull && item.author.is(&me) && self.0.mark.is_mark(new.key, &item.body)
        };
        // The first one that was made, if somebody's copy of a lost request came late.
        Ok(items.into_iter().filter(mine).min_by_key(|item| item.number))
    }
}
