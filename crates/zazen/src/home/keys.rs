//! The keys that receipts are signed with, and those that are known.
//!
//! The private key is made when it is first needed, in `.zazen/keys`, which is not in
//! git and only its owner's to read. The public one is added to `receipts.pub`, a page of
//! the home that is committed with it. Rotating is removing the private key: the next one
//! is made and added, and what the old one signed can still be checked.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zazen_core::receipt::{Envelope, KeyId, Unsigned};

use super::Home;
use super::atomic::{self, Durability};

/// A key that signs. It does not print.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    id: KeyId,
}

/// A page of keys cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line} is not a key; a line is `ed25519:` and 64 hexadecimal digits, then whatever you \
     like, or it begins with `#`"
)]
pub struct InvalidKeys {
    /// Counts from 1.
    pub line: usize,
}

/// What stands before the seed in the file, so that nobody takes it for something else.
const FILE_HEAD: &str = "zazen signing key, version 1: ";

const SEED_BYTES: usize = 32;

/// How large a file of keys may be: thousands of keys.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a new page of known keys begins with.
const PAGE_HEAD: &str = "\
    # The keys that this zazen signs receipts with, the newest last. What an older one signed\n\
    # can still be checked. Remove the line of a key that somebody else may have.\n";

impl SigningKey {
    /// The key of a home, made now if there is none. Its public part is in the home's page
    /// when this returns.
    pub fn of(home: &Home) -> anyhow::Result<Self> {
        let path = key_file(home);
        let seed = match read_seed(&path)? {
            Some(seed) => seed,
            None => make_seed(&path)?,
        };
        let key = Self::from_seed(&seed)?;
        key.make_known(home)
            .with_context(|| format!("add the key to `{}`", home.receipt_keys_page().display()))?;
        Ok(key)
    }

    fn from_seed(seed: &[u8]) -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|err| anyhow::anyhow!("use the signing key: {err}"))?;
        let public: [u8; 32] =
            pair.public_key().as_ref().try_into().context("a public key has 32 bytes")?;
        Ok(Self { pair, id: KeyId::from(public) })
    }

    /// The public key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Signs a statement.
    pub fn sign(&self, unsigned: Unsigned) -> anyhow::Result<Envelope> {
        let signature = self.pair.sign(&unsigned.to_sign());
        let signature = signature.as_ref().try_into().context("a signature has 64 bytes")?;
        Ok(Envelope { unsigned, key: self.id, signature })
    }

    #[expect(clippy::format_push_string, reason = "a short text, in no hurry")]
    fn make_known(&self, home: &Home) -> anyhow::Result<()> {
        if known(home)?.contains(&self.id) {
            return Ok(());
        }
        let page = home.receipt_keys_page();
        let mut text = match fs::read_to_string(&page) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => PAGE_HEAD.to_owned(),
            text => text?,
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{}\n", self.id));
        Ok(atomic::write(&page, text.as_bytes(), Durability::Durable)?)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

/// Whether an envelope was signed by the key that it names.
pub fn is_signed(envelope: &Envelope) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, envelope.key.as_bytes());
    key.verify(&envelope.unsigned.to_sign(), &envelope.signature).is_ok()
}

/// The keys that a home knows: those on its page.
pub fn known(home: &Home) -> anyhow::Result<BTreeSet<KeyId>> {
    let page = home.receipt_keys_page();
    if page.exists() { read_known(&page) } else { Ok(BTreeSet::new()) }
}

/// The key that the next receipt is signed with, if it was made already.
pub fn current(home: &Home) -> anyhow::Result<Option<KeyId>> {
    let seed = read_seed(&key_file(home))?;
    Ok(seed.map(|seed| SigningKey::from_seed(&seed)).transpose()?.map(|key| key.id))
}

/// Reads a page of keys.
pub fn read_known(page: &Path) -> anyhow::Result<BTreeSet<KeyId>> {
    let read = || -> anyhow::Result<BTreeSet<KeyId>> {
        let bytes = atomic::read_small(page, FILE_BYTES_MAX).with_context(|| {
            format!("it cannot be read, or has more than {FILE_BYTES_MAX} bytes")
        })?;
        Ok(parse_known(&String::from_utf8_lossy(&bytes))?)
    };
    read().with_context(|| format!("read the keys in `{}`", page.display()))
}

/// Reads the text of such a page.
pub fn parse_known(text: &str) -> Result<BTreeSet<KeyId>, InvalidKeys> {
    let mut keys = BTreeSet::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some(word) = text.split_whitespace().next() else { continue };
        if word.starts_with('#') {
            continue;
        }
        keys.insert(word.parse().map_err(|_| InvalidKeys { line })?);
    }
    Ok(keys)
}

fn key_file(home: &Home) -> PathBuf {
    home.dot_dir().join("keys").join("receipts.key")
}

fn read_seed(path: &Path) -> anyhow::Result<Option<[u8; SEED_BYTES]>> {
    let read = || -> anyhow::Result<Option<[u8; SEED_BYTES]>> {
        let mode = match fs::metadata(path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            facts => facts?.permissions().mode(),
        };
        if mode & 0o077 != 0 {
            bail!("others may read it; `chmod 600` it, or remove it to have a new key made");
        }
        let bytes = atomic::read_small(path, FILE_BYTES_MAX).context("it cannot be read")?;
        let text = String::from_utf8_lossy(&bytes);
        let digits = text.trim_end().strip_prefix(FILE_HEAD);
        let seed = digits.filter(|digits| digits.len() == 2 * SEED_BYTES).and_then(seed_of);
        seed.context("it is no signing key; remove it to have a new one made").map(Some)
    };
    read().with_context(|| format!("read the signing key in `{}`", path.display()))
}

fn seed_of(digits: &str) -> Option<[u8; SEED_BYTES]> {
    blake3::Hash::from_hex(digits).ok().map(|bytes| *bytes.as_bytes())
}

/// Makes a new key, on the disk before it signs anything.
fn make_seed(path: &Path) -> anyhow::Result<[u8; SEED_BYTES]> {
    let mut seed = [0; SEED_BYTES];
    SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    let text = format!("{FILE_HEAD}{}\n", blake3::Hash::from_bytes(seed).to_hex());
    let write = || -> io::Result<()> {
        let dir = path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let new = path.with_extension("new");
        let options =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).clone();
        let mut file = options.open(&new)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        atomic::sync_dir(dir)
    };
    write().with_context(|| format!("make a signing key in `{}`", path.display()))?;
    Ok(seed)
}

#[cfg(test)]
mod tests;
