//! Claude Code, driven by `claude -p` with its `stream-json` output.
//!
//! Checked against version 2.1.329. How its output is read is in [`stream`].

pub(crate) mod stream;

use std::collections::BTreeMap;

use serde_json::json;

use super::{At, Claude, Kit, Launch, Order, Session, Task};

/// How often Claude Code itself tries a failed model call again. Its own default
/// of ten keeps a refused key waiting for minutes.
const N_RETRIES: u32 = 4;

/// Tools that need the network, a person, or a session that goes on after the answer,
/// and those that would move the work to another directory, where nobody looks for it.
const NEVER: &str = "WebFetch WebSearch AskUserQuestion EnterPlanMode ExitPlanMode \
    CronCreate CronDelete CronList ScheduleWakeup EnterWorktree ExitWorktree";

/// What is in its last line, in this or that place. It waits for more to be said then, until
/// its input ends. In another line it is only too early to say anything more.
const LAST_LINE: &str = "\"type\":\"result\"";

/// Where its sessions are: one file each, named by their ids, in a folder for each place.
pub(super) const SESSIONS: &str = "claude/projects";

/// The file with the servers of tools, in the private home.
const SERVERS_FILE: &str = "claude-servers.json";

/// Tools that change files.
const NEVER_WHEN_READING: &str = "Edit Write NotebookEdit";

pub(super) fn launch(claude: &Claude, order: Order<'_>) -> Launch {
    let Order { task, prompt, route, token, session, kit } = order;
    let program = claude.program.display().to_string();
    let n_turns_max = claude.n_turns_max.to_string();
    let never = match task {
        Task::Read => format!("{NEVER} {NEVER_WHEN_READING}"),
        Task::Write => NEVER.to_owned(),
    };
    let mut argv: Vec<String> = [
        program.as_str(),
        "-p",
        "--output-format",
        "stream-json",
        "--input-format",
        "stream-json",
        "--replay-user-messages",
        "--verbose",
        "--dangerously-skip-permissions",
        "--max-turns",
        &n_turns_max,
        "--disallowedTools",
        &never,
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    argv.extend(kit.denied.commands.iter().map(|command| format!("Bash({command}:*)")));
    argv.extend(kit.denied.tools.iter().map(ToString::to_string));
    argv.extend(match session {
        Some(Session::New(id)) => vec!["--session-id".to_owned(), id.to_owned()],
        // It keeps its name, and forgets all flags: they are given again.
        Some(Session::Resumed(id)) => vec!["--resume".to_owned(), id.to_owned()],
        None => Vec::new(),
    });
    argv.extend(of_repository(claude, route));
    let mut files = BTreeMap::new();
    if !kit.servers.is_empty() {
        argv.extend(["--mcp-config".to_owned(), format!("{{home}}/{SERVERS_FILE}")]);
        files.insert(SERVERS_FILE.to_owned(), servers(kit));
    }
    if !claude.model.is_empty() {
        argv.extend(["--model".to_owned(), claude.model.clone()]);
    }
    if !claude.effort.is_empty() {
        argv.extend(["--effort".to_owned(), claude.effort.clone()]);
    }
    let token_variable =
        if claude.is_login { "CLAUDE_CODE_OAUTH_TOKEN" } else { "ANTHROPIC_API_KEY" };
    let env = [
        ("ANTHROPIC_BASE_URL", base_url(route)),
        (token_variable, token.to_owned()),
        ("CLAUDE_CONFIG_DIR", "{home}/claude".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("CLAUDE_CODE_MAX_RETRIES", N_RETRIES.to_string()),
        // What it would remember is thrown away with its home when the run is over.
        ("CLAUDE_CODE_DISABLE_AUTO_MEMORY", "1".to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        // Lets it run where the daemon is root and there is no other user to be.
        ("IS_SANDBOX", "1".to_owned()),
    ];
    let env = env.into_iter().chain(tool_search(kit));
    Launch {
        argv,
        stdin: message(None, prompt) + "\n",
        env: env.map(|(name, value)| (name.to_owned(), value)).collect(),
        files,
        open_until: Some(LAST_LINE.to_owned()),
        tools: vec![claude.folder.clone()],
    }
}

/// Shows the model the tools of servers as they are, unless they are very many. Left alone,
/// Claude Code has the model look for each of them first.
fn tool_search(kit: &Kit) -> Option<(&'static str, String)> {
    (!kit.servers.is_empty()).then(|| ("ENABLE_TOOL_SEARCH", "auto".to_owned()))
}

/// The servers of tools, as Claude Code reads them. In a file, as tokens are in it.
fn servers(kit: &Kit) -> String {
    let mut servers = serde_json::Map::new();
    for (name, server) in &kit.servers {
        let said = match (&server.at, server.argv().as_deref()) {
            (At::Gateway { url, token }, _) => {
                let headers = json!({ "Authorization": format!("Bearer {token}") });
                json!({ "type": "http", "url": url, "headers": headers })
            }
            (At::Program { env, .. }, Some([program, args @ ..])) => {
                json!({ "type": "stdio", "command": program, "args": args, "env": env })
            }
            (At::Program { .. }, _) => continue,
        };
        servers.insert(name.clone(), said);
    }
    json!({ "mcpServers": servers }).to_string()
}

/// A line of its input: what a user says. It comes back when it is taken in.
pub(super) fn message(id: Option<&str>, text: &str) -> String {
    let content = json!([{ "type": "text", "text": text }]);
    let mut line = json!({ "type": "user", "message": { "role": "user", "content": content } });
    if let Some(id) = id {
        line["uuid"] = json!(id);
    }
    line.to_string()
}

/// What of the repository's own settings counts: hooks and servers are programs that it
/// names, and nobody has looked at them. Its instructions are in the prompt.
fn of_repository(claude: &Claude, route: &str) -> Vec<String> {
    let sources = if claude.repo_programs.hooks { "user,project" } else { "user" };
    let mut argv = vec!["--setting-sources".to_owned(), sources.to_owned()];
    if !claude.repo_programs.mcp {
        argv.push("--strict-mcp-config".to_owned());
    }
    if claude.repo_programs.hooks || claude.repo_programs.mcp {
        // These win over the repository's, which could send the calls elsewhere.
        let env = json!({ "ANTHROPIC_BASE_URL": base_url(route) });
        let settings =
            json!({ "enableAllProjectMcpServers": claude.repo_programs.mcp, "env": env });
        argv.extend(["--settings".to_owned(), settings.to_string()]);
    }
    argv
}

/// Where the calls of a run go.
fn base_url(route: &str) -> String {
    format!("{{gateway}}/{route}")
}
