//! The Rust compiler under another name: agents cannot look into the home of whoever runs tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The compiler, in a folder of the build's that everybody may read.
pub(super) fn path() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust");
    if !place.exists() {
        let own = place.with_extension(std::process::id().to_string());
        for part in ["bin", "lib"] {
            link(&sysroot().join(part), &own.join(part));
        }
        // Another test may have been faster.
        if fs::rename(&own, &place).is_err() {
            fs::remove_dir_all(&own).expect("it was made here");
        }
    }
    place.join("bin/rustc")
}

#[expect(clippy::disallowed_methods, reason = "the compiler is asked where it is")]
fn sysroot() -> PathBuf {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let output = output.expect("there is a compiler, as this was built");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim())
}

fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the toolchain") {
        let entry = entry.expect("an entry");
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().expect("a kind").is_dir() {
            link(&path, &to);
        } else if fs::hard_link(&path, &to).is_err() {
            fs::copy(&path, &to).expect("a file of the toolchain");
        }
    }
}
