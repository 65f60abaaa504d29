//! The part of zazen that touches the world.
//!
//! Start at [`daemon`], the one loop. ARCHITECTURE.md is the map.

pub mod cli;
pub mod config;
pub mod daemon;
mod demo;
pub mod exec;
pub mod forge;
pub mod gateway;
pub mod git;
pub mod home;
pub mod http;
pub mod receipt;
pub mod sandbox;
