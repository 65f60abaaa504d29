//! States and phases in a few words: for logs, tables and the journal's readers.
//!
//! Sentences for people are made in [`crate::words`].

use std::fmt;

use super::{Phase, State};

/// A phase, with its step: `implement/2`.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Implement { step } => write!(f, "implement/{step}"),
            Self::Plan
            | Self::Ask
            | Self::Review
            | Self::Verify
            | Self::Correct
            | Self::Baseline => f.write_str(self.word()),
        }
    }
}

/// A state, with what a person wants to know of it.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Received(attempt) | Self::Planning(attempt) if attempt.n_failed > 0 => {
                write!(f, " (try {})", attempt.n_failed + 1)
            }
            Self::Queued(work) | Self::Implementing(work) => {
                let step = (work.n_done + 1).min(work.plan.n_steps);
                write!(f, " (step {step} of {}", work.plan.n_steps)?;
                if work.attempt.n_failed > 0 {
                    write!(f, ", try {}", work.attempt.n_failed + 1)?;
                }
                f.write_str(")")
            }
            Self::Drafted { pull, .. } | Self::Merged { pull } => write!(f, " as #{pull}"),
            Self::Correcting(_)
            | Self::Verifying(_)
            | Self::Reviewing(_)
            | Self::Held(_)
            | Self::Publishing(_)
            | Self::Rebasing(_) => match self.pull() {
                Some(pull) => write!(f, " for #{pull}"),
                None => Ok(()),
            },
            Self::Split(split) => write!(f, " into {} issues", split.parts.len()),
            Self::Parked { pause, .. } => match pause.until {
                Some(until) => write!(f, " ({}) until {}", pause.why.word(), until.utc()),
                None => write!(f, " ({})", pause.why.word()),
            },
            Self::Failed { trouble, .. } => write!(f, ": {}", trouble.kind.sentence()),
            Self::Stopped { by, .. } => write!(f, " by {by}"),
            Self::Received(_)
            | Self::Planning(_)
            | Self::AwaitingApproval
            | Self::Splitting(_)
            | Self::Closed { .. } => Ok(()),
        }
    }
}
