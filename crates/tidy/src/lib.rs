//! Tests about the source. See `tests/`.
