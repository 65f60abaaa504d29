//! Tests of the whole program, in the words of the people who use it.

mod crash;
mod demo;
mod flow;
mod harness;
mod sandbox;
