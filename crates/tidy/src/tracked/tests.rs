//! Planted files, paths, addresses and dependencies.
//!
//! What is planted is put together here, so that this file itself stays clean.

use super::*;

fn file(text: impl Into<String>) -> File {
    File::new("docs/logging.md", text)
}

#[test]
fn names_that_say_nothing_are_reported() {
    for path in [
        "crates/zazen/src/git/utils.rs",
        "crates/zazen/src/common/mod.rs",
        "bench/helpers.sh",
        "crates/zazen/src/Manager.rs",
        "docs/misc.md",
    ] {
        assert_eq!(check_name(path).len(), 1, "{path}");
    }
    for path in [
        "crates/zazen/src/git/mirror.rs",
        "crates/zazen/src/cli/services_of.rs",
        "crates/zazen/tests/fixtures/utils/a.jsonl",
    ] {
        assert_eq!(check_name(path), [], "{path}");
    }
}

#[test]
fn a_big_file_is_reported_unless_it_is_a_lock_or_a_recording() {
    assert_eq!(check_bytes("docs/picture.png", BYTES_MAX), []);
    assert_eq!(check_bytes("docs/picture.png", BYTES_MAX + 1).len(), 1);
    assert_eq!(check_bytes("Cargo.lock", BYTES_MAX + 1), []);
    assert_eq!(check_bytes("crates/zazen/tests/fixtures/a.jsonl", BYTES_MAX + 1), []);
}

#[test]
fn a_path_of_one_machine_is_reported_with_its_line() {
    for folder in MACHINE_FOLDERS.iter().map(|name| format!("/{name}/")) {
        for text in [format!("cd {folder}x"), format!("\"{folder}x\""), format!("file://{folder}x")]
        {
            let found = check_machine_paths(&file(format!("first\n{text}\n")));
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].line, Some(2));
        }
        for text in
            [format!(".zazen{folder}x"), format!("{{home}}{folder}x"), "/workspace/x".into()]
        {
            assert_eq!(check_machine_paths(&file(text.clone())), [], "{text}");
        }
    }
}

#[test]
fn an_address_at_a_registry_is_reported_and_its_name_is_not() {
    for host in REGISTRY_HOSTS {
        for text in [
            format!("https://{host}/x"),
            format!("HTTP://{}", host.to_uppercase()),
            format!("(https://me:secret@{host}:443)"),
        ] {
            assert_eq!(check_registry_hosts(&file(text.clone())).len(), 1, "{text}");
        }
        assert_eq!(check_registry_hosts(&file(format!("allow `{host}` only"))), []);
    }
    assert_eq!(check_registry_hosts(&file("https://github.com/rust-lang/crates.io-index")), []);
}

#[test]
fn the_core_may_not_depend_on_what_touches_the_world() {
    let manifest = |text: &str| File::new(CORE_MANIFEST, text);
    let clean = "\
[dependencies]
serde.workspace = true
blake3 = \"1\"

[dev-dependencies]
tokio = \"1\"
";
    assert_eq!(check_core_manifest(&manifest(clean)), []);
    for text in [
        "[dependencies]\nserde = \"1\"\ntokio.workspace = true\n",
        "[package]\nname = \"a\"\n[dependencies.tokio]\nversion = \"1\"\n",
        "[build-dependencies]\n\"cc\" = \"1\"\n",
        "[target.'cfg(unix)'.dependencies]\nrustix = { version = \"1\" }\n",
        "[target.'cfg(unix)'.dependencies.rustix]\nversion = \"1\"\n",
    ] {
        assert_eq!(check_core_manifest(&manifest(text)).len(), 1, "{text}");
    }
}
