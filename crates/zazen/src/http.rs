//! What every HTTP client of zazen's has in common, as each carries a secret.
//!
//! Whom to ask, with what and for how long is the caller's. Who asks us is not known here.

use std::time::Duration;

use url::{Host, Url};

/// How long a connection may take. Three times what a lost packet or two cost; a
/// service that is down is better known soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Begins a client that takes its secret nowhere else: no redirect is followed, no proxy
/// is looked for, and nothing compressed is unpacked. `is_plain` says that none of its
/// services is asked over TLS.
pub fn client(is_plain: bool) -> reqwest::ClientBuilder {
    // The second call of a process finds the provider there, which is as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        // Other crates may turn these on for everybody, and then bombs would go off in here.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .connect_timeout(CONNECT_TIMEOUT);
    // Without this, a machine that has no certificates could not even play back.
    if is_plain { builder.tls_certs_only([]) } else { builder }
}

/// Whether a secret may be sent to an address: encrypted, or to this machine. A name
/// could be somebody else's tomorrow, so this machine is only known by its number.
pub fn may_carry_secrets(url: &Url) -> bool {
    match url.host() {
        Some(_) if url.scheme() == "https" => true,
        Some(Host::Ipv4(ip)) => url.scheme() == "http" && ip.is_loopback(),
        Some(Host::Ipv6(ip)) => url.scheme() == "http" && ip.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

#[cfg(test)]
mod tests;
