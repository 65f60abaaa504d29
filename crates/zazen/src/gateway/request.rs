//! What a run asks: read as far as the gateway must know it, and no further.
//!
//! The bytes go out as they came, but for one field that makes streamed chat
//! answers say their usage. [`Facts`] is what a recording keeps of a request;
//! it takes longer to find out and is not needed before the call goes out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName};
use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::refuse::Refusal;
use super::route::{Api, Endpoint, check_query, gemini_call};
use super::secret::Veil;

/// A request that may go out.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) endpoint: Endpoint,
    pub(super) query: Option<String>,
    /// Those that may go out; no credential is among them.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Empty where the call names none.
    pub(super) model: String,
    pub(super) most: Most,
}

/// What a call can come to at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Most {
    pub(super) input: u64,
    pub(super) output: u64,
    /// It asks to be served faster, slower or elsewhere, at a price that is not in the list.
    pub(super) has_other_price: bool,
}

/// What a recording knows a request by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// How many answers of the model the request quotes: 0 for the first one.
    pub(super) turn: u32,
    /// The hash of `body`.
    pub(super) hash: String,
    /// The body, normalised and without secrets.
    pub(super) body: Value,
}

#[derive(Deserialize, Default)]
struct Head {
    model: Option<String>,
    stream: Option<bool>,
    background: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<Value>,
    max_completion_tokens: Option<Value>,
    max_output_tokens: Option<Value>,
    n: Option<Value>,
    #[serde(rename = "generationConfig", alias = "generation_config")]
    generation: Option<Generation>,
    service_tier: Option<String>,
    speed: Option<String>,
    inference_geo: Option<String>,
    previous_response_id: Option<Value>,
    conversation: Option<Value>,
    #[serde(rename = "cachedContent", alias = "cached_content")]
    cached_content: Option<Value>,
}

/// Of a request to Gemini.
#[derive(Deserialize, Default)]
struct Generation {
    #[serde(rename = "maxOutputTokens", alias = "max_output_tokens")]
    max_tokens: Option<Value>,
    #[serde(rename = "candidateCount", alias = "candidate_count")]
    n: Option<Value>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// The headers that go out as they came. Everything else stays here:
/// credentials, cookies, what is meant for proxies, and whatever is new.
const FORWARDED: [HeaderName; 6] = [
    hyper::header::CONTENT_TYPE,
    hyper::header::ACCEPT,
    hyper::header::USER_AGENT,
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("anthropic-beta"),
    HeaderName::from_static("openai-beta"),
];

/// How many values a request's JSON may have. Long conversations have some ten
/// thousands, as most of their bytes are in texts; a body of nothing but
/// brackets would take a gigabyte of the daemon's memory to read.
const VALUES_MAX: usize = 500_000;

/// How many bytes of a request are one token at the least. English has four, code three.
const BYTES_PER_TOKEN: u64 = 2;

/// How many tokens an answer may have where the request does not say: the most that the
/// vendors' large models write.
const OUTPUT_TOKENS_MAX: u64 = 128_000;

/// How many tokens may go in beside what is in the request, where it refers to what the
/// service has kept: as many as most models read at all.
const KEPT_TOKENS_MAX: u64 = 400_000;

/// The tiers at list prices, or at lower ones.
const LISTED_TIERS: [&str; 6] = ["auto", "default", "standard", "standard_only", "flex", "batch"];

impl Asked {
    /// Checks what can be checked without knowing where the call goes.
    pub(super) fn check(endpoint: Endpoint, head: &Parts, body: Bytes) -> Result<Self, Refusal> {
        let mut headers = HeaderMap::new();
        for name in &FORWARDED {
            for value in head.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        let query = head.uri.query().and_then(check_query);
        if endpoint == Endpoint::Models {
            let (body, model, most) = (Bytes::new(), String::new(), Most::default());
            return Ok(Self { endpoint, query, headers, body, model, most });
        }
        let text = std::str::from_utf8(&body).map_err(|err| invalid(&err))?;
        if n_values(text) > VALUES_MAX {
            return Err(Refusal::TooManyValues { max: VALUES_MAX });
        }
        let fields: Head = serde_json::from_str(text).map_err(|err| invalid(&err))?;
        if fields.background == Some(true) {
            return Err(Refusal::Background);
        }
        let most = fields.most(text.len());
        let says_usage = fields.stream_options.and_then(|options| options.include_usage);
        let must_ask = endpoint == Endpoint::ChatCompletions
            && fields.stream == Some(true)
            && says_usage != Some(true);
        let asking =
            if must_ask { Some(with_usage(text).map_err(|err| invalid(&err))?) } else { None };
        let model = match endpoint.api() {
            Some(Api::Gemini) => model_in(head.uri.path()),
            Some(Api::Anthropic | Api::OpenAi) | None => fields.model.unwrap_or_default(),
        };
        Ok(Self { endpoint, query, headers, body: asking.unwrap_or(body), model, most })
    }
}

/// The model in a path of Gemini, after the route's name.
fn model_in(path: &str) -> String {
    let rest = path.trim_start_matches('/').split_once('/').map_or("", |(_, rest)| rest);
    gemini_call(rest).map(|(_, model)| model.to_owned()).unwrap_or_default()
}

impl Head {
    fn most(&self, n_bytes: usize) -> Most {
        let of_gemini = self.generation.as_ref();
        let output = [
            self.max_tokens.as_ref(),
            self.max_completion_tokens.as_ref(),
            self.max_output_tokens.as_ref(),
            of_gemini.and_then(|of| of.max_tokens.as_ref()),
        ];
        let output = output.into_iter().flatten().filter_map(Value::as_u64).max();
        let n = self.n.as_ref().or(of_gemini.and_then(|of| of.n.as_ref()));
        let n = n.and_then(Value::as_u64).unwrap_or(1).max(1);
        // Nothing and null are the same to serde here.
        let kept = [&self.previous_response_id, &self.conversation, &self.cached_content];
        let kept = if kept.into_iter().any(Option::is_some) { KEPT_TOKENS_MAX } else { 0 };
        let is_other = |value: &Option<String>, listed: &[&str]| {
            value.as_ref().is_some_and(|value| !listed.contains(&value.as_str()))
        };
        Most {
            input: (n_bytes as u64).div_ceil(BYTES_PER_TOKEN).saturating_add(kept),
            output: output.unwrap_or(OUTPUT_TOKENS_MAX).saturating_mul(n),
            has_other_price: is_other(&self.service_tier, &LISTED_TIERS)
                || is_other(&self.speed, &["standard"])
                || is_other(&self.inference_geo, &["", "global"]),
        }
    }
}

impl Facts {
    /// Finds out what a recording knows this request by.
    pub(super) fn read(endpoint: Endpoint, body: &[u8], veil: &Veil) -> Self {
        let body = normalise(parse(body), veil);
        let hash = blake3::hash(body.to_string().as_bytes()).to_hex().to_string();
        Self { turn: turn(endpoint, &body), hash, body }
    }
}

/// The one form of all JSON texts that say the same: keys sorted, secrets replaced.
pub(super) fn normalise(value: Value, veil: &Veil) -> Value {
    match value {
        Value::String(text) => Value::String(veil.over(text)),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| normalise(item, veil)).collect())
        }
        Value::Object(fields) => {
            // The order of `Map` depends on a feature that any crate may turn on.
            let sorted: BTreeMap<String, Value> = fields
                .into_iter()
                .map(|(key, value)| (veil.over(key), normalise(value, veil)))
                .collect();
            Value::Object(sorted.into_iter().collect())
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => scalar,
    }
}

