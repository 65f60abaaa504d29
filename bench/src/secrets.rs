//! How fast the secret scanner is, and how often it is wrong.
//!
//! It goes through the sources of the packages that this build itself has
//! fetched: real code of many hands, which hardly holds a real secret. So what
//! it finds there are false alarms, but for keys that were made for tests.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use zazen_core::secret::Scanner;

use crate::report::Row;

/// The name of this measurement.
pub(crate) const NAME: &str = "secrets";

/// How much is read. Enough for a rate, and soon done.
const BYTES_MAX: usize = 256 << 20;

/// How large a file may be. Larger ones are data, and nobody would commit them.
const FILE_BYTES_MAX: u64 = 1 << 20;

pub(crate) fn run() -> anyhow::Result<Vec<Row>> {
    let texts = texts(&sources()?)?;
    ensure!(!texts.is_empty(), "no package's sources were found; build something first");
    let n_bytes: usize = texts.iter().map(Vec::len).sum();
    let scanner = Scanner::knowing(["sk-bench-q7Rz2mWx9KfT4vLp"]);
    let began = Instant::now();
    let n_lines: usize = texts.iter().map(|text| text.split(|b| *b == b'\n').count()).sum();
    let bare = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for text in &texts {
        for finding in scanner.find(text) {
            *kinds.entry(format!("{:?}", finding.what)).or_default() += 1;
        }
    }
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "for display")]
    let mb = n_bytes as f64 / f64::from(1 << 20);
    let n_found: u32 = kinds.values().sum();
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    Ok(vec![
        Row::new(NAME, "scanning", format!("{:.0} MB/s", mb / took))
            .bare(format!("{:.0} MB/s", mb / bare))
            .how(format!("{} files, {n_lines} lines; bare: counting lines", texts.len())),
        Row::new(
            NAME,
            "found in packages' sources",
            format!("{:.2} a MB", f64::from(n_found) / mb),
        )
        .how(format!("{n_found} in {mb:.0} MB: {}", kinds.join(", "))),
    ])
}

/// Where cargo keeps the sources that it has fetched.
fn sources() -> anyhow::Result<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    Ok(home.context("find cargo's folder")?.join("registry/src"))
}

fn texts(root: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut folders = vec![root.to_owned()];
    let (mut texts, mut n_bytes) = (Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("read {}", folder.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file()
                && n_bytes < BYTES_MAX
                && entry.metadata()?.len() <= FILE_BYTES_MAX
            {
                let text = fs::read(entry.path())?;
                n_bytes += text.len();
                texts.push(text);
            }
        }
    }
    Ok(texts)
}
