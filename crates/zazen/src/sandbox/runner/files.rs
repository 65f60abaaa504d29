//! Writes the texts that a run gets with it into its private home.
//!
//! They are written from inside, when it is known where the gateway listens, and as the
//! user of the work, so that a harness can go on writing beside them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

use anyhow::Context as _;

use super::work::Places;
use crate::sandbox::inside::Inside;

/// Writes them all. What is there already is replaced: it is of a start that failed.
pub(super) fn write(inside: &Inside, places: &Places) -> anyhow::Result<()> {
    for (path, text) in &inside.files {
        let text = places.fill(text)?;
        let to = inside.paths.home.join(path);
        let context = || format!("write `{path}` into the private home");
        if let Some(folder) = to.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(context)?;
        }
        fs::remove_file(&to).ok();
        let mut open = OpenOptions::new();
        let file = open.write(true).create_new(true).mode(0o600).open(&to);
        file.and_then(|mut file| file.write_all(text.as_bytes())).with_context(context)?;
    }
    Ok(())
}
