//! The `zazen` program.
fn main() {}
