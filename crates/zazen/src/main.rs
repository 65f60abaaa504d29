//! The `zazen` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    zazen::cli::main()
}
