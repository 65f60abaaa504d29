//! Agents that speak the Agent Client Protocol: Gemini CLI, `OpenCode`, Qwen Code, Copilot
//! CLI, and any other.
//!
//! They are started by `zazen acp`, which speaks with them in the sandbox. Here is with
//! what command line, environment and settings each finds the gateway and keeps quiet;
//! `settings` has the files, [`stream`] reads what `zazen acp` prints. What each was checked
//! against, and what it cannot do, is said beside it.

mod servers;
mod settings;
pub(super) mod stream;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::{Launch, Order, Session, Task};

/// An agent that speaks the protocol.
#[derive(Debug, Clone)]
pub struct Acp {
    pub agent: Speaker,
    /// The program itself, with no link left in its path.
    pub program: PathBuf,
    /// What runs the program, where it is a script for node.
    pub node: Option<PathBuf>,
    /// The folders that the two need to see: their own.
    pub folders: Vec<PathBuf>,
    pub model: String,
    pub api: Api,
    pub n_turns_max: u32,
}

/// Which agent it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    Gemini,
    OpenCode,
    Qwen,
    Copilot,
    /// One that nothing is known of here.
    Other(Other),
}

/// How an agent is started that nothing is known of here. In all but the words below, as the
/// owner says it: `{url}` is where its calls go, `{model}` the model that is asked for, `{home}`
/// the run's private home, and `{key}`, in the environment alone, what it shows with its calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Other {
    /// With these it speaks the protocol.
    pub args: Vec<String>,
    /// Empty means the names that most programs look under.
    pub env: BTreeMap<String, String>,
    /// The way to log in, by the agent's word for it, where it has to be told.
    pub login: String,
}

/// How a model's service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    Anthropic,
    OpenAi,
    Gemini,
}

/// How a program is started.
struct Start {
    args: Vec<String>,
    env: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    /// Modes in which it asks for nothing that it may do anyway.
    modes: &'static [&'static str],
}

impl Speaker {
    /// The word for this agent, the same everywhere.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::OpenCode => "opencode",
            Self::Qwen => "qwen",
            Self::Copilot => "copilot",
            Self::Other(_) => "acp",
        }
    }
}

/// What `zazen acp` hands on to the agent: the servers of tools that it gets. In a file, as
/// tokens are in it.
const SERVERS_FILE: &str = "acp-servers.json";

/// What is in the last line of `zazen acp`, which takes messages until then.
const LAST_LINE: &str = "{\"type\":\"end\"";

/// A line of its input: the prompt first, then what a person says meanwhile. The protocol has
/// no way to say something to an agent at work, so that its turn is cancelled between two
/// steps and the next one begins with it; but for Qwen Code, which asks for messages.
pub(super) fn message(id: &str, text: &str) -> String {
    json!({ "id": id, "text": text }).to_string()
}

pub(super) fn launch(acp: &Acp, order: Order<'_>) -> Launch {
    let start = match &acp.agent {
        Speaker::Gemini => gemini(acp, order),
        Speaker::OpenCode => opencode(acp, order),
        Speaker::Qwen => qwen(acp, order),
        Speaker::Copilot => copilot(acp, order),
        Speaker::Other(own) => other(own, &acp.model, order),
    };
    let denied = &order.kit.denied;
    let commands = denied.commands.iter().map(|command| format!("execute:{command}"));
    let denied: Vec<String> =
        commands.chain(denied.tools.iter().map(ToString::to_string)).collect();
    let mut argv = vec!["{zazen}".to_owned(), "acp".to_owned()];
    if let Some(Session::Resumed(id)) = order.session {
        argv.extend(["--resume".to_owned(), id.to_owned()]);
    }
    if order.task == Task::Read {
        argv.push("--read-only".to_owned());
    } else if denied.is_empty() {
        // Where something is denied the agent has to ask, or nobody could say no.
        argv.extend(start.modes.iter().flat_map(|mode| ["--mode".to_owned(), (*mode).to_owned()]));
    }
    argv.extend(denied.into_iter().flat_map(|rule| ["--deny".to_owned(), rule]));
    if let Speaker::Other(Other { login, .. }) = &acp.agent
        && !login.is_empty()
    {
        argv.extend(["--login".to_owned(), login.clone()]);
    }
    let mut files = start.files;
    if !order.kit.servers.is_empty() {
        argv.extend(["--servers".to_owned(), format!("{{home}}/{SERVERS_FILE}")]);
        files.insert(SERVERS_FILE.to_owned(), servers::print(order.kit));
    }
    argv.push("--".to_owned());
    let programs = acp.node.iter().chain([&acp.program]);
    argv.extend(programs.map(|program| program.display().to_string()));
    argv.extend(start.args);
    Launch {
        argv,
        stdin: message("", order.prompt) + "\n",
        env: start.env,
        files,
        open_until: Some(LAST_LINE.to_owned()),
        tools: acp.folders.clone(),
    }
}

