//! One suite for both engines, and what only real walls can pass.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for one event among all")]

mod collect;
mod conformance;
mod escape;
mod gateway;
mod setup;
