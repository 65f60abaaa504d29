//! Tests of the App's word, with a key made for them alone.

use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;

/// A key that opens nothing, as GitHub would give it.
pub(in super::super) fn pem() -> String {
    let key = include_str!("../tests/app-key.b64").trim();
    format!("-----BEGIN RSA PRIVATE KEY-----\n{key}\n-----END RSA PRIVATE KEY-----\n")
}

/// Reads a JWT as GitHub does: its claims, if the App's public key verifies it.
pub(in super::super) fn verified(jwt: &str) -> Option<Value> {
    let public = STANDARD.decode(include_str!("../tests/app-public.b64").trim()).unwrap();
    let (text, signature) = jwt.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let known = rustls::crypto::ring::default_provider().signature_verification_algorithms.mapping;
    let (_, algorithms) =
        known.iter().find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)?;
    let is_right = algorithms
        .iter()
        .any(|one| one.verify_signature(&public, text.as_bytes(), &signature).is_ok());
    if !is_right {
        return None;
    }
    let (head, claims) = text.split_once('.')?;
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    assert_eq!(head, serde_json::json!({ "alg": "RS256", "typ": "JWT" }));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[test]
fn the_public_key_verifies_what_the_app_signs() {
    let key = AppKey::from_pem(&pem()).unwrap();
    let jwt = key.jwt(7, 1_000_000).unwrap();
    let claims = verified(jwt.expose()).unwrap();
    assert_eq!(claims, serde_json::json!({ "iat": 999_940, "exp": 1_000_480, "iss": "7" }));
    assert!(verified(&jwt.expose().replace("eyJ", "eyK")).is_none());
}

#[test]
fn what_is_no_rsa_key_is_refused_and_not_shown() {
    let body = include_str!("../tests/app-key.b64").trim();
    for text in ["", "hello", body, &pem().replace("RSA PRIVATE", "EC PRIVATE")] {
        let said = format!("{:#}", AppKey::from_pem(text).unwrap_err());
        assert!(said.contains("the App's private key"), "{said}");
        assert!(!said.contains("MII"), "{said}");
    }
    assert_eq!(format!("{:?}", AppKey::from_pem(&pem()).unwrap()), "AppKey(…)");
}