/// Checked against 0.61.0. The folder is not trusted, so that neither the repository's
/// settings nor its servers count; it then has no mode in which it does not ask.
fn gemini(acp: &Acp, order: Order<'_>) -> Start {
    let mut args = vec!["--acp".to_owned()];
    if !acp.model.is_empty() {
        args.extend(["-m".to_owned(), acp.model.clone()]);
    }
    Start {
        args,
        env: named(&[
            ("GOOGLE_GEMINI_BASE_URL", base(order, "")),
            ("GEMINI_API_KEY", order.token.to_owned()),
            // Else it starts itself again, and the one that is stopped is the wrong one.
            ("GEMINI_CLI_NO_RELAUNCH", "true".to_owned()),
        ]),
        files: one(".gemini/settings.json", settings::gemini(acp.n_turns_max)),
        modes: &[],
    }
}

/// Checked against 1.18.33. It asks for nothing within the workspace by itself. A second
/// reader of settings in it heeds no switch and starts the plugins that a repository names.
fn opencode(acp: &Acp, order: Order<'_>) -> Start {
    let on = [
        "OPENCODE_DISABLE_AUTOUPDATE",
        "OPENCODE_DISABLE_CLAUDE_CODE",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS",
        "OPENCODE_DISABLE_EXTERNAL_SKILLS",
        "OPENCODE_DISABLE_LSP_DOWNLOAD",
        "OPENCODE_DISABLE_MODELS_FETCH",
        "OPENCODE_DISABLE_PROJECT_CONFIG",
        "OPENCODE_DISABLE_SHARE",
        "OPENCODE_PURE",
    ];
    let config = "opencode.json";
    let mut env = named(&on.map(|name| (name, "1".to_owned())));
    env.insert("OPENCODE_CONFIG".to_owned(), format!("{{home}}/{config}"));
    let url = base(order, "/v1");
    let allowed = (order.task, &order.kit.denied);
    let text = settings::opencode(&acp.model, (&url, order.token), allowed);
    Start { args: vec!["acp".to_owned()], env, files: one(config, text), modes: &[] }
}

/// Checked against 0.24.4, which needs node 22. It begins in a mode in which its model
/// judges each command; here the rules do. It reads skills and agents of the repository, and
/// writes the settings there anew in the format of its version.
fn qwen(acp: &Acp, order: Order<'_>) -> Start {
    Start {
        args: ["--acp", "--auth-type", "openai"].map(str::to_owned).to_vec(),
        env: named(&[
            ("OPENAI_BASE_URL", base(order, "/v1")),
            ("OPENAI_API_KEY", order.token.to_owned()),
            ("OPENAI_MODEL", acp.model.clone()),
        ]),
        files: one(".qwen/settings.json", settings::qwen(acp.n_turns_max)),
        modes: &["default"],
    }
}

/// Checked against 1.0.102. It reads the repository's instructions and starts the hooks in
/// `.github/hooks` whatever it is told: with this protocol it heeds neither switch. At its
/// start it unpacks 235 MB into the run's home.
fn copilot(acp: &Acp, order: Order<'_>) -> Start {
    let (kind, path) = match acp.api {
        Api::Anthropic => ("anthropic", ""),
        Api::OpenAi | Api::Gemini => ("openai", "/v1"),
    };
    let args = ["--acp", "--no-custom-instructions", "--disable-builtin-mcps", "--no-ask-user"];
    Start {
        args: args.map(str::to_owned).to_vec(),
        env: named(&[
            ("COPILOT_AUTO_UPDATE", "false".to_owned()),
            ("COPILOT_HOME", "{home}/.copilot".to_owned()),
            ("COPILOT_MODEL", acp.model.clone()),
            ("COPILOT_OFFLINE", "true".to_owned()),
            ("COPILOT_PROVIDER_API_KEY", order.token.to_owned()),
            ("COPILOT_PROVIDER_BASE_URL", base(order, path)),
            ("COPILOT_PROVIDER_TYPE", kind.to_owned()),
        ]),
        files: one(".copilot/settings.json", settings::copilot()),
        modes: &[],
    }
}

/// Any other, as its owner says.
fn other(own: &Other, model: &str, order: Order<'_>) -> Start {
    let url = base(order, "");
    let fill = |text: &String| text.replace("{url}", &url).replace("{model}", model);
    let env = if own.env.is_empty() {
        usual(order)
    } else {
        let of_owner = |(name, value): (&String, &String)| {
            (name.clone(), fill(value).replace("{key}", order.token))
        };
        own.env.iter().map(of_owner).collect()
    };
    Start {
        args: own.args.iter().map(fill).collect(),
        env,
        files: BTreeMap::new(),
        modes: &["yolo", "bypassPermissions", "agent-full-access"],
    }
}

/// The names that most programs look for the address and the key under.
fn usual(order: Order<'_>) -> BTreeMap<String, String> {
    let key = || order.token.to_owned();
    named(&[
        ("ANTHROPIC_API_KEY", key()),
        ("ANTHROPIC_BASE_URL", base(order, "")),
        ("GEMINI_API_KEY", key()),
        ("GOOGLE_GEMINI_BASE_URL", base(order, "")),
        ("OPENAI_API_KEY", key()),
        ("OPENAI_BASE_URL", base(order, "/v1")),
    ])
}

fn named(env: &[(&str, String)]) -> BTreeMap<String, String> {
    env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Where the calls of a run go.
fn base(order: Order<'_>, path: &str) -> String {
    format!("{{gateway}}/{}{path}", order.route)
}

fn one(path: &str, text: String) -> BTreeMap<String, String> {
    BTreeMap::from([(path.to_owned(), text)])
}

#[cfg(test)]
mod tests;
