//! What there is of a run that was made: all of it is read from its folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use zazen_core::id::{CommitId, RunId};
use zazen_core::price::Prices;
use zazen_core::text::{one_line, plain};
use zazen_core::trace::Claim;
use zazen_harness::{Facts, Name};

use super::super::agents::Acting;
use super::super::apart::{self, Ran};
use super::super::evidence::sum_up;
use super::super::ground::Ground;
use super::super::judge::COMMITS_FILE;
use super::super::run::{ANSWER_FILE, RECORDING_FILE};
use super::{Came, Made, Requests};
use crate::home::atomic;
use crate::sandbox::{EndReason, LaunchSpec, Phase as Stage, RunDir, SPEC_VERSION, Work};

/// A run that can be made again.
pub(super) struct Recorded {
    pub(super) run: RunId,
    pub(super) spec: LaunchSpec,
    pub(super) ground: Ground,
    pub(super) acting: Option<Acting>,
    pub(super) ran: Ran,
    /// The text of its recording. Checks have none.
    pub(super) recording: String,
    /// The agent's last words.
    pub(super) answer: String,
    /// The commit that it left; the one that it began on, where it left none.
    pub(super) head: CommitId,
}

/// A run, if it can be made again, or what is said of it instead.
#[expect(clippy::large_enum_variant, reason = "there is one of it at a time")]
pub(super) enum Loaded {
    Whole(Box<Recorded>),
    Not(Made),
}

/// How long a sentence of an agent's may be here, in characters.
const SAID_CHARS_MAX: usize = 200;

/// How large a spec may be. It holds a prompt and settings.
const SPEC_BYTES_MAX: u64 = 64 << 20;

/// How large the list of a run's commits may be.
const COMMITS_BYTES_MAX: u64 = 1 << 20;

/// How large a recording may be. Those of long runs have some hundred MiB.
const RECORDING_BYTES_MAX: u64 = 1 << 30;

/// How large an answer may be: what a reader keeps of it.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// Reads the folder of a run.
pub(super) fn load(dir: &RunDir, run: RunId) -> anyhow::Result<Loaded> {
    let not = |came, says: &str| Ok(Loaded::Not(Made::without(run, came, says)));
    let passed = |says: &str| not(Came::Passed, says);
    match dir.observe()? {
        Stage::Ended(exit) if exit.reason == EndReason::Exited => {}
        Stage::Ended(exit) => {
            return passed(&format!("it came to nothing then ({})", exit.reason.word()));
        }
        Stage::Absent => return passed("it was not started"),
        Stage::Lost => return passed("it came to nothing then (its supervisor was gone)"),
        Stage::Starting | Stage::Running => return not(Came::Missing, "it is under way"),
    }
    let Some(spec) = spec_of(dir)? else {
        return not(Came::Missing, "its `spec.json` is gone, or of another version of zazen");
    };
    if spec.run != run {
        return not(Came::Missing, "its `spec.json` is of another run");
    }
    let acting = Acting::read(dir);
    let ran = apart::read(dir.clone(), reader(acting.as_ref()))?;
    if matches!(spec.work, Work::Harness { .. })
        && let Some(why) = failed(&ran)
    {
        return passed(&format!("it came to nothing then: {why}"));
    }
    let Some(ground) = Ground::read(dir)? else {
        return not(Came::Missing, "an older zazen made it, which kept too little of it");
    };
    let recording = match spec.work {
        Work::Check { .. } => String::new(),
        Work::Harness { .. } => {
            let path = dir.path().join(RECORDING_FILE);
            let is_large = path.metadata().is_ok_and(|file| file.len() > RECORDING_BYTES_MAX);
            match atomic::read_small(&path, RECORDING_BYTES_MAX).map(String::from_utf8) {
                Some(Ok(text)) if !text.trim().is_empty() => text,
                Some(_) | None if is_large => {
                    return not(Came::Missing, "the recording of its model calls is too large");
                }
                Some(_) | None => {
                    return not(Came::Missing, "there is no recording of its model calls");
                }
            }
        }
    };
    if ground.resumes {
        let says = "it went on with a session of an earlier run, which is not kept";
        return not(Came::Missing, says);
    }
    // Where it is not kept as a text of its own, it is in the trace.
    let answer = atomic::read_small(&dir.path().join(ANSWER_FILE), ANSWER_BYTES_MAX);
    let answer = answer.map(|text| String::from_utf8_lossy(&text).into_owned());
    let answer = answer.unwrap_or_else(|| plain(ran.reader.answer()));
    let head = head_of(dir, &ground.from, &ran)?;
    let recorded = Recorded { run, spec, ground, acting, ran, recording, answer, head };
    Ok(Loaded::Whole(Box::new(recorded)))
}

