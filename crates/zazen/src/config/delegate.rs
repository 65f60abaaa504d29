//! Kinds of work, checked: what they are known by, and who has to see them.

use std::collections::BTreeMap;

use zazen_core::delegate::{Hands, Kind};

use super::{Check, Error, raw};

impl Check<'_> {
    pub(super) fn kinds(&self, raw: BTreeMap<String, raw::Delegate>) -> Result<Vec<Kind>, Error> {
        raw.into_iter().map(|(name, raw)| self.kind(name, raw)).collect()
    }

    fn kind(&self, name: String, raw: raw::Delegate) -> Result<Kind, Error> {
        let at = ["policy", "delegate", name.as_str()];
        let raw::Delegate { labels, words, paths, questions, approve, approvers, reviewers, good } =
            raw;
        let signs = [&labels, &words, &paths];
        if signs.iter().all(|list| list.is_empty()) && questions.is_none() {
            let why = "nothing says which work is of this kind; write `labels`, `words`, `paths` \
                       or `questions`";
            return Err(self.wrong(&at, why));
        }
        // A word of nothing but signs would be in every text.
        let is_empty = |word: &String| !word.chars().any(char::is_alphanumeric);
        if let Some(word) = words.iter().find(|word| is_empty(word)) {
            let why = format!("`{word}` is no word; write letters or digits");
            return Err(self.wrong(&[&at[..], &["words"]].concat(), &why));
        }
        let needs_somebody = approve.is_some() || !approvers.is_empty() || !reviewers.is_empty();
        let is_good = good.unwrap_or(false);
        if is_good == needs_somebody {
            let why = "say who has to see such work (`approve`, `approvers`, `reviewers`), or that \
                       it is good to hand over (`good = true`); one of the two";
            return Err(self.wrong(&at, why));
        }
        let permission = match &approve {
            None => None,
            Some(word) => Some(self.permission(&[&at[..], &["approve"]].concat(), word)?),
        };
        let hands = Hands { is_good, permission, people: approvers, after: reviewers };
        Ok(Kind { name, labels, words, paths, questions, hands })
    }
}
