//! Which texts of a conversation were read.
//!
//! Comments and events are there as soon as they have their number, so the last one
//! that was read stands for all before it. A review has its number long before its
//! author sends it, and checks end in any order: of those each one is kept. Most
//! conversations have comments only, and take no more than a number.

use serde::{Deserialize, Serialize};

use crate::id::{CommentId, Stream};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<CommentId>", into = "Vec<CommentId>")]
pub struct Seen {
    /// One more than the last comment that was read, or 0: the text itself is comment 0.
    n_comments: u64,
    /// The last event, and each of the other texts, in order.
    others: Box<[CommentId]>,
}

impl Seen {
    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.n_comments == 0 && self.others.is_empty()
    }

    /// Whether this text was read.
    pub fn contains(&self, id: CommentId) -> bool {
        match id.stream {
            Stream::Comment => id.n < self.n_comments,
            Stream::Event => self.last(Stream::Event).is_some_and(|last| id.n <= last),
            Stream::Review | Stream::ReviewComment | Stream::Checks => {
                self.others.binary_search(&id).is_ok()
            }
        }
    }

    /// The number of the last text of a stream that was read.
    pub fn last(&self, stream: Stream) -> Option<u64> {
        if stream == Stream::Comment {
            return self.n_comments.checked_sub(1);
        }
        let last = self.others.iter().rev().find(|id| id.stream == stream);
        last.map(|id| id.n)
    }

    /// Notes that a text was read.
    pub(super) fn insert(&mut self, id: CommentId) {
        if self.contains(id) {
            return;
        }
        if id.stream == Stream::Comment {
            self.n_comments = id.n.saturating_add(1);
            return;
        }
        let mut others = std::mem::take(&mut self.others).into_vec();
        if id.stream == Stream::Event {
            others.retain(|other| other.stream != Stream::Event);
        }
        let at = others.partition_point(|other| *other < id);
        others.insert(at, id);
        self.others = others.into_boxed_slice();
    }
}

impl From<Vec<CommentId>> for Seen {
    fn from(ids: Vec<CommentId>) -> Self {
        let mut seen = Self::default();
        for id in ids {
            seen.insert(id);
        }
        seen
    }
}

impl From<Seen> for Vec<CommentId> {
    fn from(seen: Seen) -> Self {
        let comment = seen.last(Stream::Comment).map(CommentId::comment);
        comment.into_iter().chain(seen.others).collect()
    }
}

#[cfg(test)]
mod tests;
