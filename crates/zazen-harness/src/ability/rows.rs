//! The rows of the table of abilities. What a cell means is said in the parent.
//!
//! What is here was seen of the real program of the version that is named, under zazen or
//! alone; the recordings are in `tests/fixtures`.

use super::{
    Abilities, Choice, Commands, Denies, OwnSandbox, Repository, Says, Servers, Steering, Stream,
    Turns, Version,
};
use crate::acp::Api;
use crate::{SkillsPlace, claude, codex};

/// For those that do not look for skills themselves.
const TOLD_OF_SKILLS: SkillsPlace = SkillsPlace { folder: ".agents/skills", finds_them: false };

const COMMANDS_AND_TOOLS: &[Denies] = &[Denies::Commands, Denies::Tools];

pub(super) const CLAUDE: Abilities = Abilities {
    title: "Claude Code",
    program: Some("claude"),
    install: "npm install -g @anthropic-ai/claude-code",
    tested: Some("2.1.329"),
    version: Version::Flag("--version"),
    started: "`claude -p` with `stream-json`",
    stream: Stream::Json,
    speaks: &[Api::Anthropic],
    model: Choice::Optional,
    effort: Choice::Optional,
    sessions: Some(claude::SESSIONS),
    steering: Steering::Listens,
    denies: COMMANDS_AND_TOOLS,
    commands: Commands::Run,
    says: Says::TokensAndCost,
    turns: Turns::Kept,
    own_sandbox: OwnSandbox::None,
    repository: Repository::PassedOver,
    servers: Servers::Given,
    skills: SkillsPlace { folder: "claude/skills", finds_them: true },
};

pub(super) const CODEX: Abilities = Abilities {
    title: "Codex",
    program: Some("codex"),
    install: "npm install -g @openai/codex",
    tested: Some("0.169.0"),
    version: Version::Flag("--version"),
    started: "`codex exec --json`",
    stream: Stream::Json,
    speaks: &[Api::OpenAi],
    model: Choice::Needed("gpt-5.5"),
    effort: Choice::Optional,
    sessions: Some(codex::SESSIONS),
    steering: Steering::NextRun,
    denies: &[Denies::Commands],
    commands: Commands::Run,
    says: Says::Tokens,
    turns: Turns::Unlimited,
    own_sandbox: OwnSandbox::Off,
    repository: Repository::PassedOver,
    servers: Servers::Given,
    skills: TOLD_OF_SKILLS,
};

pub(super) const MINI: Abilities = Abilities {
    title: "mini, built in",
    program: None,
    install: "install zazen again",
    tested: None,
    version: Version::Zazen,
    started: "`zazen mini`",
    stream: Stream::Json,
    speaks: &[Api::Anthropic, Api::OpenAi],
    model: Choice::Needed("claude-sonnet-4-5"),
    effort: Choice::Never,
    sessions: None,
    steering: Steering::NextRun,
    denies: &[Denies::Commands],
    commands: Commands::Run,
    says: Says::Tokens,
    turns: Turns::Kept,
    own_sandbox: OwnSandbox::None,
    repository: Repository::PassedOver,
    servers: Servers::NotGiven,
    skills: TOLD_OF_SKILLS,
};

pub(super) const GEMINI: Abilities = Abilities {
    title: "Gemini CLI",
    program: Some("gemini"),
    install: "npm install -g @google/gemini-cli",
    tested: Some("0.61.0"),
    started: "`gemini --acp`",
    speaks: &[Api::Gemini],
    repository: Repository::PassedOver,
    says: Says::Tokens,
    turns: Turns::Kept,
    // One that is killed early in its turn does not find it again.
    sessions: None,
    ..SPEAKER
};

pub(super) const OPENCODE: Abilities = Abilities {
    title: "OpenCode",
    program: Some("opencode"),
    install: "npm install -g opencode-ai",
    tested: Some("1.18.33"),
    started: "`opencode acp`",
    speaks: &[Api::OpenAi],
    model: Choice::Needed("gpt-5.5"),
    // The tokens that it says are those of its last step alone.
    says: Says::Cost,
    sessions: Some(".local/share/opencode"),
    ..SPEAKER
};

pub(super) const QWEN: Abilities = Abilities {
    title: "Qwen Code",
    program: Some("qwen"),
    install: "npm install -g @qwen-code/qwen-code",
    tested: Some("0.24.4"),
    started: "`qwen --acp`",
    speaks: &[Api::OpenAi],
    model: Choice::Needed("qwen3-coder-plus"),
    steering: Steering::Listens,
    says: Says::Tokens,
    turns: Turns::Kept,
    sessions: Some(".qwen/projects"),
    ..SPEAKER
};

pub(super) const COPILOT: Abilities = Abilities {
    title: "Copilot CLI",
    program: Some("copilot"),
    install: "npm install -g @github/copilot",
    tested: Some("1.0.102"),
    started: "`copilot --acp`",
    speaks: &[Api::OpenAi, Api::Anthropic],
    model: Choice::Needed("gpt-5.5"),
    says: Says::Tokens,
    sessions: Some(".copilot/session-state"),
    ..SPEAKER
};

pub(super) const AIDER: Abilities = Abilities {
    title: "Aider",
    program: Some("aider"),
    install: "python3 -m pip install aider-install && aider-install",
    tested: Some("0.86.2"),
    started: "`aider --message-file`",
    stream: Stream::Text,
    speaks: &[Api::OpenAi, Api::Anthropic],
    model: Choice::Needed("gpt-5.5"),
    steering: Steering::NextRun,
    // It runs none at all.
    denies: &[Denies::Commands],
    commands: Commands::None,
    says: Says::Tokens,
    servers: Servers::NotGiven,
    ..SPEAKER
};

pub(super) const ACP: Abilities = SPEAKER;

pub(super) const CUSTOM: Abilities = Abilities {
    title: "another program, read by patterns",
    started: "its program, with a prompt",
    stream: Stream::Text,
    steering: Steering::NextRun,
    denies: &[],
    servers: Servers::NotGiven,
    ..SPEAKER
};

/// One that speaks the Agent Client Protocol, of which nothing else is known.
const SPEAKER: Abilities = Abilities {
    title: "another agent that speaks the Agent Client Protocol",
    program: None,
    install: "set `program` to the agent's own",
    tested: None,
    version: Version::Flag("--version"),
    started: "its program, by `zazen acp`",
    stream: Stream::Acp,
    speaks: &[Api::Anthropic, Api::OpenAi, Api::Gemini],
    model: Choice::Optional,
    effort: Choice::Never,
    // Each keeps them elsewhere, and nobody knows where.
    sessions: None,
    steering: Steering::NextTurn,
    denies: COMMANDS_AND_TOOLS,
    commands: Commands::Run,
    says: Says::Nothing,
    turns: Turns::Unlimited,
    own_sandbox: OwnSandbox::None,
    repository: Repository::Hidden,
    servers: Servers::Given,
    skills: TOLD_OF_SKILLS,
};
