//! Tokens and money.
//!
//! Money is counted in millionths of a dollar, as a whole number. A price that
//! is not known is [`Cost::Unknown`], never zero.

use std::ops::AddAssign;

use borsh::{BorshDeserialize as Unpack, BorshSerialize as Pack};
use serde::{Deserialize, Serialize};

/// The tokens of one model call, or of many together.
///
/// `input` does not include what was read from or written to the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    #[serde(default)]
    pub cache_read: u64,
    #[serde(default)]
    pub cache_write: u64,
}

/// What something cost, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// All of it was priced.
    Micros(u64),
    /// At least one call had no known price; the known part is kept.
    Unknown { known_micros: u64 },
}

/// What model calls used: how many there were, their tokens, and their cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Usage {
    pub n_calls: u64,
    pub tokens: Tokens,
    pub cost: Cost,
    /// What counts against budgets beyond what is known: calls whose price or whose end is
    /// not known, at their worst case. Nobody is shown it as a cost.
    #[serde(default, skip_serializing_if = "Amount::is_zero")]
    pub assumed: Amount,
}

/// What counts against a budget: money in millionths of a US dollar, and tokens of all kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Pack, Unpack, Serialize, Deserialize)]
pub struct Amount {
    pub micros: u64,
    pub tokens: u64,
}

impl Tokens {
    /// All tokens together, for people.
    pub fn total(self) -> u64 {
        self.input
            .saturating_add(self.output)
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write)
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self::Micros(0)
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, more: Self) {
        self.input = self.input.saturating_add(more.input);
        self.output = self.output.saturating_add(more.output);
        self.cache_read = self.cache_read.saturating_add(more.cache_read);
        self.cache_write = self.cache_write.saturating_add(more.cache_write);
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, more: Self) {
        *self = match (*self, more) {
            (Self::Micros(a), Self::Micros(b)) => Self::Micros(a.saturating_add(b)),
            (a, b) => Self::Unknown { known_micros: a.known().saturating_add(b.known()) },
        };
    }
}

impl Cost {
    /// The part that is known, all of it or not.
    pub fn known(self) -> u64 {
        match self {
            Self::Micros(micros) | Self::Unknown { known_micros: micros } => micros,
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.n_calls = self.n_calls.saturating_add(more.n_calls);
        self.tokens += more.tokens;
        self.cost += more.cost;
        self.assumed += more.assumed;
    }
}

impl Usage {
    /// What counts against budgets: what is known, and the worst case of the rest.
    pub fn counted(&self) -> Amount {
        let known = Amount { micros: self.cost.known(), tokens: self.tokens.total() };
        known.plus(self.assumed)
    }
}

impl Amount {
    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self {
            micros: self.micros.saturating_add(more.micros),
            tokens: self.tokens.saturating_add(more.tokens),
        }
    }

    /// What is left without the other, or nothing.
    #[must_use]
    pub fn minus(self, less: Self) -> Self {
        Self {
            micros: self.micros.saturating_sub(less.micros),
            tokens: self.tokens.saturating_sub(less.tokens),
        }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, more: Self) {
        *self = self.plus(more);
    }
}