/// The value of a body, or its text where no value can be made of it: halves
/// of emoji that an agent has cut, for one, are JSON but not text.
fn parse(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    serde_json::from_slice(body).unwrap_or_else(|_| text())
}

fn invalid(why: &impl ToString) -> Refusal {
    Refusal::Body { why: why.to_string() }
}

fn turn(endpoint: Endpoint, body: &Value) -> u32 {
    let items = match endpoint {
        Endpoint::Messages | Endpoint::CountTokens | Endpoint::ChatCompletions => {
            body.get("messages")
        }
        Endpoint::Responses => body.get("input"),
        Endpoint::Generate | Endpoint::StreamGenerate | Endpoint::CountGeminiTokens => {
            body.get("contents")
        }
        Endpoint::Models => None,
    };
    let items = items.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    u32::try_from(items.iter().filter(|item| is_of_model(item)).count()).unwrap_or(u32::MAX)
}

/// Whether a message, or an item of a Responses request, was the model's.
fn is_of_model(item: &Value) -> bool {
    let field = |name| item.get(name).and_then(Value::as_str);
    match (field("role"), field("type")) {
        (Some(role), _) => matches!(role, "assistant" | "model"),
        (None, Some(kind)) => {
            !kind.ends_with("_output") && kind != "item_reference" && kind != "message"
        }
        (None, None) => false,
    }
}

/// The same request, with usage in its streamed answer.
fn with_usage(text: &str) -> serde_json::Result<Bytes> {
    let mut fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text)?;
    let options = fields.get("stream_options").map(|raw| serde_json::from_str(raw.get()));
    let mut options: Map<String, Value> = match options {
        Some(options) => options.unwrap_or_default(),
        None => Map::new(),
    };
    options.insert("include_usage".to_owned(), Value::Bool(true));
    let options = serde_json::value::to_raw_value(&options)?;
    fields.insert(Cow::Borrowed("stream_options"), &options);
    Ok(serde_json::to_vec(&fields)?.into())
}

/// How many values a JSON text has at most, found without reading it into memory.
fn n_values(text: &str) -> usize {
    let mut is_string = false;
    let mut is_escaped = false;
    let mut n_values = 1;
    for byte in text.bytes() {
        if is_string {
            is_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
        } else {
            is_string = byte == b'"';
            n_values += usize::from(matches!(byte, b',' | b'[' | b'{'));
        }
    }
    n_values
}

#[cfg(test)]
mod tests;
