//! The table of list prices, and how a price is written: in dollars.
//!
//! The table is `data/prices.toml`; it is in the program, and read once. What
//! people write under `[prices]` in `zazen.toml` has the same shape.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{Long, Price};

/// One vendor's prices.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    pub name: String,
    /// The page that the prices are from.
    pub source: String,
    pub models: BTreeMap<String, Listed>,
}

/// A price as it is written: US dollars for a million tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub input: f64,
    pub output: f64,
    pub cache_read: Option<f64>,
    pub cache_write: Option<f64>,
    pub cache_write_hour: Option<f64>,
    pub long: Option<ListedLong>,
}

/// The prices of calls with long prompts, as they are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedLong {
    pub above: u64,
    pub input: f64,
    pub output: f64,
    pub cache_read: Option<f64>,
    pub cache_write: Option<f64>,
    pub cache_write_hour: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    date: String,
    vendor: Vec<Vendor>,
}

/// The dearest price that is believed, in dollars for a million tokens.
const DOLLARS_MAX: f64 = 100_000.0;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/prices.toml")).expect("a test reads this table")
});

/// The day whose public list prices the built-in table repeats, like `2026-10-24`.
pub fn prices_date() -> &'static str {
    &TABLE.date
}

/// The built-in table, by vendor.
pub fn vendors() -> &'static [Vendor] {
    &TABLE.vendor
}

impl Listed {
    /// The price in millionths, or what is wrong with it.
    pub fn price(&self) -> Result<Price, String> {
        let input = to_micros(self.input)?;
        Ok(Price {
            input,
            output: to_micros(self.output)?,
            cache_read: self.cache_read.map_or(Ok(input), to_micros)?,
            cache_write: self.cache_write.map_or(Ok(input), to_micros)?,
            cache_write_hour: self.cache_write_hour.map(to_micros).transpose()?,
            long: self.long.as_ref().map(ListedLong::price).transpose()?,
        })
    }
}

impl ListedLong {
    fn price(&self) -> Result<Long, String> {
        let input = to_micros(self.input)?;
        Ok(Long {
            above: self.above,
            input,
            output: to_micros(self.output)?,
            cache_read: self.cache_read.map_or(Ok(input), to_micros)?,
            cache_write: self.cache_write.map_or(Ok(input), to_micros)?,
            cache_write_hour: self.cache_write_hour.map(to_micros).transpose()?,
        })
    }
}

fn to_micros(dollars: f64) -> Result<u64, String> {
    if !(0.0..=DOLLARS_MAX).contains(&dollars) {
        return Err(format!("{dollars} is not between 0 and {DOLLARS_MAX} dollars"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and the limit, which fits"
    )]
    Ok((dollars * 1e6).round() as u64)
}
