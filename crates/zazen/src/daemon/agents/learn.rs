//! What is learnt of agents: the versions of their programs, and how much of what they write
//! is known. Both are said, and nothing is refused for them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use zazen_core::engine::Book;
use zazen_core::id::{AgentName, RunId};
use zazen_core::trace::Lines;
use zazen_core::words;

use super::{Acting, Agents};
use crate::daemon::version::{Asking, untested, version};
use crate::home::Home;
use crate::sandbox::RunDir;

/// How many runs are looked at, the newest first.
const N_RUNS_MAX: usize = 100;

impl Agents {
    /// Learns the versions of those that act somewhere. Says which were not tested.
    pub(in crate::daemon) async fn learn_versions(
        &mut self,
        asking: Asking<'_>,
        used: &BTreeSet<AgentName>,
    ) {
        let asked = self.0.iter_mut().filter(|(name, _)| used.contains(*name));
        // All at once: the slowest of them is what a start waits for.
        let asked = asked.map(|(name, ready)| async move {
            ready.version = version(asking, &ready.harness).await;
            (name, ready)
        });
        for (name, ready) in join_all(asked).await {
            let version = ready.version.as_deref();
            if let Some(said) = version.and_then(|it| untested(ready.harness.name(), it)) {
                tracing::warn!("the agent `{name}`: {said}");
            }
        }
    }
}

impl Acting {
    /// Keeps how much of the stream was known, when the run has ended.
    pub(in crate::daemon) fn note_lines(
        &mut self,
        dir: &RunDir,
        lines: Lines,
    ) -> anyhow::Result<()> {
        self.lines = Some(lines);
        if let Some(said) = self.strange() {
            tracing::warn!("{said}");
        }
        self.write(dir)
    }

    /// Says that much of the stream was not known, where that is so.
    pub fn strange(&self) -> Option<String> {
        let lines = self.lines.filter(|lines| lines.is_strange())?;
        let version = self.version.as_deref().unwrap_or_default();
        let tested = self.harness.abilities().tested;
        Some(words::strange(self.harness.word(), version, tested, lines))
    }
}

/// What agents wrote in their last runs that is not known, in words. Those that wrote
/// nothing strange are not there.
pub fn strange(home: &Home, book: &Book) -> BTreeMap<AgentName, String> {
    let mut all: BTreeMap<AgentName, Acting> = BTreeMap::new();
    let runs = book.tasks().rev().flat_map(|task| {
        let id = task.id;
        (1..=task.n_runs).rev().map(move |n| RunId { task: id, n })
    });
    for acting in runs.take(N_RUNS_MAX).filter_map(|run| Acting::in_run(home, run)) {
        let Some(lines) = acting.lines else { continue };
        let newest = all.entry(acting.agent.clone());
        let sum =
            newest.or_insert_with(|| Acting { lines: Some(Lines::default()), ..acting.clone() });
        // Another version is another program.
        if sum.harness == acting.harness && sum.version == acting.version {
            *sum.lines.get_or_insert_default() += lines;
        }
    }
    all.into_iter().filter_map(|(name, sum)| Some((name, sum.strange()?))).collect()
}
