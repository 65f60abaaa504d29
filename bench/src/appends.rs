//! How many facts a second become durable, beside the bare disk.
//!
//! The journal's own library is called, with entries like those of the daemon.
//! Bare is a `write` and an `fdatasync` for each line, in the same folder, in
//! turns with it, so that both meet the same disk.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;
use zazen::home::Home;
use zazen::home::journal::{self, Entry, Journal, Position};
use zazen_core::id::{TaskId, Time};

use crate::report::{Row, Samples};

/// The name of this measurement.
pub(crate) const NAME: &str = "appends";

/// How long each turn takes, and how many there are of each kind.
const TURN: Duration = Duration::from_millis(700);
const N_TURNS: usize = 3;

/// How many append at the same time.
const N_PRODUCERS: [usize; 3] = [1, 8, 64];

pub(crate) fn run() -> anyhow::Result<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    let home = Home::create(dir.path())?;
    let opened = journal::open(&home, Position::START, &mut |_| Ok(()))?;
    let journal = opened.journal;
    let mut bare = Vec::new();
    let mut ours = vec![Vec::new(); N_PRODUCERS.len()];
    let line = line_of_a_record(&home, &journal)?;
    for _ in 0..N_TURNS {
        bare.push(bare_rate(dir.path(), &line)?);
        for (rates, n_producers) in ours.iter_mut().zip(N_PRODUCERS) {
            rates.push(rate(&journal, n_producers));
        }
    }
    let bare = Samples::new(bare).p50();
    let rows = ours.into_iter().zip(N_PRODUCERS).map(|(rates, n)| {
        let rate = Samples::new(rates).p50();
        let what =
            format!("durable journal records, {n} producer{}", if n == 1 { "" } else { "s" });
        Row::new(NAME, what, format!("{rate:.0}/s = {:.2} × bare", rate / bare))
            .bare(format!("{bare:.0}/s"))
            .how(format!("median of {N_TURNS} turns of {TURN:?}; bare: write + fdatasync a line"))
    });
    Ok(rows.collect())
}

fn entry(n: u64) -> Entry {
    let data = json!({ "changes": [{ "change": "task", "task": n % 1000,
        "event": { "event": "acknowledged", "comment": n } }] });
    let task = TaskId(u32::try_from(n % 1000).unwrap_or(0));
    Entry::new(Time(1_700_000_000_000 + n), Some(task), "task", &data).expect("it is JSON")
}

/// One line, as the journal writes it, for the bare disk to write.
fn line_of_a_record(home: &Home, journal: &Journal) -> anyhow::Result<Vec<u8>> {
    journal.append_blocking(vec![entry(1)]).context("append one")?;
    let text = std::fs::read_to_string(home.journal_dir().join("active.jsonl"))?;
    let line = text.lines().last().context("the journal has a line")?;
    Ok(format!("{line}\n").into_bytes())
}

fn bare_rate(dir: &Path, line: &[u8]) -> anyhow::Result<f64> {
    let path = dir.join("bare.jsonl");
    let mut file = File::options().create(true).append(true).open(path)?;
    let began = Instant::now();
    let mut n = 0_u32;
    while began.elapsed() < TURN {
        file.write_all(line)?;
        file.sync_data()?;
        n += 1;
    }
    Ok(f64::from(n) / began.elapsed().as_secs_f64())
}

fn rate(journal: &Journal, n_producers: usize) -> f64 {
    let count = AtomicU64::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..n_producers {
            scope.spawn(|| {
                while began.elapsed() < TURN {
                    let n = count.fetch_add(1, Ordering::Relaxed);
                    journal.append_blocking(vec![entry(n)]).expect("the disk takes it");
                }
            });
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "a count of at most millions")]
    let n = count.load(Ordering::Relaxed) as f64;
    n / began.elapsed().as_secs_f64()
}
