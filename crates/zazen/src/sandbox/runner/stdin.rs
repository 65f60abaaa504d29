//! What the work reads: its prompt, and what people say while it works.
//!
//! Most harnesses want their input to end before they begin, and hang on one that stays
//! open. So it is closed after the prompt, unless the spec says by which line of output
//! the work shows that it is done.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::ChildStdin;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// How many lines wait for the work to read them. People write a few in an hour.
const LINES_MAX: usize = 64;

/// The standard input of the work.
#[derive(Debug, Default)]
pub(super) struct Stdin(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The way to the pipe while it is open, or what waits for it.
    to: To,
    /// What was said already: a daemon that was restarted may say it again.
    said: BTreeSet<String>,
}

#[derive(Debug)]
enum To {
    /// The work was not started yet.
    Waiting(Vec<String>),
    Open(SyncSender<String>),
    Closed,
}

impl Default for To {
    fn default() -> Self {
        Self::Waiting(Vec::new())
    }
}

impl Stdin {
    /// Gives the work its prompt, and ends its input there unless it is to stay open.
    pub(super) fn open(&self, mut pipe: ChildStdin, prompt: String, stays_open: bool) {
        let (sender, lines) = sync_channel::<String>(LINES_MAX);
        let mut state = self.lock();
        if let To::Waiting(waiting) = &state.to
            && stays_open
        {
            for line in waiting {
                sender.try_send(line.clone()).ok();
            }
        }
        state.to = if stays_open { To::Open(sender) } else { To::Closed };
        thread::spawn(move || {
            // A harness that does not read its prompt will say so itself.
            if pipe.write_all(prompt.as_bytes()).is_err() {
                return;
            }
            // Ends when nobody can say anything any more; then the pipe is closed.
            for line in lines {
                if writeln!(pipe, "{line}").and_then(|()| pipe.flush()).is_err() {
                    return;
                }
            }
        });
    }

    /// Says one line to the work, once. Does not wait for it to be read.
    pub(super) fn say(&self, line: &str) {
        let mut state = self.lock();
        if state.said.len() >= LINES_MAX || !state.said.insert(line.to_owned()) {
            return;
        }
        match &mut state.to {
            To::Waiting(waiting) => waiting.push(line.to_owned()),
            To::Open(sender) => {
                sender.try_send(line.to_owned()).ok();
            }
            To::Closed => {}
        }
    }

    /// Ends the input, after what was said.
    pub(super) fn close(&self) {
        self.lock().to = To::Closed;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
