//! Tests of skills in one text.

use super::*;

#[test]
fn what_is_printed_comes_out_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    fs::create_dir_all(from.join("release/scripts")).unwrap();
    fs::write(from.join("release/SKILL.md"), "# Release\n").unwrap();
    fs::write(from.join("release/logo.png"), [0x89, b'P', 0xff]).unwrap();
    let script = from.join("release/scripts/tag.sh");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let text = print(&from).unwrap().unwrap();
    let to = dir.path().join("to");
    unpack(text.as_bytes(), &to).unwrap();
    assert_eq!(print(&to).unwrap().unwrap(), text);
    assert_eq!(fs::read(to.join("release/logo.png")).unwrap(), [0x89, b'P', 0xff]);
    assert_eq!(print(&dir.path().join("none")).unwrap(), None);
}

#[test]
fn nothing_is_written_outside_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["../evil", "/evil", "a/../../evil", "a//b", "./a", "", "a/", "a\0b"] {
        let kept = Kept { is_program: false, content: Content::Text("x".to_owned()) };
        let files = BTreeMap::from([(name.to_owned(), kept)]);
        let text = serde_json::to_string(&Skills { v: VERSION, files }).unwrap();
        let to = dir.path().join("to");
        assert!(unpack(text.as_bytes(), &to).is_err(), "{name}");
        fs::remove_dir_all(to).unwrap();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
