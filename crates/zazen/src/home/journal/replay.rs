//! Reading the journal: every record is checked and handed to the caller.
//!
//! What may be wrong is of two kinds. Lines at the very end that are not valid,
//! with nothing valid after them, were being written when the process or the
//! machine stopped: a torn tail. Everything else means that something changed
//! the journal, and then no record is dropped to please the others: the journal
//! is refused with the file, the line and what to do.
//!
//! Nothing is changed here; `open` does what has to be done about a torn tail.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Take};
use std::path::Path;

use zazen_core::id::Time;

use super::line::{self, Chain, Fault, Line};
use super::segment::{self, Header, Sealed};
use super::{LineHash, OpenError, Position, Record};

/// Takes in one record.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Record) -> anyhow::Result<()>;

/// How far a reading of the journal has come.
pub(super) struct Reader<'a> {
    from: Position,
    visit: Visit<'a>,
    /// Whether `from` was found, so that what follows is handed to the caller.
    is_past_start: bool,
    /// What the next line has to follow; unknown before the first line.
    pub(super) chain: Option<Chain>,
}

/// A segment that was read to its end.
pub(super) struct SegmentRead {
    /// The bytes that are valid.
    pub(super) n_bytes: u64,
    pub(super) first_at: Option<Time>,
    /// What is not valid, if there is something.
    pub(super) torn: Option<Torn>,
}

/// The end of a segment, from the first line that is not valid.
pub(super) struct Torn {
    pub(super) at_line: u64,
    pub(super) tail: Vec<u8>,
}

/// A segment as it is read: line by line, up to where it ended when it was opened.
pub(super) struct Segment<'a> {
    pub(super) n: u32,
    pub(super) file: &'a Path,
    pub(super) is_active: bool,
    text: BufReader<Take<File>>,
}

/// How much of a segment is read at once.
const PART_BYTES: usize = 64 << 10;

impl<'a> Segment<'a> {
    /// Takes `file`, which is open as `opened`, for segment `n`.
    pub(super) fn new(n: u32, file: &'a Path, is_active: bool, opened: File) -> io::Result<Self> {
        // A daemon may be writing more of it.
        let n_bytes = opened.metadata()?.len();
        let text = BufReader::with_capacity(PART_BYTES, opened.take(n_bytes));
        Ok(Self { n, file, is_active, text })
    }

    /// Reads the next line into `line`. It is empty at the end.
    fn next_line(&mut self, line: &mut Vec<u8>) -> Result<(), OpenError> {
        line.clear();
        self.text.read_until(b'\n', line).map_err(OpenError::failed("read", self.file))?;
        Ok(())
    }

