//! The result of the validation command, on the commit that it was run on.
//!
//! An App shows a check run. A person's token may not: there a status of the commit says the
//! same in fewer words, and the pull request has the rest. Each is there once, whatever
//! crashes, because it is looked for first.

use zazen_core::id::{CommitId, RepoName};

use super::GitHub;
use super::client::{CallError, CheckState, Conclusion, NewCheck};
use super::marker::fit;

/// What people see the result as.
pub(super) const CHECK: &str = "zazen/evidence";

impl GitHub {
    /// Sees to it that the commit carries the result of the validation command.
    pub(in crate::forge) async fn report(
        &self,
        repo: &RepoName,
        head: &CommitId,
        result: (&str, &str, &str),
    ) -> anyhow::Result<()> {
        match self.show_check(repo, head, result).await {
            // Whoever is no App is denied one of the two calls.
            Err(CallError::Denied { why }) => {
                tracing::debug!("no check run on {}: {why}", head.short());
                let (_, title, _) = result;
                self.show_status(repo, head, title).await
            }
            shown => Ok(shown?),
        }
    }

    async fn show_check(
        &self,
        repo: &RepoName,
        head: &CommitId,
        (external_id, title, summary): (&str, &str, &str),
    ) -> Result<(), CallError> {
        let there = self.0.client.check_runs(repo, head).await?;
        // Its name could be another's; what it says of itself is ours.
        if there.iter().any(|check| check.name == CHECK && check.external_id == external_id) {
            return Ok(());
        }
        let check = NewCheck {
            name: CHECK.to_owned(),
            head: head.clone(),
            external_id: external_id.to_owned(),
            state: CheckState::Ended(Conclusion::Success),
            title: title.to_owned(),
            summary: fit(summary),
            url: None,
        };
        self.0.client.create_check_run(repo, &check).await.map(drop)
    }

    async fn show_status(
        &self,
        repo: &RepoName,
        head: &CommitId,
        title: &str,
    ) -> anyhow::Result<()> {
        let me = self.0.client.me().await?;
        let done = match self.0.client.statuses(repo, head).await {
            Ok(there) if there.iter().any(|one| one.context == CHECK && one.by.is(&me)) => Ok(()),
            Ok(_) => self.0.client.create_status(repo, head, (CHECK, title)).await,
            Err(err) => Err(err),
        };
        match done {
            // The pull request says it all the same.
            Err(CallError::Denied { why }) => {
                tracing::info!("{} carries no result: {why}", head.short());
                Ok(())
            }
            done => Ok(done?),
        }
    }
}
