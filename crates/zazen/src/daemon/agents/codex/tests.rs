use std::fs;
use std::path::{Path, PathBuf};

use zazen_harness::Name;

use crate::config::{Agent, Environment};

/// What is started for an agent with this `program`, and the folder that it needs to see.
fn program(
    configured: Option<PathBuf>,
    environment: &Environment,
) -> anyhow::Result<(PathBuf, PathBuf)> {
    let agent = Agent {
        harness: Name::Codex,
        model: "gpt-5.5".to_owned(),
        effort: String::new(),
        route: "openai".to_owned(),
        program: configured,
    };
    super::native(crate::daemon::agents::program(environment, &agent)?)
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

/// The packages as npm lays them out.
fn install(at: &Path, native: Option<&str>) {
    let script = at.join("@openai/codex/bin/codex.js");
    fs::create_dir_all(script.parent().unwrap()).unwrap();
    fs::write(&script, "#!/usr/bin/env node\n").unwrap();
    if let Some(native) = native {
        let native = at.join("@openai").join(native);
        fs::create_dir_all(native.parent().unwrap()).unwrap();
        fs::write(&native, b"\x7fELF...").unwrap();
        let package = native.parent().unwrap().parent().unwrap();
        fs::write(package.join(super::PACKAGE_FILE), "{}").unwrap();
    }
}

#[test]
fn the_native_program_is_found_by_the_script_that_is_on_the_path() {
    for native in
        [super::NATIVE[0].to_owned(), format!("codex/node_modules/@openai/{}", super::NATIVE[1])]
    {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        install(&at, Some(&native));
        let script = at.join("@openai/codex/bin/codex.js");
        let link = at.join("codex");
        std::os::unix::fs::symlink(&script, &link).unwrap();
        let (found, folder) = program(Some(link), &nothing()).unwrap();
        assert_eq!(found, at.join("@openai").join(&native));
        assert_eq!(folder, found.parent().unwrap().parent().unwrap());
        assert_eq!(program(Some(found.clone()), &nothing()).unwrap().0, found);
    }
}

#[test]
fn a_native_program_of_its_own_needs_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().canonicalize().unwrap();
    let own = at.join("codex");
    fs::write(&own, b"\x7fELF...").unwrap();
    assert_eq!(program(Some(own.clone()), &nothing()).unwrap(), (own, at));
}

#[test]
fn it_is_said_what_to_set_where_there_is_only_the_script() {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), None);
    let script = folder.path().join("@openai/codex/bin/codex.js");
    let says = program(Some(script), &nothing()).unwrap_err().to_string();
    assert!(says.contains("set `program` to `bin/codex` in the package"), "{says}");
    let says = program(None, &nothing()).unwrap_err().to_string();
    assert_eq!(says, "`codex` is not on the path; install it, or set `program`");
}
