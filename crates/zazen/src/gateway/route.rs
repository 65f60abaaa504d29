//! Which calls there are, and where they go.
//!
//! A path from a run is only ever compared with the list in [`Endpoint`]; the
//! path that goes out is built from that list and the route's own base, so that
//! nothing a run writes (dots, escapes, a host) can lead elsewhere.

use hyper::Method;
use url::Url;

use super::secret::Secret;

/// Where calls go, and with which key.
#[derive(Debug, Clone)]
pub struct Route {
    pub api: Api,
    /// With or without a version at its end (`/v1`).
    pub base_url: Url,
    /// None for a local server that wants no key.
    pub key: Option<Secret>,
    /// The key is a person's login, which goes out in another header.
    pub is_login: bool,
    /// Patterns of the models that may be asked for, as prices have them. Empty means any.
    pub models: Vec<String>,
}

/// How a model's service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Anthropic's Messages.
    Anthropic,
    /// `OpenAI`'s Chat Completions and Responses.
    OpenAi,
    /// Google's Gemini.
    Gemini,
}

impl Api {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Anthropic, Self::OpenAi, Self::Gemini];
}

/// A call that a run may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Endpoint {
    Messages,
    CountTokens,
    ChatCompletions,
    Responses,
    Models,
    /// The model of these is in their path.
    Generate,
    StreamGenerate,
    CountGeminiTokens,
}

/// The beginnings of Gemini's paths. Calls go out with the first of them.
const GEMINI_PATHS: [&str; 2] = ["v1beta/models/", "v1/models/"];

/// How long the name of a model in a path may be. The longest ones have some forty characters.
const MODEL_BYTES_MAX: usize = 100;

/// What may stand in a query. Anything else is left out: a key of someone else,
/// for one, could make the service act for them.
const QUERY_KEYS: [&str; 6] = ["beta", "limit", "after_id", "before_id", "api-version", "alt"];

impl Endpoint {
    /// The call that a method and a path (after the route's name) stand for.
    pub(super) fn of(api: Api, method: &Method, path: &str) -> Option<Self> {
        let endpoints: &[Self] = match api {
            Api::Anthropic => &[Self::Messages, Self::CountTokens, Self::Models],
            Api::OpenAi => &[Self::ChatCompletions, Self::Responses, Self::Models],
            Api::Gemini => {
                return gemini_call(path).map(|(is, _)| is).filter(|_| *method == Method::POST);
            }
        };
        let is = |endpoint: &&Self| endpoint.method() == *method && endpoint.path() == path;
        endpoints.iter().find(is).copied()
    }

    /// The call whose path ends like this one, whatever stands before.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let from = path.rfind("v1/").or_else(|| path.rfind("v1beta/"))?;
        let path = &path[from..];
        if let Some((endpoint, _)) = gemini_call(path) {
            return Some(endpoint);
        }
        [Self::Messages, Self::CountTokens, Self::ChatCompletions, Self::Responses, Self::Models]
            .into_iter()
            .find(|endpoint| endpoint.path() == path)
    }

    /// The path after the route's name; that of Gemini without what stands before the model.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Messages => "v1/messages",
            Self::CountTokens => "v1/messages/count_tokens",
            Self::ChatCompletions => "v1/chat/completions",
            Self::Responses => "v1/responses",
            Self::Models => "v1/models",
            Self::Generate => "generateContent",
            Self::StreamGenerate => "streamGenerateContent",
            Self::CountGeminiTokens => "countTokens",
        }
    }

    /// The whole path after the route's name.
    pub(super) fn path_of(self, model: &str) -> String {
        match self.api() {
            Some(Api::Gemini) => format!("{}{model}:{}", GEMINI_PATHS[0], self.path()),
            Some(Api::Anthropic | Api::OpenAi) | None => self.path().to_owned(),
        }
    }

    /// The API that it belongs to, if it does to one only.
    pub(super) fn api(self) -> Option<Api> {
        match self {
            Self::Messages | Self::CountTokens => Some(Api::Anthropic),
            Self::ChatCompletions | Self::Responses => Some(Api::OpenAi),
            Self::Generate | Self::StreamGenerate | Self::CountGeminiTokens => Some(Api::Gemini),
            Self::Models => None,
        }
    }

    pub(super) fn method(self) -> Method {
        match self {
            Self::Models => Method::GET,
            Self::Messages
            | Self::CountTokens
            | Self::ChatCompletions
            | Self::Responses
            | Self::Generate
            | Self::StreamGenerate
            | Self::CountGeminiTokens => Method::POST,
        }
    }

    /// Whether a model answers, and is paid for it.
    pub(super) fn is_billed(self) -> bool {
        match self {
            Self::Messages
            | Self::ChatCompletions
            | Self::Responses
            | Self::Generate
            | Self::StreamGenerate => true,
            Self::CountTokens | Self::Models | Self::CountGeminiTokens => false,
        }
    }
}

impl Route {
    /// The address of a call.
    pub(super) fn url(&self, (endpoint, model): (Endpoint, &str), query: Option<&str>) -> Url {
        let mut url = self.base_url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let whole = endpoint.path_of(model);
        let path = match whole.split_once('/') {
            Some((_, rest)) if base.rsplit('/').next().is_some_and(is_version) => rest,
            Some(_) | None => &whole,
        };
        url.set_path(&format!("{base}/{path}"));
        url.set_query(query);
        url.set_fragment(None);
        url
    }
}

/// What a path of Gemini asks for, and of which model.
pub(super) fn gemini_call(path: &str) -> Option<(Endpoint, &str)> {
    let rest = GEMINI_PATHS.iter().find_map(|beginning| path.strip_prefix(beginning))?;
    let (model, what) = rest.split_once(':')?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if model.is_empty() || model.len() > MODEL_BYTES_MAX || !model.bytes().all(is_name) {
        return None;
    }
    let calls = [Endpoint::Generate, Endpoint::StreamGenerate, Endpoint::CountGeminiTokens];
    calls.into_iter().find(|call| call.path() == what).map(|call| (call, model))
}

/// What of a query goes out.
pub(super) fn check_query(query: &str) -> Option<String> {
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| QUERY_KEYS.contains(&pair.split('=').next().unwrap_or_default()))
        .collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

fn is_version(segment: &str) -> bool {
    let digits = segment.strip_prefix('v').unwrap_or_default();
    let digits = digits.trim_end_matches("beta");
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests;
