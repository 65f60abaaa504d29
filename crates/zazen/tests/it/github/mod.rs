//! zazen with GitHub: the tests of the forge, and the double of GitHub they run against.

mod client;
pub(crate) mod double;
mod flow;
mod lifecycle;
mod place;
mod reviews;
