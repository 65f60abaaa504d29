//! Puts together what an agent says in pieces.

use crate::event::Event;

/// What is being said.
#[derive(Debug, Default)]
pub(crate) struct Speech {
    said: Option<Said>,
    /// The last text that was told.
    last: String,
}

#[derive(Debug)]
struct Said {
    how: How,
    message: Option<String>,
    text: String,
}

/// Aloud, or in thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Aloud,
    Thought,
}

/// How long a text may get before a part of it is told: a reader is to see that something
/// comes, and a line of ours is not to grow without end.
const TEXT_BYTES_MAX: usize = 64 << 10;

impl Speech {
    /// Takes a piece. What it does not continue is told first.
    pub(crate) fn take(&mut self, how: How, message: Option<String>, text: &str) -> Option<Event> {
        let continues = |said: &Said| {
            said.how == how && said.message == message && said.text.len() < TEXT_BYTES_MAX
        };
        let told = match &self.said {
            Some(said) if !continues(said) => self.end(),
            Some(_) | None => None,
        };
        let said = self.said.get_or_insert_with(|| Said { how, message, text: String::new() });
        said.text.push_str(text);
        told
    }

    /// Tells what was said up to here.
    pub(crate) fn end(&mut self) -> Option<Event> {
        let Said { how, text, .. } = self.said.take()?;
        if text.trim().is_empty() {
            return None;
        }
        Some(match how {
            How::Aloud => {
                self.last.clone_from(&text);
                Event::Text { text }
            }
            How::Thought => Event::Thought { text },
        })
    }

    /// What was said aloud last.
    pub(crate) fn last(&self) -> &str {
        &self.last
    }
}
