//! How fast the streams of harnesses are read, and what a long one takes of memory.
//!
//! The recordings of the real programs are said again and again, with other ids each time,
//! until there is as much as is wanted. What reading takes of the processor stands beside
//! counting the lines of the same bytes, a piece of one and a piece of the other in turns.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use zazen_harness::{Dialect, Reader};

use crate::process;
use crate::report::{Row, mb};

/// The name of this measurement.
pub(crate) const NAME: &str = "streams";

/// How much of each stream is read, and how much where it is only to be seen whether it works.
const BYTES: usize = 1 << 30;
const FEW_BYTES: usize = 32 << 20;

/// How much is made at a time. It is not kept.
const PIECE_BYTES: usize = 4 << 20;

/// Beginnings of ids in recordings. Each time round they are others.
const IDS: [&str; 4] = ["\"item_", "\"toolu_", "\"call_", "\"msg_"];

/// How much memory reading may take beyond the piece that is read.
const MEMORY_KB_MAX: u64 = 64 * 1024;

/// What reading one stream took.
struct Taken {
    n_bytes: usize,
    n_lines: u64,
    n_unknown: u64,
    /// Nanoseconds of the processor.
    counting: u64,
    reading: u64,
    /// What reading took of memory, at its highest.
    kb: u64,
}

pub(crate) fn run(few: bool) -> anyhow::Result<Vec<Row>> {
    let dialects = [
        ("claude", Dialect::Claude),
        ("codex", Dialect::Codex),
        ("qwen", Dialect::Qwen),
        ("gemini", Dialect::Gemini),
        ("opencode", Dialect::OpenCode),
        ("copilot", Dialect::Copilot),
        ("aider", Dialect::Aider),
    ];
    let n_bytes = if few { FEW_BYTES } else { BYTES };
    let mut rows = Vec::new();
    for (name, dialect) in dialects {
        let texts = recordings(name)?;
        let taken = read(&texts, (dialect, n_bytes))?;
        ensure!(taken.n_unknown == 0, "{} lines of {name} were not known", taken.n_unknown);
        rows.extend(said(name, &taken));
    }
    Ok(rows)
}

fn read(texts: &[String], (dialect, n_bytes): (Dialect, usize)) -> anyhow::Result<Taken> {
    let mut reader = Reader::of(dialect);
    let mut taken = Taken { n_bytes: 0, n_lines: 0, n_unknown: 0, counting: 0, reading: 0, kb: 0 };
    let mut piece = String::with_capacity(2 * PIECE_BYTES);
    let mut rounds = 0_u64..;
    fill(&mut piece, texts, &mut rounds);
    // The pages of the piece are there before reading begins.
    process::forget_peak()?;
    let before = process::rss_kb(std::process::id());
    while taken.n_bytes < n_bytes {
        let began = process::thread_nanos()?;
        let n_lines = piece.bytes().filter(|byte| *byte == b'\n').count();
        let counted = process::thread_nanos()?;
        let mut n_events = 0;
        for line in piece.lines() {
            n_events += reader.read(line).len();
        }
        let read = process::thread_nanos()?;
        ensure!(n_events >= n_lines, "{n_lines} lines are {n_events} events");
        taken.n_lines += n_lines as u64;
        taken.n_bytes += piece.len();
        taken.counting += counted.saturating_sub(began);
        taken.reading += read.saturating_sub(counted);
        fill(&mut piece, texts, &mut rounds);
    }
    taken.n_unknown = reader.n_unknown();
    taken.kb = process::rss_peak_kb(std::process::id()).saturating_sub(before);
    Ok(taken)
}

/// Fills a piece with whole recordings.
fn fill(piece: &mut String, texts: &[String], rounds: &mut impl Iterator<Item = u64>) {
    piece.clear();
    let mut next = texts.iter().cycle();
    while piece.len() < PIECE_BYTES {
        let (Some(text), Some(round)) = (next.next(), rounds.next()) else { return };
        let mut rest = text.as_str();
        while let Some((at, id)) =
            IDS.iter().filter_map(|id| Some((rest.find(id)?, *id))).min_by_key(|(at, _)| *at)
        {
            let end = at + id.len();
            piece.push_str(&rest[..end]);
            piece.push_str(&round.to_string());
            piece.push('x');
            rest = &rest[end..];
        }
        piece.push_str(rest);
    }
}

/// All recordings of a harness, as they are.
fn recordings(name: &str) -> anyhow::Result<Vec<String>> {
    let fixtures = "../crates/zazen-harness/tests/fixtures";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(fixtures).join(name);
    let entries = fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        let text = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        texts.push(text);
    }
    if texts.iter().all(String::is_empty) {
        bail!("there is no recording in {}", folder.display());
    }
    Ok(texts)
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn said(name: &str, taken: &Taken) -> [Row; 2] {
    let rate = |nanos: u64| taken.n_bytes as f64 / nanos.max(1) as f64;
    let (reading, counting) = (rate(taken.reading), rate(taken.counting));
    let ratio = taken.reading as f64 / taken.counting.max(1) as f64;
    let length = taken.n_bytes as f64 / taken.n_lines.max(1) as f64;
    let speed = Row::new(NAME, format!("`{name}`: reading"), format!("{reading:.2} GB per CPU-s"))
        .bare(format!("{counting:.2} GB per CPU-s"))
        .how(format!(
            "{:.0} × as long as counting the lines; {} lines of {length:.0} bytes",
            ratio, taken.n_lines
        ));
    let size = taken.n_bytes as f64 / f64::from(1 << 30);
    let memory = Row::new(NAME, format!("`{name}`: memory for it"), mb(taken.kb))
        .limit("< 64 MB", taken.kb < MEMORY_KB_MAX)
        .how(format!("at its highest, beyond the piece that is read; {size:.2} GiB of stream"));
    [speed, memory]
}
