//! What models cost.
//!
//! A table of list prices with a date (`data/prices.toml`), which people may
//! override, and the sum that turns tokens into money. A model that is not in
//! the table has no price: its cost is [`Cost::Unknown`], never zero. Counting
//! tokens is not done here but in the gateway, where the calls are.

mod list;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::list::{Listed, ListedLong, Vendor, prices_date, vendors};
use crate::usage::{Cost, Tokens};

/// What a million tokens of one model cost, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// For what is kept in the cache for an hour instead of minutes; `cache_write` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_hour: Option<u64>,
    /// The other prices of a call with a long prompt, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<Long>,
}

/// What a whole call costs when its prompt is long, as [`Price`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Long {
    /// The longest prompt that is not long: fresh and cached tokens together.
    pub above: u64,
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_hour: Option<u64>,
}

/// The prices of models, by pattern.
///
/// A pattern is a model's name, which also covers that name with a date or
/// `-latest` after it, or the beginning of a name with `*` after it. The
/// longest pattern that matches counts. A plain name covers nothing else, so
/// that a new model is not billed as its cheaper or dearer ancestor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prices(BTreeMap<String, Price>);

const TOKENS_PER_PRICE: u128 = 1_000_000;

impl Prices {
    /// The prices that come with zazen.
    pub fn builtin() -> Self {
        let models = vendors().iter().flat_map(|vendor| &vendor.models);
        models
            .map(|(name, listed)| {
                (name.clone(), listed.price().expect("a test reads every price of the table"))
            })
            .collect()
    }

    /// These prices, with those of `overrides` in their place where both name a pattern.
    #[must_use]
    pub fn merged(mut self, overrides: Self) -> Self {
        self.0.extend(overrides.0);
        self
    }

    /// The price of a model, if it is known.
    pub fn price(&self, model: &str) -> Option<Price> {
        self.0
            .iter()
            .filter(|(pattern, _)| covers(pattern, model))
            .max_by_key(|(pattern, _)| pattern.trim_end_matches('*').len())
            .map(|(_, price)| *price)
    }

    /// A price that is as dear as the dearest, in each of its parts.
    pub fn dearest(&self) -> Price {
        self.0.values().fold(Price::default(), |dearest, price| {
            let long = price.at(u64::MAX);
            Price {
                input: dearest.input.max(price.input).max(long.input),
                output: dearest.output.max(price.output).max(long.output),
                cache_read: dearest.cache_read.max(price.cache_read).max(long.cache_read),
                cache_write: dearest.cache_write.max(price.cache_write).max(long.cache_write),
                cache_write_hour: dearest.cache_write_hour.max(Some(long.hour())),
                long: None,
            }
        })
    }

    /// What these tokens of that model cost, to the nearest millionth of a dollar.
    pub fn cost(&self, model: &str, tokens: Tokens) -> Cost {
        self.cost_with_hour_cache(model, tokens, 0)
    }

    /// Like [`Self::cost`], where `n_hour` of `tokens.cache_write` are kept for an hour.
    pub fn cost_with_hour_cache(&self, model: &str, tokens: Tokens, n_hour: u64) -> Cost {
        match self.price(model) {
            Some(price) => Cost::Micros(price.micros(tokens, n_hour)),
            None => Cost::Unknown { known_micros: 0 },
        }
    }
}

impl Price {
    /// What these tokens of one call cost, `n_hour` of those in the cache for an hour.
    pub fn micros(&self, tokens: Tokens, n_hour: u64) -> u64 {
        let prompt = tokens.input.saturating_add(tokens.cache_read);
        let price = self.at(prompt.saturating_add(tokens.cache_write));
        let n_hour = n_hour.min(tokens.cache_write);
        sum(&[
            (tokens.input, price.input),
            (tokens.output, price.output),
            (tokens.cache_read, price.cache_read),
            (tokens.cache_write - n_hour, price.cache_write),
            (n_hour, price.hour()),
        ])
    }

    /// What a call costs at most that has so many tokens in and out, wherever the cache puts them.
    pub fn micros_at_most(&self, n_input: u64, n_output: u64) -> u64 {
        let price = self.at(n_input);
        let input = price.input.max(price.cache_read).max(price.cache_write).max(price.hour());
        sum(&[(n_input, input), (n_output, price.output)])
    }

    /// The prices for a prompt of this length.
    fn at(&self, prompt: u64) -> Self {
        match self.long {
            Some(long) if prompt > long.above => Self {
                input: long.input,
                output: long.output,
                cache_read: long.cache_read,
                cache_write: long.cache_write,
                cache_write_hour: long.cache_write_hour,
                long: None,
            },
            Some(_) | None => Self { long: None, ..*self },
        }
    }

    fn hour(&self) -> u64 {
        self.cache_write_hour.unwrap_or(self.cache_write)
    }
}

fn sum(parts: &[(u64, u64)]) -> u64 {
    let sum = parts
        .iter()
        .map(|(n_tokens, price)| u128::from(*n_tokens) * u128::from(*price))
        .fold(0u128, u128::saturating_add);
    let micros = sum.saturating_add(TOKENS_PER_PRICE / 2) / TOKENS_PER_PRICE;
    u64::try_from(micros).unwrap_or(u64::MAX)
}

impl FromIterator<(String, Price)> for Prices {
    fn from_iter<I: IntoIterator<Item = (String, Price)>>(prices: I) -> Self {
        Self(prices.into_iter().collect())
    }
}

/// Whether a pattern, as [`Prices`] has them, covers the name of a model.
pub fn covers(pattern: &str, model: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => model.starts_with(beginning),
        None => model.strip_prefix(pattern).is_some_and(is_version),
    }
}

/// Whether the rest of a name only says which edition of the same model it is:
/// nothing, `-latest`, `-20250929`, `@20250929` or `-2024-08-06`.
fn is_version(rest: &str) -> bool {
    if rest.is_empty() || rest == "-latest" {
        return true;
    }
    let Some(date) = rest.strip_prefix(['-', '@']) else {
        return false;
    };
    let digits: String = match date.len() {
        8 => date.to_owned(),
        10 if date.split('-').map(str::len).eq([4, 2, 2]) => date.replace('-', ""),
        _ => return false,
    };
    digits.starts_with("20") && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests;
