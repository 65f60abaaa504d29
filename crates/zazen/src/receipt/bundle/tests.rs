//! Hostile bundles. What a good one holds is tested on real ones, in `tests/it/receipt`.

use super::*;

fn archive(files: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bundle.tar");
    let mut writer = Writer::new(File::create(&path).unwrap());
    for (name, bytes) in files {
        let entry = Entry { name: (*name).to_owned(), n_bytes: bytes.len() as u64 };
        writer.add(&entry, *bytes).unwrap();
    }
    writer.finish().unwrap();
    (dir, path)
}

fn manifest() -> String {
    Manifest { v: MANIFEST_VERSION, withheld: BTreeMap::new() }.print()
}

fn refusal(files: &[(&str, &[u8])]) -> String {
    let (dir, path) = archive(files);
    let to = dir.path().join("to");
    let err = format!("{:#}", import(&path, &to).unwrap_err());
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left behind: {left:?}");
    err
}

#[test]
fn only_files_with_the_names_of_parts_come_out_and_only_in_order() {
    let manifest = manifest();
    let first = ("bundle.json", manifest.as_bytes());
    for name in ["../evil", "/etc/passwd", "runs/1.1/../../evil", "runs/1.1/token", "evil\u{1b}[2J"]
    {
        let err = refusal(&[first, (name, b"x")]);
        assert!(err.contains("is no file of a bundle") && !err.contains('\u{1b}'), "{err}");
    }
    let err = refusal(&[first, ("issue.md", b"x"), ("issue.md", b"y")]);
    assert!(err.contains("stands twice in it"), "{err}");
    let err = refusal(&[first, ("issue.md", b"x"), ("receipt.json", b"y")]);
    assert!(err.contains("in the wrong place"), "{err}");
    let long = vec![b' '; usize::try_from(MANIFEST_BYTES_MAX).unwrap() + 1];
    let err = refusal(&[("bundle.json", &long)]);
    assert!(err.contains("too large"), "{err}");
    let err = refusal(&[("bundle.json", b"{}")]);
    assert!(err.contains("it is no manifest"), "{err}");
    let err = refusal(&[("issue.md", b"x")]);
    assert!(err.contains("it is no unpacked bundle"), "{err}");
    let newer = manifest.replace("\"v\":1", "\"v\":2");
    let err = refusal(&[("bundle.json", newer.as_bytes())]);
    assert!(err.contains("it has version 2, this zazen reads 1"), "{err}");
}

#[test]
fn what_is_there_is_not_unpacked_over() {
    let manifest = manifest();
    let (dir, path) = archive(&[("bundle.json", manifest.as_bytes())]);
    let to = dir.path().join("to");
    import(&path, &to).unwrap();
    fs::write(to.join("mine"), "mine").unwrap();
    assert!(import(&path, &to).unwrap_err().to_string().contains("is there already"));
    assert!(to.join("mine").exists());
    assert!(is_bundle(&path) && !is_bundle(&to) && !is_bundle(&to.join("bundle.json")));
}

#[test]
fn a_pipe_is_no_bundle() {
    assert!(!is_bundle(Path::new("/dev/null")));
    let err = format!("{:#}", open(Path::new("/dev/null")).unwrap_err());
    assert!(err.contains("it is not a plain file"), "{err}");
}
