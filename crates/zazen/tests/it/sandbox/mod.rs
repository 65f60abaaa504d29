//! One suite for both engines, and what only real walls can pass.

mod collect;
mod conformance;
mod escape;
mod gateway;
mod setup;
