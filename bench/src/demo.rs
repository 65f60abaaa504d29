//! How long the demo takes, from nothing to a draft pull request.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::bail;

use crate::place::program;
use crate::report::{Row, Samples};

/// The name of this measurement.
pub(crate) const NAME: &str = "demo";

/// How often it is played.
const N_DEMOS: usize = 3;

/// The design's limit, in seconds.
const SECONDS_MAX: f64 = 10.0;

pub(crate) fn run(zazen: &Path) -> anyhow::Result<Vec<Row>> {
    let mut seconds = Vec::new();
    for _ in 0..N_DEMOS {
        let dir = tempfile::tempdir()?;
        let began = Instant::now();
        let output = program(zazen)
            .args(["demo", "--json", "--dir"])
            .arg(dir.path().join("demo"))
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .output()?;
        seconds.push(began.elapsed().as_secs_f64());
        if !output.status.success() || !String::from_utf8_lossy(&output.stdout).contains("draft") {
            bail!("the demo came to nothing: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    let seconds = Samples::new(seconds);
    let how = format!("median of {N_DEMOS}; the model's answers are played back");
    Ok(vec![
        Row::new(NAME, "`zazen demo` to a draft pull request", format!("{:.1} s", seconds.p50()))
            .limit("< 10 s", seconds.p50() < SECONDS_MAX)
            .how(how),
    ])
}
