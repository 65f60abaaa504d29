//! `zazen eval`: finished tasks as a private evaluation set.
//!
//! The steps of a task's approved plan are carried out again from the same base, by another
//! agent or with another `soul.md`, and the checks are run on what comes of it: see `again`.
//! All of it happens apart from the task; the calls are real and cost money, within a budget
//! of its own.

mod again;
mod original;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use zazen_core::budget::{Limit, Scope};
use zazen_core::id::{AgentName, TaskId};
use zazen_core::task::Task;
use zazen_core::usage::Usage;

use self::again::Again;
use super::apart::{self, Apart};
use super::world::gateway_options;
use crate::config::{Config, Environment};
use crate::home::Home;

/// What is to be compared.
#[derive(Debug)]
pub struct Eval {
    pub home: Home,
    pub config: Config,
    pub environment: Environment,
    pub zazen: PathBuf,
    pub tasks: Vec<Task>,
    /// Of the configuration.
    pub agents: Vec<AgentName>,
    /// What stands in the place of `soul.md`.
    pub soul: Option<String>,
    /// The most that all of it may cost, in millionths of a US dollar.
    pub micros_max: u64,
}

/// What came of one task, in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub task: TaskId,
    /// Nobody, for the work as it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// Who that is: the harness, its version, the model.
    pub who: String,
    /// Whether the checks passed. Nothing, where they were not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<bool>,
    pub n_done: u32,
    pub n_steps: u32,
    pub n_files: usize,
    pub n_added: u64,
    pub n_removed: u64,
    pub usage: Usage,
    pub took_ms: u64,
    /// Why it did not come to its end.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub says: String,
}

impl Eval {
    /// Does all of it, task by task. Each row is told as soon as it is known.
    pub async fn run(self, tell: &mut dyn FnMut(&Row)) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut n_places = 0;
        for task in &self.tasks {
            let original = original::row(&self, task).await?;
            tell(&original);
            rows.push(original);
            // Its own place for each repository's objects, and its own share of what is left.
            let mirror = apart::mirror(&self.home, &task.repo).await?;
            let spent: u64 = rows.iter().filter(|row| row.agent.is_some()).map(counted).sum();
            let options = self.options(self.micros_max.saturating_sub(spent))?;
            let secrets = options.routes.values().filter_map(|route| route.key.clone()).collect();
            let zazen = self.zazen.clone();
            let apart = Apart::open(&self.home, "eval", zazen, options).await?;
            apart.borrow(&mirror.objects()).await?;
            let again = Again { eval: &self, apart: &apart, task, secrets };
            let mut made = Ok(());
            for agent in &self.agents {
                n_places += 1;
                match again.row(agent, TaskId(n_places)).await {
                    Ok(row) => {
                        tell(&row);
                        rows.push(row);
                    }
                    Err(err) => {
                        made = Err(err);
                        break;
                    }
                }
            }
            apart.remove().await?;
            made?;
        }
        Ok(rows)
    }

    /// The routes of the home, with this budget and no other.
    fn options(&self, micros: u64) -> anyhow::Result<crate::gateway::Options> {
        let mut options = gateway_options(&self.config, &self.environment)?;
        let limit = Limit { micros: Some(micros), tokens: None };
        options.budget.limits = BTreeMap::from([(Scope::Total, limit)]);
        options.servers.clear();
        Ok(options)
    }
}

/// What a row counts against the budget.
fn counted(row: &Row) -> u64 {
    row.usage.counted().micros
}
