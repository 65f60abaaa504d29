//! An App's private key, and the short-lived word that it signs: a JWT.
//!
//! Two minutes of code over the RSA of the TLS library that is here anyway; a
//! crate for tokens would bring a second one. See `token` for who asks for it.

use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;
use zazen_core::secret::Secret;

/// The private key of a GitHub App.
#[derive(Clone)]
pub struct AppKey {
    key: Arc<dyn SigningKey>,
    pem: Secret,
}

/// How long a JWT is valid. GitHub takes ten minutes at the most.
const VALID_SECONDS: u64 = 8 * 60;

/// How far back a JWT is dated, so that a clock that is a little ahead does no harm.
const BACK_SECONDS: u64 = 60;

impl AppKey {
    /// Reads a key as GitHub gives it: an RSA key in PEM.
    pub fn from_pem(pem: &str) -> anyhow::Result<Self> {
        // The errors of the parsers say what is wrong and never quote the key.
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .context("read the App's private key; GitHub gives it as a PEM file")?;
        let key = any_supported_type(&der).context("take the App's private key")?;
        anyhow::ensure!(
            key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).is_some(),
            "the App's private key is not an RSA key; take the one that GitHub made"
        );
        Ok(Self { key, pem: Secret::new(pem) })
    }

    /// Signs that the App `id` asks, at `now_seconds` since 1970.
    pub(super) fn jwt(&self, id: u64, now_seconds: u64) -> anyhow::Result<Secret> {
        let iat = now_seconds.saturating_sub(BACK_SECONDS);
        let claims = serde_json::json!({
            "iat": iat,
            "exp": now_seconds.saturating_add(VALID_SECONDS),
            "iss": id.to_string(),
        });
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let head = encode(br#"{"alg":"RS256","typ":"JWT"}"#);
        let text = format!("{head}.{}", encode(claims.to_string().as_bytes()));
        let signer = self
            .key
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
            .context("the App's private key is not an RSA key")?;
        let signature = signer.sign(text.as_bytes()).context("sign with the App's private key")?;
        Ok(Secret::new(format!("{text}.{}", encode(&signature))))
    }

    /// The key's text, for whoever looks for secrets in texts.
    pub(super) fn pem(&self) -> &Secret {
        &self.pem
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey(…)")
    }
}

#[cfg(test)]
pub(super) mod tests;
