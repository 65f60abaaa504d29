//! The rows of the table, and the arithmetic of what was measured.
//!
//! A row says what was measured, how often, and how it stands to its limit. A
//! limit is from the design; a row without one is there to explain another.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::machine::Machine;

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// The measurement that it belongs to, by the name it can be run with.
    pub(crate) of: &'static str,
    pub(crate) what: String,
    pub(crate) value: String,
    /// The bare thing, measured in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bare: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<String>,
    /// Whether the limit is held; nothing where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<bool>,
    /// How it was measured, in few words.
    pub(crate) how: String,
}

/// All that was measured, for machines.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
}

/// What was measured again and again, in order of size.
#[derive(Debug, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Row {
    pub(crate) fn new(of: &'static str, what: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            of,
            what: what.into(),
            value: value.into(),
            bare: None,
            limit: None,
            held: None,
            how: String::new(),
        }
    }

    pub(crate) fn bare(mut self, bare: impl Into<String>) -> Self {
        self.bare = Some(bare.into());
        self
    }

    pub(crate) fn limit(mut self, limit: &str, held: bool) -> Self {
        self.limit = Some(limit.to_owned());
        self.held = Some(held);
        self
    }

    pub(crate) fn how(mut self, how: impl Into<String>) -> Self {
        self.how = how.into();
        self
    }
}

impl Report {
    /// The table, as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", self.machine);
        text.push_str("| | what | measured | bare, same run | limit | held | how |\n");
        text.push_str("|---|---|---|---|---|---|---|\n");
        for row in &self.rows {
            let held = match row.held {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "",
            };
            let bare = row.bare.as_deref().unwrap_or_default();
            let limit = row.limit.as_deref().unwrap_or_default();
            let Row { of, what, value, how, .. } = row;
            writeln!(text, "| {of} | {what} | {value} | {bare} | {limit} | {held} | {how} |")
                .expect("it is a string");
        }
        text
    }
}

impl Samples {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    pub(crate) fn n(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that at least this share of the samples do not exceed.
    pub(crate) fn at(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place among a few thousand samples"
        )]
        let place = (share * self.0.len() as f64).ceil().max(1.0) as usize - 1;
        self.0.get(place.min(self.0.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn p50(&self) -> f64 {
        self.at(0.50)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.at(0.99)
    }
}

/// A span in milliseconds.
pub(crate) fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// Kilobytes as megabytes, for people.
pub(crate) fn mb(kb: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for display")]
    let mb = kb as f64 / 1024.0;
    format!("{mb:.1} MB")
}
