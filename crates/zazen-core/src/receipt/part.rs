//! The files beside a receipt: their names, and how large each may be.
//!
//! A bundle holds exactly these, so a name that is not one of them is no file of a bundle,
//! and none of them leads anywhere else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::RunId;

/// A file that a receipt has the hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Issue,
    Brief,
    Plan,
    Contract,
    Policy,
    Guards,
    Checks,
    Baseline,
    Review,
    Run(RunId, OfRun),
}

/// A file of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfRun {
    /// What was run. Its tokens are taken out.
    Spec,
    /// Who acted.
    Agent,
    /// What it was begun on.
    Ground,
    /// The skills that it was given.
    Skills,
    /// Which commits it left.
    Commits,
    /// The trace.
    Events,
    /// What was reached besides the model.
    Egress,
    /// The traffic with the model.
    Recording,
    /// The hashes of the recording's lines.
    Chain,
}

/// A text is not the name of a file beside a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("that is not the name of a file beside a receipt")]
pub struct NotAPart;

const RUNS: &str = "runs/";

/// How large a text may be that people and agents wrote: an issue, a plan, an output.
const TEXT_BYTES_MAX: u64 = 16 << 20;

/// How large what zazen notes of a run may be: some names of commits.
const NOTE_BYTES_MAX: u64 = 1 << 20;

/// How large a log may be. A run's output is cut long before.
const LOG_BYTES_MAX: u64 = 4 << 30;

impl Part {
    /// The parts that are there once.
    pub const SINGLE: [Self; 9] = [
        Self::Issue,
        Self::Brief,
        Self::Plan,
        Self::Contract,
        Self::Policy,
        Self::Guards,
        Self::Checks,
        Self::Baseline,
        Self::Review,
    ];

    /// How many bytes it may have.
    pub fn bytes_max(self) -> u64 {
        match self {
            Self::Run(_, OfRun::Events | OfRun::Recording) => LOG_BYTES_MAX,
            Self::Run(
                _,
                OfRun::Spec | OfRun::Agent | OfRun::Skills | OfRun::Egress | OfRun::Chain,
            ) => 4 * TEXT_BYTES_MAX,
            Self::Run(_, OfRun::Ground | OfRun::Commits) => NOTE_BYTES_MAX,
            Self::Issue
            | Self::Brief
            | Self::Plan
            | Self::Contract
            | Self::Policy
            | Self::Guards
            | Self::Checks
            | Self::Baseline
            | Self::Review => TEXT_BYTES_MAX,
        }
    }
}

impl OfRun {
    pub const ALL: [Self; 9] = [
        Self::Spec,
        Self::Agent,
        Self::Ground,
        Self::Skills,
        Self::Commits,
        Self::Events,
        Self::Egress,
        Self::Recording,
        Self::Chain,
    ];

    /// What says who acted in a run, and all that it was made of and left. It is read out of
    /// the run's folder when a receipt is made, and kept beside it.
    pub const NOTED: [Self; 5] =
        [Self::Spec, Self::Agent, Self::Ground, Self::Skills, Self::Commits];

    /// The name of the file, in the run's folder too: all but the skills, a folder there.
    pub fn file(self) -> &'static str {
        match self {
            Self::Spec => "spec.json",
            Self::Agent => "agent.json",
            Self::Ground => "ground.json",
            Self::Skills => "skills.json",
            Self::Commits => "commits.json",
            Self::Events => "events.jsonl",
            Self::Egress => "egress.jsonl",
            Self::Recording => "recording.jsonl",
            Self::Chain => "recording.chain",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issue => f.write_str("issue.md"),
            Self::Brief => f.write_str("brief.json"),
            Self::Plan => f.write_str("plan.md"),
            Self::Contract => f.write_str("contract.md"),
            Self::Policy => f.write_str("policy.json"),
            Self::Guards => f.write_str("guards.json"),
            Self::Checks => f.write_str("checks.txt"),
            Self::Baseline => f.write_str("baseline.txt"),
            Self::Review => f.write_str("review.md"),
            Self::Run(run, file) => write!(f, "{RUNS}{run}/{}", file.file()),
        }
    }
}

impl FromStr for Part {
    type Err = NotAPart;

    fn from_str(text: &str) -> Result<Self, NotAPart> {
        let Some(of_run) = text.strip_prefix(RUNS) else {
            let found = Self::SINGLE.into_iter().find(|part| part.to_string() == text);
            return found.ok_or(NotAPart);
        };
        let (run, file) = of_run.split_once('/').ok_or(NotAPart)?;
        let run: RunId = run.parse().map_err(|_| NotAPart)?;
        let file = OfRun::ALL.into_iter().find(|of| of.file() == file).ok_or(NotAPart)?;
        let part = Self::Run(run, file);
        // `012.3` is a run, and not how it is written.
        if part.to_string() == text { Ok(part) } else { Err(NotAPart) }
    }
}
