//! The one way out of every sandbox.
