//! What the owner wants when the model may not be asked for a while. Part of the checking of
//! `zazen.toml`; see the parent.

use std::time::Duration;

use zazen_core::engine::Patience;

use super::{Check, Error, raw, units};

/// What is done about quotas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Whether a task that waits goes on by itself.
    pub resumes: bool,
    /// How long a task may wait in all.
    pub wait_max: Duration,
    /// Whether the next agent of the role takes over meanwhile.
    pub fails_over: bool,
}

/// The default of `quota.wait_max`.
const WAIT_MAX: Duration = Duration::from_millis(Patience::STANDARD.wait_max_ms);

impl Quota {
    /// The same, as the engine takes it.
    pub fn patience(&self) -> Patience {
        let wait_max_ms = u64::try_from(self.wait_max.as_millis()).unwrap_or(u64::MAX);
        Patience { fails_over: self.fails_over, resumes: self.resumes, wait_max_ms }
    }
}

impl Check<'_> {
    pub(super) fn quota(&self, raw: &raw::Quota) -> Result<Quota, Error> {
        let wait_max = match &raw.wait_max {
            None => WAIT_MAX,
            Some(text) => {
                units::duration(text).map_err(|why| self.wrong(&["quota", "wait_max"], &why))?
            }
        };
        let fails_over = match raw.then.as_deref().unwrap_or("wait") {
            "wait" => false,
            "fail-over" => true,
            other => {
                let why = format!(
                    "`{other}` is not what follows when an agent's quota is used up; write \
                     \"wait\" (the task waits for it) or \"fail-over\" (the next agent of the \
                     role takes over)"
                );
                return Err(self.wrong(&["quota", "then"], &why));
            }
        };
        Ok(Quota { resumes: raw.resume.unwrap_or(true), wait_max, fails_over })
    }
}
