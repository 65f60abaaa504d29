//! Moments in which a test can end the daemon as a power cut would.
//!
//! `ZAZEN_CRASH=journal.before:7` kills a debug build with SIGKILL when it comes
//! to the seventh journal write. A release build has none of this: the function
//! is empty there.

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
}

impl Moment {
    /// Every moment, for the test that goes through all.
    pub const ALL: [Self; 4] =
        [Self::JournalBefore, Self::JournalAfter, Self::EffectBefore, Self::EffectAfter];

    /// The name that stands in the variable.
    pub fn word(self) -> &'static str {
        match self {
            Self::JournalBefore => "journal.before",
            Self::JournalAfter => "journal.after",
            Self::EffectBefore => "effect.before",
            Self::EffectAfter => "effect.after",
        }
    }
}

/// Ends the process here, if that was asked for.
#[cfg(debug_assertions)]
pub(crate) fn point(asked: Option<&str>, moment: Moment) {
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNTS: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];
    let Some((word, n)) = asked.and_then(|asked| asked.split_once(':')) else { return };
    if word != moment.word() {
        return;
    }
    let index = Moment::ALL.iter().position(|m| *m == moment).unwrap_or(0);
    let count = COUNTS[index].fetch_add(1, Ordering::SeqCst) + 1;
    if n.parse() == Ok(count) {
        let me = rustix::process::getpid();
        let _gone = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}

/// Release builds do not end themselves.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_asked: Option<&str>, _moment: Moment) {}
