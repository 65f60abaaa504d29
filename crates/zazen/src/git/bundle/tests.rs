//! Bundles that are not what they should be.

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef01234567";

fn fault(text: &str) -> BundleFault {
    parse(text.as_bytes()).unwrap_err()
}

#[test]
fn a_plain_bundle_is_read() {
    let text = format!(
        "# v2 git bundle\n-{ID} base\n{ID} refs/zazen/result\n\nPACK\0\0\0\u{2}\0\0\0\u{3}xyz"
    );
    let head = parse(text.as_bytes()).unwrap();
    assert_eq!(head.result.as_str(), ID);
    assert!(text[head.n_bytes..].ends_with("xyz"));
    assert_eq!(head.n_objects, 3);
}

#[test]
fn anything_else_is_named_for_what_it_is() {
    let with = |lines: &str| fault(&format!("# v2 git bundle\n{lines}"));
    let ours = format!("{ID} refs/zazen/result\n");
    assert_eq!(fault(""), BundleFault::Signature);
    assert_eq!(fault("# v3 git bundle\n"), BundleFault::Signature);
    assert_eq!(fault("\0\0garbage"), BundleFault::Signature);
    assert_eq!(with(""), BundleFault::Endless);
    assert_eq!(with(&ours), BundleFault::Endless);
    assert_eq!(with(&"-x\n".repeat(HEAD_BYTES_MAX)), BundleFault::Endless);
    assert_eq!(with(&"x".repeat(HEAD_BYTES_MAX * 2)), BundleFault::Endless);
    assert_eq!(with(&format!("{ID} refs/heads/main\n\nPACK")), BundleFault::OtherRef);
    assert_eq!(with(&format!("{ours}{ID} refs/heads/main\n\nPACK")), BundleFault::NotOne);
    assert_eq!(with(&format!("{ours}{ours}\nPACK")), BundleFault::NotOne);
    assert_eq!(with("\nPACK"), BundleFault::NotOne);
    assert_eq!(with("HEAD\n\nPACK"), BundleFault::Line);
    assert_eq!(with("--x refs/zazen/result\n\nPACK"), BundleFault::NotOne);
    assert_eq!(with(&format!("{ours}\nnot a pack")), BundleFault::NoPack);
}
