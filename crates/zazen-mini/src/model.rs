//! One call of the model: the history goes out, one whole answer comes back.
//!
//! An answer that breaks off is no answer: nothing of it is kept. What a failure
//! means is in `failure`; trying again is the work of `agent`. The wire formats are
//! the library's work; what it must be kept from doing is here: proxies from the
//! environment, redirects, reading meaning into a model's name.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{
    CacheControl, ChatMessage, ChatOptions, ChatRequest, ChatRole, ChatStreamEvent, ContentPart,
    MessageContent, ReasoningEffort, StopReason, StreamEnd, ToolCall, Usage,
};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use serde_json::json;
use tokio::time::timeout;

use crate::event::Event;
use crate::failure::{Failure, chain};
use crate::{Api, Options, prompt};

/// The model, and how to reach it.
pub(crate) struct Model {
    client: Client,
    target: ServiceTarget,
    options: ChatOptions,
    system: String,
}

/// One whole answer.
pub(crate) struct Answer {
    /// The answer as the history keeps it; absent when there is nothing in it.
    pub(crate) message: Option<ChatMessage>,
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) stop: Option<StopReason>,
    pub(crate) usage: Event,
}

/// One call of a tool, as the model made it.
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) tool: String,
    /// The command, or the arguments that none could be read from.
    pub(crate) command: Result<String, String>,
}

/// How long a connection may take. The endpoint is on this machine.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the first byte of an answer may take. Models that think at length
/// before they speak take minutes.
const HEADER_TIMEOUT: Duration = Duration::from_secs(600);

/// How long an answer may pause. Endpoints send something every few seconds;
/// five minutes of silence is a dead connection.
const READ_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a whole answer may take: the longest ones, at the slowest pace seen.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1800);

/// How many messages are marked as ends of what is to be cached: the newest, and
/// the one before, whose mark is where the cache was last written.
const CACHE_MARKS: usize = 2;

impl Model {
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let base_url = options.base_url.trim_end_matches('/');
        let (adapter, endpoint) = match options.api {
            Api::Anthropic if base_url.ends_with("/v1") => (AdapterKind::Anthropic, base_url),
            Api::Anthropic => (AdapterKind::Anthropic, &*format!("{base_url}/v1")),
            Api::OpenAi => (AdapterKind::OpenAI, base_url),
        };
        let target = ServiceTarget {
            endpoint: Endpoint::from_owned(format!("{endpoint}/")),
            auth: AuthData::from_single(&options.token),
            model: ModelIden::new(adapter, plain_name(&options.model)),
        };
        let chat_options = ChatOptions::default()
            .with_capture_content(true)
            .with_capture_reasoning_content(true)
            .with_capture_tool_calls(true)
            .with_capture_usage(true)
            .with_stream_header_timeout(HEADER_TIMEOUT)
            .with_stream_read_timeout(READ_TIMEOUT)
            .with_extra_body(json!({ "model": options.model }));
        let client = Client::builder().with_reqwest(http_client()?).build();
        Ok(Self {
            client: client.map_err(|err| chain(&err))?,
            target,
            options: chat_options,
            system: prompt::system(options),
        })
    }

    /// Asks for the next answer to `history`.
    pub(crate) async fn ask(&self, history: &[ChatMessage]) -> Result<Answer, Failure> {
        let mut messages = history.to_vec();
        if self.target.model.adapter_kind == AdapterKind::Anthropic {
            mark_for_cache(&mut messages);
        }
        let request = ChatRequest::new(messages)
            .with_system(self.system.as_str())
            .with_tools([prompt::tool()]);
        let end =
            timeout(ANSWER_TIMEOUT, self.stream(request)).await.unwrap_or_else(|_elapsed| {
                Err(Failure::passing(format!("no whole answer in {} s", ANSWER_TIMEOUT.as_secs())))
            })?;
        Ok(Answer::new(end))
    }

    async fn stream(&self, request: ChatRequest) -> Result<StreamEnd, Failure> {
        let response = self
            .client
            .exec_chat_stream(self.target.clone(), request, Some(&self.options))
            .await
            .map_err(|err| Failure::new(&err))?;
        let mut stream = response.stream;
        while let Some(event) = stream.next().await {
            if let ChatStreamEvent::End(end) = event.map_err(|err| Failure::new(&err))? {
                return Ok(end);
            }
        }
        Err(Failure::broken_off())
    }
}

