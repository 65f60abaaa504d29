//! One file a coding agent: how it is started, and how its stream is read.
