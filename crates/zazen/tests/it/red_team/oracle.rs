//! What is looked at after every attack, whatever it was: all that left the sandbox,
//! all that is kept, the processes of the machine, and the daemon's own health.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::model::Model;
use crate::harness::place::Place;

use super::canary::Search;
use super::ground::Ground;

/// Ends the daemon, starts it once more, and says what is not as it has to be.
///
/// Below `planted` canaries are expected.
pub(super) fn damage(
    place: &mut Place,
    ground: &Ground,
    model: &Model,
    planted: &[&str],
) -> Vec<String> {
    let mut damage = Vec::new();
    let search = Search::for_all(ground.canaries());
    let mut look = |what: &str, bytes: &[u8]| {
        damage.extend(search.find(bytes).iter().map(|name| format!("{name} in {what}")));
    };
    for call in model.calls() {
        look("a call of the model", call.body.as_bytes());
    }
    for issue in 1..=2 {
        let thread = place.try_zazen(&["issue", "show", &issue.to_string()]).stdout;
        let task = place.try_zazen(&["task", "show", &issue.to_string()]).stdout;
        look("what is shown", &[thread, task].concat());
    }
    place.down();
    look("the daemon's log", place.log().as_bytes());
    let mirror = place.home().join(".zazen/mirrors/local/tally.git");
    for repository in [place.remote(), mirror] {
        look("the objects of a repository", &objects(&repository));
    }
    damage.extend(search.find_below(&place.home(), planted));
    let alive = place.processes();
    if !alive.is_empty() {
        damage.push(format!("processes are left: {alive:?}"));
    }
    let n_sleeps = n_processes(&ground.sleep);
    if n_sleeps > 0 {
        damage.push(format!("{n_sleeps} processes of agents are left"));
    }
    damage.extend(unwell(place));
    damage
}

/// Starts the daemon on what the attacks left behind, and ends it again.
pub(super) fn unwell(place: &mut Place) -> Vec<String> {
    place.down();
    let n_ups = place.log().matches(" up in ").count();
    place.up();
    place.wait("it is up again", |place| {
        (place.log().matches(" up in ").count() > n_ups).then_some(())
    });
    place.down();
    let log = place.log();
    let bad = log.lines().filter(|line| line.contains("panicked") || line.contains(" ERROR "));
    bad.map(|line| format!("the daemon said: {line}")).collect()
}

/// All objects of a repository, as they are without their compression.
#[expect(
    clippy::disallowed_methods,
    reason = "git as a person runs it, for bytes that are no text"
)]
fn objects(repository: &Path) -> Vec<u8> {
    if !repository.exists() {
        return Vec::new();
    }
    let output = Command::new("git")
        .arg("--git-dir")
        .arg(repository)
        .args(["cat-file", "--batch", "--batch-all-objects"])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("git starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// How many processes of the machine have this very argument.
pub(super) fn n_processes(argument: &str) -> usize {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let has = |entry: &fs::DirEntry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|b| *b == 0).any(|part| part == argument.as_bytes())
    };
    entries.filter(has).count()
}
