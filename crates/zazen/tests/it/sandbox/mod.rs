//! One suite for all engines, and what is one engine's alone.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for one event among all")]

mod bwrap;
mod collect;
mod conformance;
mod container;
mod setup;
