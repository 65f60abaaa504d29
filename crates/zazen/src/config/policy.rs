//! What the owner allows: who may ask for work, what a repository may tell agents, and
//! what a result may hold. Part of the checking of `zazen.toml`; see the parent.

use std::collections::BTreeMap;

use zazen_core::command::Name;
use zazen_core::deny::Denied;
use zazen_core::guard::{GuardName, Rules, Setting};
use zazen_core::intake::REWORK_ROUNDS;
use zazen_core::review::Blocks;
use zazen_core::roster::Reviewers;
use zazen_core::secret::Scanner;
use zazen_core::text::plain;
use zazen_core::trust::{Permission, Trust};

use super::{Check, Error, raw};

/// What a repository may tell agents, and what a result may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Author and committer of what zazen publishes: `name <address>`.
    pub author: String,
    /// The kinds of work that need certain people, or that are good to hand over.
    pub kinds: Vec<zazen_core::delegate::Kind>,
    /// Whether a result may change files that tell coding agents what to do.
    pub agent_config: bool,
    /// Beginnings of paths below which shapes of secrets are taken for examples.
    pub secret_exceptions: Vec<String>,
    pub repo_texts: Texts,
    pub repo_programs: Programs,
    /// What agents are told not to do.
    pub denied: Denied,
    /// What the guards go by.
    pub guards: Rules,
    /// How many rounds of rework reviews may lead to without a command.
    pub rework_rounds: u32,
    pub own_review: OwnReviews,
}

/// Whether and how zazen's own work is reviewed before people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnReviews {
    pub by: Reviewers,
    /// Which findings have an agent correct the work.
    pub blocks: Blocks,
    /// How often that may happen.
    pub n_corrections_max: u32,
}

/// Which texts of the repository agents are given, as they stand on its base branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Texts {
    /// Its own instructions (`AGENTS.md`).
    pub instructions: bool,
    pub skills: bool,
}

/// Which programs of the repository are started for agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Programs {
    /// The hooks in its settings; the settings count then.
    pub hooks: bool,
    /// The servers in its `.mcp.json`.
    pub mcp: bool,
}

/// The default of `policy.corrections`. What a second correction mends is rarely worth its cost.
const CORRECTIONS: u32 = 1;

/// The most that `policy.corrections` may be.
const CORRECTIONS_MAX: u32 = 3;

/// The default of `policy.author`.
const AUTHOR: &str = "zazen <agent@zazen.invalid>";

