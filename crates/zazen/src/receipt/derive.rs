//! What a receipt states, read out of the files that it states it of.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;
use zazen_core::host::Traffic;
use zazen_core::id::{CommitId, RunId, Time};
use zazen_core::receipt::chain::{self, Chain, Sealed};
use zazen_core::receipt::{Agent, End, Hash, OfRun, Part, Run, Sandbox, name};
use zazen_core::usage::Usage;

use super::Place;
use super::lines::{self, Then};
use crate::gateway::{self, Bill};
use crate::home::atomic;
use crate::sandbox::{Ev, EventLine, Exit};

/// What the files of a run say of it in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub agent: Option<Agent>,
    pub sandbox: Sandbox,
    pub end: End,
}

/// How much of a file is hashed at a time.
const PART_BYTES: usize = 256 << 10;

/// What a run is said to have ended like whose work ended by itself.
pub const EXITED: &str = "exited";

/// What a run is said to have ended like that has no end in its trace.
pub const LOST: &str = "lost";

/// Says everything that a receipt states of one run, from its files.
pub fn run(place: &Place, run: RunId, phase: &str) -> anyhow::Result<Run> {
    let path = |of| place.part(Part::Run(run, of));
    let mut files = BTreeMap::new();
    for of in OfRun::NOTED.into_iter().chain([OfRun::Events, OfRun::Egress]) {
        let hash = hash_file(&path(of)).with_context(|| format!("read {}", path(of).display()))?;
        files.extend(hash.map(|hash| (of, hash)));
    }
    let Facts { agent, sandbox, end } = facts(place, run)?;
    let recording = path(OfRun::Recording);
    let sealed = seal(&recording).with_context(|| format!("read {}", recording.display()))?;
    Ok(Run {
        run,
        phase: phase.to_owned(),
        agent,
        sandbox,
        end,
        usage: usage(&recording)?,
        n_unrecorded: 0,
        files,
        recording: sealed.map(|(sealed, _)| sealed),
    })
}

/// Who acted in a run, where, and how it ended: read out of its files.
pub fn facts(place: &Place, run: RunId) -> anyhow::Result<Facts> {
    let path = |of| place.part(Part::Run(run, of));
    let (end, achieved) = trace(&path(OfRun::Events))?;
    let sandbox = Sandbox { engine: engine(&path(OfRun::Spec))?, achieved };
    Ok(Facts { agent: agent(&path(OfRun::Agent))?, sandbox, end })
}

/// The hash of a file; nothing, if it is not there.
pub fn hash_file(path: &Path) -> io::Result<Option<Hash>> {
    let mut file = match File::open(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let (mut hasher, mut part) = (blake3::Hasher::new(), vec![0; PART_BYTES]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(Some(Hash::finish(&hasher))),
            n => hasher.update(&part[..n]),
        };
    }
}

/// Binds a file of lines: what is stated of it, and the list of the lines' hashes.
/// Nothing, if it is not there.
pub fn seal(path: &Path) -> io::Result<Option<(Sealed, String)>> {
    let (mut chain, mut list) = (Chain::default(), String::new());
    let read = lines::each(path, |_, line| {
        list.push_str(&chain::print_line(&chain.push(line)));
        Ok(Then::Go)
    });
    match read {
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(|()| Some((chain.sealed(), list))),
    }
}

/// How a run ended, as the end of its trace says. Nothing, where the trace has no end.
pub fn exit(place: &Place, run: RunId) -> anyhow::Result<Option<Exit>> {
    let (_, exit) = ends(&place.part(Part::Run(run, OfRun::Events)))?;
    Ok(exit)
}

/// The commits that a run was begun on and left, as far as that was noted.
pub fn commits(place: &Place, run: RunId) -> anyhow::Result<Vec<CommitId>> {
    #[derive(Deserialize)]
    struct Ground {
        from: CommitId,
        files: CommitId,
    }
    #[derive(Deserialize)]
    struct Pair {
        ours: CommitId,
    }

    let mut commits = Vec::new();
    let ground = place.part(Part::Run(run, OfRun::Ground));
    if ground.exists() {
        let Ground { from, files } = small(&ground)?;
        commits.extend([from, files]);
    }
    let left = place.part(Part::Run(run, OfRun::Commits));
    if left.exists() {
        let pairs: Vec<Pair> = small(&left)?;
        commits.extend(pairs.into_iter().map(|pair| pair.ours));
    }
    Ok(commits)
}

