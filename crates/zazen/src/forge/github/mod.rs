//! Issues and pull requests at GitHub.
//!
//! [`client`] speaks to its HTTP API. What is read there is copied into the home,
//! where everybody else reads it.

pub mod client;
