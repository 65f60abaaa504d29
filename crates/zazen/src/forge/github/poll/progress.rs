//! How far was asked, and how far what was found is dealt with.
//!
//! Asking goes on while somebody is busy with what was found before, or cannot
//! deal with it yet. The cursor on the disk stays behind until that is done, so
//! a crash finds it again.

use std::collections::VecDeque;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use zazen_core::id::Time;

use super::Changed;
use super::cursor::Cursor;

/// See the module.
#[derive(Debug)]
pub(super) struct Progress {
    /// As it is on the disk: all before it is dealt with.
    kept: Cursor,
    /// Where the next question begins.
    reached: Cursor,
    /// What was handed out, and the cursor that is kept when it is dealt with.
    under_way: VecDeque<(oneshot::Receiver<()>, Cursor)>,
}

/// How many findings may be under way. With more, all that is not dealt with is found
/// again as one.
const UNDER_WAY_MAX: usize = 32;

impl Progress {
    pub(super) fn new(kept: Cursor) -> Self {
        Self { reached: kept.clone(), kept, under_way: VecDeque::new() }
    }

    /// Where the next question begins.
    pub(super) fn cursor(&self) -> &Cursor {
        &self.reached
    }

    /// Takes up what was dealt with. Returns the cursor that is to be kept, if it moved.
    pub(super) fn settle(&mut self) -> Option<&Cursor> {
        let mut has_moved = false;
        while let Some((done, _)) = self.under_way.front_mut() {
            match done.try_recv() {
                Ok(()) => {
                    let (_, cursor) = self.under_way.pop_front()?;
                    self.kept = cursor;
                    has_moved = true;
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed) => self.start_over(),
            }
        }
        if self.under_way.len() > UNDER_WAY_MAX {
            self.start_over();
        }
        has_moved.then_some(&self.kept)
    }

    /// Notes an answer with something new in it. The sender is for whoever deals with it.
    pub(super) fn hand_out(&mut self, changed: Changed, asked: Time) -> oneshot::Sender<()> {
        let (sender, done) = oneshot::channel();
        self.reached.advance(&changed.items, changed.etag, asked);
        self.under_way.push_back((done, self.reached.clone()));
        sender
    }

    /// Notes an answer without anything new. Returns the cursor that is to be kept, if it moved.
    pub(super) fn move_on(&mut self, changed: Changed, asked: Time) -> Option<&Cursor> {
        self.reached.advance(&changed.items, changed.etag, asked);
        if !self.under_way.is_empty() || self.kept == self.reached {
            return None;
        }
        self.kept.clone_from(&self.reached);
        Some(&self.kept)
    }

    fn start_over(&mut self) {
        self.under_way.clear();
        self.reached.clone_from(&self.kept);
    }
}
