//! Keeps the events of a run, numbered and in order.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use zazen_core::id::Time;

use crate::sandbox::event::{Ev, EventLine};

/// The file `events.jsonl`, with the number of its last line.
pub(super) struct Journal {
    file: File,
    last_seq: u64,
    /// Bytes of whole lines.
    len: u64,
}

impl Journal {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("open `{}`", path.display()))?;
        let len = file.metadata().with_context(|| format!("read `{}`", path.display()))?.len();
        Ok(Self { file, last_seq: 0, len })
    }

    /// Adds one line. Those who read along see it whole, by its end of line. Of a line for which
    /// the disk has no room, nothing stays.
    pub(super) fn append(&mut self, ev: Ev) -> anyhow::Result<()> {
        let line = EventLine { seq: self.last_seq + 1, at: now(), ev };
        let mut bytes = serde_json::to_vec(&line).context("print an event")?;
        bytes.push(b'\n');
        if let Err(err) = self.file.write_all(&bytes) {
            self.file.set_len(self.len).context("cut an event that is not whole")?;
            return Err(err).context("keep an event of the run (is the disk full?)");
        }
        self.last_seq = line.seq;
        self.len += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub(super) fn sync(&self) -> anyhow::Result<()> {
        self.file.sync_all().context("keep the events of the run")
    }
}

/// The time by the wall's clock. Limits are not measured with it.
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
