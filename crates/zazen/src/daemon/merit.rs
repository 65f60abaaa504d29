//! Reads from the journal what came of each agent's work.
//!
//! All of the journal is gone through, and only the records are parsed that can say
//! something about it. Nothing waits for this but people.

use anyhow::Context as _;
use zazen_core::engine::Fact;
use zazen_core::merit::Merits;

use super::book::{has_journal, is_about_merit};
use crate::home::Home;
use crate::home::journal::{self, Position};

/// See the module.
pub fn merits(home: &Home) -> anyhow::Result<Merits> {
    let mut merits = Merits::default();
    if !has_journal(home) {
        return Ok(merits);
    }
    let read = journal::read(home, Position::START, &mut |record| {
        let entry = &record.entry;
        if is_about_merit(&entry.event, entry.data.get()) {
            let fact: Fact = serde_json::from_str(entry.data.get())
                .with_context(|| format!("read the event `{}`", entry.event))?;
            merits.see(&fact);
        }
        Ok(())
    });
    read.context("read the journal")?;
    Ok(merits)
}
