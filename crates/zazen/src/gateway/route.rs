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
}

/// How a model's service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Anthropic's Messages.
    Anthropic,
    /// `OpenAI`'s Chat Completions and Responses.
    OpenAi,
}

/// A call that a run may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Endpoint {
    Messages,
    CountTokens,
    ChatCompletions,
    Responses,
    Models,
}

/// What may stand in a query. Anything else is left out: a key of someone else,
/// for one, could make the service act for them.
const QUERY_KEYS: [&str; 5] = ["beta", "limit", "after_id", "before_id", "api-version"];

impl Endpoint {
    /// The call that a method and a path (after the route's name) stand for.
    pub(super) fn of(api: Api, method: &Method, path: &str) -> Option<Self> {
        let endpoints: &[Self] = match api {
            Api::Anthropic => &[Self::Messages, Self::CountTokens, Self::Models],
            Api::OpenAi => &[Self::ChatCompletions, Self::Responses, Self::Models],
        };
        let is = |endpoint: &&Self| endpoint.method() == *method && endpoint.path() == path;
        endpoints.iter().find(is).copied()
    }

    /// The call whose path ends like this one, whatever stands before.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let path = &path[path.rfind("v1/")?..];
        [Self::Messages, Self::CountTokens, Self::ChatCompletions, Self::Responses, Self::Models]
            .into_iter()
            .find(|endpoint| endpoint.path() == path)
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Messages => "v1/messages",
            Self::CountTokens => "v1/messages/count_tokens",
            Self::ChatCompletions => "v1/chat/completions",
            Self::Responses => "v1/responses",
            Self::Models => "v1/models",
        }
    }

    pub(super) fn method(self) -> Method {
        match self {
            Self::Models => Method::GET,
            Self::Messages | Self::CountTokens | Self::ChatCompletions | Self::Responses => {
                Method::POST
            }
        }
    }

    /// Whether a model answers, and is paid for it.
    pub(super) fn is_billed(self) -> bool {
        match self {
            Self::Messages | Self::ChatCompletions | Self::Responses => true,
            Self::CountTokens | Self::Models => false,
        }
    }
}

impl Route {
    /// The address of a call.
    pub(super) fn url(&self, endpoint: Endpoint, query: Option<&str>) -> Url {
        let mut url = self.base_url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let path = if base.rsplit('/').next().is_some_and(is_version) {
            endpoint.path().trim_start_matches("v1/")
        } else {
            endpoint.path()
        };
        url.set_path(&format!("{base}/{path}"));
        url.set_query(query);
        url.set_fragment(None);
        url
    }
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
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests;
