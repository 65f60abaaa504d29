//! Deliveries that GitHub could not make, as hints to look.
//!
//! GitHub makes none of them again by itself. It could be asked to, one by one; but whom it
//! could not reach it may still not reach, each try is one more delivery that can fail, and
//! a delivery never says more than where to look. So their list is read now and then: one
//! call for an App. If one is in it that was not there before, every repository is asked about
//! at once, which finds what that delivery was of, and whatever else was lost.

use std::sync::Arc;
use std::time::Duration;

use super::{Source, Trouble, Watched};
use zazen_core::id::Time;

/// How often the list is read: as late as a lost delivery is noticed where polling is on.
pub(super) const EVERY: Duration = super::schedule::HOOKED;

/// Reads the list for ever.
pub(super) async fn watch<S: Source>(
    source: S,
    repos: Vec<Arc<Watched>>,
    (every, now): (Duration, fn() -> Time),
) {
    // What failed before the start is found by the first question about each repository.
    let mut seen = None;
    loop {
        match source.failed_delivery().await {
            Ok(newest) => {
                if is_news(seen, newest) {
                    tracing::info!("GitHub could not deliver a webhook; looking for what is new");
                    for repo in &repos {
                        repo.wake(now());
                    }
                }
                seen = Some(newest.unwrap_or(0).max(seen.unwrap_or(0)));
            }
            Err(Trouble::Limited { .. }) => {}
            Err(Trouble::Failed(why)) => {
                tracing::debug!("cannot ask GitHub which deliveries failed: {why}");
            }
        }
        tokio::time::sleep(every).await;
    }
}

/// Whether a delivery failed since the list was read before: it has a higher number.
fn is_news(seen: Option<u64>, newest: Option<u64>) -> bool {
    seen.is_some_and(|seen| newest.is_some_and(|newest| newest > seen))
}

#[cfg(test)]
mod tests;
