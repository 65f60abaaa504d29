//! What each harness can do here: one row each.
//!
//! Whoever needs to know asks [`Name::abilities`]: the checks of the configuration, the
//! daemon, `zazen doctor` and `zazen harness list`. `docs/harnesses.md` is printed from it. A
//! harness without a row does not compile. The rows are in `rows`.

mod rows;

use super::acp::Api;
use super::{Name, SkillsPlace};

/// What one harness can do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// What people call it.
    pub title: &'static str,
    /// What its program is called on the `PATH`, where it has one of a known name.
    pub program: Option<&'static str>,
    /// How it is got.
    pub install: &'static str,
    /// The version that all of this was checked against. None where it is not one program.
    pub tested: Option<&'static str>,
    pub version: Version,
    /// How it is started, in a few words.
    pub started: &'static str,
    pub stream: Stream,
    /// What routes it can use, the most usual one first.
    pub speaks: &'static [Api],
    pub model: Choice,
    /// Whether it can be told how much to think.
    pub effort: Choice,
    /// Where in its private home a run's sessions are, where it can go on with one. Nothing
    /// else of that home is needed for it.
    pub sessions: Option<&'static str>,
    pub steering: Steering,
    /// What of the lists of what is denied it holds to.
    pub denies: &'static [Denies],
    /// Whether it runs commands: tests, say.
    pub commands: Commands,
    /// What it says itself of what it used. The gateway counts in any case.
    pub says: Says,
    pub turns: Turns,
    pub own_sandbox: OwnSandbox,
    pub repository: Repository,
    pub servers: Servers,
    pub skills: SkillsPlace,
}

/// How a program says its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// By a flag, and by its package's file where npm has put it there.
    Flag(&'static str),
    /// It is zazen's own.
    Zazen,
}

/// In what it says what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Lines of JSON of its own.
    Json,
    /// The Agent Client Protocol.
    Acp,
    /// Text for people.
    Text,
}

/// What may be chosen for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It has none of its own: it must be said, such as this.
    Needed(&'static str),
    /// It has its own where nothing is said.
    Optional,
    /// It cannot be told.
    Never,
}

/// When what a person says meanwhile reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steering {
    /// At its next safe point.
    Listens,
    /// Its turn is ended between two steps, and the next one begins with it.
    NextTurn,
    /// With its next run.
    NextRun,
}

/// What can be denied to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denies {
    /// `policy.commands_denied`.
    Commands,
    /// `policy.tools_denied`.
    Tools,
}

/// Whether it runs commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commands {
    Run,
    /// It changes files, and that is all.
    None,
}

/// What it says of what it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Tokens,
    Cost,
    TokensAndCost,
    Nothing,
}

/// Whether it keeps to `limits.turns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    Kept,
    Unlimited,
}

/// What comes of a sandbox of its own, inside of zazen's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnSandbox {
    /// It uses none unless it is told to, and it is not.
    None,
    /// It has one, which is switched off: ours holds.
    Off,
}

/// What becomes of what a repository has for coding agents: instructions, settings, skills, and
/// programs to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repository {
    /// It can be told to pass them over, and is.
    PassedOver,
    /// It takes some of them whatever it is told, or nobody knows: they are not checked out.
    Hidden,
}

/// Whether it can be given servers of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Servers {
    Given,
    NotGiven,
}

impl Name {
    /// What this harness can do here.
    pub fn abilities(self) -> &'static Abilities {
        match self {
            Self::Claude => &rows::CLAUDE,
            Self::Codex => &rows::CODEX,
            Self::Mini => &rows::MINI,
            Self::Gemini => &rows::GEMINI,
            Self::OpenCode => &rows::OPENCODE,
            Self::Qwen => &rows::QWEN,
            Self::Copilot => &rows::COPILOT,
            Self::Aider => &rows::AIDER,
            Self::Acp => &rows::ACP,
            Self::Custom => &rows::CUSTOM,
        }
    }
}

impl Api {
    /// The word for it in `zazen.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
        }
    }
}

impl Abilities {
    /// Each ability with what it comes to, for a table or a list.
    pub fn in_words(&self) -> [(&'static str, String); 16] {
        let yes_or_no = |is: bool| if is { "yes" } else { "no" }.to_owned();
        [
            ("started", self.started.to_owned()),
            ("tested with", self.tested.unwrap_or("–").to_owned()),
            ("says its version", self.version.words()),
            ("stream", self.stream.words().to_owned()),
            ("routes", self.speaks.iter().map(|api| api.word()).collect::<Vec<_>>().join(", ")),
            ("model", self.model.words()),
            ("effort", self.effort.words()),
            ("goes on with a session", yes_or_no(self.sessions.is_some())),
            ("hears what is said meanwhile", self.steering.words().to_owned()),
            ("holds to what is denied", self.denied()),
            ("runs commands", yes_or_no(self.commands == Commands::Run)),
            ("says what it used", self.says.words().to_owned()),
            ("keeps to a limit of turns", yes_or_no(self.turns == Turns::Kept)),
            ("its own sandbox", self.own_sandbox.words().to_owned()),
            ("the repository's files for agents", self.repository.words().to_owned()),
            ("servers and skills", self.tools()),
        ]
    }

    fn denied(&self) -> String {
        match self.denies {
            [] => "no".to_owned(),
            all => all.iter().map(|one| one.word()).collect::<Vec<_>>().join(", "),
        }
    }

    fn tools(&self) -> String {
        let servers = if self.servers == Servers::Given { "MCP servers" } else { "no servers" };
        let skills =
            if self.skills.finds_them { "finds skills" } else { "is told of skills by its prompt" };
        format!("{servers}; {skills}")
    }
}

impl Version {
    fn words(self) -> String {
        match self {
            Self::Flag(flag) => format!("`{flag}`"),
            Self::Zazen => "is zazen's".to_owned(),
        }
    }
}

impl Stream {
    fn words(self) -> &'static str {
        match self {
            Self::Json => "JSON lines",
            Self::Acp => "Agent Client Protocol",
            Self::Text => "text",
        }
    }
}

impl Choice {
    /// What is taken where nobody says anything. Empty where the harness chooses.
    pub fn usual(self) -> &'static str {
        match self {
            Self::Needed(such_as) => such_as,
            Self::Optional | Self::Never => "",
        }
    }

    fn words(self) -> String {
        match self {
            Self::Needed(such_as) => format!("needed, such as `{such_as}`"),
            Self::Optional => "can be told".to_owned(),
            Self::Never => "cannot be told".to_owned(),
        }
    }
}

impl Steering {
    fn words(self) -> &'static str {
        match self {
            Self::Listens => "at its next safe point",
            Self::NextTurn => "in its next turn, at once",
            Self::NextRun => "with its next run",
        }
    }
}

impl Denies {
    fn word(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Tools => "tools",
        }
    }
}

impl Says {
    fn words(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Cost => "cost",
            Self::TokensAndCost => "tokens, cost",
            Self::Nothing => "nothing",
        }
    }
}

impl Repository {
    fn words(self) -> &'static str {
        match self {
            Self::PassedOver => "passed over",
            Self::Hidden => "kept out of its sight",
        }
    }
}

impl OwnSandbox {
    fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Off => "switched off, as zazen's holds",
        }
    }
}
