//! The settings files of the agents: where the model is, and that nothing else is asked.
//!
//! They are written into the run's private home before the agent starts.

use serde_json::{Value, json};

use zazen_core::deny::Denied;

use crate::Task;

/// How often Qwen Code tries a call again that is refused for a limit. It waits a minute
/// before the first time and longer before the next, whatever the service says.
const N_RETRIES_QWEN: u32 = 1;

/// How often Gemini CLI makes a call in all. It waits five seconds before the second time and
/// twice as long before each further one: by itself it would go on for minutes, and say nothing
/// meanwhile. Whether it is worth to try for longer is for zazen to say.
const N_ATTEMPTS_GEMINI: u32 = 3;

/// A file that no repository has: its instructions are in the prompt.
const NO_INSTRUCTIONS: &str = "ZAZEN-HAS-TOLD-YOU.md";

pub(super) fn gemini(n_turns_max: u32) -> String {
    print(&json!({
        "security": {
            // It does not choose a way to log in by itself where there is a base address.
            "auth": { "selectedType": "gemini-api-key" },
            "folderTrust": { "enabled": true },
        },
        "general": {
            "enableAutoUpdate": false,
            "enableAutoUpdateNotification": false,
            "maxAttempts": N_ATTEMPTS_GEMINI,
        },
        "privacy": { "usageStatisticsEnabled": false },
        "telemetry": { "enabled": false },
        "ide": { "enabled": false },
        "context": { "fileName": NO_INSTRUCTIONS },
        "model": { "maxSessionTurns": n_turns_max },
        "tools": { "exclude": ["ask_user", "google_web_search", "web_fetch"] },
    }))
}

pub(super) fn qwen(n_turns_max: u32) -> String {
    print(&json!({
        "security": {
            "auth": { "selectedType": "openai" },
            "folderTrust": { "enabled": true },
        },
        "general": { "enableAutoUpdate": false, "disableAutoUpdate": true },
        "privacy": { "usageStatisticsEnabled": false },
        "telemetry": { "enabled": false },
        "disableAllHooks": true,
        "context": { "fileName": NO_INSTRUCTIONS },
        "model": {
            "maxSessionTurns": n_turns_max,
            "generationConfig": { "maxRetries": N_RETRIES_QWEN },
        },
        "tools": { "exclude": ["ask_user_question", "web_fetch", "web_search"] },
    }))
}

/// The route is a provider of its own, and the only one.
///
/// Where a command is denied, it asks about each: `zazen acp` answers.
pub(super) fn opencode(
    model: &str,
    (url, token): (&str, &str),
    (task, denied): (Task, &Denied),
) -> String {
    let edit = match task {
        Task::Read => "deny",
        Task::Write => "allow",
    };
    let bash = if denied.commands.is_empty() { "allow" } else { "ask" };
    let mut permission =
        json!({ "edit": edit, "bash": bash, "webfetch": "deny", "websearch": "deny" });
    for tool in &denied.tools {
        permission[tool.to_string()] = "deny".into();
    }
    let named = format!("zazen/{model}");
    print(&json!({
        "autoupdate": false,
        "share": "disabled",
        // Else its session would have a copy of the whole workspace.
        "snapshot": false,
        "model": named,
        "small_model": named,
        "enabled_providers": ["zazen"],
        "provider": { "zazen": {
            "npm": "@ai-sdk/openai-compatible",
            "options": { "baseURL": url, "apiKey": token },
            "models": { model: {} },
        } },
        "permission": permission,
    }))
}

pub(super) fn copilot() -> String {
    print(&json!({ "disableAllHooks": true, "includeCoAuthoredBy": false, "memory": false }))
}

fn print(settings: &Value) -> String {
    format!("{settings:#}\n")
}
