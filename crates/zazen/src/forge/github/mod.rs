//! GitHub as a forge.
//!
//! What happens there is heard of in two ways, which both give a [`hint::Hint`]
//! and nothing more: [`hooks`] listens, [`poll`] asks. What is true is read
//! again through the API before anything is done.

pub mod hint;
pub mod hooks;
pub mod poll;
