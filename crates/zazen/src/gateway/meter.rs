//! Counts the tokens of one call, from its answer.
//!
//! Reads what the service itself says it used, in all the shapes that are
//! spoken here, streamed or whole. Counts are running totals, so the greatest
//! one is the truth. A call whose last word on usage was not seen is not
//! settled: what is known of it is a lower bound, and never shown as a sum.

use serde::Deserialize;
use zazen_core::price::Prices;
use zazen_core::usage::{Cost, Tokens, Usage};

use super::route::Endpoint;
use super::sse::SseReader;

/// The meter of one call.
#[derive(Debug)]
pub(super) struct Meter {
    endpoint: Endpoint,
    /// None for an answer that is one JSON text.
    events: Option<SseReader>,
    reading: Reading,
}

/// What a meter has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) tokens: Tokens,
    /// How many of `tokens.cache_write` are kept for an hour, which costs more.
    pub(super) n_hour: u64,
    /// The model that answered, as it calls itself.
    pub(super) model: Option<String>,
    /// The service has said how much it was in all.
    pub(super) settled: bool,
}

/// Whatever carries usage: an event of a stream, or a whole answer.
#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: Option<String>,
    model: Option<String>,
    usage: Option<Counts>,
    /// In Anthropic's `message_start`.
    message: Option<Part>,
    /// In the events that end a Responses stream.
    response: Option<Part>,
}

#[derive(Deserialize)]
struct Part {
    model: Option<String>,
    usage: Option<Counts>,
}

/// The counts of all the APIs: no two use one name for two things.
#[derive(Deserialize, Default)]
struct Counts {
    // Anthropic and Responses; only Anthropic leaves the cached ones out.
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    // Anthropic.
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    // Responses.
    input_tokens_details: Option<Cached>,
    // Chat Completions.
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Cached>,
}

#[derive(Deserialize)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Cached {
    cached_tokens: Option<u64>,
}

impl Meter {
    pub(super) fn new(endpoint: Endpoint, content_type: &str) -> Self {
        let is_stream = content_type.trim_start().starts_with("text/event-stream");
        Self { endpoint, events: is_stream.then(SseReader::default), reading: Reading::default() }
    }

    /// Takes in a piece of the answer.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        let Some(events) = &mut self.events else {
            return;
        };
        for data in events.push(chunk) {
            // Most events carry text only; they are not worth reading.
            if data.contains("\"usage\"") {
                self.read(&data);
            }
        }
    }

    /// Whether a stream has said its last word on usage.
    pub(super) fn is_settled(&self) -> bool {
        self.reading.settled
    }

    /// What was used. `body` is the whole answer, as far as it came.
    pub(super) fn finish(mut self, body: &[u8]) -> Reading {
        if self.events.is_none() {
            self.read(&String::from_utf8_lossy(body));
        }
        self.reading
    }

    fn read(&mut self, text: &str) {
        let Ok(message) = serde_json::from_str::<Said>(text) else {
            return;
        };
        let kind = message.kind.as_deref().unwrap_or_default();
        let whole = self.events.is_none();
        let (part, is_last) = match self.endpoint {
            Endpoint::Messages => match kind {
                "message_start" => (message.message, false),
                "message_delta" => (Some(message.own()), true),
                _ => (whole.then(|| message.own()), whole),
            },
            Endpoint::Responses => match kind {
                "response.completed" | "response.incomplete" | "response.failed" => {
                    (message.response, true)
                }
                _ => (whole.then(|| message.own()), whole),
            },
            Endpoint::ChatCompletions => (Some(message.own()), true),
            Endpoint::CountTokens | Endpoint::Models => (None, false),
        };
        if let Some(part) = part {
            self.take(part, is_last);
        }
    }

    fn take(&mut self, part: Part, is_last: bool) {
        if part.model.is_some() {
            self.reading.model = part.model;
        }
        if let Some(counts) = part.usage {
            let n_hour = counts.cache_creation.as_ref().and_then(|c| c.ephemeral_1h_input_tokens);
            self.reading.n_hour = self.reading.n_hour.max(n_hour.unwrap_or(0));
            self.reading.tokens = greatest(self.reading.tokens, counts.tokens());
            self.reading.settled |= is_last;
        }
    }
}

impl Said {
    fn own(self) -> Part {
        Part { model: self.model, usage: self.usage }
    }
}

impl Counts {
    fn tokens(&self) -> Tokens {
        let cached = self.prompt_tokens_details.as_ref().or(self.input_tokens_details.as_ref());
        let cached = cached.and_then(|cached| cached.cached_tokens).unwrap_or(0);
        let input = self.prompt_tokens.or(self.input_tokens).unwrap_or(0);
        Tokens {
            input: input.saturating_sub(cached),
            output: self.completion_tokens.or(self.output_tokens).unwrap_or(0),
            cache_read: self.cache_read_input_tokens.unwrap_or(0).max(cached),
            cache_write: self.cache_creation_input_tokens.unwrap_or(0),
        }
    }
}

impl Reading {
    /// The model to bill: the one that answered, or the one asked for where only that has a price.
    pub(super) fn billed_model<'a>(&'a self, asked: &'a str, prices: &Prices) -> &'a str {
        match &self.model {
            Some(model) if prices.price(model).is_some() || prices.price(asked).is_none() => model,
            Some(_) | None => asked,
        }
    }

    /// The bill. `is_served` says whether the service took the call at all.
    pub(super) fn usage(&self, asked: &str, prices: &Prices, is_served: bool) -> Usage {
        let model = self.billed_model(asked, prices);
        let cost = match prices.cost_with_hour_cache(model, self.tokens, self.n_hour) {
            Cost::Micros(micros) if self.settled => Cost::Micros(micros),
            _ if !is_served => Cost::Micros(0),
            Cost::Micros(known_micros) => Cost::Unknown { known_micros },
            unknown @ Cost::Unknown { .. } => unknown,
        };
        Usage { n_calls: 1, tokens: self.tokens, cost }
    }
}

fn greatest(a: Tokens, b: Tokens) -> Tokens {
    Tokens {
        input: a.input.max(b.input),
        output: a.output.max(b.output),
        cache_read: a.cache_read.max(b.cache_read),
        cache_write: a.cache_write.max(b.cache_write),
    }
}

#[cfg(test)]
mod tests;
