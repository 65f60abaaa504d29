//! The client as whom polling asks.

use zazen_core::id::{RepoName, Time};

use super::{Changed, ChangedItem, Source, Trouble};
use crate::forge::github::client::{self, CallError, Client};

impl Source for Client {
    async fn changed_items(
        &self,
        repo: &RepoName,
        since: Time,
        etag: Option<&str>,
    ) -> Result<Changed, Trouble> {
        let found = Client::changed_items(self, repo, Some(since), etag).await?;
        let client::Changed { items, etag, more, poll_after } = found;
        let item =
            |item: client::Item| ChangedItem { number: item.number, updated_at: item.updated };
        let items = items.unwrap_or_default().into_iter().map(item).collect();
        Ok(Changed { items, more, etag, pause: poll_after })
    }

    async fn failed_delivery(&self) -> Result<Option<u64>, Trouble> {
        Ok(Client::failed_delivery(self).await?)
    }
}

impl From<CallError> for Trouble {
    fn from(err: CallError) -> Self {
        if let CallError::Limited { until } = err {
            return Self::Limited { until };
        }
        Self::Failed(err.to_string())
    }
}
