//! What follows from the agent's answers to our requests.

use agent_client_protocol_schema::ProtocolVersion;
use agent_client_protocol_schema::v1::{
    AGENT_METHOD_NAMES, AuthenticateRequest, InitializeResponse, LoadSessionRequest,
    NewSessionRequest, SessionId,
};
use serde_json::{Value, json};

use super::{Cancelled, ERROR_SIGN, N_TOLD_TO_GO_ON_MAX, Session, Stage, mode};
use crate::event::{Claim, Event, Steer};
use crate::failure::{self, RpcError};
use crate::usage;

impl Session {
    pub(super) fn answered(&mut self, answer: Result<Value, RpcError>) {
        match (self.stage, answer) {
            (Stage::Greet, Ok(answer)) => self.greeted(answer),
            (Stage::LogIn, Ok(_)) => self.open(),
            (Stage::Open, Ok(answer)) => self.opened(&answer),
            (Stage::SetMode, Ok(_)) => self.prompt(self.wanted.prompt.clone()),
            (Stage::SetMode, Err(error)) => {
                // What it asks in the mode it has is answered all the same.
                let message = format!("it kept its mode: {}", error.text());
                self.tell(Event::Error { message });
                self.prompt(self.wanted.prompt.clone());
            }
            (Stage::Prompt, Ok(answer)) => self.turn_over(&answer),
            (Stage::Prompt, Err(error)) => self.turn_failed(&error),
            (Stage::Open, Err(error)) if self.wanted.resume.is_some() => self.not_resumed(&error),
            (Stage::Greet | Stage::LogIn | Stage::Open, Err(error)) => self.fail(&error),
            (Stage::Over, _) => {}
        }
    }

