//! What is taken out of streams, and what is left as it was.

use super::*;

/// Made up, in two parts so that no other scanner stumbles over this file.
const TOKEN: &str = concat!("gh", "p_9aB3dE7fG1hJ5kL8mN2pQ4rS6tU0vW3xY7zA");

/// A stream of Anthropic's that says `text` in pieces of `n` letters.
fn anthropic(text: &str, n: usize) -> String {
    pieces(text, n, |piece| {
        let delta = serde_json::json!({"type": "text_delta", "text": piece});
        let event = serde_json::json!({"type": "content_block_delta", "index": 0, "delta": delta});
        format!("event: content_block_delta\ndata: {event}\n\n")
    })
}

/// The same from an API that has its texts in a list.
fn openai(text: &str, n: usize) -> String {
    pieces(text, n, |piece| {
        let event = serde_json::json!({"choices": [{"delta": {"content": piece}}]});
        format!("data: {event}\r\n\r\n")
    }) + "data: [DONE]\r\n\r\n"
}

fn pieces(text: &str, n: usize, print: impl Fn(&str) -> String) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(n).map(|chunk| print(&chunk.iter().collect::<String>())).collect()
}

/// The text that a stream says.
fn said(body: &str) -> String {
    let texts = body.lines().filter_map(event).filter_map(|event| {
        let text = event.pointer("/delta/text").or(event.pointer("/choices/0/delta/content"))?;
        Some(text.as_str()?.to_owned())
    });
    texts.collect()
}

#[test]
fn a_secret_in_pieces_of_any_length_is_taken_out_and_nothing_else() {
    let text = format!("The “tok” is {TOKEN}, dear ☃.");
    for n in 1..=text.chars().count() {
        for body in [anthropic(&text, n), openai(&text, n)] {
            let clean = redact(body.clone(), Scanner::shapes());
            assert_eq!(said(&clean), format!("The “tok” is {REPLACEMENT}, dear ☃."), "by {n}");
            assert_eq!(clean.lines().count(), body.lines().count());
        }
    }
}

#[test]
fn two_secrets_are_both_taken_out() {
    let clean = redact(anthropic(&format!("{TOKEN} and {TOKEN}!"), 7), Scanner::shapes());
    assert_eq!(said(&clean), format!("{REPLACEMENT} and {REPLACEMENT}!"));
}

#[test]
fn a_known_secret_is_found_in_pieces_and_in_base64() {
    let key = "house-key-0123456789-abcdef";
    let scanner = Scanner::knowing([key]);
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, key);
    for text in [key, &encoded] {
        let clean = said(&redact(anthropic(text, 3), &scanner));
        assert!(!clean.contains(&text[4..20]), "{clean}");
        assert!(clean.contains(REPLACEMENT), "{clean}");
    }
}

#[test]
fn a_stream_without_secrets_stays_byte_for_byte() {
    for body in [anthropic("Nothing to see.", 4), openai("Nothing.", 3), "no stream".to_owned()] {
        assert_eq!(redact(body.clone(), Scanner::shapes()), body);
    }
}
