//! The names of things, and the time.
//!
//! Every id is a type of its own, so that no two can be mixed up, and every
//! one is stable: nothing in zazen is identified by its text.

mod agent;
mod comment;
mod hash;
mod moment;

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;
use std::sync::Arc;

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

pub use self::agent::AgentName;
pub use self::comment::{CommentId, Stream};
pub use self::hash::ContentHash;
pub use self::moment::Utc;

/// The number of a task: unique in one home, given out in order, never reused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TaskId(pub u32);

/// One run of one task. Printed as `12.3`: the third run of task 12.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct RunId {
    pub task: TaskId,
    pub n: u32,
}

/// A repository, as `owner/name`. Cheap to clone: many tasks share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RepoName(Arc<str>);

/// The number of an issue in its repository.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct IssueNumber(pub u64);

/// The number of a pull request in its repository.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct PullNumber(pub u64);

/// A git commit: forty lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CommitId(Box<str>);

/// The blake3 hash of a plan's text, in hexadecimal. An approval is bound to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PlanHash(Box<str>);

/// A moment, in milliseconds since 1970 (UTC).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Pack,
    Unpack,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A text is not the id that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}")]
pub struct InvalidId {
    text: String,
    what: &'static str,
}

/// How long one part of a repository's name may be; forges allow up to 100.
const NAME_BYTES_MAX: usize = 100;

impl RepoName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

impl CommitId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl PlanHash {
    /// Hashes the text of a plan, exactly as it stands.
    pub fn of(text: &str) -> Self {
        Self(blake3::hash(text.as_bytes()).to_hex().as_str().into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl Time {
    /// The moment `seconds` later.
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// The milliseconds from `earlier` to this moment, or 0.
    pub fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl FromStr for RunId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId { text: text.to_owned(), what: "a run (like `12.3`)" };
        let (task, n) = text.split_once('.').ok_or_else(invalid)?;
        Ok(Self {
            task: TaskId(task.parse().map_err(|_| invalid())?),
            n: n.parse().map_err(|_| invalid())?,
        })
    }
}

impl FromStr for RepoName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.split_once('/') {
            Some((owner, name)) if is_name_part(owner) && is_name_part(name) => {
                Ok(Self(text.into()))
            }
            _ => Err(InvalidId { text: text.to_owned(), what: "a repository (like `owner/name`)" }),
        }
    }
}

impl FromStr for CommitId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_hex(text, 40) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId { text: text.to_owned(), what: "a commit (forty hexadecimal digits)" })
        }
    }
}

impl FromStr for PlanHash {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if is_hex(text, 64) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId { text: text.to_owned(), what: "the hash of a plan" })
        }
    }
}

/// A part of a repository's name becomes a folder's name, so it is kept plain.
fn is_name_part(part: &str) -> bool {
    !part.is_empty()
        && part.len() <= NAME_BYTES_MAX
        && !part.starts_with(['.', '-'])
        && !is_lock(part)
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Git keeps names with this ending for itself, in whatever case a disk compares them.
fn is_lock(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.len() >= 5 && bytes[bytes.len() - 5..].eq_ignore_ascii_case(b".lock")
}

fn is_hex(text: &str, n_digits: usize) -> bool {
    text.len() == n_digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Gives a type that prints and parses the serde conversions it declares.
macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(id: $type) -> Self {
                id.to_string()
            }
        }
    )*};
}

as_text!(RunId, RepoName, CommitId, PlanHash, ContentHash);

/// Packs hexadecimal digits two to a byte.
macro_rules! as_bytes {
    ($($type:ty: $n_bytes:literal),*) => {$(
        impl Pack for $type {
            fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
                let mut bytes = [0; $n_bytes];
                hex::decode_to_slice(self.as_str(), &mut bytes).map_err(io::Error::other)?;
                writer.write_all(&bytes)
            }
        }

        impl Unpack for $type {
            fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
                let mut bytes = [0; $n_bytes];
                reader.read_exact(&mut bytes)?;
                Ok(Self(hex::encode(bytes).into()))
            }
        }
    )*};
}

as_bytes!(CommitId: 20, PlanHash: 32, ContentHash: 32);

impl Pack for RepoName {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        Pack::serialize(self.as_str(), writer)
    }
}

impl Unpack for RepoName {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        String::deserialize_reader(reader)?.parse().map_err(io::Error::other)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.task, self.n)
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for IssueNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PullNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
