//! The scanner that knows all secrets of the moment.
//!
//! Keys of models are known from the start. A forge's tokens come and go while the daemon
//! is up, so the scanner is made anew when there is a new one.

use std::sync::{Arc, Mutex, PoisonError};

use zazen_core::secret::{Scanner, Secret};

use crate::forge::github::GitHub;

/// See the module.
pub(super) struct Scanners {
    keys: Vec<Secret>,
    github: Option<GitHub>,
    /// With the number of tokens that it knows.
    present: Mutex<(u64, Arc<Scanner>)>,
}

impl Scanners {
    pub(super) fn new(keys: Vec<Secret>, github: Option<GitHub>) -> Self {
        let scanner = Arc::new(Scanner::knowing(keys.iter().map(Secret::expose)));
        Self { keys, github, present: Mutex::new((0, scanner)) }
    }

    /// The scanner that knows every secret there is now.
    pub(super) fn now(&self) -> Arc<Scanner> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(github) = &self.github {
            let version = github.client().secrets_version();
            if present.0 != version {
                let tokens = github.client().secrets();
                let all = self.keys.iter().chain(&tokens).map(Secret::expose);
                *present = (version, Arc::new(Scanner::knowing(all)));
            }
        }
        present.1.clone()
    }
}
