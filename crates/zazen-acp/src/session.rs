//! One session with an agent, as a value: messages go in, messages and events come out.
//!
//! It knows no process and no clock, so that recorded streams can be played through
//! it. One request of ours is under way at a time: greet, log in, open, set the mode,
//! prompt. `answer` reads what comes back, `update` what is told meanwhile, and this
//! file answers what the agent asks.

mod answer;
mod mode;
mod update;

use std::collections::VecDeque;
use std::path::PathBuf;

use agent_client_protocol_schema::ProtocolVersion;
use agent_client_protocol_schema::v1::{
    AGENT_METHOD_NAMES, CLIENT_METHOD_NAMES, CancelNotification, Implementation, InitializeRequest,
    PermissionOptionId, PromptRequest, RequestPermissionOutcome, RequestPermissionRequest,
    RequestPermissionResponse, SelectedPermissionOutcome, SessionId,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::event::{Claim, Event, Steer};
use crate::failure::RpcError;
use crate::lines::{Piece, pieces};
use crate::permission::{self, Policy, Wish};
use crate::speech::Speech;
use crate::tools::{self, Tools};

/// What is wanted of the agent.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) prompt: String,
    pub(crate) cwd: PathBuf,
    /// The session to go on with.
    pub(crate) resume: Option<String>,
    /// Modes to be set: the first one that the agent has.
    pub(crate) modes: Vec<String>,
    /// The way to log in, for agents that have to be told.
    pub(crate) login: Option<String>,
    pub(crate) policy: Policy,
    /// Servers of tools, as the protocol says each.
    pub(crate) servers: Vec<Value>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Session {
    wanted: Wanted,
    stage: Stage,
    /// The number of requests sent, which is the id of the one that is under way.
    n_sent: u64,
    out: VecDeque<Out>,
    id: Option<SessionId>,
    /// What the agent calls itself.
    agent: String,
    /// It asks servers of tools that are not programs.
    asks_services: bool,
    speech: Speech,
    tools: Tools,
    /// Messages that came during the run, not handed over yet, with their ids.
    messages: VecDeque<(String, String)>,
    /// The agent has asked for messages by itself, so it is not interrupted for them.
    asks_for_messages: bool,
    cancelled: Cancelled,
    /// Why the last thing that it did was not allowed.
    refused: Option<String>,
    /// How often it was told to go on without what was not allowed.
    n_told_to_go_on: u32,
    n_turns: u32,
}

/// What comes out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Out {
    /// One line for the agent.
    Send(String),
    /// One event for whoever reads ours.
    Tell(Event),
}

/// What is waited for, for whoever has a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// The agent is starting up.
    ForStart,
    /// It works, for as long as it likes.
    ForAnswer,
    /// It was told to stop.
    ForStop,
    /// The session is over.
    No,
}

/// Whether the turn was cancelled, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelled {
    No,
    /// So that a message can be handed over.
    ForMessage,
    /// For good.
    ForGood,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greet,
    LogIn,
    Open,
    SetMode,
    Prompt,
    Over,
}

/// How an agent begins its last words that ends its turn with an error for an answer.
const ERROR_SIGN: &str = "Error: ";

/// The agent's own question for messages that came during its turn: of Qwen Code.
const ASKS_FOR_MESSAGES: &str = "craft/drainMidTurnQueue";

/// How often an agent that ends its turn where it was not allowed something is told to go on.
/// One that tries the same again and again is not going to stop.
const N_TOLD_TO_GO_ON_MAX: u32 = 8;

/// JSON-RPC's code for a method that is not there.
const METHOD_NOT_FOUND: i32 = -32601;

impl Session {
    /// A session that says hello.
    pub(crate) fn new(wanted: Wanted) -> Self {
        let mut session = Self {
            wanted,
            stage: Stage::Greet,
            n_sent: 0,
            out: VecDeque::new(),
            id: None,
            agent: String::new(),
            asks_services: false,
            speech: Speech::default(),
            tools: Tools::default(),
            messages: VecDeque::new(),
            asks_for_messages: false,
            cancelled: Cancelled::No,
            refused: None,
            n_told_to_go_on: 0,
            n_turns: 0,
        };
        // It offers nothing: an agent in a sandbox reads files and runs commands itself.
        let us = Implementation::new("zazen", env!("CARGO_PKG_VERSION"));
        let hello = InitializeRequest::new(ProtocolVersion::V1).client_info(us);
        session.request(Stage::Greet, AGENT_METHOD_NAMES.initialize, &hello);
        session
    }

