//! zazen's built-in harness.