    /// Adds all that was not read yet.
    fn read_rest(&mut self, tail: &mut Vec<u8>) -> Result<(), OpenError> {
        self.text.read_to_end(tail).map_err(OpenError::failed("read", self.file))?;
        Ok(())
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(from: Position, visit: Visit<'a>) -> Self {
        let is_past_start = from == Position::START;
        let chain = (from.segment <= 1).then_some(Chain::START);
        Self { from, visit, is_past_start, chain }
    }

    pub(super) fn read_sealed(&mut self, sealed: &[Sealed]) -> Result<(), OpenError> {
        let first = self.from.segment;
        for Sealed { n, file } in sealed.iter().filter(|it| it.n >= first) {
            let opened = File::open(file).and_then(|it| Segment::new(*n, file, false, it));
            self.read_segment(&mut opened.map_err(OpenError::failed("read", file))?)?;
        }
        Ok(())
    }

    /// Says where the journal ends, if the place to start from was found.
    pub(super) fn finish(self) -> Result<Chain, OpenError> {
        let elsewhere = OpenError::Elsewhere { seq: self.from.seq };
        if self.is_past_start { self.chain.ok_or(elsewhere) } else { Err(elsewhere) }
    }

    pub(super) fn read_segment(
        &mut self,
        segment: &mut Segment<'_>,
    ) -> Result<SegmentRead, OpenError> {
        let mut offset = 0;
        let mut line_number = 0;
        let mut first_at = None;
        let mut raw = Vec::new();
        loop {
            segment.next_line(&mut raw)?;
            if raw.is_empty() {
                break;
            }
            line_number += 1;
            let line = match self.check(&raw, segment.n, offset == 0) {
                Ok(line) => line,
                Err(fault) => {
                    segment.read_rest(&mut raw)?;
                    self.judge(segment, &raw, line_number, fault)?;
                    let torn = Some(Torn { at_line: line_number, tail: raw });
                    return Ok(SegmentRead { n_bytes: offset, first_at, torn });
                }
            };
            if offset > 0 {
                first_at.get_or_insert(Time(line.at));
                if self.is_past_start {
                    self.hand_over(&line, segment.file, line_number)?;
                }
            }
            offset += raw.len() as u64;
            self.look_for_start(segment.n, offset)?;
        }
        if segment.is_active || offset > 0 {
            let torn = (offset == 0).then(|| Torn { at_line: 1, tail: Vec::new() });
            return Ok(SegmentRead { n_bytes: offset, first_at, torn });
        }
        Err(corrupt(segment, 1, "it is empty".to_owned()))
    }

    /// Checks one line, and moves on past it.
    fn check<'l>(&mut self, raw: &'l [u8], n: u32, is_first: bool) -> Result<Line<'l>, Fault> {
        let line = line::parse(raw)?;
        if is_first {
            let header = header(&line).ok_or_else(|| {
                Fault::Damaged("a segment starts with a record of its own".to_owned())
            })?;
            if header.n != n {
                let why = format!("it belongs to segment {}, and this is segment {n}", header.n);
                return Err(Fault::Damaged(why));
            }
        }
        let chain = match self.chain {
            Some(chain) => chain,
            // The segments before this one are not read: their end is taken on trust.
            None => Chain {
                seq: line.seq.saturating_sub(1),
                hash: line.follows().unwrap_or(LineHash::NONE),
            },
        };
        chain.check(&line).map_err(Fault::Damaged)?;
        self.chain = Some(Chain { seq: line.seq, hash: LineHash::of(raw) });
        Ok(line)
    }

    /// Says whether lines that are not valid are a torn tail, or damage.
    fn judge(
        &self,
        segment: &Segment<'_>,
        tail: &[u8],
        line: u64,
        fault: Fault,
    ) -> Result<(), OpenError> {
        match fault {
            Fault::Newer { version } => {
                Err(OpenError::Newer { file: segment.file.to_owned(), line, version })
            }
            Fault::Damaged(why) if !segment.is_active => Err(corrupt(segment, line, why)),
            Fault::Damaged(why) => {
                let seq = self.chain.map_or(0, |chain| chain.seq);
                if has_record_after(tail, seq) {
                    return Err(corrupt(segment, line, why));
                }
                Ok(())
            }
        }
    }

    fn hand_over(&mut self, line: &Line<'_>, file: &Path, number: u64) -> Result<(), OpenError> {
        (self.visit)(line.to_record()).map_err(|source| OpenError::Refused {
            file: file.to_owned(),
            line: number,
            seq: line.seq,
            source,
        })
    }

    fn look_for_start(&mut self, n: u32, offset: u64) -> Result<(), OpenError> {
        if self.is_past_start || n != self.from.segment || offset < self.from.offset {
            return Ok(());
        }
        let here = self.chain.map(|Chain { seq, hash }| Position { seq, hash, segment: n, offset });
        if here != Some(self.from) {
            return Err(OpenError::Elsewhere { seq: self.from.seq });
        }
        self.is_past_start = true;
        Ok(())
    }

    /// Reads the lines at the start of a segment that are valid, whatever follows.
    pub(super) fn read_valid(
        &mut self,
        segment: &mut Segment<'_>,
    ) -> Result<SegmentRead, OpenError> {
        let mut offset = 0;
        let mut line_number = 0;
        let mut raw = Vec::new();
        loop {
            segment.next_line(&mut raw)?;
            line_number += 1;
            if raw.is_empty() {
                return Ok(SegmentRead { n_bytes: offset, first_at: None, torn: None });
            }
            match self.check(&raw, segment.n, offset == 0) {
                Ok(_) => offset += raw.len() as u64,
                Err(Fault::Newer { version }) => {
                    let file = segment.file.to_owned();
                    return Err(OpenError::Newer { file, line: line_number, version });
                }
                Err(Fault::Damaged(_)) => {
                    segment.read_rest(&mut raw)?;
                    let torn = Some(Torn { at_line: line_number, tail: raw });
                    return Ok(SegmentRead { n_bytes: offset, first_at: None, torn });
                }
            }
        }
    }
}

/// Whether there is, anywhere in `bytes`, a valid record with a number above `seq`.
///
/// A line break may be among the damaged bytes, so a record is looked for
/// wherever one could start. A record that was read already, and is there once
/// more, tells nothing new.
fn has_record_after(bytes: &[u8], seq: u64) -> bool {
    const START: &[u8] = b"{\"v\":";

    let mut rest = bytes;
    while let Some(at) = rest.windows(START.len()).position(|window| window == START) {
        rest = &rest[at..];
        match line::parse(first_line(rest)) {
            Ok(line) if line.seq > seq => return true,
            Err(Fault::Newer { .. }) => return true,
            Ok(_) | Err(Fault::Damaged(_)) => rest = &rest[START.len()..],
        }
    }
    false
}

fn corrupt(segment: &Segment<'_>, line: u64, why: String) -> OpenError {
    let remedy = if segment.is_active {
        "bring the file back from a backup; or give up this record and all after it with \
         `zazen repair`, which keeps them in quarantine"
    } else {
        "sealed records never change: bring the file back with `git checkout -- <file>`"
    };
    OpenError::Corrupt { file: segment.file.to_owned(), line, why, remedy: remedy.to_owned() }
}

/// The number that a segment gives itself. `file` is at its start again then.
pub(super) fn first_number(file: &mut File) -> io::Result<Option<u32>> {
    let mut line = Vec::new();
    let mut start = BufReader::new(file.try_clone()?.take(line::LINE_BYTES_MAX as u64));
    start.read_until(b'\n', &mut line)?;
    file.rewind()?;
    Ok(line::parse(&line).ok().as_ref().and_then(header).map(|header| header.n))
}

fn header(line: &Line<'_>) -> Option<Header> {
    if line.ev != segment::HEADER_EVENT {
        return None;
    }
    serde_json::from_str(line.data.get()).ok()
}

/// The bytes up to and with the first newline, or all.
fn first_line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
    &bytes[..end]
}
