//! How often the guards raise an alarm over changes that people have reviewed and merged.
//!
//! The corpus is made by `bench/guards-corpus`: repositories in which the commits by `merged`
//! are changes of the projects themselves. Each is looked at against its parent, read from a
//! mirror as the daemon reads it, with its description as what an agent would have said, and
//! with its own files and no dependency as the plan. No commands are known.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use zazen::daemon::{Looked, look};
use zazen::git::{Mirror, Source};
use zazen_core::guard::{Contract, GuardName, Report, Rules, Verdict};
use zazen_core::id::CommitId;
use zazen_core::secret::Scanner;

use crate::place::program;
use crate::report::{Row, Samples};

/// The name of this measurement.
pub(crate) const NAME: &str = "guards";

/// Who commits what the projects themselves have merged.
const MERGED: &str = "merged";

/// What the guards said of all changes.
#[derive(Default)]
struct Tally {
    n_changes: usize,
    n_repositories: usize,
    /// Changes with nothing, with flags only, with a hold.
    n_of: BTreeMap<Verdict, usize>,
    of_guard: BTreeMap<(GuardName, Verdict), usize>,
    /// Every finding, to be read.
    said: Vec<String>,
    took: Vec<Duration>,
}

pub(crate) fn run(corpus: &Path) -> anyhow::Result<Vec<Row>> {
    let repositories = corpus.join("repositories");
    let list = std::fs::read_dir(&repositories).with_context(|| {
        format!("read {}; `bench/guards-corpus` makes it", repositories.display())
    })?;
    let mut dirs: Vec<_> = list.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    dirs.sort();
    let runtime = tokio::runtime::Runtime::new().context("start a runtime")?;
    let mut tally = Tally::default();
    for dir in dirs {
        let n_before = tally.n_changes;
        runtime
            .block_on(repository(&dir, &mut tally))
            .with_context(|| format!("go through {}", dir.display()))?;
        tally.n_repositories += usize::from(tally.n_changes > n_before);
    }
    ensure!(tally.n_changes > 0, "there is no merged change in {}", repositories.display());
    for line in &tally.said {
        crate::say(line);
    }
    Ok(tally.rows())
}

async fn repository(dir: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let mirror = Mirror::open_or_create(dir, &Source::Path(dir.to_owned())).await?;
    let scanner = Arc::new(Scanner::knowing([]));
    let listed = git(dir, &["log", "--reverse", "--format=%H %P %an", "main"])?;
    for line in listed.lines() {
        let [commit, parent, MERGED] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        let (parent, commit): (CommitId, CommitId) = (parent.parse()?, commit.parse()?);
        let said = git(dir, &["show", "--no-patch", "--format=%B", commit.as_str()])?;
        let began = Instant::now();
        let report = examine(&mirror, (&parent, &commit), (said, Arc::clone(&scanner))).await?;
        tally.took.push(began.elapsed());
        let package = dir.file_stem().unwrap_or_default().to_string_lossy();
        tally.add(&report, &format!("{package} {}", commit.short()));
    }
    Ok(())
}

async fn examine(
    mirror: &Mirror,
    (parent, commit): (&CommitId, &CommitId),
    (said, scanner): (String, Arc<Scanner>),
) -> anyhow::Result<Report> {
    let stat = mirror.diff_stat(parent, commit).await?;
    let files = stat.files.into_iter().map(|file| file.path).collect();
    let looked = Looked {
        contract: Some(Contract { files, dependencies: Vec::new() }),
        reports: vec![said],
        ..Looked::default()
    };
    look(mirror, (parent, commit), looked, (Rules::default(), scanner)).await
}

/// What git prints of a repository of the corpus.
fn git(dir: &Path, args: &[&str]) -> anyhow::Result<String> {
    let output = program(Path::new("git")).arg("-C").arg(dir).args(args).output()?;
    ensure!(output.status.success(), "git {} failed in {}", args[0], dir.display());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Tally {
    fn add(&mut self, report: &Report, name: &str) {
        self.n_changes += 1;
        let all = GuardName::ALL.map(|guard| (guard, report.verdict(guard)));
        let worst = all.iter().map(|(_, verdict)| *verdict).max().unwrap_or(Verdict::Pass);
        *self.n_of.entry(worst).or_default() += 1;
        for (guard, verdict) in all {
            *self.of_guard.entry((guard, verdict)).or_default() += 1;
        }
        for finding in &report.findings {
            let path = finding.path.as_deref().unwrap_or("-");
            let word = finding.guard.word();
            let level = format!("{:?}", finding.level).to_lowercase();
            self.said.push(format!("{name} {level} {word} {path}: {}", finding.what));
        }
    }

    fn rows(self) -> Vec<Row> {
        let n = self.n_changes;
        #[expect(clippy::cast_precision_loss, reason = "for display")]
        let share = |part: usize| format!("{:.1} % ({part})", part as f64 * 100.0 / n as f64);
        let of = |verdict: Verdict| self.n_of.get(&verdict).copied().unwrap_or_default();
        let how = format!("{n} merged changes of {} packages", self.n_repositories);
        let mut rows = vec![
            Row::new(NAME, "no alarm", share(of(Verdict::Pass))).how(how),
            Row::new(NAME, "flagged and not held", share(of(Verdict::Flag))),
            Row::new(NAME, "held", share(of(Verdict::Hold))),
        ];
        for guard in GuardName::ALL {
            let of = |verdict| self.of_guard.get(&(guard, verdict)).copied().unwrap_or_default();
            let (flagged, held) = (share(of(Verdict::Flag)), share(of(Verdict::Hold)));
            let value = format!("flagged {flagged}, held {held}");
            rows.push(Row::new(NAME, format!("`{}`", guard.word()), value));
        }
        let took = Samples::new(self.took.iter().map(Duration::as_secs_f64).collect());
        rows.push(
            Row::new(NAME, "time for a change", format!("p50 {:.1} ms", took.p50() * 1e3))
                .how(format!("p99 {:.1} ms; git and all guards", took.p99() * 1e3)),
        );
        rows
    }
}
