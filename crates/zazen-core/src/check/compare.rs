//! The tests before a change, and after it.

use std::collections::BTreeMap;

use super::{Fate, Found};

/// What a change did to the tests, by name, each list in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Fails, and did not before.
    pub broken: Vec<String>,
    /// Failed before, and still does.
    pub still: Vec<String>,
    /// Failed before, and passes.
    pub mended: Vec<String>,
    /// Was there and is not, as far as both outputs name all of their tests.
    pub removed: Vec<String>,
    /// Is there and was not, as far as both outputs name all of their tests.
    pub added: Vec<String>,
    /// Ran before, and is skipped.
    pub skipped: Vec<String>,
    /// How many tests fewer there are.
    pub n_dropped: u64,
}

impl Compared {
    /// Compares two outputs of the same command.
    pub fn new(before: &Found, after: &Found) -> Self {
        let mut compared = Self {
            n_dropped: before.counts.total().saturating_sub(after.counts.total()),
            ..Self::default()
        };
        let is_complete = before.is_complete && after.is_complete;
        for (name, fate) in &before.tests {
            let now = after.tests.get(name).copied();
            if let Some(list) = compared.list_of(*fate, now, is_complete) {
                list.push(name.clone());
            }
        }
        let is_new = |(name, _): &(&String, &Fate)| !before.tests.contains_key(*name);
        for (name, fate) in after.tests.iter().filter(is_new) {
            if *fate == Fate::Failed {
                compared.broken.push(name.clone());
            } else if is_complete {
                compared.added.push(name.clone());
            }
        }
        compared
    }

    /// Where a test belongs that was there before.
    fn list_of(
        &mut self,
        before: Fate,
        now: Option<Fate>,
        is_complete: bool,
    ) -> Option<&mut Vec<String>> {
        Some(match (before, now) {
            (Fate::Failed, Some(Fate::Failed)) => &mut self.still,
            (_, Some(Fate::Failed)) => &mut self.broken,
            (Fate::Failed, Some(Fate::Passed)) => &mut self.mended,
            (Fate::Failed | Fate::Passed, Some(Fate::Skipped)) => &mut self.skipped,
            (_, None) if is_complete => &mut self.removed,
            // Only failures are named, and as many tests ran: it passes by now.
            (Fate::Failed, None) if self.n_dropped == 0 => &mut self.mended,
            (Fate::Passed | Fate::Skipped, _) | (Fate::Failed, None) => return None,
        })
    }
}

/// Tells tests of one name apart, by the order in which they come.
pub(super) fn numbered(seen: &mut BTreeMap<String, u32>, name: String) -> String {
    let n = seen.entry(name.clone()).or_default();
    *n = n.saturating_add(1);
    if *n == 1 { name } else { format!("{name} ({n})") }
}