impl Check<'_> {
    pub(super) fn trust(&self, raw: raw::Trust) -> Result<Trust, Error> {
        let may_start = match raw.strangers.as_deref().unwrap_or("ask") {
            "ask" => false,
            "start" => true,
            other => {
                let why = format!(
                    "`{other}` is not what strangers may do; write \"ask\" (a trusted person gives \
                     the commands) or \"start\" (theirs count too)"
                );
                return Err(self.wrong(&["trust", "strangers"], &why));
            }
        };
        let permission = match &raw.permission {
            None => Permission::Write,
            Some(word) => self.permission(&["trust", "permission"], word)?,
        };
        let mut commands = BTreeMap::new();
        for (word, needed) in &raw.commands {
            let at = ["trust", "commands", word];
            let Some(name) = Name::from_word(word) else {
                return Err(self.wrong(&at, &format!("there is no command `/{word}`")));
            };
            commands.insert(name, self.permission(&at, needed)?);
        }
        let trust = Trust::new(raw.people.into_iter().collect(), may_start);
        Ok(trust.needing(permission, commands))
    }

    /// A permission that makes a difference: "none" would let everybody in.
    pub(super) fn permission(&self, at: &[&str], word: &str) -> Result<Permission, Error> {
        match word.parse() {
            Ok(Permission::None) => {
                let why = "`none` would let everybody command; write at least \"read\"";
                Err(self.wrong(at, why))
            }
            Ok(permission) => Ok(permission),
            Err(err) => Err(self.wrong(at, &err.to_string())),
        }
    }

    pub(super) fn policy(&self, raw: raw::Policy) -> Result<Policy, Error> {
        let own_review = self.own_review(&raw)?;
        let agent_config = match raw.agent_config.as_deref().unwrap_or("refuse") {
            "refuse" => false,
            "allow" => true,
            other => {
                let why = format!(
                    "`{other}` is not what becomes of changes of agents' settings; write \
                     \"refuse\" or \"allow\""
                );
                return Err(self.wrong(&["policy", "agent_config"], &why));
            }
        };
        let author = raw.author.unwrap_or_else(|| AUTHOR.to_owned());
        if !is_author(&author) {
            let why = format!("`{author}` is not an author like `{AUTHOR}`");
            return Err(self.wrong(&["policy", "author"], &why));
        }
        let secret_exceptions = raw.secret_exceptions.unwrap_or_default();
        if secret_exceptions.iter().any(|path| path.trim_start_matches(['.', '/']).is_empty()) {
            let why = "an exception is the beginning of paths, like `tests/fixtures/`; an empty \
                       one would be for all";
            return Err(self.wrong(&["policy", "secret_exceptions"], why));
        }
        let guards = self.guards(&raw.guards, &secret_exceptions)?;
        Ok(Policy {
            author,
            agent_config,
            secret_exceptions,
            guards,
            rework_rounds: raw.rework_rounds.unwrap_or(REWORK_ROUNDS),
            own_review,
            denied: self.denied(&raw.commands_denied, &raw.tools_denied)?,
            repo_texts: Texts {
                instructions: raw.repo_instructions.unwrap_or(true),
                skills: raw.repo_skills.unwrap_or(false),
            },
            repo_programs: Programs {
                hooks: raw.repo_hooks.unwrap_or(false),
                mcp: raw.repo_mcp.unwrap_or(false),
            },
            kinds: self.kinds(raw.delegate)?,
        })
    }

    fn guards(&self, raw: &raw::Guards, secret_exceptions: &[String]) -> Result<Rules, Error> {
        let settings = GuardName::ALL.into_iter().filter_map(|guard| {
            let written = match guard {
                GuardName::Scope => &raw.scope,
                GuardName::Dependencies => &raw.dependencies,
                GuardName::Protected => &raw.protected,
                GuardName::Tests => &raw.tests,
                GuardName::Checks => &raw.checks,
                GuardName::Secrets => &raw.secrets,
                GuardName::Files => &raw.files,
                GuardName::Licence => &raw.licence,
                GuardName::Claims => &raw.claims,
                GuardName::Empty => &raw.empty,
            };
            let word = written.as_deref()?;
            Some(self.setting(guard, word).map(|setting| (guard, setting)))
        });
        let settings = settings.collect::<Result<_, _>>()?;
        let at = ["policy", "guards", "protected_paths"];
        let paths = raw.protected_paths.iter().flatten();
        let protected = paths.map(|path| {
            path.parse()
                .map_err(|err| self.wrong(&at, &format!("`{path}` protects no path: {err}")))
        });
        let protected = protected.collect::<Result<_, _>>()?;
        let at = ["policy", "guards", "file_bytes_max"];
        if raw.file_bytes_max == Some(0) {
            return Err(self.wrong(&at, "0 would hold every file; write a number of bytes"));
        }
        let usual = Rules::default();
        Ok(Rules {
            settings,
            protected,
            secret_exceptions: secret_exceptions.to_vec(),
            file_bytes_max: raw.file_bytes_max.unwrap_or(usual.file_bytes_max),
        })
    }

    fn setting(&self, guard: GuardName, word: &str) -> Result<Setting, Error> {
        match word {
            "off" => Ok(Setting::Off),
            "flag" => Ok(Setting::Flag),
            "hold" => Ok(Setting::Hold),
            other => {
                let why = format!(
                    "`{other}` is not what becomes of what a guard finds; write \"off\" (it does \
                     not look), \"flag\" (it is only shown) or \"hold\" (a person approves it)"
                );
                Err(self.wrong(&["policy", "guards", guard.word()], &why))
            }
        }
    }
}

impl Check<'_> {
    fn own_review(&self, raw: &raw::Policy) -> Result<OwnReviews, Error> {
        let by = match raw.review.as_deref().unwrap_or("when-another") {
            "when-another" => Reviewers::WhenAnother,
            "always" => Reviewers::Always,
            "never" => Reviewers::Never,
            other => {
                let why = format!(
                    "`{other}` does not say when work is reviewed; write \"when-another\" (by an \
                     agent with another harness or model), \"always\" or \"never\""
                );
                return Err(self.wrong(&["policy", "review"], &why));
            }
        };
        let blocks = match raw.review_blocks.as_deref().unwrap_or("high") {
            "high" => Blocks::High,
            "medium" => Blocks::Medium,
            other => {
                let why = format!(
                    "`{other}` does not say which findings are corrected; write \"high\" or \
                     \"medium\""
                );
                return Err(self.wrong(&["policy", "review_blocks"], &why));
            }
        };
        let n_corrections_max = raw.corrections.unwrap_or(CORRECTIONS);
        if n_corrections_max > CORRECTIONS_MAX {
            let why = format!("`corrections` may be {CORRECTIONS_MAX} at the most");
            return Err(self.wrong(&["policy", "corrections"], &why));
        }
        Ok(OwnReviews { by, blocks, n_corrections_max })
    }
}

/// Whether git takes this for a person: `name <address>`, in one line.
fn is_author(text: &str) -> bool {
    let Some((name, rest)) = text.split_once(" <") else { return false };
    let Some(address) = rest.strip_suffix('>') else { return false };
    let is_part = |part: &str| !part.trim().is_empty() && !part.contains(['<', '>', '\n', '\0']);
    is_part(name)
        && is_part(address)
        && !address.contains(' ')
        && plain(text) == text
        && !Scanner::shapes().is_in(text.as_bytes())
}
