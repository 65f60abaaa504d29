//! A door in the middle of a run: the agent waits at it until the test lets it pass.
//!
//! Only for runs without a sandbox, or with its folder among the tools.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::model::Turn;
use super::place::{Place, open_to_writers};

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate(TempDir);

impl Gate {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("zazen-gate-").tempdir().expect("a folder");
        open_to_writers(dir.path());
        Self(dir)
    }

    /// A turn in which the agent comes to the gate and waits.
    pub(crate) fn turn(&self) -> Turn {
        Turn::run(&self.command())
    }

    /// The command that comes to the gate and waits.
    pub(crate) fn command(&self) -> String {
        let (here, open) = (self.here(), self.0.path().join("open"));
        format!(
            "echo x >> {}; while [ ! -e {} ]; do sleep 0.02; done",
            here.display(),
            open.display()
        )
    }

    /// Waits until somebody is at the gate.
    pub(crate) fn wait(&self, place: &mut Place) {
        place.wait("an agent is at the gate", |_| self.n_came().ge(&1).then_some(()));
    }

    /// How many came to the gate so far.
    pub(crate) fn n_came(&self) -> usize {
        fs::read_to_string(self.here()).map_or(0, |text| text.lines().count())
    }

    /// Lets everybody pass, from now on.
    pub(crate) fn open(&self) {
        fs::write(self.0.path().join("open"), "").expect("the gate opens");
    }

    fn here(&self) -> PathBuf {
        self.0.path().join("here")
    }
}