    /// What has come out since it was last asked.
    pub(crate) fn take_out(&mut self) -> impl Iterator<Item = Out> + '_ {
        self.out.drain(..)
    }

    pub(crate) fn waits(&self) -> Waits {
        match self.stage {
            Stage::Over => Waits::No,
            _ if self.is_stopping() => Waits::ForStop,
            Stage::Prompt => Waits::ForAnswer,
            Stage::Greet | Stage::LogIn | Stage::Open | Stage::SetMode => Waits::ForStart,
        }
    }

    /// Takes one line of the agent's.
    pub(crate) fn take_line(&mut self, line: &str) {
        for piece in pieces(line) {
            match piece {
                Piece::Value(message) => self.take_message(message),
                Piece::Junk(line) if self.stage != Stage::Over => self.aside(Event::Raw { line }),
                Piece::Junk(_) => {}
            }
        }
    }

    /// Takes a message of a person's for the running agent.
    pub(crate) fn say(&mut self, id: String, text: String) {
        self.messages.push_back((id, text));
        self.interrupt();
    }

    /// Asks the agent to stop.
    pub(crate) fn stop(&mut self) {
        match self.stage {
            Stage::Over => {}
            Stage::Prompt if !self.is_stopping() => self.cancel(Cancelled::ForGood),
            Stage::Prompt => {}
            Stage::Greet | Stage::LogIn | Stage::Open | Stage::SetMode => {
                self.end(Claim::Cancelled, "it was stopped before it was asked anything");
            }
        }
    }

    /// Takes that nothing more comes, and why.
    pub(crate) fn gone(&mut self, claim: Claim, why: &str) {
        if self.is_stopping() {
            self.end(Claim::Cancelled, "it was stopped");
        } else {
            self.end(claim, why);
        }
    }

    fn is_stopping(&self) -> bool {
        self.cancelled == Cancelled::ForGood
    }

    fn take_message(&mut self, mut message: Value) {
        let method = message["method"].as_str().map(str::to_owned);
        let has_id = message.get("id").is_some_and(|id| !id.is_null());
        match method {
            _ if self.stage == Stage::Over => {}
            Some(method) if has_id => self.asked(&method, &message),
            Some(method) if method == CLIENT_METHOD_NAMES.session_update => self.told(message),
            None if message["id"] == self.n_sent && message.get("error").is_some() => {
                let error = serde_json::from_value(message["error"].take());
                self.answered(Err(error.unwrap_or_default()));
            }
            None if message["id"] == self.n_sent && message.get("result").is_some() => {
                self.answered(Ok(message["result"].take()));
            }
            Some(_) | None => self.aside(Event::Raw { line: message.to_string() }),
        }
    }

    /// Answers what the agent asks. Nothing waits for a person.
    fn asked(&mut self, method: &str, message: &Value) {
        let (id, params) = (&message["id"], &message["params"]);
        let answer = if method == CLIENT_METHOD_NAMES.session_request_permission {
            json!({ "id": id, "result": self.permission(params) })
        } else if method == ASKS_FOR_MESSAGES {
            json!({ "id": id, "result": self.hand_over() })
        } else {
            self.tell(Event::Raw { line: message.to_string() });
            let error = json!({ "code": METHOD_NOT_FOUND, "message": format!("no {method} here") });
            json!({ "id": id, "error": error })
        };
        self.send(answer);
    }

    fn permission(&mut self, params: &Value) -> RequestPermissionResponse {
        let Ok(request) = serde_json::from_value::<RequestPermissionRequest>(params.clone()) else {
            self.tell(Event::Raw { line: params.to_string() });
            return RequestPermissionResponse::new(RequestPermissionOutcome::Cancelled);
        };
        self.end_speech();
        let call = request.tool_call;
        let id = call.tool_call_id.0.to_string();
        let fields = call.fields.clone();
        let events = self.tools.asked(call);
        self.out.extend(events.into_iter().map(Out::Tell));
        let kind = self.tools.kind(&id);
        let diffs = fields.content.iter().flatten().filter_map(tools::diff);
        let diffs = diffs.map(|diff| diff.path.as_path());
        let places = fields.locations.iter().flatten().map(|place| place.path.as_path());
        let wish = Wish {
            kind,
            name: self.tools.name(&id),
            texts: self.tools.texts(&id),
            paths: places.chain(diffs).collect(),
        };
        let denied = permission::denied_by(&self.wanted.policy, &self.wanted.cwd, &wish);
        let denied = denied.or_else(|| self.is_stopping().then(|| "the run is stopped".to_owned()));
        let option = permission::option(&request.options, denied.is_none());
        let allowed = denied.is_none() && option.is_some();
        self.refused = denied.clone().filter(|_| !allowed);
        if !allowed {
            self.tools.refuse(&id);
        }
        self.tell(Event::Permission {
            id,
            kind: permission::word(kind),
            title: fields.title.unwrap_or_default(),
            allowed,
            why: denied.unwrap_or_default(),
        });
        RequestPermissionResponse::new(outcome(option))
    }

    /// Hands over what came during the turn, to an agent that asks for it.
    fn hand_over(&mut self) -> Value {
        self.asks_for_messages = true;
        let mut texts = Vec::new();
        while let Some((id, text)) = self.messages.pop_front() {
            self.tell(Event::Steered { id, how: Steer::Asked });
            texts.push(text);
        }
        json!({ "messages": texts, "hasQueuedPrompt": false })
    }

    /// Cancels the turn for a message that waits, once no tool is at work.
    fn interrupt(&mut self) {
        let is_safe = self.stage == Stage::Prompt && !self.tools.is_busy();
        let comes_anyway = self.cancelled != Cancelled::No || self.asks_for_messages;
        if is_safe && !comes_anyway && !self.messages.is_empty() {
            self.cancel(Cancelled::ForMessage);
        }
    }

    fn cancel(&mut self, what_for: Cancelled) {
        self.cancelled = what_for;
        let Some(id) = self.id.clone() else { return };
        let params = CancelNotification::new(id);
        let method = AGENT_METHOD_NAMES.session_cancel;
        self.send(json!({ "method": method, "params": params }));
    }

    fn prompt(&mut self, text: String) {
        let Some(id) = self.id.clone() else { return };
        self.n_turns += 1;
        self.cancelled = Cancelled::No;
        let request = PromptRequest::new(id, vec![text.into()]);
        self.request(Stage::Prompt, AGENT_METHOD_NAMES.session_prompt, &request);
    }

    fn request(&mut self, stage: Stage, method: &str, params: &impl Serialize) {
        self.stage = stage;
        self.n_sent += 1;
        self.send(json!({ "id": self.n_sent, "method": method, "params": params }));
    }

    fn send(&mut self, mut message: Value) {
        message["jsonrpc"] = "2.0".into();
        self.out.push_back(Out::Send(message.to_string()));
    }

    fn tell(&mut self, event: Event) {
        self.end_speech();
        self.out.push_back(Out::Tell(event));
    }

    /// Tells what does not part the words that are being said: it may come between any two.
    fn aside(&mut self, event: Event) {
        self.out.push_back(Out::Tell(event));
    }

    fn end_speech(&mut self) {
        self.out.extend(self.speech.end().map(Out::Tell));
    }

    /// The end by an error of the agent's.
    fn fail(&mut self, error: &RpcError) {
        self.end(error.claim(), &error.text());
    }

    fn end(&mut self, claim: Claim, text: &str) {
        if self.stage == Stage::Over {
            return;
        }
        self.end_speech();
        let end = Event::End { claim, text: text.to_owned(), turns: self.n_turns };
        self.tell(end);
        self.stage = Stage::Over;
    }
}

fn outcome(option: Option<PermissionOptionId>) -> RequestPermissionOutcome {
    match option {
        Some(id) => RequestPermissionOutcome::Selected(SelectedPermissionOutcome::new(id)),
        None => RequestPermissionOutcome::Cancelled,
    }
}

#[cfg(test)]
mod tests;
