//! Tests that secrets stay where they are.

use super::*;

const KEY: &str = "sk-ant-api03-CANARY-0123456789";

fn screened(chunks: &[&str]) -> String {
    let mut screen = Screen::new(Some(&Secret::new(KEY)));
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&screen.push(Bytes::copy_from_slice(chunk.as_bytes())));
    }
    out.extend_from_slice(&screen.finish());
    String::from_utf8(out).unwrap()
}

#[test]
fn debug_shows_no_secret() {
    let token = Token::random().unwrap();
    assert_eq!(format!("{:?} {token:?}", Secret::new(KEY)), "Secret(…) Token(…)");
}

#[test]
fn tokens_are_random_and_survive_printing() {
    let (a, b) = (Token::random().unwrap(), Token::random().unwrap());
    assert_ne!(a, b);
    assert_eq!(a.to_string().len(), 64);
    assert_eq!(a.to_string().parse::<Token>().unwrap(), a);
    assert_eq!("12".parse::<Token>(), Err(InvalidToken));
    assert!(a.is(a.to_string().as_bytes()));
    assert!(!a.is(&a.to_string().as_bytes()[..63]));
    assert!(!a.is(b""));
}

#[test]
fn a_key_in_a_stream_is_replaced_wherever_the_stream_is_cut() {
    let text = format!("a sk-ant {KEY}{KEY} b sk-ant-api03-");
    let clean = "a sk-ant [secret][secret] b sk-ant-api03-";
    for at in 0..=text.len() {
        let (a, b) = text.split_at(at);
        assert_eq!(screened(&[a, b]), clean, "cut at {at}");
    }
    let bytes: Vec<&str> = text.split("").collect();
    assert_eq!(screened(&bytes), clean);
}

#[test]
fn a_frame_is_never_held() {
    let mut screen = Screen::new(Some(&Secret::new(KEY)));
    let frame = Bytes::from_static(b"data: {\"text\":\"s\"}\n\n");
    assert_eq!(screen.push(frame.clone()), frame);
    assert!(screen.finish().is_empty());
}

#[test]
fn a_placeholder_key_is_not_searched_for() {
    let mut screen = Screen::new(Some(&Secret::new("none")));
    assert_eq!(screen.push(Bytes::from_static(b"none")), "none");
}
