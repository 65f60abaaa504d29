//! The client as whom polling asks.

use zazen_core::id::{RepoName, Time};

use super::{Changed, ChangedItem, Source, Trouble};
use crate::forge::github::client::{CallError, Client};

impl Source for Client {
    async fn changed_items(
        &self,
        repo: &RepoName,
        since: Time,
        etag: Option<&str>,
    ) -> Result<Changed, Trouble> {
        let found = Self::changed_items(self, repo, Some(since), etag).await?;
        let items = found.items.unwrap_or_default().into_iter();
        let items = items.map(|item| ChangedItem { number: item.number, updated_at: item.updated });
        Ok(Changed {
            items: items.collect(),
            more: found.more,
            etag: found.etag,
            pause: found.poll_after,
        })
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
