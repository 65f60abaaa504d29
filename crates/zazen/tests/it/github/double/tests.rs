//! The double holds what it promises, seen with plain requests.

mod api;
