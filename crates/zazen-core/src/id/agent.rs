//! The name of an agent, of the owner's choice.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;
use std::sync::Arc;

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

use super::InvalidId;

/// A harness with its model, its route and its settings, by the name that the owner gave it
/// in `zazen.toml`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AgentName(Arc<str>);

/// How long a name may be: it stands in tables and in sentences.
const NAME_BYTES_MAX: usize = 40;

impl AgentName {
    /// The name of the agent that is always there, if no other is written: that of `[harness]`.
    pub const DEFAULT: &str = "default";

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The agent that `[harness]` describes, and the one of all runs from before there were several.
impl Default for AgentName {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl FromStr for AgentName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let is_plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        let is_name = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text.len() <= NAME_BYTES_MAX
            && text.bytes().all(is_plain);
        if is_name {
            return Ok(Self(text.into()));
        }
        let what = "an agent's name (a-z, 0-9, `-` and `_`, 40 of them at most)";
        Err(InvalidId { text: text.to_owned(), what })
    }
}

impl TryFrom<String> for AgentName {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<AgentName> for String {
    fn from(name: AgentName) -> Self {
        name.to_string()
    }
}

impl Pack for AgentName {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        Pack::serialize(self.as_str(), writer)
    }
}

impl Unpack for AgentName {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        String::deserialize_reader(reader)?.parse().map_err(io::Error::other)
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
