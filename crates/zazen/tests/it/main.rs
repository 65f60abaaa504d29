//! Tests of the whole program, in the words of the people who use it.

mod commands;
mod flow;
mod harness;
mod plans;
mod trouble;
mod verify;
