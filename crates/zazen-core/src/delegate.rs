//! Which kinds of work need a person before they begin, and after they are done; and which are
//! good to hand over.
//!
//! The owner names the kinds and what they are known by: labels, words, paths, and how much a
//! plan had to ask. It is looked at when the plan is there, and bound to it with its contract.

mod glob;

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

pub use self::glob::matches;
use crate::plan::Plan;
use crate::trust::{Author, Permission};

/// One kind of work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kind {
    pub name: String,
    pub labels: Vec<String>,
    /// Words of the title and text, and of the plan's summary.
    pub words: Vec<String>,
    /// Patterns of paths that the plan names.
    pub paths: Vec<String>,
    /// A plan with at least so many open questions.
    pub questions: Option<u32>,
    pub hands: Hands,
}

/// Whose hands such work has to go through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hands {
    /// It is known to go well.
    pub is_good: bool,
    /// Who may approve its plan by what their forge lets them do.
    pub permission: Option<Permission>,
    /// Who may approve its plan by their name.
    pub people: Vec<String>,
    /// Who is to review what comes of it.
    pub after: Vec<String>,
}

/// What work is known by.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub title: &'a str,
    pub text: &'a str,
    pub labels: &'a [String],
    pub plan: &'a Plan,
}

/// A person has to approve a plan who may, as it is of this kind.
#[derive(Debug, Clone, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Need {
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<Permission>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// The kinds that some work is of, in their order.
pub fn kinds<'a>(all: &'a [Kind], subject: Subject<'_>) -> Vec<&'a Kind> {
    let Subject { title, text, labels, plan } = subject;
    let said = spaced(&format!("{title}\n{text}\n{}", plan.summary));
    let n_questions = u32::try_from(plan.questions.len()).unwrap_or(u32::MAX);
    let steps = plan.steps.iter().flat_map(|step| &step.files);
    let files: Vec<&String> = plan.files.iter().chain(steps).collect();
    let is_of = |kind: &&Kind| {
        let has_label = |label: &String| labels.iter().any(|it| it.eq_ignore_ascii_case(label));
        kind.labels.iter().any(has_label)
            || kind.words.iter().any(|word| said.contains(&spaced(word)))
            || kind.paths.iter().any(|glob| files.iter().any(|path| matches(glob, path)))
            || kind.questions.is_some_and(|n| n_questions >= n)
    };
    all.iter().filter(is_of).collect()
}

/// Words in small letters with one space around each, so that parts of words are not found.
fn spaced(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    format!(" {} ", words.join(" "))
}

impl Kind {
    /// Who has to approve a plan of this kind, if not anybody who may command.
    pub fn need(&self) -> Option<Need> {
        let Hands { permission, people, .. } = &self.hands;
        let is_needed = permission.is_some() || !people.is_empty();
        is_needed.then(|| Need {
            kind: self.name.clone(),
            permission: *permission,
            people: people.clone(),
        })
    }
}

impl Need {
    /// Whether this person may approve.
    ///
    /// Where no forge says what somebody may do, whoever can write is at home, and only names
    /// count.
    pub fn is_met_by(&self, author: Author<'_>) -> bool {
        if self.people.iter().any(|name| name == author.name) {
            return true;
        }
        match (self.permission, author.permission) {
            (Some(needed), Some(may)) => !author.is_bot && may >= needed,
            (Some(_), None) => !author.is_bot && self.people.is_empty(),
            (None, _) => false,
        }
    }

    /// Who may, for people.
    pub fn words(&self) -> String {
        let permission = self.permission.map(|it| format!("somebody with `{it}`"));
        let people = self.people.iter().map(|name| format!("`{name}`"));
        permission.into_iter().chain(people).collect::<Vec<_>>().join(" or ")
    }
}

#[cfg(test)]
mod tests;