    fn greeted(&mut self, answer: Value) {
        let version = answer["protocolVersion"].clone();
        let hello = serde_json::from_value::<InitializeResponse>(answer).ok();
        let Some(hello) = hello.filter(|hello| hello.protocol_version == ProtocolVersion::V1)
        else {
            let why = format!("it speaks version {version} of the protocol, and not 1");
            return self.end(Claim::Confused, &why);
        };
        let agent = hello.agent_info.as_ref().map(|info| info.name.clone());
        self.agent = agent.clone().unwrap_or_default();
        self.tell(Event::Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            agent,
            agent_version: hello.agent_info.map(|info| info.version),
        });
        self.asks_services = hello.agent_capabilities.mcp_capabilities.http;
        if self.wanted.resume.is_some() && !hello.agent_capabilities.load_session {
            return self.end(Claim::SessionLost, "it cannot go on with a session");
        }
        if let Some(way) = self.wanted.login.clone() {
            let request = AuthenticateRequest::new(way);
            self.request(Stage::LogIn, AGENT_METHOD_NAMES.authenticate, &request);
        } else {
            self.open();
        }
    }

    fn open(&mut self) {
        let cwd = self.wanted.cwd.clone();
        let (method, mut params) = if let Some(id) = self.wanted.resume.clone() {
            self.id = Some(SessionId::new(id.clone()));
            (AGENT_METHOD_NAMES.session_load, json!(LoadSessionRequest::new(id, cwd)))
        } else {
            (AGENT_METHOD_NAMES.session_new, json!(NewSessionRequest::new(cwd)))
        };
        params["mcpServers"] = self.servers().into();
        self.request(Stage::Open, method, &params);
    }

    /// The servers that this agent can ask. What it cannot do, it says itself.
    fn servers(&mut self) -> Vec<Value> {
        let servers = std::mem::take(&mut self.wanted.servers);
        let asks_services = self.asks_services;
        let is_taken = |server: &Value| asks_services || server["type"] != "http";
        let (taken, others): (Vec<_>, Vec<_>) = servers.into_iter().partition(is_taken);
        for server in others {
            let name = server["name"].as_str().unwrap_or_default();
            let message = format!("it cannot ask a service, so it goes without `{name}`");
            self.tell(Event::Error { message });
        }
        taken
    }

    fn opened(&mut self, answer: &Value) {
        if let Some(id) = answer["sessionId"].as_str() {
            self.id = Some(SessionId::new(id));
        }
        let Some(id) = &self.id else {
            return self.end(Claim::Confused, "it opened a session without an id");
        };
        let change = mode::change(answer, id, &self.wanted.modes);
        let mode = change.as_ref().map(|change| change.mode.clone());
        self.tell(Event::Session {
            id: id.0.to_string(),
            resumed: self.wanted.resume.is_some(),
            model: mode::model(answer),
            mode: mode.or_else(|| mode::current(answer)),
        });
        match change {
            Some(change) => self.request(Stage::SetMode, change.method, &change.params),
            None => self.prompt(self.wanted.prompt.clone()),
        }
    }

    fn not_resumed(&mut self, error: &RpcError) {
        let claim = error.claim();
        let is_of_login = matches!(claim, Claim::NeedsLogin | Claim::Quota);
        self.end(if is_of_login { claim } else { Claim::SessionLost }, &error.text());
    }

    fn turn_over(&mut self, answer: &Value) {
        self.end_speech();
        let usage = usage::of_answer(answer);
        let has_usage = usage.is_some();
        if let Some(usage) = usage {
            self.tell(usage);
        }
        if self.goes_on() || self.goes_on_without(answer) {
            return;
        }
        let last = self.speech.last().to_owned();
        match answer["stopReason"].as_str().unwrap_or_default() {
            _ if self.is_stopping() => self.end(Claim::Cancelled, "it was stopped"),
            "end_turn" if !has_usage && self.is_error(&last) => {
                let why = last.trim_start_matches(ERROR_SIGN);
                self.end(failure::of_text(why), why);
            }
            "end_turn" => self.end(Claim::Finished, &last),
            "max_tokens" => self.end(Claim::MaxTokens, &last),
            "max_turn_requests" => self.end(Claim::MaxTurns, &last),
            "refusal" => self.end(Claim::Refused, &last),
            "cancelled" => self.end(Claim::Cancelled, "it says that it was stopped"),
            _ => {
                let why = format!("it ended its turn with `{}`", answer["stopReason"]);
                self.end(Claim::Confused, &why);
            }
        }
    }

    fn turn_failed(&mut self, error: &RpcError) {
        self.end_speech();
        // Some answer a turn that was cancelled with an error.
        if self.cancelled == Cancelled::ForMessage && self.goes_on() {
            return;
        }
        if self.is_stopping() {
            return self.end(Claim::Cancelled, "it was stopped");
        }
        self.fail(error);
    }

    /// Begins the next turn with a message that came meanwhile, if there is one.
    fn goes_on(&mut self) -> bool {
        if self.is_stopping() {
            return false;
        }
        let Some((id, text)) = self.messages.pop_front() else { return false };
        self.tell(Event::Steered { id, how: Steer::Prompted });
        self.prompt(text);
        true
    }

    /// Has an agent go on that ended its turn where it was not allowed something: most wait
    /// there for a person.
    fn goes_on_without(&mut self, answer: &Value) -> bool {
        let is_end = matches!(answer["stopReason"].as_str(), Some("end_turn" | "cancelled"));
        if self.is_stopping() || !is_end || self.n_told_to_go_on == N_TOLD_TO_GO_ON_MAX {
            return false;
        }
        let Some(why) = self.refused.take() else { return false };
        self.n_told_to_go_on += 1;
        self.tell(Event::Notice { text: "it was told to go on without that".to_owned() });
        self.prompt(format!(
            "That is denied here ({why}), and nobody is there who could allow it. Go on without it."
        ));
        true
    }

    /// Whether the last text is an error of the program's: Copilot ends its turn as if all
    /// were well, with the error as its words, and without usage.
    fn is_error(&self, last: &str) -> bool {
        self.is_copilot() && last.starts_with(ERROR_SIGN)
    }
}
