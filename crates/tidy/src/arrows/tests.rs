//! Planted arrows that point the wrong way.

use super::*;

fn check_text(path: &str, text: &str) -> Vec<String> {
    check(&File::new(path, text)).iter().map(ToString::to_string).collect()
}

#[test]
fn a_forbidden_use_is_reported_with_its_line_and_the_allowed_list() {
    let found =
        check_text("crates/zazen/src/exec/model.rs", "//! Head.\n\nuse crate::git::Mirror;\n");
    assert_eq!(
        found,
        ["crates/zazen/src/exec/model.rs:3: `exec` uses `crate::git`, but may use only \
          itself and `zazen_core`; pass it in as a value, or let the caller do it"]
    );
}

#[test]
fn a_forbidden_path_is_found_in_every_way_of_writing_it() {
    for text in [
        "use crate::{exec::Run, git};",
        "use crate::{\n    exec,\n    git::{Mirror, Push},\n};",
        "fn f() { crate::git::push(); }",
        "use crate :: git;",
        "use crate::*;",
        "use super::super::git;",
        "pub(in crate::git) fn f() {}",
    ] {
        assert_eq!(check_text("crates/zazen/src/sandbox/bwrap.rs", text).len(), 1, "{text}");
    }
}

#[test]
fn an_allowed_use_is_not_reported() {
    for (path, text) in [
        ("crates/zazen/src/git/mirror.rs", "use crate::exec::Run;\nuse crate::git::Name;"),
        ("crates/zazen/src/git/mirror.rs", "use super::Name;\npub(crate) fn f() {}"),
        (
            "crates/zazen/src/git/mirror.rs",
            "// crate::daemon is above us.\nlet a = \"crate::cli\";",
        ),
        ("crates/zazen/src/git/mirror.rs", "#[cfg(test)]\nmod tests {\n    use crate::home;\n}"),
        ("crates/zazen/src/git/mirror/tests.rs", "use crate::home;"),
        ("crates/zazen/src/cli/run.rs", "use crate::{daemon, demo, exec};"),
        ("crates/zazen/src/main.rs", "use crate::daemon;"),
        ("crates/zazen-mini/src/lib.rs", "use crate::daemon;"),
    ] {
        assert_eq!(check_text(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn nobody_below_uses_the_daemon_or_the_command_line() {
    for (module, allowed) in ARROWS.iter().filter(|(_, allowed)| *allowed != ANYTHING) {
        for above in ["cli", "demo", "daemon"] {
            assert!(!allowed.contains(&above), "`{module}` may use `{above}`");
        }
    }
}

#[test]
fn a_module_that_the_table_does_not_know_is_reported() {
    assert_eq!(check_text("crates/zazen/src/weather.rs", "").len(), 1);
    assert_eq!(check_text("crates/zazen/src/cli/run.rs", "use crate::weather;").len(), 1);
}

#[test]
fn the_table_has_no_circle() {
    let mut settled: Vec<&str> = Vec::new();
    for (module, allowed) in ARROWS.iter().rev() {
        if *allowed != ANYTHING {
            let left: Vec<_> = allowed.iter().filter(|name| !settled.contains(name)).collect();
            assert_eq!(left, Vec::<&&str>::new(), "`{module}` points up in the table");
        }
        settled.push(module);
    }
}
