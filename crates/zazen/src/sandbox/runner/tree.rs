//! The processes of the work, all of them, and how they are ended.
//!
//! In a sandbox they are everything in its process namespace but the runner.
//! On the host they are everything below the runner, which adopts orphans.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::sandbox::process;
use crate::sandbox::spec::EngineKind;

/// The processes of the work.
#[derive(Debug)]
pub(super) struct Tree {
    engine: EngineKind,
    /// Held for as long as signals are sent, so that none reaches what is
    /// started after the work.
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The work may be started, or runs.
    Open,
    /// The work was told to stop.
    Stopping,
    /// The work is over; what runs is our own.
    Over,
}

/// How long the killed may take to be gone. A process that hangs in a device
/// takes longer; the supervisor's own kill is for that.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

impl Tree {
    pub(super) fn new(engine: EngineKind) -> Self {
        Self { engine, state: Mutex::new(State::Open) }
    }

    /// Starts the work, unless it was told to stop before.
    pub(super) fn start<T>(&self, start: impl FnOnce() -> T) -> Option<T> {
        let state = self.lock();
        (*state == State::Open).then(start)
    }

    /// Asks the work to end, and kills it after the grace.
    pub(super) fn stop(self: &std::sync::Arc<Self>, grace: Duration) {
        let mut state = self.lock();
        if *state != State::Open {
            return;
        }
        *state = State::Stopping;
        self.signal(Signal::TERM);
        drop(state);
        let tree = std::sync::Arc::clone(self);
        thread::spawn(move || {
            thread::sleep(grace);
            let state = tree.lock();
            if *state == State::Stopping {
                tree.signal(Signal::KILL);
            }
        });
    }

    /// Says that the work is over, and ends what it left behind.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        *state = State::Over;
        let deadline = Instant::now() + KILL_TIMEOUT;
        while self.signal(Signal::KILL) > 0 && Instant::now() < deadline {
            reap();
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// Ends everything, and the runner last.
    pub(super) fn end_with_us(&self) {
        self.signal(Signal::KILL);
        self.end();
        kill_process(rustix::process::getpid(), Signal::KILL).ok();
        // The kernel spares the first process of a namespace from its own
        // signals, so it has to go by itself.
        std::process::exit(1);
    }

    /// Sends a signal to all that live, and says how many they were.
    fn signal(&self, signal: Signal) -> usize {
        let own = rustix::process::getpid();
        let all = match self.engine {
            EngineKind::Bwrap | EngineKind::Container => process::all(),
            EngineKind::None => process::descendants(own.as_raw_pid()),
        };
        let alive: Vec<Pid> = all
            .into_iter()
            .filter(|pid| *pid != own.as_raw_pid() && !process::is_dead(*pid))
            .filter_map(Pid::from_raw)
            .collect();
        if self.engine.is_isolated() && own == Pid::INIT {
            // Minus one is all of the namespace but us, at once: no process can
            // have a child between being listed and being killed.
            kill_process_group(Pid::INIT, signal).ok();
        } else {
            for pid in &alive {
                kill_process(*pid, signal).ok();
            }
        }
        alive.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many threads this process's user has on the whole machine.
pub(super) fn n_threads_of_user() -> u64 {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::getuid().as_raw();
    let of_user = process::all().into_iter().filter(|pid| {
        std::fs::metadata(format!("/proc/{pid}")).is_ok_and(|metadata| metadata.uid() == own)
    });
    let n_threads = of_user.map(|pid| {
        std::fs::read_dir(format!("/proc/{pid}/task")).map_or(1, |tasks| tasks.count() as u64)
    });
    n_threads.sum()
}

/// Takes note of the dead.
fn reap() {
    use rustix::process::{WaitOptions, wait};
    while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
}