/// The part of a model's name that the library has no ideas about: it takes
/// `x::` for an endpoint and `-max` for an effort, even in the name of `qwen-max`.
/// What is sent is the name as it was given.
fn plain_name(model: &str) -> &str {
    let mut name = model.rsplit("::").next().unwrap_or(model);
    while let (Some(_effort), rest) = ReasoningEffort::from_model_name(name) {
        name = rest;
    }
    name
}

/// A client that goes where it is told and nowhere else: no proxy from the
/// environment, no redirect, and no TLS, whose root certificates a sandbox may lack.
fn http_client() -> Result<reqwest::Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let no_tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|err| chain(&err))?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(no_tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .no_gzip()
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
        .map_err(|err| chain(&err))
}

fn mark_for_cache(messages: &mut [ChatMessage]) {
    let ours = messages.iter_mut().rev().filter(|message| message.role != ChatRole::Assistant);
    for message in ours.take(CACHE_MARKS) {
        message.options = Some(CacheControl::Ephemeral.into());
    }
}

impl Answer {
    fn new(end: StreamEnd) -> Self {
        let content = end.captured_content.unwrap_or_default();
        let text = content.texts().concat();
        let calls = content.tool_calls().into_iter().map(Call::new).collect();
        let mut content: MessageContent =
            content.into_parts().into_iter().filter_map(kept).collect();
        // Thoughts alone cannot be sent back.
        let has_words = content.contains_text() || content.contains_tool_call();
        if let Some(reasoning) = end.captured_reasoning_content
            && !content.contains_reasoning_content()
        {
            content.push(ContentPart::ReasoningContent(reasoning));
        }
        Self {
            message: has_words.then(|| ChatMessage::assistant(content)),
            text,
            calls,
            stop: end.captured_stop_reason,
            usage: usage(&end.captured_usage.unwrap_or_default()),
        }
    }
}

/// What of an answer can be sent back: endpoints refuse blank texts, and calls
/// whose arguments are no object.
fn kept(mut part: ContentPart) -> Option<ContentPart> {
    if part.as_text().is_some_and(|text| text.trim().is_empty()) {
        return None;
    }
    if let ContentPart::ToolCall(call) = &mut part
        && !call.fn_arguments.is_object()
    {
        call.fn_arguments = json!({ "invalid": call.fn_arguments.take() });
    }
    Some(part)
}

/// The library counts what the cache read and wrote as input, on every wire.
fn usage(usage: &Usage) -> Event {
    let count = |n: Option<i32>| u64::try_from(n.unwrap_or(0)).unwrap_or(0);
    let details = usage.prompt_tokens_details.as_ref();
    let cache_read = count(details.and_then(|details| details.cached_tokens));
    let cache_write = count(details.and_then(|details| details.cache_creation_tokens));
    Event::Usage {
        input: count(usage.prompt_tokens).saturating_sub(cache_read).saturating_sub(cache_write),
        output: count(usage.completion_tokens),
        cache_read,
        cache_write,
    }
}

impl Call {
    fn new(call: &ToolCall) -> Self {
        let arguments = &call.fn_arguments;
        let unread = || arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned);
        let command = arguments["command"].as_str().map(str::to_owned).ok_or_else(unread);
        Self { id: call.call_id.clone(), tool: call.fn_name.clone(), command }
    }
}

#[cfg(test)]
mod tests;
