//! What every test of the whole program stands on.
//!
//! The verbs are what a person does: write an issue, comment, kill the daemon.
//! Real are git, the sandbox, the gateway, the harness and the daemon; scripted
//! is the model's service, which is a server of its own on loopback.

pub(crate) mod gate;
pub(crate) mod machine;
pub(crate) mod model;
pub(crate) mod place;
pub(crate) mod podman;
mod responses;
mod wire;
