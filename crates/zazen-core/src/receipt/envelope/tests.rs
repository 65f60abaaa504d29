//! Tests of envelopes.

use proptest::prelude::*;

use super::*;

fn sample(payload: &[u8]) -> Envelope {
    Envelope { unsigned: Unsigned::new(payload), key: KeyId([7; 32]), signature: [9; 64] }
}

/// The example of the specification.
#[test]
fn what_is_signed_is_encoded_as_the_specification_says() {
    let encoded = pae("http://example.com/HelloWorld", b"hello world");
    assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    let ours = Unsigned::new(b"{}".as_slice()).to_sign();
    assert_eq!(ours, b"DSSEv1 28 application/vnd.in-toto+json 2 {}");
}

#[test]
fn an_envelope_is_printed_like_this() {
    let text = sample(b"{}").print();
    let key = format!("ed25519:{}", "07".repeat(32));
    let sig = STANDARD.encode([9; 64]);
    let expected = format!(
        "{{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",\
         \"signatures\":[{{\"keyid\":\"{key}\",\"sig\":\"{sig}\"}}]}}\n"
    );
    assert_eq!(text, expected);
}

#[test]
fn what_is_not_exactly_an_envelope_is_said_to_be_what_it_is() {
    let text = sample(b"{}").print();
    let read = |text: &str| Envelope::parse(text.as_bytes()).unwrap_err();
    assert!(matches!(read(""), ParseError::Json(_)));
    assert_eq!(read(text.trim_end()), ParseError::NotCanonical);
    assert_eq!(read(&text.replace("e30=", "e31=")), ParseError::Field("payload"));
    assert_eq!(read(&text.replace("ed25519:0", "ed25519:")), ParseError::Field("key"));
    let other = text.replace("in-toto+json", "other");
    assert_eq!(read(&other), ParseError::PayloadType("application/vnd.other".to_owned()));
    let none = text.replacen("[{", "[], \"x\": [{", 1);
    assert!(matches!(read(&none), ParseError::Json(_)));
    let long = format!("{}{text}", " ".repeat(BYTES_MAX));
    assert_eq!(read(&long), ParseError::TooLong);
}

proptest! {
    #[test]
    fn every_envelope_is_read_back(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let envelope = sample(&payload);
        prop_assert_eq!(Envelope::parse(envelope.print().as_bytes()), Ok(envelope));
    }

    #[test]
    fn no_byte_of_an_envelope_is_without_meaning(
        payload in proptest::collection::vec(any::<u8>(), 0..60),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let envelope = sample(&payload);
        let mut text = envelope.print().into_bytes();
        let at = at.index(text.len());
        prop_assume!(text[at] != byte);
        text[at] = byte;
        if let Ok(other) = Envelope::parse(&text) {
            prop_assert_ne!(other, envelope);
        }
    }
}
