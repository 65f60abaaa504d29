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
//! 4. [`intake`]: from what people write to facts.
//! 5. [`words`] and [`prompt`]: every text that people and agents read.

pub mod host;
pub mod id;
pub mod task;

pub mod decide;
pub mod effect;
pub mod engine;
pub mod roster;

pub mod brief;
pub mod command;
pub mod contract;
pub mod delegate;
pub mod form;
pub mod intake;
pub mod reply;

pub mod deny;
pub mod guard;
pub mod page;
pub mod plan;
pub mod prompt;
pub mod receipt;
pub mod review;
pub mod secret;
pub mod skill;
pub mod text;
pub mod words;

pub mod account;
pub mod budget;
pub mod check;
pub mod likeness;
pub mod limit;
pub mod merit;
pub mod price;
pub mod stuck;
pub mod trace;
pub mod trust;
pub mod usage;
