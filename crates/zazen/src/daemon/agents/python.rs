//! What a program that is written in Python needs to see: its environment, and its Python.
//!
//! Such a program is a script in the `bin` of a virtual environment, whose Python is a link to
//! one elsewhere. Tools put those below the home of whoever installed them.

use std::path::{Path, PathBuf};

use crate::home::atomic;

/// The file that a virtual environment is known by. It says where its Python is.
const FILE: &str = "pyvenv.cfg";

/// How large that file may be: it has five lines.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What every sandbox shows.
const SYSTEM: [&str; 3] = ["/usr", "/bin", "/lib"];

/// The folders that a program needs to see.
pub(super) fn folders(program: &Path) -> Vec<PathBuf> {
    let bin = program.parent().unwrap_or(Path::new("/"));
    let around = bin.parent().filter(|folder| folder.join(FILE).is_file());
    let Some(environment) = around else { return vec![bin.to_owned()] };
    let text = atomic::read_small(&environment.join(FILE), FILE_BYTES_MAX).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let home = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "home").then(|| PathBuf::from(value.trim()))
    });
    // Its `python` may be a link to a link: each of their folders has to be there.
    let real = bin.join("python").canonicalize().ok();
    let real = real.as_deref().and_then(Path::parent).map(Path::to_owned);
    let mut folders = vec![environment.to_owned()];
    for bin in [home, real].into_iter().flatten().filter(|bin| bin.is_absolute()) {
        // What it brings is beside its `bin`, in `lib`. Whatever else is there, nobody needs.
        for folder in [bin.clone(), bin.with_file_name("lib")] {
            let is_seen = SYSTEM.iter().any(|seen| folder.starts_with(seen));
            if !is_seen
                && folder.is_dir()
                && folder.parent().is_some()
                && !folders.contains(&folder)
            {
                folders.push(folder);
            }
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::folders;

    #[test]
    fn a_program_in_an_environment_needs_that_and_its_python() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        let (own, real, link) = (at.join("aider"), at.join("python-3.12.1"), at.join("python-3"));
        for bin in [own.join("bin"), real.join("bin"), real.join("lib"), real.join("secret")] {
            fs::create_dir_all(bin).unwrap();
        }
        fs::write(real.join("bin/python3"), "").unwrap();
        symlink(&real, &link).unwrap();
        symlink(link.join("bin/python3"), own.join("bin/python")).unwrap();
        let program = own.join("bin/aider");
        assert_eq!(folders(&program), [own.join("bin")]);
        let home = format!("home = {}\nversion = 3.12.1\n", link.join("bin").display());
        fs::write(own.join("pyvenv.cfg"), home).unwrap();
        let [linked, real] = [link, real].map(|at| ["bin", "lib"].map(|part| at.join(part)));
        let all = [vec![own.clone()], linked.to_vec(), real.to_vec()].concat();
        assert_eq!(folders(&program), all);
        // The system's is there in any case.
        fs::write(own.join("pyvenv.cfg"), "home = /usr/bin\n").unwrap();
        assert_eq!(folders(&program), [vec![own.clone()], real.to_vec()].concat());
        // Nobody shows a whole machine by such a file.
        fs::remove_file(own.join("bin/python")).unwrap();
        for home in ["/bin", "/", "bin", "", "/nowhere/bin"] {
            fs::write(own.join("pyvenv.cfg"), format!("home = {home}\n")).unwrap();
            assert_eq!(folders(&program), std::slice::from_ref(&own), "{home}");
        }
        assert_eq!(folders(Path::new("aider")), [Path::new("")]);
    }
}
