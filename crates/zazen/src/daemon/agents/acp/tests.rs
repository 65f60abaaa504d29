use std::fs;
use std::path::{Path, PathBuf};

use super::{folders, is_for_node};

#[test]
fn a_script_for_node_is_known_by_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let is = |text: &[u8]| {
        let path = folder.path().join("program");
        fs::write(&path, text).unwrap();
        is_for_node(&path).unwrap()
    };
    assert!(is(b"#!/usr/bin/env node\nconsole.log(1)\n"));
    assert!(is(b"#!/usr/bin/env -S node --no-warnings\n"));
    assert!(is(b"#! /opt/node/bin/node\r\n"));
    assert!(!is(b"#!/bin/sh\nexec node x\n"));
    assert!(!is(b"#!/opt/node/bin/bun\n"));
    assert!(!is(b"\x7fELF\x02\x01 node"));
    assert!(!is(b"node"));
    assert!(!is(b""));
    assert!(is_for_node(&folder.path().join("none")).is_err());
}

#[test]
fn a_script_sees_the_packages_around_it_and_node() {
    let of = |program: &str, node: Option<&str>| folders(Path::new(program), node.map(Path::new));
    let node = Some("/opt/node/bin/node");
    let all = ["/home/ada/lib/node_modules", "/opt/node/bin"].map(PathBuf::from);
    assert_eq!(of("/home/ada/lib/node_modules/@google/gemini-cli/bundle/gemini.js", node), all);
    let inner = "/a/node_modules/b/node_modules";
    let all = [inner, "/opt/node/bin"].map(PathBuf::from);
    assert_eq!(of(&format!("{inner}/c/c.js"), node), all);
    let all = ["/opt/agent", "/opt/node/bin"].map(PathBuf::from);
    assert_eq!(of("/opt/agent/agent.js", node), all);
    // Every sandbox has what is there; to put the host's over it would hide an image's own.
    let all = ["/usr/lib/node_modules"].map(PathBuf::from);
    assert_eq!(of("/usr/lib/node_modules/q/q.js", Some("/usr/bin/node")), all);
    let all = ["/a/node_modules/opencode/bin"].map(PathBuf::from);
    assert_eq!(of("/a/node_modules/opencode/bin/opencode", None), all);
}
