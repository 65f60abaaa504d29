//! The names of what people wrote or did in one conversation.
//!
//! A forge counts comments, events, reviews and their comments each for itself, so
//! a number alone names nothing. Written, a comment is its bare number, as it was
//! before there were other streams; anything else has its stream before it.

use std::fmt;
use std::str::FromStr;

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Serialize, Serializer};

use super::InvalidId;

/// What is counted together in one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub enum Stream {
    /// Comments. The conversation's own text is comment 0.
    Comment,
    /// What people did without writing: a label was put on, somebody was assigned.
    Event,
    /// Reviews of a pull request.
    Review,
    /// Comments on lines of a pull request.
    ReviewComment,
    /// Checks that other programs ran on a commit.
    Checks,
}

/// One text in a conversation, as its forge counts them. Those of one stream are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pack, Unpack)]
pub struct CommentId {
    pub stream: Stream,
    pub n: u64,
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Comment, Self::Event, Self::Review, Self::ReviewComment, Self::Checks];

    /// The word for this stream, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Event => "event",
            Self::Review => "review",
            Self::ReviewComment => "review-comment",
            Self::Checks => "checks",
        }
    }
}

impl CommentId {
    /// The conversation's own text.
    pub const ISSUE: Self = Self::comment(0);

    /// The n-th comment. Comment 0 is the conversation's own text.
    pub const fn comment(n: u64) -> Self {
        Self { stream: Stream::Comment, n }
    }

    /// The text with this number in a stream.
    pub const fn of(stream: Stream, n: u64) -> Self {
        Self { stream, n }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A comment is its number; anything else is like `review/12`.
impl fmt::Display for CommentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stream == Stream::Comment {
            return self.n.fmt(f);
        }
        write!(f, "{}/{}", self.stream, self.n)
    }
}

impl FromStr for CommentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (stream, n) = match text.split_once('/') {
            Some((word, n)) => (Stream::ALL.into_iter().find(|s| s.word() == word), n),
            None => (Some(Stream::Comment), text),
        };
        let is_number = !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
        match (stream, n.parse()) {
            (Some(stream), Ok(n)) if is_number => Ok(Self { stream, n }),
            _ => {
                let what = "a text of a conversation (like `7` or `review/12`)";
                Err(InvalidId { text: text.to_owned(), what })
            }
        }
    }
}

impl Serialize for CommentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.stream == Stream::Comment {
            serializer.serialize_u64(self.n)
        } else {
            serializer.collect_str(self)
        }
    }
}

impl<'de> Deserialize<'de> for CommentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = CommentId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a text like `review/12`")
            }

            fn visit_u64<E>(self, n: u64) -> Result<CommentId, E> {
                Ok(CommentId::comment(n))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<CommentId, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
