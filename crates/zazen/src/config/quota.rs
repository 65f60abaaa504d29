//! What the owner wants when the model may not be asked for a while. Part of the checking of
//! `zazen.toml`; see the parent.

use std::time::Duration;

use zazen_core::engine::Patience;
use zazen_core::limit::{Pace, Share};

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
    /// How fast the windows of a subscription may be used up, where that is to be looked at.
    pub pace: Option<Pace>,
}

/// The default of `quota.wait_max`.
const WAIT_MAX: Duration = Duration::from_millis(Patience::STANDARD.wait_max_ms);

/// The default of `quota.reserve`, in hundredths: an hour of a window of five hours.
const RESERVE_PERCENT: u64 = 20;

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
        let (resumes, pace) = (raw.resume.unwrap_or(true), self.pace(raw)?);
        Ok(Quota { resumes, wait_max, fails_over, pace })
    }

    fn pace(&self, raw: &raw::Quota) -> Result<Option<Pace>, Error> {
        let wrong = |why: &str| self.wrong(&["quota", "reserve"], why);
        let is_paced = raw.pace.unwrap_or(false);
        let reserve = match raw.reserve.as_deref() {
            Some(_) if !is_paced => {
                let why = "a reserve is kept with `quota.pace = true` only; write that, too";
                return Err(wrong(why));
            }
            Some(text) => units::percent(text).map_err(|why| wrong(&why))?,
            None => RESERVE_PERCENT,
        };
        Ok(is_paced.then(|| Pace { reserve: Share::of_thousandths(reserve * 10) }))
    }
}
