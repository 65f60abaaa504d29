//! zazen with GitHub: the tests of the forge, and the double of GitHub they run against.

mod acting;
mod client;
mod crash;
pub(crate) mod double;
mod flow;
mod hostile;
mod laptop;
mod lifecycle;
mod place;
mod publishing;
mod reviews;
mod split;
mod who;