/// What the calls of a recording used.
pub fn usage(recording: &Path) -> anyhow::Result<Usage> {
    #[derive(Deserialize)]
    struct Billed {
        #[serde(default)]
        bill: Option<Bill>,
    }

    let mut usage = Usage::default();
    let read = lines::each(recording, |n, line| {
        let billed: Billed = serde_json::from_slice(line)
            .map_err(|err| lines::invalid(format!("line {n} is no call: {err}")))?;
        usage += billed.bill.map(|bill| bill.usage).unwrap_or_default();
        Ok(Then::Go)
    });
    match read {
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(usage),
        read => {
            read.with_context(|| format!("add up {}", recording.display()))?;
            Ok(usage)
        }
    }
}

/// What some runs reached besides the model, and were refused.
pub fn traffic(place: &Place, runs: impl Iterator<Item = RunId>) -> anyhow::Result<Traffic> {
    let mut traffic = Traffic::default();
    for run in runs {
        let path = place.part(Part::Run(run, OfRun::Egress));
        gateway::add_traffic(&path, &mut traffic)
            .with_context(|| format!("read {}", path.display()))?;
    }
    Ok(traffic)
}

/// What every line of a trace has.
#[derive(Deserialize)]
struct Stamped {
    at: Time,
}

/// How the line of the end is told from others before it is read: by its beginning.
const ENDED: &[u8] = br#""ev":"ended""#;

/// How long that beginning is: two numbers stand before it.
const HEAD_BYTES_MAX: usize = 100;

/// What the trace of a run says of its end, and what held it by the names of the axes.
fn trace(events: &Path) -> anyhow::Result<(End, BTreeMap<String, String>)> {
    let (first, exit) = ends(events)?;
    let Some(exit) = exit else {
        // Nobody knows when.
        let (started_at, ended_at) = (first.unwrap_or_default(), first.unwrap_or_default());
        let reason = LOST.to_owned();
        let end = End { reason, code: None, signal: None, started_at, ended_at };
        return Ok((end, BTreeMap::new()));
    };
    let Exit { code, signal, reason, achieved, started_at, ended_at, .. } = exit;
    let reason = serde_json::to_value(reason)?;
    let reason = name(reason["kind"].as_str().unwrap_or(LOST));
    let achieved = serde_json::to_value(achieved)?;
    let achieved = achieved.as_object().into_iter().flatten();
    let achieved = achieved.map(|(axis, value)| (axis.clone(), word(value))).collect();
    Ok((End { reason, code, signal, started_at, ended_at }, achieved))
}

/// When the first event of a trace was, and what the last says of the run's end.
fn ends(events: &Path) -> anyhow::Result<(Option<Time>, Option<Exit>)> {
    let (mut first, mut exit) = (None, None);
    let read = lines::each(events, |n, line| {
        let head = &line[..line.len().min(HEAD_BYTES_MAX)];
        let is_end = head.windows(ENDED.len()).any(|window| window == ENDED);
        if first.is_none() || is_end {
            let wrong = |err| lines::invalid(format!("line {n} is no event: {err}"));
            let Stamped { at } = serde_json::from_slice(line).map_err(wrong)?;
            first.get_or_insert(at);
        }
        if is_end
            && let Ok(EventLine { ev: Ev::Ended { exit: said }, .. }) = serde_json::from_slice(line)
        {
            exit = Some(*said);
        }
        Ok(Then::Go)
    });
    match read {
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        read => read.with_context(|| format!("read {}", events.display()))?,
    }
    Ok((first, exit))
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), name)
}

/// How large the files may be that say who acted and what was run.
const SMALL_BYTES_MAX: u64 = 64 << 20;

/// Who acted in a run. Nobody, where there is no such file.
fn agent(path: &Path) -> anyhow::Result<Option<Agent>> {
    #[derive(Deserialize)]
    struct Acting {
        agent: String,
        harness: String,
        #[serde(default)]
        model: String,
        #[serde(default)]
        version: Option<String>,
    }

    if !path.exists() {
        return Ok(None);
    }
    let acting: Acting = small(path)?;
    Ok(Some(Agent {
        name: name(&acting.agent),
        harness: name(&acting.harness),
        version: name(&acting.version.unwrap_or_default()),
        model: name(&acting.model),
    }))
}

/// The engine of a run; empty, where it is not known.
fn engine(path: &Path) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Spec {
        engine: String,
    }

    if !path.exists() {
        return Ok(String::new());
    }
    let spec: Spec = small(path)?;
    Ok(name(&spec.engine))
}

fn small<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let what = || format!("read {}", path.display());
    let bytes = atomic::read_small(path, SMALL_BYTES_MAX).with_context(what)?;
    serde_json::from_slice(&bytes).with_context(what)
}
