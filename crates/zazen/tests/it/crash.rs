//! Nothing is lost and nothing done twice, whatever is killed and whenever.
//!
//! `oracle` says what has to be true in the end, and compares it with a flow that
//! nobody disturbed. `moments` kills the daemon at each of its own crash points,
//! `agents` kills it under an agent at work, `killed` kills everything else, and
//! `disk` damages, fills and deletes files. The kills at every system call are in
//! `syscalls`, which is started by `bench/crash-matrix`.

mod agents;
mod disk;
mod killed;
mod moments;
mod oracle;
