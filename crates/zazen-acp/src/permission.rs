//! Answers an agent that asks whether it may.
//!
//! Nobody watches, so every question is answered at once, by rules that were
//! given. The sandbox is the wall; this is where an owner's list of what not to
//! do reaches an agent that asks.

use std::path::{Component, Path, PathBuf};

use agent_client_protocol_schema::v1::{
    PermissionOption, PermissionOptionId, PermissionOptionKind, ToolKind,
};

/// What an agent may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Files are changed nowhere.
    pub read_only: bool,
    /// What is denied: a kind or a tool by its name, as `fetch`; or what of it has certain
    /// words, as `execute:git push`.
    pub deny: Vec<String>,
    /// Where files may be changed. The working directory is always one.
    pub roots: Vec<PathBuf>,
}

/// What an agent wants to do.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) kind: ToolKind,
    /// The tool's own name, where the agent says it.
    pub(crate) name: &'a str,
    /// What it is about, in words: the title, and the command line.
    pub(crate) texts: Vec<&'a str>,
    /// The files that it says it is about.
    pub(crate) paths: Vec<&'a Path>,
}

/// Says which rule denies it. Nothing where it is allowed.
pub(crate) fn denied_by(policy: &Policy, cwd: &Path, wish: &Wish<'_>) -> Option<String> {
    let changes = matches!(wish.kind, ToolKind::Edit | ToolKind::Delete | ToolKind::Move);
    if policy.read_only && (changes || wish.kind == ToolKind::SwitchMode) {
        return Some("nothing is to be changed in this run".to_owned());
    }
    if let Some(rule) = policy.deny.iter().find(|rule| is_meant(rule, wish)) {
        return Some(format!("rule `{rule}`"));
    }
    let is_inside = |path: &Path| {
        let path = plain(&cwd.join(path));
        policy.roots.iter().map(PathBuf::as_path).chain([cwd]).any(|root| path.starts_with(root))
    };
    let outside = wish.paths.iter().find(|path| changes && !is_inside(path))?;
    Some(format!("`{}` is outside of the workspace", outside.display()))
}

/// Which of the options that are offered says this. `None` where none does.
pub(crate) fn option(options: &[PermissionOption], allowed: bool) -> Option<PermissionOptionId> {
    use PermissionOptionKind::{AllowAlways, AllowOnce, RejectAlways, RejectOnce};
    // Once is enough: what is asked again is judged again.
    let kinds = if allowed { [AllowOnce, AllowAlways] } else { [RejectOnce, RejectAlways] };
    kinds.iter().find_map(|kind| {
        options.iter().find(|option| option.kind == *kind).map(|option| option.option_id.clone())
    })
}

/// Whether a rule is about this: its kind, and words in it where the rule has some.
fn is_meant(rule: &str, wish: &Wish<'_>) -> bool {
    let (kind, words) = rule.split_once(':').unwrap_or((rule, ""));
    (kind == "*" || kind == word(wish.kind) || kind == wish.name)
        && (words.is_empty() || wish.texts.iter().any(|text| text.contains(words)))
}

/// The protocol's word for a kind of tool.
pub(crate) fn word(kind: ToolKind) -> String {
    let word = serde_json::to_value(kind).unwrap_or_default();
    word.as_str().unwrap_or("other").to_owned()
}

/// A path without `.` and `..`, found without looking at any file.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
