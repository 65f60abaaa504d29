//! One suite, written once and run with each engine.
//!
//! A test is a function that gets a machine; `in_every_engine!` and
//! `in_every_sandbox!` at the end of a file make one of it for each engine of
//! the list in `engines`.

#[macro_use]
mod engines;

mod ends;
mod escape;
mod files;
mod limits;
mod processes;
mod siblings;
mod syscalls;
mod way_out;

pub(super) use engines::ENGINES;
