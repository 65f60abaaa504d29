//! The client as whom polling asks.

use zazen_core::id::{RepoName, Time};

use super::{Changed, ChangedItem, Source, Trouble};
use crate::forge::github::client::{self, CallError, Client};

/// How many pages one question reads at the most. Who is away for longer than some thousand
/// changes is told the rest by the next question, from where this one ended.
const PAGES_MAX: usize = 20;

impl Source for Client {
    async fn changed_items(
        &self,
        repo: &RepoName,
        since: Time,
        etag: Option<&str>,
    ) -> Result<Changed, Trouble> {
        let mut changed = Changed::default();
        let (mut from, mut etag) = (since, etag);
        for page in 0..PAGES_MAX {
            let found = Client::changed_items(self, repo, Some(from), etag).await?;
            let client::Changed { items, etag: new_etag, more, poll_after } = found;
            changed.pause = changed.pause.max(poll_after);
            if page == 0 {
                changed.etag = new_etag;
            }
            let Some(items) = items else { break };
            let last = items.last().map(|item| item.updated);
            changed.items.extend(
                items
                    .iter()
                    .map(|item| ChangedItem { number: item.number, updated_at: item.updated }),
            );
            // The next page begins with the last of this one. A page that is of one moment
            // would begin with itself.
            match last {
                Some(last) if more && last > from => (from, etag) = (last, None),
                _ => break,
            }
        }
        Ok(changed)
    }
}

impl From<CallError> for Trouble {
    fn from(err: CallError) -> Self {
        match err {
            CallError::Limited { until } => Self::Limited { until },
            err => Self::Failed(err.to_string()),
        }
    }
}
