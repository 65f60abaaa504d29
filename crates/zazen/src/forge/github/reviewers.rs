//! Asking people for a review of a draft of ours.
//!
//! Somebody is asked once: who was asked before is not asked again, whether the answer got
//! lost, they have reviewed since, or somebody took them off the list.

use zazen_core::id::{IssueNumber, PullNumber, RepoName};

use super::GitHub;
use super::client::CallError;

impl GitHub {
    /// Asks each of them, and says who cannot be asked.
    pub(in crate::forge) async fn ask_reviewers(
        &self,
        repo: &RepoName,
        pull: PullNumber,
        logins: &[String],
    ) -> anyhow::Result<Vec<String>> {
        if logins.is_empty() {
            return Ok(Vec::new());
        }
        let events = self.0.client.events(repo, IssueNumber(pull.0)).await?;
        let was_asked = |login: &str| {
            let asked = events.iter().filter(|event| event.event == "review_requested");
            asked.filter_map(|event| event.whom.as_ref()).any(|whom| is_same(&whom.login, login))
        };
        let mut refused = Vec::new();
        // One at a time: one who cannot be asked would have all of them refused.
        for login in logins.iter().filter(|login| !was_asked(login)) {
            match self.0.client.request_reviewers(repo, pull, &[login]).await {
                Ok(()) => {}
                Err(err @ (CallError::Invalid { .. } | CallError::Denied { .. })) => {
                    tracing::info!("`{login}` is not asked for a review of #{pull}: {err}");
                    refused.push(login.clone());
                }
                Err(err) => return Err(err.into()),
            }
        }
        Ok(refused)
    }
}

/// GitHub's logins are the same in whatever case they are written.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
