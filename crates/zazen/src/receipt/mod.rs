//! Receipts and what stands beside them: read, checked, packed into one file.
//!
//! [`Place`] says where the files are: in a home, or unpacked from a bundle. [`mod@derive`]
//! reads out of them what a receipt states; the daemon makes a receipt of that, and
//! [`check`] compares. So what is stated and what is checked are one piece of code.
//! [`bundle`] puts all of it into one file, and takes it out of one that anybody may have
//! made. Nothing here asks a daemon, a forge, or the network.

pub mod bundle;
pub mod check;
pub mod derive;
mod lines;
mod place;
mod tar;

pub use self::place::{Manifest, Place, Repo, Withheld};
