//! Tests of the whole program, in the words of the people who use it.

mod claude;
mod flow;
mod harness;
