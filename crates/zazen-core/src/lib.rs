//! The part of zazen that decides.
//!
//! Everything here is a plain function from values to values: no network, no
//! files, no clock, no threads. The `zazen` crate does the work and tells this
//! one what happened.
//!
//! Read in this order:
//!
//! 1. [`task`]: what a task is, and how events move it.
//! 2. [`decide`]: what should be under way, given one task.
//! 3. [`engine`]: the two put together, for all tasks.
//! 4. [`words`] and [`prompt`]: every text that people and agents read.

pub mod command;
pub mod id;
pub mod page;
pub mod plan;
pub mod text;
pub mod trace;

pub mod usage;
