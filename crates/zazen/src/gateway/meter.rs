//! Counts the tokens of one call, from its answer.
//!
//! Reads what the service itself says it used, in all the shapes that are
//! spoken here, streamed or whole. Counts are running totals, so the greatest
//! one is the truth. A call whose last word on usage was not seen is not
//! settled: what is known of it is a lower bound, and never shown as a sum.

use serde::Deserialize;
use zazen_core::price::{Price, Prices};
use zazen_core::usage::{Amount, Cost, Tokens, Usage};

use super::request::Most;
use super::route::{Api, Endpoint};
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
    /// What the service said went wrong after its answer had begun.
    pub(super) error: Option<String>,
}

/// What a call is billed by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) prices: &'a Prices,
    /// What a model counts at that has no price.
    pub(super) unknown: Price,
    /// The model that was asked for.
    pub(super) asked: &'a str,
    pub(super) most: Most,
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
    error: Option<Trouble>,
    // Gemini.
    #[serde(rename = "modelVersion")]
    model_version: Option<String>,
    #[serde(rename = "usageMetadata")]
    usage_metadata: Option<Metadata>,
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(rename = "promptFeedback")]
    prompt_feedback: Option<Feedback>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

/// The counts of Gemini. The prompt's have the cached ones in them.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "promptTokenCount")]
    prompt: u64,
    #[serde(rename = "cachedContentTokenCount")]
    cached: u64,
    #[serde(rename = "toolUsePromptTokenCount")]
    tools: u64,
    #[serde(rename = "candidatesTokenCount")]
    candidates: u64,
    #[serde(rename = "thoughtsTokenCount")]
    thoughts: u64,
}

/// An error in the middle of an answer, in any of the shapes there are.
#[derive(Deserialize)]
struct Trouble {
    #[serde(rename = "type", alias = "status")]
    kind: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    model: Option<String>,
    usage: Option<Counts>,
    error: Option<Trouble>,
}

/// How much of what a service says of an error is kept, in characters.
const ERROR_CHARS_MAX: usize = 300;

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
            if ["\"usage\"", "\"usageMetadata\"", "\"error\""].iter().any(|key| data.contains(key))
            {
                self.read(&data);
            }
        }
    }

    /// Whether a stream has said its last word on usage.
    pub(super) fn is_settled(&self) -> bool {
        self.reading.settled
    }

    /// Whether a stream that always says why it ends has not done so.
    pub(super) fn is_without_end(&self) -> bool {
        let says_so = self.endpoint == Endpoint::StreamGenerate && self.events.is_some();
        says_so && !self.reading.settled && self.reading.error.is_none()
    }

    /// The answer ended in its middle. What the service itself says of that counts more.
    pub(super) fn note_broken_off(&mut self) {
        let error = || "the answer ended in its middle".to_owned();
        self.reading.error.get_or_insert_with(error);
    }

    /// What was used. `body` is the whole answer, as far as it came.
    pub(super) fn finish(mut self, body: &[u8]) -> Reading {
        if self.events.is_none() {
            self.read(&String::from_utf8_lossy(body));
        }
        self.reading
    }

    fn read(&mut self, text: &str) {
        // Gemini streams a list where nobody asks for events.
        if self.endpoint == Endpoint::StreamGenerate && text.trim_start().starts_with('[') {
            let list: Vec<Said> = serde_json::from_str(text).unwrap_or_default();
            for said in list {
                self.read_one(said);
            }
        } else if let Ok(said) = serde_json::from_str(text) {
            self.read_one(said);
        }
    }

    fn read_one(&mut self, mut message: Said) {
        self.note_error(&mut message);
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
            Endpoint::Generate | Endpoint::StreamGenerate => message.of_gemini(),
            Endpoint::CountTokens | Endpoint::Models | Endpoint::CountGeminiTokens => (None, false),
        };
        if let Some(part) = part {
            self.take(part, is_last);
        }
    }

    /// Only in a stream: an answer that is an error as a whole says so by its status.
    fn note_error(&mut self, message: &mut Said) {
        let of_part = || message.response.as_mut().and_then(|part| part.error.take());
        if let Some(Trouble { kind, message }) = message.error.take().or_else(of_part)
            && self.events.is_some()
        {
            let words = [kind, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
            self.reading.error = Some(words.chars().take(ERROR_CHARS_MAX).collect());
        }
    }

    fn take(&mut self, part: Part, is_last: bool) {
        if part.model.is_some() {
            self.reading.model = part.model;
        }
        if let Some(counts) = part.usage {
            let n_hour = counts.cache_creation.as_ref().and_then(|c| c.ephemeral_1h_input_tokens);
            self.reading.n_hour = self.reading.n_hour.max(n_hour.unwrap_or(0));
            self.reading.tokens = match self.endpoint.api() {
                // What was cached may be said later, and is then no other input any more.
                Some(Api::Gemini) => {
                    let (old, new) = (self.reading.tokens, counts.tokens());
                    if new.total() >= old.total() { new } else { old }
                }
                Some(Api::Anthropic | Api::OpenAi) | None => {
                    greatest(self.reading.tokens, counts.tokens())
                }
            };
            self.reading.settled |= is_last;
        }
    }
}

