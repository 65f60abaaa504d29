//! Tests of the keys that receipts are signed with.

use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::create(&dir.path().join("home")).unwrap();
    (dir, home)
}

fn signed(key: &SigningKey) -> Envelope {
    key.sign(Unsigned::new(b"{}".as_slice())).unwrap()
}

#[test]
fn a_key_is_made_once_and_only_its_owner_reads_it() {
    let (_dir, home) = home();
    assert_eq!(current(&home).unwrap(), None);
    let first = SigningKey::of(&home).unwrap();
    assert_eq!(SigningKey::of(&home).unwrap().id(), first.id());
    assert_eq!(current(&home).unwrap(), Some(first.id()));
    let mode = fs::metadata(key_file(&home)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(key_file(&home).starts_with(home.dot_dir()), "it is not in git");
    assert_eq!(known(&home).unwrap(), BTreeSet::from([first.id()]));
    assert!(!fs::read_to_string(home.receipt_keys_page()).unwrap().contains("seed"));
    assert!(is_signed(&signed(&first)));
}

#[test]
fn a_signature_is_for_one_text_by_one_key() {
    let (_dir, home) = home();
    let envelope = signed(&SigningKey::of(&home).unwrap());
    let other = Unsigned::new(b"{} ".as_slice());
    assert!(!is_signed(&Envelope { unsigned: other, ..envelope.clone() }));
    assert!(!is_signed(&Envelope { key: KeyId::from([1; 32]), ..envelope.clone() }));
    for at in 0..64 {
        let mut signature = envelope.signature;
        signature[at] ^= 1;
        assert!(!is_signed(&Envelope { signature, ..envelope.clone() }), "byte {at}");
    }
}

#[test]
fn what_an_old_key_signed_is_known_after_a_new_one_was_made() {
    let (_dir, home) = home();
    let old = SigningKey::of(&home).unwrap();
    fs::remove_file(key_file(&home)).unwrap();
    let new = SigningKey::of(&home).unwrap();
    assert_ne!(old.id(), new.id());
    assert_eq!(known(&home).unwrap(), BTreeSet::from([old.id(), new.id()]));
    let page = fs::read_to_string(home.receipt_keys_page()).unwrap();
    assert!(page.trim_end().ends_with(&new.id().to_string()), "the newest is last\n{page}");
}

#[test]
fn a_key_that_others_may_read_is_not_used() {
    let (_dir, home) = home();
    SigningKey::of(&home).unwrap();
    fs::set_permissions(key_file(&home), fs::Permissions::from_mode(0o640)).unwrap();
    let err = format!("{:#}", SigningKey::of(&home).unwrap_err());
    assert!(err.contains("chmod 600"), "{err}");
    fs::set_permissions(key_file(&home), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(key_file(&home), "something else\n").unwrap();
    let err = format!("{:#}", SigningKey::of(&home).unwrap_err());
    assert!(err.contains("it is no signing key"), "{err}");
}

#[test]
fn a_page_of_keys_has_remarks_and_says_which_line_is_wrong() {
    let key = KeyId::from([3; 32]);
    let text = format!("# ours\n\n{key} since May\n");
    assert_eq!(parse_known(&text), Ok(BTreeSet::from([key])));
    let wrong = format!("{text}ed25519:12\n");
    assert_eq!(parse_known(&wrong), Err(InvalidKeys { line: 4 }));
}