pub(in super::super) fn spec_of(dir: &RunDir) -> anyhow::Result<Option<LaunchSpec>> {
    let Some(text) = atomic::read_small(&dir.spec(), SPEC_BYTES_MAX) else { return Ok(None) };
    let spec: LaunchSpec =
        serde_json::from_slice(&text).with_context(|| format!("read {}", dir.spec().display()))?;
    Ok(Some(spec).filter(|spec| spec.v == SPEC_VERSION))
}

/// A reader for the stream of a run. What checks print means nothing.
pub(in super::super) fn reader(acting: Option<&Acting>) -> zazen_harness::Reader {
    acting.map_or_else(|| Name::Mini.reader(None), Acting::reader)
}

/// Why nothing builds on a run of an agent, if that is so.
fn failed(ran: &Ran) -> Option<String> {
    if ran.dir.path().join("stuck.json").exists() {
        return Some("its agent got nowhere".to_owned());
    }
    let calls = sum_up(&ran.dir, &Prices::default()).ok();
    let is_cut = calls.is_some_and(|calls| calls.is_last_cut);
    unfinished(ran, is_cut)
}

/// How a harness ended that did not finish.
pub(in super::super) fn unfinished(ran: &Ran, is_answer_cut: bool) -> Option<String> {
    let exit = ran.exit.as_ref();
    let facts = Facts {
        code: exit.and_then(|exit| exit.code),
        signal: exit.and_then(|exit| exit.signal),
        is_overdue: false,
        has_changed: None,
        is_answer_cut,
    };
    let end = ran.reader.conclude(&facts);
    if matches!(end.claim, Claim::Finished | Claim::NothingDone) {
        return None;
    }
    let said = if end.text.trim().is_empty() { ran.errors.join("; ") } else { end.text };
    Some(format!("{:?}: {}", end.claim, one_line(&plain(&said), SAID_CHARS_MAX)))
}

/// What a run left, by the list of its commits.
pub(in super::super) fn head_of(
    dir: &RunDir,
    from: &CommitId,
    ran: &Ran,
) -> anyhow::Result<CommitId> {
    #[derive(Deserialize)]
    struct Pair {
        ours: CommitId,
    }
    let path: &Path = &dir.path().join(COMMITS_FILE);
    let is_empty = ran.claim.as_ref().is_none_or(|claim| claim.n_commits == 0);
    if is_empty || !path.exists() {
        return Ok(from.clone());
    }
    let context = || format!("read {}", path.display());
    let text = atomic::read_small(path, COMMITS_BYTES_MAX).context("it is too large");
    let pairs: Vec<Pair> =
        serde_json::from_slice(&text.with_context(context)?).with_context(context)?;
    Ok(pairs.into_iter().next_back().map_or_else(|| from.clone(), |pair| pair.ours))
}

impl Recorded {
    /// Where its private home was. The folder of a run may have moved since.
    pub(super) fn private_home(&self) -> PathBuf {
        let socket = self.spec.gateway_socket.as_deref();
        let dir = socket.and_then(|socket| socket.ancestors().nth(2));
        dir.map_or_else(|| self.ran.dir.home(), |dir| RunDir::new(dir).home())
    }
}

impl Made {
    /// What is said of a run that is not made again.
    pub(super) fn without(run: RunId, came: Came, says: &str) -> Self {
        Self {
            run,
            phase: String::new(),
            came,
            says: says.to_owned(),
            files: Vec::new(),
            notes: Vec::new(),
            requests: Requests::default(),
            unlike: None,
            recorded_ms: 0,
            replayed_ms: 0,
        }
    }
}