impl Said {
    fn own(self) -> Part {
        Part { model: self.model, usage: self.usage, error: None }
    }

    /// Of Gemini, each part of a stream has the counts so far; the last one has a reason to end.
    fn of_gemini(self) -> (Option<Part>, bool) {
        let is_blocked =
            self.prompt_feedback.is_some_and(|feedback| feedback.block_reason.is_some());
        let is_last =
            is_blocked || self.candidates.iter().any(|candidate| candidate.finish_reason.is_some());
        let usage = self.usage_metadata.map(|counts| Counts {
            prompt_tokens: Some(counts.prompt.saturating_add(counts.tools)),
            completion_tokens: Some(counts.candidates.saturating_add(counts.thoughts)),
            prompt_tokens_details: Some(Cached { cached_tokens: Some(counts.cached) }),
            ..Counts::default()
        });
        (Some(Part { model: self.model_version, usage, error: None }), is_last)
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
    ///
    /// Where the cost is not known, the worst case of it is assumed beside.
    pub(super) fn usage(&self, terms: &Terms<'_>, is_served: bool) -> Usage {
        let tokens = self.tokens;
        let mut usage = Usage { n_calls: 1, tokens, ..Usage::default() };
        if !self.settled && !is_served {
            return usage;
        }
        let price = terms.prices.price(self.billed_model(terms.asked, terms.prices));
        let price = price.filter(|_| !terms.most.has_other_price);
        let known = price.map_or(0, |price| price.micros(tokens, self.n_hour));
        if self.settled && price.is_some() {
            usage.cost = Cost::Micros(known);
            return usage;
        }
        usage.cost = Cost::Unknown { known_micros: known };
        let worst = self.worst(&price.unwrap_or(terms.unknown), terms.most);
        usage.assumed = worst.minus(Amount { micros: known, tokens: tokens.total() });
        usage
    }

    /// What the call came to at most.
    fn worst(&self, price: &Price, most: Most) -> Amount {
        let mut tokens = self.tokens;
        if !self.settled {
            tokens.output = tokens.output.max(most.output);
        }
        let is_input_known = tokens.total() > tokens.output;
        if self.settled || is_input_known {
            return Amount { micros: price.micros(tokens, self.n_hour), tokens: tokens.total() };
        }
        Amount {
            micros: price.micros_at_most(most.input, tokens.output),
            tokens: most.input.saturating_add(tokens.output),
        }
    }
}

impl Terms<'_> {
    /// What the call can come to at most.
    pub(super) fn worst(&self) -> Amount {
        let price = self.prices.price(self.asked).filter(|_| !self.most.has_other_price);
        Reading::default().worst(&price.unwrap_or(self.unknown), self.most)
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
