//! Gives a run that is made again its own token, in the places where the first one had its.
//!
//! A token is known by its shape and by where it stands: in variables and in texts of the
//! private home, never in a prompt. What a bundle has in its place are [`RUN`] and [`HOSTS`].

use std::collections::{BTreeMap, BTreeSet};

use crate::gateway::Token;
use crate::sandbox::LaunchSpec;

/// What stands for a run's token where it was taken out.
const RUN: &str = "{token}";

/// The same for the token that opens the way to hosts.
const HOSTS: &str = "{hosts_token}";

/// How long a token is.
const DIGITS: usize = 64;

/// Puts `new` where the run's old token is.
pub(super) fn renew(spec: &mut LaunchSpec, new: &Token) {
    let pairs = pairs(spec, new);
    for text in spec.env.values_mut().chain(spec.files.values_mut()) {
        for (old, new) in &pairs {
            if text.contains(old) {
                *text = text.replace(old, new);
            }
        }
    }
}

/// What stands in the texts, and what is to stand there.
fn pairs(spec: &LaunchSpec, new: &Token) -> BTreeMap<String, String> {
    let texts = || spec.env.values().chain(spec.files.values());
    let words: BTreeMap<&str, Token> = texts().flat_map(|text| tokens(text)).collect();
    let derived: BTreeSet<String> =
        words.values().map(|token| token.for_hosts().to_string()).collect();
    // Where only the way to hosts was given, its token stands in the address of a proxy.
    let is_hosts = |word: &str| {
        let proxy = format!("run:{word}@");
        derived.contains(word) || texts().any(|text| text.contains(&proxy))
    };
    let (run, hosts) = (new.to_string(), new.for_hosts().to_string());
    let known = words.keys().map(|word| {
        let by = if is_hosts(word) { &hosts } else { &run };
        ((*word).to_owned(), by.clone())
    });
    let known: Vec<_> = known.collect();
    let taken_out = [(RUN.to_owned(), run), (HOSTS.to_owned(), hosts)];
    known.into_iter().chain(taken_out).collect()
}

fn tokens(text: &str) -> Vec<(&str, Token)> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| word.len() == DIGITS);
    words.filter_map(|word| Some((word, word.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests;
