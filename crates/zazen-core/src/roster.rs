//! Which agent acts in which role, in which repository.
//!
//! The owner gives each [`Role`] a list of agents. The first of them is used;
//! the others are there to take over while it is [`Closed`]. Which of them a run
//! has is decided once, when it begins, and is part of that fact, so a list that
//! changes later changes nothing about a run that is under way.

mod reviewer;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use self::reviewer::{Made, Reviewers, reviewers};
use crate::id::{AgentName, RepoName};
use crate::task::{Free, Phase, Why};

/// What an agent is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads the code and writes a plan.
    Plan,
    /// Carries out the steps of a plan.
    Implement,
    /// Mends red checks, and changes an open pull request as people ask.
    Correct,
    /// Reviews a pull request.
    Review,
    /// Answers a question.
    Ask,
}

/// The agents of each role, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<Role, Vec<AgentName>>);

/// The agents of each role, for all repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    everywhere: Roles,
    /// What counts before that, in one repository.
    repos: BTreeMap<RepoName, Roles>,
}

/// The agents that may not be begun now, as far as the daemon knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closed {
    /// In no role.
    pub agents: BTreeMap<AgentName, Shut>,
    /// Not in this role.
    pub roles: BTreeMap<(AgentName, Role), Shut>,
}

/// Why an agent may not be begun, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shut {
    pub why: Why,
    /// When it may be begun again, where somebody knows.
    pub free: Option<Free>,
}

impl Closed {
    /// Why an agent may not be begun in a role.
    pub fn shut(&self, agent: &AgentName, role: Role) -> Option<&Shut> {
        let in_role = || self.roles.get(&(agent.clone(), role));
        self.agents.get(agent).or_else(in_role)
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Plan, Self::Implement, Self::Correct, Self::Review, Self::Ask];

    /// The role of the agent in this phase. The checks have none.
    pub fn of(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Plan => Some(Self::Plan),
            Phase::Ask => Some(Self::Ask),
            Phase::Review => Some(Self::Review),
            Phase::Implement { .. } => Some(Self::Implement),
            Phase::Correct => Some(Self::Correct),
            Phase::Verify | Phase::Baseline => None,
        }
    }

    /// The word for this role, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Implement => "implement",
            Self::Correct => "correct",
            Self::Review => "review",
            Self::Ask => "ask",
        }
    }
}

impl Roles {
    /// Gives a role its agents. An empty list is none.
    pub fn set(&mut self, role: Role, agents: Vec<AgentName>) {
        if agents.is_empty() {
            self.0.remove(&role);
        } else {
            self.0.insert(role, agents);
        }
    }

    /// Who implements also corrects, unless that is said otherwise.
    fn get(&self, role: Role) -> Option<&[AgentName]> {
        let own = self.0.get(&role);
        let own = own.or_else(|| self.0.get(&Role::Implement).filter(|_| role == Role::Correct));
        own.map(Vec::as_slice)
    }
}

impl Roster {
    /// The one that has nothing but the agent called `default`.
    pub const SOLO: Self = Self { everywhere: Roles(BTreeMap::new()), repos: BTreeMap::new() };

    pub fn new(everywhere: Roles, repos: BTreeMap<RepoName, Roles>) -> Self {
        Self { everywhere, repos }
    }

    /// The agents of a role in a repository, the first choice first. There is always one.
    pub fn agents(&self, repo: &RepoName, role: Role) -> Vec<AgentName> {
        let own = self.repos.get(repo).and_then(|roles| roles.get(role));
        own.or_else(|| self.everywhere.get(role))
            .map_or_else(|| vec![AgentName::default()], <[AgentName]>::to_vec)
    }

    /// Every agent that acts somewhere, in one of these repositories or in one that comes later.
    pub fn used<'a>(&self, repos: impl IntoIterator<Item = &'a RepoName>) -> BTreeSet<AgentName> {
        let everywhere = Role::ALL.map(|role| self.everywhere.get(role).map(<[AgentName]>::to_vec));
        let everywhere = everywhere.into_iter();
        let everywhere =
            everywhere.flat_map(|own| own.unwrap_or_else(|| vec![AgentName::default()]));
        let of_repos =
            repos.into_iter().flat_map(|repo| Role::ALL.map(|role| self.agents(repo, role)));
        everywhere.chain(of_repos.flatten()).collect()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests;
