//! What the owner wants when the model may not be asked for a while. Part of the checking of
//! `zazen.toml`; see the parent.

use std::time::Duration;

use super::{Check, Error, raw, units};

/// What is done about quotas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Whether a task that waits goes on by itself.
    pub resumes: bool,
    /// How long a task may wait in all.
    pub wait_max: Duration,
}

/// The default of `quota.wait_max`: what is used up on the first of a month is free again
/// within it.
const WAIT_MAX: Duration = Duration::from_secs(32 * 24 * 60 * 60);

impl Check<'_> {
    pub(super) fn quota(&self, raw: &raw::Quota) -> Result<Quota, Error> {
        let wait_max = match &raw.wait_max {
            None => WAIT_MAX,
            Some(text) => {
                units::duration(text).map_err(|why| self.wrong(&["quota", "wait_max"], &why))?
            }
        };
        Ok(Quota { resumes: raw.resume.unwrap_or(true), wait_max })
    }
}
