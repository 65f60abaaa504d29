use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zazen_harness::{Claude, Harness, Programs};

use super::{Asking, FILE, of_package, version};
use crate::home::Home;
use crate::sandbox::{EngineKind, Zazen};

fn claude(program: &Path) -> Harness {
    Harness::Claude(Claude {
        program: program.to_owned(),
        folder: program.parent().unwrap().to_owned(),
        model: String::new(),
        effort: String::new(),
        n_turns_max: 1,
        repo_programs: Programs::default(),
        is_login: false,
    })
}

/// A program that says this when it is asked.
fn write_program(path: &Path, says: &str) {
    fs::write(path, format!("#!/bin/sh\n[ \"$1\" = --version ] && echo '{says}'\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_package_says_the_version_of_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("node_modules/@openai/codex-linux-x64");
    let bin = package.join("vendor/x86_64-unknown-linux-musl/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(package.join("package.json"), r#"{"version":"0.169.0-linux-x64"}"#).unwrap();
    assert_eq!(of_package(&bin.join("codex")).as_deref(), Some("0.169.0"));
    // A project that is somewhere above is no package of the program's.
    fs::write(folder.path().join("package.json"), r#"{"version":"1.0.0"}"#).unwrap();
    assert_eq!(of_package(&folder.path().join("tools/claude")), None);
    fs::write(package.join("package.json"), "not JSON").unwrap();
    assert_eq!(of_package(&bin.join("codex")), None);
}

#[tokio::test]
async fn a_program_is_asked_once_and_again_when_it_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    fs::create_dir_all(home.dot_dir()).unwrap();
    let program = folder.path().join("claude");
    write_program(&program, "2.1.329 (Claude Code)");
    let zazen = Zazen("/nowhere".into());
    let asking = Asking { kind: EngineKind::None, zazen: &zazen, home: Some(&home) };
    assert_eq!(version(asking, &claude(&program)).await.as_deref(), Some("2.1.329"));
    // What is kept answers for the very same program.
    let kept = home.dot_dir().join(FILE);
    let other = fs::read_to_string(&kept).unwrap().replace("2.1.329", "7.7.7");
    fs::write(&kept, other).unwrap();
    assert_eq!(version(asking, &claude(&program)).await.as_deref(), Some("7.7.7"));
    write_program(&program, "2.10.0 (Claude Code)");
    assert_eq!(version(asking, &claude(&program)).await.as_deref(), Some("2.10.0"));
}

#[tokio::test]
async fn a_program_that_says_nothing_has_no_version() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("claude");
    write_program(&program, "hello");
    let zazen = Zazen("/nowhere".into());
    let asking = Asking { kind: EngineKind::None, zazen: &zazen, home: None };
    assert_eq!(version(asking, &claude(&program)).await, None);
}

#[tokio::test]
async fn a_program_that_says_nothing_is_not_asked_at_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    fs::create_dir_all(home.dot_dir()).unwrap();
    let program = folder.path().join("claude");
    let mark = folder.path().join("asked");
    write_program(&program, &format!("x'; echo x >> {}; echo '", mark.display()));
    let zazen = Zazen("/nowhere".into());
    let asking = Asking { kind: EngineKind::None, zazen: &zazen, home: Some(&home) };
    for _ in 0..3 {
        assert_eq!(version(asking, &claude(&program)).await, None);
    }
    assert_eq!(fs::read_to_string(&mark).unwrap(), "x\n");
    write_program(&program, "2.10.0 (Claude Code)");
    assert_eq!(version(asking, &claude(&program)).await.as_deref(), Some("2.10.0"));
}
