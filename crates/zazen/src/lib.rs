//! The part of zazen that touches the world.

pub mod exec;
pub mod gateway;
pub mod git;
pub mod harness;
pub mod home;
pub mod sandbox;
