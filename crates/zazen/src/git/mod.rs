//! Mirrors, workspaces, hostile reads, push.
