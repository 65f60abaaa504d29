//! What has to hold for a receipt to be believed, in the order in which it is looked at.
//!
//! Each link is looked at by itself, and one of three things is found. The first that is
//! broken is the one to tell people of; where something could not be looked at, the answer
//! is not "all holds".

use std::fmt;

use super::Part;
use crate::id::RunId;

/// One thing that has to hold. The order is that of looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    Envelope,
    Signature,
    Key,
    Statement,
    /// The files are those that the receipt speaks of, each once, and nothing else is there.
    Bundle,
    /// The head's commit and tree are there, and are those that are stated.
    Head,
    /// The base is there, and the head builds on it.
    Base,
    Plan,
    Contract,
    Issue,
    Brief,
    Policy,
    /// The recording of a run, line by line.
    Recording(RunId),
    /// What was run, on what, who acted, and which commits were left.
    Run(RunId),
    /// The trace of a run, and what it says of the run's end.
    Trace(RunId),
    /// What runs reached, and that it adds up.
    Hosts,
    Guards,
    Checks,
    Baseline,
    Review,
    /// The costs, added up from the recordings.
    Cost,
}

/// What was found of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Holds,
    Broken {
        why: String,
    },
    /// It could not be looked at.
    Unknown {
        why: String,
    },
}

/// A link with what was found of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub link: Link,
    pub outcome: Outcome,
}

/// All that was found, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    pub findings: Vec<Finding>,
}

/// What it all comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    /// What could be looked at holds.
    Partial,
    Broken,
}

impl Report {
    pub fn add(&mut self, link: Link, outcome: Outcome) {
        self.findings.push(Finding { link, outcome });
    }

    /// What it all comes to. Of nothing, nothing is known.
    pub fn verdict(&self) -> Verdict {
        let is_any = |is: fn(&Outcome) -> bool| self.findings.iter().any(|it| is(&it.outcome));
        if is_any(|outcome| matches!(outcome, Outcome::Broken { .. })) {
            Verdict::Broken
        } else if self.findings.is_empty() || is_any(|it| matches!(it, Outcome::Unknown { .. })) {
            Verdict::Partial
        } else {
            Verdict::Holds
        }
    }

    /// The first link that is broken.
    pub fn first_broken(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| matches!(finding.outcome, Outcome::Broken { .. }))
    }
}

impl Link {
    /// The link that a part belongs to.
    pub fn of(part: Part) -> Self {
        use super::OfRun;

        match part {
            Part::Issue => Self::Issue,
            Part::Brief => Self::Brief,
            Part::Plan => Self::Plan,
            Part::Contract => Self::Contract,
            Part::Policy => Self::Policy,
            Part::Guards => Self::Guards,
            Part::Checks => Self::Checks,
            Part::Baseline => Self::Baseline,
            Part::Review => Self::Review,
            Part::Run(
                run,
                OfRun::Spec | OfRun::Agent | OfRun::Ground | OfRun::Skills | OfRun::Commits,
            ) => Self::Run(run),
            Part::Run(run, OfRun::Events) => Self::Trace(run),
            Part::Run(_, OfRun::Egress) => Self::Hosts,
            Part::Run(run, OfRun::Recording | OfRun::Chain) => Self::Recording(run),
        }
    }

    /// The name of a link, for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Signature => "signature",
            Self::Key => "key",
            Self::Statement => "statement",
            Self::Bundle => "bundle",
            Self::Head => "head",
            Self::Base => "base",
            Self::Plan => "plan",
            Self::Contract => "contract",
            Self::Issue => "issue",
            Self::Brief => "brief",
            Self::Policy => "policy",
            Self::Recording(_) => "recording",
            Self::Run(_) => "run",
            Self::Trace(_) => "trace",
            Self::Hosts => "hosts",
            Self::Guards => "guards",
            Self::Checks => "checks",
            Self::Baseline => "baseline",
            Self::Review => "review",
            Self::Cost => "cost",
        }
    }

    /// The run that it is about, if it is about one.
    pub fn run(self) -> Option<RunId> {
        match self {
            Self::Recording(run) | Self::Run(run) | Self::Trace(run) => Some(run),
            Self::Envelope
            | Self::Signature
            | Self::Key
            | Self::Statement
            | Self::Bundle
            | Self::Head
            | Self::Base
            | Self::Plan
            | Self::Contract
            | Self::Issue
            | Self::Brief
            | Self::Policy
            | Self::Hosts
            | Self::Guards
            | Self::Checks
            | Self::Baseline
            | Self::Review
            | Self::Cost => None,
        }
    }
}

/// `recording 12.3`.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.run() {
            Some(run) => write!(f, "{} {run}", self.word()),
            None => f.write_str(self.word()),
        }
    }
}
