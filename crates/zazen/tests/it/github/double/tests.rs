//! The double holds what it promises, seen with plain requests and plain git.

mod api;
mod code;
mod faults;
mod hooks;
mod talk;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Double;
use super::wire::{Ask, Reply};

/// A program that asks with one token.
struct Program<'d> {
    double: &'d Double,
    token: String,
}

impl<'d> Program<'d> {
    fn new(double: &'d Double, token: &str) -> Self {
        Self { double, token: token.to_owned() }
    }

    /// One that asks as an installation of the App.
    fn app(double: &'d Double, permissions: &Value) -> Self {
        let body = json!({ "repositories": ["tally"], "permissions": permissions });
        let path = format!("/app/installations/{}/access_tokens", double.installation());
        let app = Self { double, token: app_token(double, 300) };
        let reply = app.post(&path, &body);
        assert_eq!(reply.status, 201, "{}", reply.text());
        let token = reply.value()["token"].as_str().expect("a token").to_owned();
        Self { double, token }
    }

    fn send(&self, method: &str, target: &str, body: &Value) -> Reply {
        let mut ask = Ask::new(method, target).token(&self.token).with("user-agent", "zazen");
        if !body.is_null() {
            ask = ask.json(body);
        }
        self.double.ask(&ask)
    }

    fn get(&self, target: &str) -> Reply {
        self.send("GET", target, &Value::Null)
    }

    fn post(&self, target: &str, body: &Value) -> Reply {
        self.send("POST", target, body)
    }
}

/// The App's own token, as an App signs it.
fn app_token(double: &Double, seconds: i64) -> String {
    let pem: String = double.app_key().lines().filter(|line| !line.starts_with('-')).collect();
    let key = STANDARD.decode(pem).expect("the key is PEM");
    let key = ring::signature::RsaKeyPair::from_der(&key).expect("the key is RSA's");
    let now = jiff::Timestamp::now().as_second();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iat": now - 10, "exp": now + seconds, "iss": double.app_id() });
    let text = format!("{}.{}", part(json!({ "alg": "RS256", "typ": "JWT" })), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    key.sign(&ring::signature::RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature)
        .expect("it can be signed");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
