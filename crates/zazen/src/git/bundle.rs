//! The head of a bundle: what it claims to hold.
//!
//! A bundle is a few lines of text and a pack. We read the lines ourselves,
//! strictly, so that nothing but the pack ever reaches git. Whether the claim
//! holds is for `collect` to find out.

use zazen_core::id::CommitId;

/// The one ref that a bundle may bring.
pub const RESULT_REF: &str = "refs/zazen/result";

/// What the lines before the pack say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// The commit that the bundle brings.
    pub(super) result: CommitId,
    /// Where the pack begins.
    pub(super) n_bytes: usize,
    /// How many objects the pack says it has.
    pub(super) n_objects: u32,
}

/// What is wrong with the lines before the pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    #[error("it does not begin like a bundle")]
    Signature,
    #[error("its list of refs does not end")]
    Endless,
    #[error("a line of its list of refs cannot be read")]
    Line,
    #[error("it brings a ref other than `refs/zazen/result`")]
    OtherRef,
    #[error("it brings no ref, or the same one twice")]
    NotOne,
    #[error("it holds no pack")]
    NoPack,
}

const SIGNATURE: &[u8] = b"# v2 git bundle\n";

/// How long the list of refs may be. Ours is one ref and the commits it builds
/// on, each with the first line of its message.
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// Reads the lines before the pack.
pub(super) fn parse(bundle: &[u8]) -> Result<Head, BundleFault> {
    let mut rest = bundle.strip_prefix(SIGNATURE).ok_or(BundleFault::Signature)?;
    let mut result = None;
    loop {
        let window = &rest[..rest.len().min(HEAD_BYTES_MAX)];
        let end = window.iter().position(|&b| b == b'\n').ok_or(BundleFault::Endless)?;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if bundle.len() - rest.len() > HEAD_BYTES_MAX {
            return Err(BundleFault::Endless);
        }
        match line {
            [] => break,
            // What it builds on. Unpacking fails if we do not have it.
            [b'-', ..] => {}
            _ if result.is_some() => return Err(BundleFault::NotOne),
            _ => result = Some(parse_ref(line)?),
        }
    }
    let result = result.ok_or(BundleFault::NotOne)?;
    let n_objects = parse_pack(rest).ok_or(BundleFault::NoPack)?;
    Ok(Head { result, n_bytes: bundle.len() - rest.len(), n_objects })
}

/// Reads the first words of a pack: its name, its version, and how many objects it has.
fn parse_pack(pack: &[u8]) -> Option<u32> {
    let rest = pack.strip_prefix(b"PACK")?;
    let (_version, rest) = rest.split_first_chunk::<4>()?;
    Some(u32::from_be_bytes(*rest.first_chunk()?))
}

fn parse_ref(line: &[u8]) -> Result<CommitId, BundleFault> {
    let line = std::str::from_utf8(line).map_err(|_| BundleFault::Line)?;
    let (id, name) = line.split_once(' ').ok_or(BundleFault::Line)?;
    let id = id.parse().map_err(|_| BundleFault::Line)?;
    if name == RESULT_REF { Ok(id) } else { Err(BundleFault::OtherRef) }
}

#[cfg(test)]
mod tests;
