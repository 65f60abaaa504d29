//! Signatures: GitHub's own example, rotation, and whatever else comes in the header.

use proptest::prelude::*;

use super::*;

const SECRET: &str = "It's a Secret to Everybody";

fn secrets(text: &str) -> Secrets {
    Secrets::parse(text).unwrap()
}

#[test]
fn the_example_of_githubs_documentation_passes() {
    let value = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let signature = Signature::parse(value.as_bytes()).unwrap();
    assert!(secrets(SECRET).signed(b"Hello, World!", &signature));
    assert!(!secrets(SECRET).signed(b"Hello, World?", &signature));
    assert_eq!(secrets(SECRET).sign(b"Hello, World!"), value);
}

#[test]
fn each_of_several_secrets_counts_while_one_is_replaced() {
    let old = secrets("the old one, long enough");
    let both = secrets("the new one, long enough\n\nthe old one, long enough\n");
    let signature = Signature::parse(old.sign(b"body").as_bytes()).unwrap();
    assert!(both.signed(b"body", &signature));
    assert!(!secrets("the new one, long enough").signed(b"body", &signature));
}

#[test]
fn no_short_missing_or_countless_secrets_are_taken() {
    assert_eq!(Secrets::parse(" \n").unwrap_err(), InvalidSecrets::None);
    assert_eq!(Secrets::parse("\nshort").unwrap_err(), InvalidSecrets::Short { line: 2 });
    let many = "sixteen characters\n".repeat(5);
    assert_eq!(Secrets::parse(&many).unwrap_err(), InvalidSecrets::Many);
    assert!(!format!("{:?}", secrets(SECRET)).contains("Everybody"));
}

#[test]
fn only_sha256_in_full_is_a_signature() {
    let digits = "ab".repeat(32);
    assert!(Signature::parse(format!("sha256={digits}").as_bytes()).is_some());
    for odd in [
        String::new(),
        digits.clone(),
        format!("sha1={digits}"),
        format!("SHA256={digits}"),
        format!("sha256={digits}0"),
        format!("sha256={}", &digits[1..]),
        format!("sha256={digits}").replace("ab", "ax"),
        format!(" sha256={digits}"),
    ] {
        assert_eq!(Signature::parse(odd.as_bytes()), None, "{odd}");
    }
}

proptest! {
    #[test]
    fn whatever_the_header_holds_is_parsed_or_refused(
        value in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let _parsed = Signature::parse(&value);
    }

    #[test]
    fn a_wrong_signature_never_passes(
        body in proptest::collection::vec(any::<u8>(), 0..500),
        digest in any::<[u8; 32]>(),
        flipped in 0..256_usize,
    ) {
        let secrets = secrets(SECRET);
        prop_assert!(!secrets.signed(&body, &Signature(digest)));
        let mut right = Signature::parse(secrets.sign(&body).as_bytes()).unwrap();
        prop_assert!(secrets.signed(&body, &right));
        right.0[flipped / 8] ^= 1 << (flipped % 8);
        prop_assert!(!secrets.signed(&body, &right));
    }
}
