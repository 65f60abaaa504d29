//! What the owner tells a harness of which nothing is known here: how it is started, and
//! what it finds in its environment.

use std::collections::BTreeMap;

use zazen_harness::{Name, Patterns};

use super::{Check, Error, raw};

/// See the module. All of it is empty for a harness that zazen knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// The way to log in, in the agent's word.
    pub login: String,
    /// What the lines mean that it prints.
    pub lines: Patterns,
}

/// What stands for the token in a variable. Arguments can be read by every process.
const KEY: &str = "{key}";

impl Own {
    pub(super) fn of(
        (args, env): (Option<Vec<String>>, BTreeMap<String, String>),
        login: Option<String>,
        lines: Option<raw::Lines>,
    ) -> Self {
        let raw::Lines { error, usage, done, text } = lines.unwrap_or_default();
        let lines = Patterns { error, usage, done, text };
        Self { args: args.unwrap_or_default(), env, login: login.unwrap_or_default(), lines }
    }

    /// The first of its keys that is written, though this harness has no use for it.
    fn unused(&self, harness: Name) -> Option<&'static str> {
        let (is_acp, is_custom) = (harness == Name::Acp, harness == Name::Custom);
        let keys = [
            ("args", self.args.is_empty() || is_acp || is_custom),
            ("env", self.env.is_empty() || is_acp || is_custom),
            ("login", self.login.is_empty() || is_acp),
            ("lines", self.lines == Patterns::default() || is_custom),
        ];
        keys.into_iter().find(|(_, is_fine)| !is_fine).map(|(key, _)| key)
    }
}

impl Check<'_> {
    pub(super) fn own(&self, path: &[&str], harness: Name, own: Own) -> Result<Own, Error> {
        let at = |key| [path, &[key]].concat();
        if let Some(key) = own.unused(harness) {
            let why = format!("`{harness}` has no use for `{key}`; leave it out");
            return Err(self.wrong(&at(key), &why));
        }
        if let Err(err) = own.lines.check() {
            return Err(self.wrong(&at("lines"), &err.to_string()));
        }
        if own.args.iter().any(|arg| arg.contains(KEY)) {
            let why = format!("every process can read arguments; put `{KEY}` into `env`");
            return Err(self.wrong(&at("args"), &why));
        }
        let is_name = |name: &str| {
            let is_of_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            name.bytes().all(is_of_name) && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        if let Some(name) = own.env.keys().find(|name| name.is_empty() || !is_name(name)) {
            let why = format!("`{name}` is no name of a variable");
            return Err(self.wrong(&at("env"), &why));
        }
        Ok(own)
    }
}
