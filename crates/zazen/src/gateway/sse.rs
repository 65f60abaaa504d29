//! Reads server-sent events, whatever the chunks.
//!
//! Only what metering needs: the data of each event. Lines may end in LF, CR
//! or CRLF; several data lines are one text; an event that the stream breaks
//! off in is none, as the standard has it. Memory is bounded: data that is too
//! long is skipped as a whole, never cut.

/// The reader of one stream.
#[derive(Debug)]
pub(super) struct SseReader {
    /// None while a line is skipped, as it is too long.
    line: Option<Vec<u8>>,
    data: Option<String>,
    /// The event under way has lost a line, and is skipped.
    data_skipped: bool,
    /// The last byte was CR, so that an LF after it ends nothing.
    after_cr: bool,
}

/// How long one line, and the data of one event, may be. The longest events are
/// the ones that repeat a whole answer at its end; eight MiB is far beyond what
/// any model writes in one answer.
const DATA_BYTES_MAX: usize = 8 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Default for SseReader {
    fn default() -> Self {
        Self { line: Some(Vec::new()), data: None, data_skipped: false, after_cr: false }
    }
}

impl SseReader {
    /// Takes in a chunk and returns the data of the events that it completes.
    pub(super) fn push(&mut self, mut chunk: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        while !chunk.is_empty() {
            if std::mem::take(&mut self.after_cr) && chunk[0] == b'\n' {
                chunk = &chunk[1..];
                continue;
            }
            let Some(end) = chunk.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
                self.extend_line(chunk);
                break;
            };
            self.extend_line(&chunk[..end]);
            self.after_cr = chunk[end] == b'\r';
            chunk = &chunk[end + 1..];
            events.extend(self.end_line());
        }
        events
    }

    fn extend_line(&mut self, part: &[u8]) {
        if self.line.as_ref().is_some_and(|line| line.len() + part.len() > DATA_BYTES_MAX) {
            self.line = None;
        }
        if let Some(line) = &mut self.line {
            line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self) -> Option<String> {
        let Some(line) = self.line.replace(Vec::new()) else {
            self.data_skipped = true;
            self.data = None;
            return None;
        };
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line);
        if line.is_empty() {
            let data = self.data.take();
            return if std::mem::take(&mut self.data_skipped) { None } else { data };
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            self.extend_data(value.strip_prefix(b" ").unwrap_or(value));
        }
        None
    }

    fn extend_data(&mut self, value: &[u8]) {
        let n_bytes = self.data.as_ref().map_or(0, String::len) + value.len();
        if self.data_skipped || n_bytes > DATA_BYTES_MAX {
            self.data_skipped = true;
            self.data = None;
            return;
        }
        let value = String::from_utf8_lossy(value);
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(&value);
            }
            None => self.data = Some(value.into_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
