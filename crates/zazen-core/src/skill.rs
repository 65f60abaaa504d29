//! Skills: folders with a `SKILL.md` that teach agents one thing each.
//!
//! Here is what the front matter of that page has to say and which repository takes
//! which skill; the folders are read elsewhere. The rules are those of the Agent Skills
//! format, so that a folder that is taken here is taken by every harness.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::page::{Page, ParseError};
use crate::text::{one_line, plain};

/// What an agent is told of a skill before it reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skill {
    pub name: SkillName,
    /// What it teaches and when to use it, in one line.
    pub description: String,
}

/// The name of a skill, which is that of its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SkillName(String);

/// A text is not the name of a skill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a skill: small letters, digits and single hyphens between \
     them, at most {NAME_CHARS_MAX}"
)]
pub struct InvalidSkillName(String);

/// Which skills a repository's agents get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    #[default]
    All,
    Only(BTreeSet<SkillName>),
}

/// The page that makes a folder a skill.
pub const SKILL_PAGE: &str = "SKILL.md";

/// How long a name may be: what the format says.
const NAME_CHARS_MAX: usize = 64;

/// How long a description may be: what the format says. Agents are given all of them.
const DESCRIPTION_CHARS_MAX: usize = 1024;

/// How much of a refused name is repeated.
const SHOWN_CHARS_MAX: usize = 80;

/// Reads the page of a skill that is in a folder of this name.
pub fn parse(folder: &str, text: &str) -> Result<Skill, ParseError> {
    let page = Page::parse(text)?;
    let at = |key: &str| page.line_of(key).unwrap_or(1);
    let wrong = |line: usize, why: String| Err(ParseError { line, why });
    for key in ["name", "description"] {
        if page.line_of(key).is_none() {
            let why = format!(
                "there is no `{key}`; a skill begins with front matter: a line `---`, then \
                 `name: {folder}` and `description: what it teaches, and when to use it`, then \
                 a line `---`"
            );
            return wrong(1, why);
        }
    }
    let written = page.text("name").unwrap_or_default();
    let name: SkillName = match written.parse() {
        Ok(name) => name,
        Err(err) => return wrong(at("name"), err.to_string()),
    };
    if name.as_str() != folder {
        let folder = one_line(folder, SHOWN_CHARS_MAX);
        let why =
            format!("`name` is `{name}`, and the folder is called `{folder}`; name both alike");
        return wrong(at("name"), why);
    }
    let description = page.text("description").unwrap_or_default();
    let description = plain(&description).split_whitespace().collect::<Vec<_>>().join(" ");
    if description.is_empty() {
        let why = "`description` is empty; say what the skill teaches, and when to use it";
        return wrong(at("description"), why.to_owned());
    }
    let n_chars = description.chars().count();
    if n_chars > DESCRIPTION_CHARS_MAX {
        let why = format!(
            "`description` has {n_chars} characters; {DESCRIPTION_CHARS_MAX} is the most, as \
             every agent reads it; move the rest below the front matter"
        );
        return wrong(at("description"), why);
    }
    Ok(Skill { name, description })
}

impl SkillName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SkillName {
    type Err = InvalidSkillName;

    fn from_str(text: &str) -> Result<Self, InvalidSkillName> {
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if text.len() <= NAME_CHARS_MAX && text.split('-').all(is_part) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidSkillName(one_line(&plain(text), SHOWN_CHARS_MAX)))
    }
}

impl fmt::Display for SkillName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Choice {
    /// Whether this skill is among those.
    pub fn takes(&self, name: &SkillName) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

#[cfg(test)]
mod tests;
