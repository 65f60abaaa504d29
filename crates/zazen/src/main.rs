//! The `zazen` program.

use std::process::ExitCode;

/// The system's allocator keeps much of what a start has freed, and a daemon is
/// started once and then idle for days. `bench idle` and `bench many` see it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    zazen::cli::main()
}
