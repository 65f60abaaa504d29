//! What models cost.
//!
//! A small table of list prices, which people may override, and the sum that
//! turns tokens into money. A model that is not in the table has no price:
//! its cost is [`Cost::Unknown`], never zero. Counting tokens is not done
//! here but in the gateway, where the calls are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::usage::{Cost, Tokens};

/// The day whose public list prices the built-in table repeats.
pub const PRICES_DATE: &str = "2026-10-24";

/// What a million tokens of one model cost, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    /// For what is kept in the cache for an hour instead of minutes; `cache_write` if absent.
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

/// The vendors' public list prices, in thousandths of a US dollar for a million
/// tokens: input, output, cache read, cache write, cache write for an hour.
/// From the price pages of Anthropic (platform documentation, "Pricing") and
/// `OpenAI` (API documentation, "Pricing", standard tier), as of [`PRICES_DATE`].
/// `OpenAI` does not bill cache writes apart, so that column repeats the input.
/// Surcharges for tools that the vendor runs are not in here. Models whose price
/// depends on the length of the prompt (`claude-haiku-5-5`, `gpt-5.4`) are left
/// out on purpose: one price for all prompts would be too low for some.
const LIST: &[(&str, [u64; 5])] = &[
    ("claude-fable-5-1", [10_000, 50_000, 250, 12_500, 20_000]),
    ("claude-fable-5", [10_000, 50_000, 1_000, 12_500, 20_000]),
    ("claude-opus-5-5", [4_000, 20_000, 200, 5_000, 8_000]),
    ("claude-opus-5", [5_000, 25_000, 500, 6_250, 10_000]),
    ("claude-opus-4-8", [5_000, 25_000, 500, 6_250, 10_000]),
    ("claude-opus-4-7", [5_000, 25_000, 500, 6_250, 10_000]),
    ("claude-opus-4-6", [5_000, 25_000, 500, 6_250, 10_000]),
    ("claude-opus-4-5", [5_000, 25_000, 500, 6_250, 10_000]),
    ("claude-opus-4-1", [15_000, 75_000, 1_500, 18_750, 30_000]),
    ("claude-opus-4-0", [15_000, 75_000, 1_500, 18_750, 30_000]),
    ("claude-opus-4", [15_000, 75_000, 1_500, 18_750, 30_000]),
    ("claude-sonnet-5-5", [2_000, 10_000, 100, 2_500, 4_000]),
    ("claude-sonnet-5", [2_000, 10_000, 200, 2_500, 4_000]),
    ("claude-sonnet-4-6", [3_000, 15_000, 300, 3_750, 6_000]),
    ("claude-sonnet-4-5", [3_000, 15_000, 300, 3_750, 6_000]),
    ("claude-sonnet-4-0", [3_000, 15_000, 300, 3_750, 6_000]),
    ("claude-sonnet-4", [3_000, 15_000, 300, 3_750, 6_000]),
    ("claude-3-7-sonnet", [3_000, 15_000, 300, 3_750, 6_000]),
    ("claude-3-5-sonnet", [3_000, 15_000, 300, 3_750, 6_000]),
    ("claude-haiku-4-5", [1_000, 5_000, 100, 1_250, 2_000]),
    ("claude-3-5-haiku", [800, 4_000, 80, 1_000, 1_600]),
    ("gpt-5.1", [1_250, 10_000, 125, 1_250, 1_250]),
    ("gpt-5.1-codex", [1_250, 10_000, 125, 1_250, 1_250]),
    ("gpt-5", [1_250, 10_000, 125, 1_250, 1_250]),
    ("gpt-5-codex", [1_250, 10_000, 125, 1_250, 1_250]),
    ("gpt-5-mini", [250, 2_000, 25, 250, 250]),
    ("gpt-5-nano", [50, 400, 5, 50, 50]),
    ("gpt-4.1", [2_000, 8_000, 500, 2_000, 2_000]),
    ("gpt-4.1-mini", [400, 1_600, 100, 400, 400]),
    ("gpt-4.1-nano", [100, 400, 25, 100, 100]),
    ("gpt-4o", [2_500, 10_000, 1_250, 2_500, 2_500]),
    ("gpt-4o-mini", [150, 600, 75, 150, 150]),
    ("o3", [2_000, 8_000, 500, 2_000, 2_000]),
    ("o4-mini", [1_100, 4_400, 275, 1_100, 1_100]),
];

const TOKENS_PER_PRICE: u128 = 1_000_000;

impl Prices {
    /// The prices that come with zazen.
    pub fn builtin() -> Self {
        Self(LIST.iter().map(|(name, price)| ((*name).to_owned(), listed(*price))).collect())
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
            .filter(|(pattern, _)| matches(pattern, model))
            .max_by_key(|(pattern, _)| pattern.trim_end_matches('*').len())
            .map(|(_, price)| *price)
    }

    /// What these tokens of that model cost, to the nearest millionth of a dollar.
    pub fn cost(&self, model: &str, tokens: Tokens) -> Cost {
        self.cost_with_hour_cache(model, tokens, 0)
    }

    /// Like [`Self::cost`], where `n_hour` of `tokens.cache_write` are kept for an hour.
    pub fn cost_with_hour_cache(&self, model: &str, tokens: Tokens, n_hour: u64) -> Cost {
        let Some(price) = self.price(model) else {
            return Cost::Unknown { known_micros: 0 };
        };
        let n_hour = n_hour.min(tokens.cache_write);
        let parts = [
            (tokens.input, price.input),
            (tokens.output, price.output),
            (tokens.cache_read, price.cache_read),
            (tokens.cache_write - n_hour, price.cache_write),
            (n_hour, price.cache_write_hour.unwrap_or(price.cache_write)),
        ];
        let sum = parts
            .iter()
            .map(|(n_tokens, price)| u128::from(*n_tokens) * u128::from(*price))
            .fold(0u128, u128::saturating_add);
        let micros = sum.saturating_add(TOKENS_PER_PRICE / 2) / TOKENS_PER_PRICE;
        Cost::Micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl FromIterator<(String, Price)> for Prices {
    fn from_iter<I: IntoIterator<Item = (String, Price)>>(prices: I) -> Self {
        Self(prices.into_iter().collect())
    }
}

fn listed(thousandths: [u64; 5]) -> Price {
    let [input, output, cache_read, cache_write, hour] = thousandths.map(|price| price * 1_000);
    Price { input, output, cache_read, cache_write, cache_write_hour: Some(hour) }
}

fn matches(pattern: &str, model: &str) -> bool {
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
