//! Who reviews zazen's own work: not whoever wrote it, if that can be helped.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::AgentName;

/// Whose review of zazen's own work the owner wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reviewers {
    /// That of another agent, if there is one: another harness, or another model.
    #[default]
    WhenAnother,
    /// That of another agent, and where there is none, that of the same one in a new session.
    Always,
    /// Nobody's.
    Never,
}

/// What an agent is made of: two that are made of the same are one reviewer.
///
/// Where the model is not named, it is whatever the harness takes, and as good as the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub harness: String,
    pub model: String,
}

impl Made {
    /// Whether a review of the one's work by the other is a second look.
    fn is_another(&self, other: &Self) -> bool {
        let are_named = !self.model.is_empty() && !other.model.is_empty();
        self.harness != other.harness || are_named && self.model != other.model
    }
}

/// The agents that may review work that `authors` wrote, the first choice first. `candidates` are
/// those of the role.
pub fn reviewers(
    wanted: Reviewers,
    candidates: &[AgentName],
    authors: &BTreeSet<AgentName>,
    made: &BTreeMap<AgentName, Made>,
) -> Vec<AgentName> {
    let is_another = |candidate: &&AgentName| {
        let Some(own) = made.get(*candidate) else { return false };
        // Of an author that is not configured any more, nobody can say what it was.
        authors.iter().all(|author| match made.get(author) {
            Some(author) => own.is_another(author),
            None => author != *candidate,
        })
    };
    let others: Vec<AgentName> = candidates.iter().filter(is_another).cloned().collect();
    match wanted {
        Reviewers::Never => Vec::new(),
        Reviewers::Always if others.is_empty() => candidates.to_vec(),
        Reviewers::Always | Reviewers::WhenAnother => others,
    }
}

#[cfg(test)]
mod tests;
