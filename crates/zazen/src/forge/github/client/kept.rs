//! Answers that are kept, so that asking again costs nothing where nothing changed.
//!
//! GitHub's etags depend on the token, and one token must not see what another
//! may: an answer is kept for the token that asked. The oldest makes room.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use url::Url;

/// An answer as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copy {
    pub(super) etag: String,
    pub(super) body: Bytes,
    pub(super) next: Option<Url>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    copies: HashMap<Key, (u64, Copy)>,
    n_bytes: usize,
    clock: u64,
}

/// The serial number of a token, and the address.
type Key = (u64, Url);

/// How large an answer may be that is kept. Most are a few kilobytes.
const COPY_BYTES_MAX: usize = 256 << 10;

/// How much is kept in all: the issues and pull requests of a busy day.
const BYTES_MAX: usize = 4 << 20;

/// How many answers are kept, whatever their size.
const COPIES_MAX: usize = 512;

/// An etag is a hash; one that is longer is none.
const ETAG_BYTES_MAX: usize = 200;

impl Kept {
    pub(super) fn get(&self, token: u64, url: &Url) -> Option<Copy> {
        let mut all = self.lock();
        all.clock += 1;
        let clock = all.clock;
        let (used, copy) = all.copies.get_mut(&(token, url.clone()))?;
        *used = clock;
        Some(copy.clone())
    }

    pub(super) fn put(&self, token: u64, url: &Url, copy: Copy) {
        if copy.body.len() > COPY_BYTES_MAX || copy.etag.len() > ETAG_BYTES_MAX {
            return;
        }
        let mut all = self.lock();
        all.clock += 1;
        all.n_bytes += copy.body.len();
        let clock = all.clock;
        if let Some((_, old)) = all.copies.insert((token, url.clone()), (clock, copy)) {
            all.n_bytes -= old.body.len();
        }
        while all.n_bytes > BYTES_MAX || all.copies.len() > COPIES_MAX {
            let oldest = all.copies.iter().min_by_key(|(_, (used, _))| *used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            all.remove(&key);
        }
    }

    /// Forgets what was kept for a token that is gone.
    pub(super) fn forget(&self, token: u64) {
        let mut all = self.lock();
        let keys: Vec<Key> = all.copies.keys().filter(|(of, _)| *of == token).cloned().collect();
        for key in &keys {
            all.remove(key);
        }
    }

    /// Held while a few hundred numbers are compared at the most.
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn remove(&mut self, key: &Key) {
        if let Some((_, copy)) = self.copies.remove(key) {
            self.n_bytes -= copy.body.len();
        }
    }
}

#[cfg(test)]
mod tests;
