//! How `codex exec` is started. Checked against version 0.169.0.
//!
//! By its native program: the wrapper that npm puts on the path leaves it running when it is
//! killed. Its own sandbox is off, as ours holds and its own would make `.git` read-only.

use std::collections::BTreeMap;

use zazen_core::deny::Denied;

use crate::{Codex, Launch, Order, Session, Task};

/// Where its sessions are: one file each, whose names end with their ids.
pub(crate) const SESSIONS: &str = "codex/sessions";

/// The variable that brings Codex its run's token.
const TOKEN_VARIABLE: &str = "ZAZEN_CODEX_TOKEN";

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

/// It has no flag that takes its writing tools away, so it is told. The workspace is mounted
/// read-only in any case.
const READ_ONLY: &str = "Change no file: the directory is read-only.\n\n";

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
    Launch {
        argv,
        stdin,
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        files,
        open_until: None,
        tools: vec![codex.folder.clone()],
    }
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
