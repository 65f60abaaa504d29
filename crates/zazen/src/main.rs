//! The `zazen` program.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.as_slice() {
        [verb, path] if verb == "supervise" => zazen::sandbox::supervise(&PathBuf::from(path)),
        [verb, path] if verb == "runner" => zazen::sandbox::runner(&PathBuf::from(path)),
        _ => ExitCode::from(2),
    }
}
