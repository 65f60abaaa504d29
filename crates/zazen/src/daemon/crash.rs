//! Moments in which a test can end the daemon as a power cut would.
//!
//! `ZAZEN_CRASH=journal.before:7` kills a debug build with SIGKILL when it comes
//! to the seventh journal write. With any value, each moment is said in the log
//! with its count, so that a test learns how often each one comes. A release
//! build has none of this: the function is empty there.

/// A moment, by its name. Where several could be meant, the count tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Facts are about to be written to the journal.
    JournalBefore,
    /// Facts are durable, and nothing has been made of them.
    JournalAfter,
    /// An effect is about to act.
    EffectBefore,
    /// An effect has acted, and nobody knows.
    EffectAfter,
    /// The workspace of a run is there, and the run is not.
    RunPrepared,
    /// The run has a supervisor, and nobody follows it.
    RunSubmitted,
    /// The run has ended, and nothing has been made of that.
    RunEnded,
    /// What the run brought is judged and collected.
    RunJudged,
    /// What the run needed is gone, and its end is not in the journal.
    RunCleaned,
    /// The texts that a receipt is about are kept, and there is no receipt.
    SealKept,
    /// The branch is on the remote, and its receipt is not.
    BranchPushed,
    /// Pages are written, and not committed.
    PagesWritten,
    /// The home is about to be committed.
    CommitBefore,
    /// The home is committed, and the daemon does not know.
    CommitAfter,
    /// The daemon was asked to end, and has let go of everything but its last words.
    DrainEnds,
    /// An agent was found to get nowhere, and its run was not asked to stop.
    RunStuck,
}

impl Moment {
    /// The moments that only come where something goes wrong.
    pub const RARE: [Self; 1] = [Self::RunStuck];

    /// Every moment, for the test that goes through all.
    pub const ALL: [Self; 16] = [
        Self::JournalBefore,
        Self::JournalAfter,
        Self::EffectBefore,
        Self::EffectAfter,
        Self::RunPrepared,
        Self::RunSubmitted,
        Self::RunEnded,
        Self::RunJudged,
        Self::RunCleaned,
        Self::SealKept,
        Self::BranchPushed,
        Self::PagesWritten,
        Self::CommitBefore,
        Self::CommitAfter,
        Self::DrainEnds,
        Self::RunStuck,
    ];

    /// The name that stands in the variable.
    pub fn word(self) -> &'static str {
        match self {
            Self::JournalBefore => "journal.before",
            Self::JournalAfter => "journal.after",
            Self::EffectBefore => "effect.before",
            Self::EffectAfter => "effect.after",
            Self::RunPrepared => "run.prepared",
            Self::RunSubmitted => "run.submitted",
            Self::RunEnded => "run.ended",
            Self::RunJudged => "run.judged",
            Self::RunCleaned => "run.cleaned",
            Self::SealKept => "seal.kept",
            Self::BranchPushed => "branch.pushed",
            Self::PagesWritten => "pages.written",
            Self::CommitBefore => "commit.before",
            Self::CommitAfter => "commit.after",
            Self::DrainEnds => "drain.ends",
            Self::RunStuck => "run.stuck",
        }
    }
}

/// Ends the process here, if that was asked for.
#[cfg(debug_assertions)]
pub(crate) fn point(asked: Option<&str>, moment: Moment) {
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNTS: [AtomicU64; Moment::ALL.len()] =
        [const { AtomicU64::new(0) }; Moment::ALL.len()];
    let Some(asked) = asked else { return };
    let index = Moment::ALL.iter().position(|m| *m == moment).unwrap_or(0);
    let count = COUNTS[index].fetch_add(1, Ordering::SeqCst) + 1;
    tracing::debug!("moment {}:{count}", moment.word());
    let is_meant = asked
        .split_once(':')
        .is_some_and(|(word, n)| word == moment.word() && n.parse() == Ok(count));
    if is_meant {
        let me = rustix::process::getpid();
        let _gone = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}

/// Release builds do not end themselves.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_asked: Option<&str>, _moment: Moment) {}
