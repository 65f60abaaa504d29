use proptest::prelude::*;

use super::encoded::forms;
use super::*;

/// Made up. In two parts, so that no other scanner stumbles over this file.
const KEY: &str =
    concat!("sk-ant-", "api03-Zr9xQ2mB7tLw4KpY8vNc5DfG1hJs6RaE3uXoTiWkMbVq0yCzHePgUl_AdnSj");

fn shapes(text: &str) -> Vec<&'static str> {
    Scanner::shapes().find(text.as_bytes()).into_iter().map(|finding| finding.what).collect()
}

fn base64(text: &str) -> String {
    encode(text.as_bytes())
}

fn encode(bytes: &[u8]) -> String {
    const A: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b));
        let bits = bits << (8 * (3 - group.len()));
        for n in 0..4 {
            let index = (bits >> (18 - 6 * n) & 63) as usize;
            out.push(if n <= group.len() { char::from(A[index]) } else { '=' });
        }
    }
    out
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |hex, b| hex + &format!("{b:02x}"))
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

#[test]
fn the_shape_of_every_rule_compiles() {
    for (index, rule) in RULES.iter().enumerate() {
        assert!(!rule.keywords.is_empty());
        assert!(!regex(index).is_match(b""), "{}", rule.shape);
    }
}

#[test]
fn tokens_of_known_services_are_found() {
    let aws = concat!("AKI", "A2E3QZ7PLMK4XN5RW");
    let jwt =
        concat!("ey", "JhbGciOiJIUzI1NiJ9.ey", "JzdWIiOiJhZGEiLCJuIjoxfQ.Xk3v9QzLmP0a7RtYw2Bc");
    let github = concat!("gh", "p_9aB3dE7fG1hJ5kL8mN2pQ4rS6tU0vW3xY7zA");
    let slack = concat!("xo", "xb-1234567890-0987654321-AbCdEfGhIjKlMnOpQrSt");
    for (text, what) in [
        (KEY, "an Anthropic key"),
        (aws, "an AWS access key"),
        (jwt, "a signed token"),
        (github, "a GitHub token"),
        (slack, "a Slack token"),
        (concat!("gl", "pat-Zr9xQ2mB7tLw4KpY8vNc"), "a GitLab token"),
        (concat!("AI", "zaSyZr9xQ2mB7tLw4KpY8vNc5DfG1hJs6RaE3"), "a Google key"),
        (concat!("postgres:/", "/ada:hT7vQp2LxZ@db.internal/x"), "a password in an address"),
        (
            concat!("hooks.slack", ".com/services/T0A1B2C3D/B4E5F6G7H/Zr9xQ2mB7tLw4KpY8vNc"),
            "a Slack webhook",
        ),
        (concat!("key = sk", "-Zr9xQ2mB7tLw4KpY8vNc5DfG1hJs6RaE"), "a key of a model's service"),
        (concat!("api_key: \"", "Zr9xQ2mB7tLw4KpY8vNc5DfG1hJs6RaE\""), "a secret"),
        (
            concat!(
                "AGE-SECRET-",
                "KEY-1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE"
            ),
            "an age key",
        ),
    ] {
        assert_eq!(shapes(text), [what], "{text}");
        assert_eq!(shapes(&format!("a line\n({text})\n")), [what], "{text}");
        assert!(!Scanner::shapes().redact(&format!("x {text} y")).contains(&text[9..]), "{text}");
    }
}

#[test]
fn a_private_key_is_found_whole() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDZr9xQ2mB7tLw\n".repeat(4);
    let key = format!("-----BEGIN {0} KEY-----\n{body}-----END {0} KEY-----", "RSA PRIVATE");
    assert_eq!(shapes(&key), ["a private key"]);
    assert_eq!(Scanner::shapes().redact(&format!("a {key} b")), "a [secret] b");
    let escaped = key.replace('\n', "\\n");
    assert_eq!(
        Scanner::shapes().redact(&format!("{{\"k\":\"{escaped}\"}}")),
        "{\"k\":\"[secret]\"}"
    );
    let torn = &key[..150];
    assert_eq!(shapes(torn), ["a private key"]);
    assert_eq!(shapes(&base64(&key)), ["a private key"]);
    assert_eq!(
        shapes("-----BEGIN RSA PRIVATE KEY----- is how such a key begins, you know."),
        [""; 0]
    );
}

#[test]
fn what_only_resembles_a_secret_is_left_alone() {
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-ant-...",
        "sk-ant-your-key-goes-here",
        "task-0123456789abcdef0123456789abcdef",
        "https://user:$PASSWORD@host/",
        "https://user:password@example.com/",
        "token = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "password: str, secret: &[u8]",
        "Bearer <token>",
        "commit 5c142c77b5a9e3d2f1a0c4e6b8d9f7a3e1c5b2d4",
    ] {
        assert_eq!(shapes(text), [""; 0], "{text}");
        assert_eq!(Scanner::shapes().redact(text), text);
    }
}

#[test]
fn a_token_is_found_in_base64_and_in_hexadecimal() {
    for before in ["", "a", "ab", "abc", "{\"key\": \""] {
        let text = format!("{before}{KEY}\" and more");
        assert_eq!(shapes(&base64(&text)), ["an Anthropic key"], "{before}");
        let wrapped = base64(&text)
            .as_bytes()
            .chunks(76)
            .fold(String::new(), |text, line| text + std::str::from_utf8(line).unwrap() + "\n");
        assert_eq!(shapes(&wrapped), ["an Anthropic key"], "{before}");
        let redacted = Scanner::shapes().redact(&wrapped).into_owned();
        assert!(!redacted.contains(&base64(KEY)[20..40]), "{redacted}");
        assert_eq!(shapes(&hex(&text)), ["an Anthropic key"], "{before}");
        assert_eq!(shapes(&hex(&text).to_uppercase()), ["an Anthropic key"], "{before}");
    }
}

