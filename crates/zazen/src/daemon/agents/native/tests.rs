use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use expect_test::expect;
use zazen_harness::Name;

use crate::config::{Agent, Environment, Own};

/// What is started for an agent with this `program`.
fn program(harness: Name, configured: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let agent = Agent {
        harness,
        model: "gpt-5.5".to_owned(),
        effort: String::new(),
        route: "openai".to_owned(),
        program: configured,
        own: Own::default(),
    };
    super::super::program(&nothing(), &agent)
}

/// A machine with nothing on the path.
fn nothing() -> Environment {
    Environment {
        home: "/home/ada".into(),
        user: "ada".to_owned(),
        path: Vec::new(),
        zazen_home: None,
        container_sockets: Vec::new(),
        crash: None,
    }
}

fn write(path: &Path, text: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What npm puts on the path, as a link to the real one, and what that says.
const PUT: [(Name, &str, &[u8]); 4] = [
    (Name::Claude, "@anthropic-ai/claude-code/bin/claude.exe", b"echo \"Error: not installed\"\n"),
    (Name::Codex, "@openai/codex/bin/codex.js", b"#!/usr/bin/env node\n"),
    (Name::Copilot, "@github/copilot/npm-loader.js", b"#!/usr/bin/env node\n"),
    (Name::OpenCode, "opencode-ai/bin/opencode.exe", b"echo \"Error: not run\" >&2\nexit 1\n"),
];

#[test]
fn the_native_program_is_found_by_what_is_on_the_path() {
    for (harness, put, text) in PUT {
        let natives = super::natives(harness).unwrap().paths;
        let package = put.rsplit_once(if put.contains("/bin/") { "/bin/" } else { "/" });
        let inside = format!("{}/node_modules/{}", package.unwrap().0, natives[1]);
        for native in [natives[0].to_owned(), inside] {
            let folder = tempfile::tempdir().unwrap();
            let at = folder.path().canonicalize().unwrap().join("node_modules");
            write(&at.join(put), text);
            write(&at.join(&native), b"\x7fELF...");
            let link = at.join("link");
            symlink(at.join(put), &link).unwrap();
            let found = program(harness, Some(link)).unwrap();
            assert_eq!(found, at.join(&native), "{harness}");
            assert_eq!(program(harness, Some(found.clone())).unwrap(), found);
        }
    }
}

#[test]
fn what_only_stands_in_for_a_program_is_named_and_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().canonicalize().unwrap();
    let mut says = String::new();
    for (harness, put, text) in PUT {
        write(&at.join(put), text);
        let err = program(harness, Some(at.join(put))).unwrap_err().to_string();
        writeln!(says, "{}", err.replace(&*at.to_string_lossy(), "")).unwrap();
    }
    write(&at.join("gemini"), b"echo no\n");
    let err = program(Name::Gemini, Some(at.join("gemini"))).unwrap_err().to_string();
    writeln!(says, "{}", err.replace(&*at.to_string_lossy(), "")).unwrap();
    expect![[r#"
        /@anthropic-ai/claude-code/bin/claude.exe is no program but stands in for one, and the native program is not in the packages beside it: it was installed without its optional packages; install it again with them, or set `program` to `claude` in the package `@anthropic-ai/claude-code-linux-x64` (or `-linux-arm64`)
        /@openai/codex/bin/codex.js is a script, and the native program is not in the packages beside it: it was installed without its optional packages; install it again with them, or set `program` to `bin/codex` in the package `@openai/codex-linux-x64` (or `-linux-arm64`)
        /@github/copilot/npm-loader.js is a script, and the native program is not in the packages beside it: it was installed without its optional packages; install it again with them, or set `program` to `copilot` in the package `@github/copilot-linux-x64` (or `-linux-arm64`)
        /opencode-ai/bin/opencode.exe is no program but stands in for one, and the native program is not in the packages beside it: it was installed without its optional packages; install it again with them, or set `program` to `bin/opencode` in the package `opencode-linux-x64` (or `-linux-arm64`)
        /gemini is no program: it stands in for one that was not installed with it; install `gemini` again
    "#]]
    .assert_eq(&says);
    let says = program(Name::Codex, None).unwrap_err().to_string();
    assert_eq!(says, "`codex` is not on the path; install it, or set `program`");
}

#[test]
fn a_script_is_a_program_where_a_harness_may_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().canonicalize().unwrap();
    write(&at.join("claude"), b"#!/bin/sh\nexec real-claude\n");
    for harness in [Name::Claude, Name::Gemini, Name::Qwen] {
        let found = program(harness, Some(at.join("claude"))).unwrap();
        assert_eq!(found, at.join("claude"));
    }
}

#[test]
fn a_native_program_needs_its_folder_and_that_of_codex_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(&at.join("bin/codex"), b"\x7fELF...");
    assert_eq!(super::folder(&at.join("bin/codex")), at.join("bin"));
    write(&at.join(super::PACKAGE_FILE), b"{}");
    assert_eq!(super::folder(&at.join("bin/codex")), at);
}
