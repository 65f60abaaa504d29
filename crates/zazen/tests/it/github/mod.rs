//! zazen with GitHub: the tests of the forge, and the double of GitHub they run against.

pub(crate) mod double;
