//! `zazen.toml` as it is written. Nothing here is checked; see the parent.

use std::collections::BTreeMap;

use serde::Deserialize;
use zazen_core::price::Listed;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) version: u32,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) runs: Runs,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) sandbox: Sandbox,
    #[serde(default)]
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) trust: Trust,
    pub(super) harness: Option<Harness>,
    #[serde(default)]
    pub(super) agents: BTreeMap<String, Agent>,
    #[serde(default)]
    pub(super) roles: Roles,
    #[serde(default)]
    pub(super) models: BTreeMap<String, Model>,
    #[serde(default)]
    pub(super) budget: Budget,
    #[serde(default)]
    pub(super) quota: Quota,
    #[serde(default)]
    pub(super) prices: BTreeMap<String, Listed>,
    #[serde(default)]
    pub(super) mcp: BTreeMap<String, Server>,
    pub(super) github: Option<Github>,
    #[serde(default)]
    pub(super) repo: Vec<Repo>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Runs {
    pub(super) parallel: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) wall: Option<String>,
    pub(super) silence: Option<String>,
    pub(super) memory: Option<String>,
    pub(super) disk: Option<String>,
    pub(super) output: Option<String>,
    pub(super) processes: Option<u64>,
    pub(super) turns: Option<u32>,
    pub(super) download: Option<String>,
    pub(super) upload: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sandbox {
    pub(super) engine: Option<String>,
    pub(super) image: Option<String>,
    pub(super) container_socket: Option<String>,
    pub(super) container_cpus: Option<f64>,
    #[serde(default)]
    pub(super) tools: Vec<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trust {
    #[serde(default)]
    pub(super) people: Vec<String>,
    pub(super) strangers: Option<String>,
    pub(super) strangers_engine: Option<String>,
    pub(super) permission: Option<String>,
    #[serde(default)]
    pub(super) commands: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Harness {
    #[serde(rename = "use")]
    pub(super) name: Option<String>,
    pub(super) model: Option<String>,
    pub(super) effort: Option<String>,
    pub(super) route: Option<String>,
    pub(super) program: Option<String>,
    pub(super) claude: Option<String>,
    pub(super) args: Option<Vec<String>>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    pub(super) login: Option<String>,
    pub(super) lines: Option<Lines>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    pub(super) harness: String,
    pub(super) model: Option<String>,
    pub(super) effort: Option<String>,
    pub(super) route: Option<String>,
    pub(super) program: Option<String>,
    pub(super) args: Option<Vec<String>>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    pub(super) login: Option<String>,
    pub(super) lines: Option<Lines>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    #[serde(default)]
    pub(super) error: Vec<String>,
    #[serde(default)]
    pub(super) usage: Vec<String>,
    #[serde(default)]
    pub(super) done: Vec<String>,
    #[serde(default)]
    pub(super) text: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Roles {
    pub(super) plan: Option<Vec<String>>,
    pub(super) implement: Option<Vec<String>>,
    pub(super) correct: Option<Vec<String>>,
    pub(super) review: Option<Vec<String>>,
    pub(super) ask: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    pub(super) api: String,
    pub(super) base_url: Option<String>,
    pub(super) key_env: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) login_env: Option<String>,
    pub(super) login_file: Option<String>,
    #[serde(default)]
    pub(super) allow: Vec<String>,
    pub(super) playback: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    pub(super) run: Option<String>,
    pub(super) task: Option<String>,
    pub(super) repo_day: Option<String>,
    pub(super) repo_month: Option<String>,
    pub(super) day: Option<String>,
    pub(super) month: Option<String>,
    pub(super) total: Option<String>,
    pub(super) reserve: Option<String>,
    pub(super) unknown: Option<Listed>,
    #[serde(default)]
    pub(super) tokens: Tokens,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tokens {
    pub(super) run: Option<String>,
    pub(super) task: Option<String>,
    pub(super) repo_day: Option<String>,
    pub(super) repo_month: Option<String>,
    pub(super) day: Option<String>,
    pub(super) month: Option<String>,
    pub(super) total: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quota {
    pub(super) resume: Option<bool>,
    pub(super) wait_max: Option<String>,
    pub(super) then: Option<String>,
    pub(super) pace: Option<bool>,
    pub(super) reserve: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Github {
    pub(super) api: Option<String>,
    pub(super) app_id: Option<u64>,
    pub(super) app_key_file: Option<String>,
    pub(super) token_env: Option<String>,
    pub(super) token_file: Option<String>,
    pub(super) gh: Option<bool>,
    pub(super) listen: Option<String>,
    pub(super) webhook_secret_file: Option<String>,
    pub(super) poll: Option<String>,
    pub(super) closes: Option<bool>,
    pub(super) limits: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Repo {
    pub(super) name: String,
    pub(super) forge: Option<String>,
    pub(super) source: Option<String>,
    pub(super) remote: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) check: Option<String>,
    pub(super) coverage: Option<String>,
    pub(super) coverage_file: Option<String>,
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    #[serde(default)]
    pub(super) private: Vec<String>,
    #[serde(default)]
    pub(super) reviewers: Vec<String>,
    pub(super) engine: Option<String>,
    pub(super) image: Option<String>,
    pub(super) containerfile: Option<String>,
    pub(super) skills: Option<Vec<String>>,
    #[serde(default)]
    pub(super) roles: Roles,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) command: Option<Vec<String>>,
    pub(super) url: Option<String>,
    pub(super) key_env: Option<String>,
    pub(super) key_file: Option<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    pub(super) repos: Option<Vec<String>>,
    #[serde(default)]
    pub(super) tools: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delegate {
    #[serde(default)]
    pub(super) labels: Vec<String>,
    #[serde(default)]
    pub(super) words: Vec<String>,
    #[serde(default)]
    pub(super) paths: Vec<String>,
    pub(super) questions: Option<u32>,
    pub(super) approve: Option<String>,
    #[serde(default)]
    pub(super) approvers: Vec<String>,
    #[serde(default)]
    pub(super) reviewers: Vec<String>,
    pub(super) good: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) author: Option<String>,
    pub(super) agent_config: Option<String>,
    pub(super) secret_exceptions: Option<Vec<String>>,
    pub(super) repo_instructions: Option<bool>,
    #[serde(default)]
    pub(super) delegate: BTreeMap<String, Delegate>,
    pub(super) rework_rounds: Option<u32>,
    pub(super) review: Option<String>,
    pub(super) review_blocks: Option<String>,
    pub(super) corrections: Option<u32>,
    pub(super) repo_hooks: Option<bool>,
    pub(super) repo_mcp: Option<bool>,
    pub(super) repo_skills: Option<bool>,
    #[serde(default)]
    pub(super) commands_denied: Vec<String>,
    #[serde(default)]
    pub(super) tools_denied: Vec<String>,
    #[serde(default)]
    pub(super) guards: Guards,
}

/// What becomes of the findings of each guard, and what guards go by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guards {
    pub(super) scope: Option<String>,
    pub(super) dependencies: Option<String>,
    pub(super) protected: Option<String>,
    pub(super) tests: Option<String>,
    pub(super) checks: Option<String>,
    pub(super) secrets: Option<String>,
    pub(super) files: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) claims: Option<String>,
    pub(super) empty: Option<String>,
    pub(super) protected_paths: Option<Vec<String>>,
    pub(super) file_bytes_max: Option<u64>,
}
