//! To wait for what a daemon does, on a machine that may be busy.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::machine::{Process, processes};
use super::Place;

/// How long anything that is waited for may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);

/// How long the daemon's log is left alone, and how often, before whatever is waited for is
/// looked at though the daemon says nothing.
const NAP: Duration = Duration::from_millis(10);
const N_NAPS: usize = 20;

impl Place {
    /// Waits until a task is in one of these states.
    pub(crate) fn wait_for(&mut self, id: u64, states: &[&str]) -> Value {
        self.wait(&format!("task {id} is {states:?}"), |place| {
            place.task(id).filter(|task| states.iter().any(|state| task["state"] == *state))
        })
    }

    /// Waits for something, and says what was the case when it did not come. To look is to
    /// start a program, so it looks when the daemon has done something, and now and then.
    pub(crate) fn wait<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        let began = Instant::now();
        loop {
            let n_done = self.n_done();
            if let Some(found) = look(self) {
                return found;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "waited too long until {what}\n{}\n{}",
                self.zazen(&["task", "list"]),
                self.log()
            );
            self.until_more_than(n_done);
        }
    }

    /// How much the daemon has done, as far as its log tells: how long that is.
    pub(crate) fn n_done(&self) -> u64 {
        fs::metadata(self.dir.path().join("daemon.log")).map_or(0, |log| log.len())
    }

    /// Sleeps until the daemon has done more, but for no longer than a moment.
    pub(crate) fn until_more_than(&self, n_done: u64) {
        for _ in 0..N_NAPS {
            std::thread::sleep(NAP);
            if self.n_done() != n_done {
                return;
            }
        }
    }

    /// Waits until something of a run has this in its command line, and says what token that
    /// run has: all of its processes have it in their environment.
    pub(crate) fn wait_at_work(&mut self, run: &str, mark: &str) -> String {
        let file = self.home().join(".zazen/runs").join(run).join("token");
        self.wait("the command runs", |_| {
            let token = fs::read_to_string(&file).ok()?.trim().to_owned();
            let is_it = |it: &Process| it.environ.contains(&token) && it.cmdline.contains(mark);
            (!processes(is_it).is_empty()).then_some(token)
        })
    }

    /// Waits until no process has this in its environment.
    pub(crate) fn wait_gone(&mut self, token: &str) {
        self.wait("all processes are gone", |_| {
            processes(|process| process.environ.contains(token)).is_empty().then_some(())
        });
    }

    /// Waits until zazen has said something with these words on an issue.
    pub(crate) fn wait_said(&mut self, issue: u64, words: &str) -> String {
        self.wait(&format!("zazen says {words:?}"), |place| {
            place.said(issue).into_iter().find(|body| body.contains(words))
        })
    }
}
