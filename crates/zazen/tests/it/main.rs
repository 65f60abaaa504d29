//! The tests of the whole program, with real processes. One binary, because
//! each would have to be linked by itself.

#[cfg(test)]
mod sandbox;
