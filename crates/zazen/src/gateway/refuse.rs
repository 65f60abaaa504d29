//! How the gateway says no, so that a harness understands it.
//!
//! Each refusal is answered in the error shape of the API that was spoken to,
//! names the rule, and says nothing about what is behind the gateway. The
//! status is chosen for what the vendors' clients do with it: nothing that
//! cannot get better is tried again.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use zazen_core::budget::Exceeded;
use zazen_core::id::Time;
use zazen_core::limit::Closing;
use zazen_core::task::Why;
use zazen_core::words;

use super::call::now_ms;
use super::forward::{Pipe, Reply};
use super::route::Api;

/// Why a call was not made, or not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("this is not the token of this run, or the run is over (rule `run-token`)")]
    Token,
    #[error("`{method} {path}` is not a call that this run may make (rule `model-paths`)")]
    Path { method: String, path: String },
    #[error("the request is larger than {max} bytes (rule `request-size`)")]
    TooLarge { max: usize },
    #[error("the request has more than {max} values in its JSON (rule `request-size`)")]
    TooManyValues { max: usize },
    #[error("the request is not what the API takes: {why} (rule `request-json`)")]
    Body { why: String },
    #[error("`background` answers cannot be metered (rule `no-background`)")]
    Background,
    #[error("the route allows {allowed} and not `{model}` (rule `models`)")]
    Model { model: String, allowed: String },
    #[error("{}; no call is made until that changes (rule `budget`)", words::exceeded(.0))]
    Budget(Exceeded),
    #[error("{}; it is not asked meanwhile (rule `limits`)", words::closed(.0))]
    Closed(Closing),
    #[error("other calls use what is left of a budget (rule `budget`)")]
    Waited,
    #[error("the request did not arrive in time (rule `request-time`)")]
    Slow,
    #[error("this run has too many large requests under way (rule `request-size`)")]
    Busy,
    #[error("the model's service cannot be reached")]
    Unreachable,
    #[error("the model's service did not answer: {why}")]
    Upstream { why: &'static str },
    #[error("the recording has no answer for `{label}`, turn {turn}, `{path}`")]
    NoAnswer { label: String, turn: u32, path: &'static str },
    #[error("the recording of this run cannot be written (rule `record-all`)")]
    NoRecording,
    #[error("the gateway failed at this call")]
    Bug,
}

impl Refusal {
    pub(super) fn status(&self, api: Api) -> StatusCode {
        match self {
            // Final for all: some clients of OpenAI's API take a 403 for a moment's trouble.
            Self::Budget(_) | Self::Model { .. } if api == Api::OpenAi => StatusCode::BAD_REQUEST,
            Self::Budget(_) | Self::Model { .. } => StatusCode::FORBIDDEN,
            // So that no client takes it for a moment's trouble. Those of Anthropic obey a header.
            Self::Closed(_) if api == Api::OpenAi => StatusCode::BAD_REQUEST,
            Self::Closed(_) if api == Api::Gemini => StatusCode::FORBIDDEN,
            Self::Closed(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Path { .. } => StatusCode::NOT_FOUND,
            Self::TooLarge { .. } | Self::TooManyValues { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Body { .. } => StatusCode::BAD_REQUEST,
            Self::Background => StatusCode::FORBIDDEN,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Waited => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreachable | Self::Upstream { .. } => StatusCode::BAD_GATEWAY,
            Self::NoAnswer { .. } | Self::NoRecording | Self::Bug => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The vendors' word for it; they use the same ones, but for the size.
    fn kind(&self) -> &'static str {
        match self {
            Self::Token => "authentication_error",
            Self::Path { .. } => "not_found_error",
            Self::TooLarge { .. } | Self::TooManyValues { .. } => "request_too_large",
            Self::Body { .. } | Self::Slow => "invalid_request_error",
            Self::Background | Self::Model { .. } => "permission_error",
            Self::Budget(_) => "budget_exceeded",
            Self::Closed(closing) if closing.why == Why::Overloaded => "overloaded_error",
            Self::Closed(_) => "usage_limit_reached",
            Self::Busy | Self::Waited => "overloaded_error",
            Self::Unreachable
            | Self::Upstream { .. }
            | Self::NoAnswer { .. }
            | Self::NoRecording
            | Self::Bug => "api_error",
        }
    }

    /// Whether the same call may go better a moment later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Busy | Self::Waited | Self::Slow | Self::Unreachable | Self::Upstream { .. } => {
                true
            }
            Self::Token
            | Self::Path { .. }
            | Self::TooLarge { .. }
            | Self::TooManyValues { .. }
            | Self::Body { .. }
            | Self::Background
            | Self::Model { .. }
            | Self::Budget(_)
            | Self::Closed(_)
            | Self::NoAnswer { .. }
            | Self::NoRecording
            | Self::Bug => false,
        }
    }

    /// Whether the service may have charged for the call all the same.
    pub(super) fn may_have_cost(&self) -> bool {
        matches!(self, Self::Upstream { .. } | Self::Bug)
    }

    /// The refusal in the API's own error shape.
    pub(super) fn body(&self, api: Api) -> Value {
        let message = format!("zazen gateway: {self}");
        match api {
            Api::Anthropic => {
                json!({"type": "error", "error": {"type": self.kind(), "message": message}})
            }
            Api::OpenAi => {
                let kind = self.kind();
                json!({"error": {"message": message, "type": kind, "param": null, "code": kind}})
            }
            Api::Gemini => {
                let status = self.status(api);
                let (code, status) = (status.as_u16(), gemini_status(status));
                json!({"error": {"code": code, "message": message, "status": status}})
            }
        }
    }

    pub(super) fn response(&self, api: Api) -> Response<Reply> {
        let mut response = Response::new(full(self.body(api).to_string()));
        *response.status_mut() = self.status(api);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // The clients of both vendors obey this before they look at the status.
        let retry = if self.may_pass() { "true" } else { "false" };
        headers.insert("x-should-retry", HeaderValue::from_static(retry));
        if let Self::Closed(Closing { until: Some(until), .. }) = self
            // Some of its clients would wait for so long.
            && api != Api::OpenAi
        {
            let seconds = until.millis_since(Time(now_ms())).div_ceil(1000);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Google's word for a status.
fn gemini_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "UNAUTHENTICATED",
        StatusCode::FORBIDDEN => "PERMISSION_DENIED",
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::REQUEST_TIMEOUT => "DEADLINE_EXCEEDED",
        StatusCode::INTERNAL_SERVER_ERROR => "INTERNAL",
        status if status.is_server_error() => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    }
}

/// A whole body.
pub(super) fn full(text: impl Into<Bytes>) -> Either<Full<Bytes>, Pipe> {
    Either::Left(Full::new(text.into()))
}
