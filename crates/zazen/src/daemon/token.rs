//! The tokens that stand in the texts of a run: taken out where those are kept beside a receipt,
//! and other ones put in their places where a run is made again.
//!
//! A token is known by its shape and by where it stands: in variables and in texts of the
//! private home, never in a prompt. What a bundle has in its place is [`TAKEN_OUT`].

use std::collections::{BTreeMap, BTreeSet};

use crate::gateway::Token;
use crate::sandbox::LaunchSpec;

/// What stands for the tokens of a run: the one for the model, and the one for hosts.
pub(super) struct Both<T> {
    run: T,
    hosts: T,
}

/// What stands in the place of tokens that were taken out.
pub(super) const TAKEN_OUT: Both<&str> = Both { run: "{token}", hosts: "{hosts_token}" };

/// How long a token is.
const DIGITS: usize = 64;

/// Puts `new` where the run's old token is.
pub(super) fn renew(spec: &mut LaunchSpec, new: &Token) {
    let new = Both { run: new.to_string(), hosts: new.for_hosts().to_string() };
    let texts: Vec<&str> =
        spec.env.values().chain(spec.files.values()).map(String::as_str).collect();
    let mut pairs = pairs(&texts, &new);
    pairs.extend([(TAKEN_OUT.run.to_owned(), &new.run), (TAKEN_OUT.hosts.to_owned(), &new.hosts)]);
    for text in spec.env.values_mut().chain(spec.files.values_mut()) {
        for (old, new) in &pairs {
            if text.contains(old) {
                *text = text.replace(old, new);
            }
        }
    }
}

/// The tokens that stand in some texts, and what is to stand there.
pub(super) fn pairs<'a, T>(texts: &[&str], new: &'a Both<T>) -> BTreeMap<String, &'a T> {
    let words: BTreeMap<&str, Token> = texts.iter().flat_map(|text| tokens(text)).collect();
    let derived: BTreeSet<String> =
        words.values().map(|token| token.for_hosts().to_string()).collect();
    // Where only the way to hosts was given, its token stands in the address of a proxy.
    let is_hosts = |word: &str| {
        let proxy = format!("run:{word}@");
        derived.contains(word) || texts.iter().any(|text| text.contains(&proxy))
    };
    let instead = |word: &str| if is_hosts(word) { &new.hosts } else { &new.run };
    words.keys().map(|word| ((*word).to_owned(), instead(word))).collect()
}

fn tokens(text: &str) -> Vec<(&str, Token)> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| word.len() == DIGITS);
    words.filter_map(|word| Some((word, word.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests;