#[test]
fn a_known_secret_is_found_in_every_form() {
    // It looks like nothing.
    let secret = "correct horse battery/staple+\"7\"";
    let scanner = Scanner::knowing([secret]);
    let json = serde_json::to_string(secret).unwrap();
    let percent = secret.bytes().fold(String::new(), |text, b| text + &format!("%{b:02X}"));
    for form in [
        secret.to_owned(),
        base64(secret),
        base64(&format!("a{secret}")),
        base64(&format!("ab{secret}z")),
        base64(secret).replace('+', "-").replace('/', "_"),
        hex(secret),
        hex(secret).to_uppercase(),
        reversed(secret),
        json.trim_matches('"').to_owned(),
        percent,
        "correct%20horse%20battery%2Fstaple%2B%227%22".to_owned(),
        // Without its beginning, and without its end.
        secret[9..].to_owned(),
        secret[..22].to_owned(),
        base64(&secret[9..]),
    ] {
        let found = scanner.find(format!("so: {form}.").as_bytes());
        assert_eq!(found.len(), 1, "{form}");
        assert_eq!(found[0].what, KNOWN, "{form}");
        let redacted = scanner.redact(&form).into_owned();
        assert!(redacted.contains(REPLACEMENT) && redacted.len() < 24, "{redacted}");
    }
    assert!(!scanner.is_in(b"a correct horse is no battery"));
    assert!(!format!("{scanner:?}").contains("horse"));
}

#[test]
fn a_placeholder_is_no_secret() {
    assert!(!Scanner::knowing(["ollama", "none", ""]).is_in(b"ollama, none"));
}

#[test]
fn nothing_put_after_a_token_makes_it_look_harmless() {
    let padded = format!("{KEY}{}EXAMPLE", "a".repeat(500));
    assert_eq!(shapes(&padded), ["an Anthropic key"]);
}

#[test]
fn a_key_in_lines_is_taken_out_line_by_line() {
    let mut lines = Lines::new(Scanner::shapes());
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDZr9xQ2mB7tLw";
    assert_eq!(lines.line("hello"), "hello");
    lines.line("-----BEGIN OPENSSH PRIVATE KEY-----");
    assert_eq!(lines.line(body), REPLACEMENT);
    assert_eq!(lines.line("AQAB=="), REPLACEMENT);
    assert_eq!(lines.line("-----END OPENSSH PRIVATE KEY-----"), REPLACEMENT);
    assert_eq!(lines.line("word"), "word");
    lines.line("-----BEGIN OPENSSH PRIVATE KEY-----");
    assert_eq!(lines.line("no key at all, in fact"), "no key at all, in fact");
    assert_eq!(lines.line("word"), "word");
}

#[test]
fn a_text_made_to_take_long_is_called_full_of_secrets() {
    for piece in ["-----BEGIN PRIVATE KEY-----", "sk-ant-", "://a:", "eyJa.eyJ", "LS0tLS1CRUdJTi"] {
        let bomb = piece.repeat((64 << 10) / piece.len());
        Scanner::shapes().find(bomb.as_bytes());
    }
    let bomb = "-----BEGIN PRIVATE KEY-----".repeat(1_000);
    assert!(Scanner::shapes().is_in(bomb.as_bytes()));
}

#[test]
fn tokens_that_hide_behind_each_other_are_all_taken_out() {
    let chain = format!("sk-{}-", "Zr9xQ2mB7tLw4KpY8vNc5DfG1hJs6RaE3uXoTi").repeat(50);
    let redacted = Scanner::shapes().redact(&format!("{chain}{KEY}")).into_owned();
    assert!(!Scanner::shapes().is_in(redacted.as_bytes()), "{redacted}");
}

proptest! {
    #[test]
    fn no_part_of_a_known_secret_is_left(
        secret in "[ -~]{24,60}",
        before in any::<String>(),
        after in any::<String>(),
        form in 0..20_usize,
    ) {
        let scanner = Scanner::knowing([secret.as_str()]);
        let forms = forms(&secret);
        let shown = String::from_utf8_lossy(&forms[form % forms.len()]).into_owned();
        for shown in [secret.clone(), shown] {
            let redacted = scanner.redact(&format!("{before}{shown}{after}")).into_owned();
            prop_assert!(!redacted.contains(&shown));
            prop_assert!(!scanner.is_in(redacted.as_bytes()));
        }
    }

    #[test]
    fn any_bytes_can_be_searched(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let found = Scanner::shapes().find(&bytes);
        prop_assert!(found.is_empty() || found[0].range.end <= bytes.len());
    }

    #[test]
    fn twice_is_once(pieces in prop::collection::vec(
        prop::sample::select(vec![
            KEY, "sk-", "://", "a:b", "@", "\"", " ", "=", "token", "AKIA", "LS0tLS1CRUdJTi", "é",
            "-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA", "\n",
        ]),
        0..12,
    )) {
        let once = Scanner::shapes().redact(&pieces.concat()).into_owned();
        prop_assert_eq!(Scanner::shapes().redact(&once).into_owned(), once);
    }
}
