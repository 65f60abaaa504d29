//! How `codex exec` is started. Checked against version 0.169.0.
//!
//! By its native program: the wrapper that npm puts on the path leaves it running when it is
//! killed. Its own sandbox is off, as ours holds and its own would make `.git` read-only.

use std::collections::BTreeMap;

use zazen_core::deny::Denied;

use crate::{At, Codex, Kit, Launch, Order, READ_ONLY, Session, Task};

/// Where its sessions are: one file each, whose names end with their ids.
pub(crate) const SESSIONS: &str = "codex/sessions";

/// The variable that brings Codex its run's token.
const TOKEN_VARIABLE: &str = "ZAZEN_CODEX_TOKEN";

/// The variable that brings it the token for servers behind the gateway.
const SERVERS_TOKEN_VARIABLE: &str = "ZAZEN_SERVERS_TOKEN";

/// How often Codex itself tries a failed model call again. Its own default keeps a refused
/// key waiting, and a service that fails for half a minute.
const N_RETRIES: u32 = 2;

/// Its settings. As arguments they win over any file.
const SETTINGS: [&str; 12] = [
    r#"model_provider="zazen""#,
    r#"model_providers.zazen.name="zazen""#,
    r#"model_providers.zazen.wire_api="responses""#,
    // What keeps it from looking up hosts that are not there.
    "check_for_update_on_startup=false",
    "analytics.enabled=false",
    r#"otel.metrics_exporter="none""#,
    "features.plugins=false",
    "features.apps=false",
    r#"web_search="disabled""#,
    // The prompt has the instructions of the repository, and says which skills there are.
    "project_doc_max_bytes=0",
    "skills.include_instructions=false",
    "features.hooks=false",
];

/// What its own file says: nothing. It wants its folder to be there.
const CONFIG_FILE: &str = "codex/config.toml";

/// The commands that it refuses.
const RULES_FILE: &str = "codex/rules/zazen.rules";

pub(crate) fn launch(codex: &Codex, order: Order<'_>) -> Launch {
    let Order { task, prompt, route, token, session, kit } = order;
    let mut argv = vec![codex.program.display().to_string(), "exec".to_owned()];
    if let Some(Session::Resumed(_)) = session {
        argv.push("resume".to_owned());
    }
    argv.extend(
        ["--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
            .map(str::to_owned),
    );
    let mut settings: Vec<String> = SETTINGS.map(str::to_owned).into();
    settings.extend([
        format!("model_providers.zazen.base_url=\"{{gateway}}/{route}/v1\""),
        format!("model_providers.zazen.env_key=\"{TOKEN_VARIABLE}\""),
        format!("model_providers.zazen.request_max_retries={N_RETRIES}"),
        format!("model_providers.zazen.stream_max_retries={N_RETRIES}"),
    ]);
    if !codex.effort.is_empty() {
        settings.push(format!("model_reasoning_effort=\"{}\"", codex.effort));
    }
    settings.extend(servers(kit));
    for setting in settings {
        argv.extend(["-c".to_owned(), setting]);
    }
    argv.extend(["--model".to_owned(), codex.model.clone()]);
    // A new session it names itself.
    if let Some(Session::Resumed(id)) = session {
        argv.push(id.to_owned());
    }
    // The prompt is its input. It waits for ever on one that stays open.
    argv.push("-".to_owned());
    let stdin = match task {
        // It has no flag that takes its writing tools away.
        Task::Read => format!("{READ_ONLY}{prompt}"),
        Task::Write => prompt.to_owned(),
    };
    let mut files = BTreeMap::from([(CONFIG_FILE.to_owned(), String::new())]);
    if !kit.denied.commands.is_empty() {
        files.insert(RULES_FILE.to_owned(), rules(&kit.denied));
    }
    let env = [
        (TOKEN_VARIABLE, token.to_owned()),
        // It refuses to work below `/tmp`.
        ("CODEX_HOME", "{home}/codex".to_owned()),
    ];
    let env = env.into_iter().chain(servers_token(kit));
    Launch {
        argv,
        stdin,
        env: env.map(|(name, value)| (name.to_owned(), value)).collect(),
        files,
        open_until: None,
        tools: vec![codex.folder.clone()],
    }
}

/// The servers of tools, as settings: no file of the repository counts more. They are started
/// behind a filter, where only some of their tools are for agents.
fn servers(kit: &Kit) -> Vec<String> {
    let mut settings = Vec::new();
    for (name, server) in &kit.servers {
        let mut set = |key: &str, value: String| {
            settings.push(format!("mcp_servers.{name}.{key}={value}"));
        };
        match (&server.at, server.argv().as_deref()) {
            (At::Gateway { url, .. }, _) => {
                set("url", quoted(url));
                set("bearer_token_env_var", quoted(SERVERS_TOKEN_VARIABLE));
            }
            (At::Program { env, .. }, Some([program, args @ ..])) => {
                set("command", quoted(program));
                set(
                    "args",
                    format!(
                        "[{}]",
                        args.iter().map(|arg| quoted(arg)).collect::<Vec<_>>().join(", ")
                    ),
                );
                let env = env.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
                set("env", format!("{{{}}}", env.collect::<Vec<_>>().join(", ")));
            }
            (At::Program { .. }, _) => continue,
        }
        set("default_tools_approval_mode", quoted("approve"));
    }
    settings
}

/// The token for servers behind the gateway. It is the same for all of them.
fn servers_token(kit: &Kit) -> Option<(&'static str, String)> {
    kit.servers.values().find_map(|server| match &server.at {
        At::Gateway { token, .. } => Some((SERVERS_TOKEN_VARIABLE, token.clone())),
        At::Program { .. } => None,
    })
}

/// A string of TOML, which takes those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The commands that are denied, as Codex reads them. They hold without its sandbox, too.
fn rules(denied: &Denied) -> String {
    let rule = |words: &[String]| {
        // No word has a character in it that would have to be escaped.
        let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let words = words.join(", ");
        format!(
            "prefix_rule(pattern=[{words}], decision=\"forbidden\", \
             justification=\"The owner of this machine denies it.\")\n"
        )
    };
    denied.commands.iter().map(|command| rule(command.words())).collect()
}
