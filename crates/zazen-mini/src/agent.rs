//! The loop: ask the model, run what it asks for, hand back what came of it.
//!
//! The history only grows, at its end. The model ends the run by answering
//! without a call; otherwise the turns do, or a failure that no other try helps.

use std::io::{self, Write};
use std::time::Duration;

use genai::chat::{ChatMessage, StopReason, ToolResponse};
use tokio::time::sleep;

use crate::bash::{self, Outcome};
use crate::event::{Claim, Event, Events};
use crate::failure::{Again, Failure};
use crate::model::{Answer, Call, Model};
use crate::{Options, deny, prompt};

/// One run under way.
pub(crate) struct Agent<'a, W> {
    options: Options,
    model: Model,
    events: Events<'a, W>,
    history: Vec<ChatMessage>,
    turns: u32,
    /// What the model said last, all the pieces of it.
    said: String,
    /// How often it was asked to go on since its last command.
    n_nudges: u32,
}

/// How often one call of the model is tried again: about half a minute of waiting
/// in all, which outlasts a restart of the gateway.
const RETRIES_MAX: u32 = 6;

/// The wait before the first other try; it doubles from try to try.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);

/// How often in a row the model may be asked to go on. One that needs more is in a loop.
const NUDGES_MAX: u32 = 3;

/// The exit status of a call that could not be understood, as of a command
/// that was used wrongly.
const EXIT_BAD_CALL: i32 = 2;

impl<'a, W: Write> Agent<'a, W> {
    pub(crate) fn new(
        options: Options,
        model: Model,
        events: Events<'a, W>,
        prompt: String,
    ) -> Self {
        let history = vec![ChatMessage::user(prompt)];
        Self { options, model, events, history, turns: 0, said: String::new(), n_nudges: 0 }
    }

    /// Works to the end. The only error is that an event could not be written.
    pub(crate) async fn work(mut self) -> io::Result<Claim> {
        self.events.emit(&Event::Start {
            version: env!("CARGO_PKG_VERSION").into(),
            model: self.options.model.clone(),
            cwd: self.options.cwd.display().to_string(),
        })?;
        while self.turns < self.options.turns_max {
            let answer = match self.ask().await? {
                Ok(answer) => answer,
                Err(failure) => return self.fail(failure.claim, failure.message),
            };
            if let Some(claim) = self.take_in(answer).await? {
                return Ok(claim);
            }
        }
        self.end(Claim::Limit)
    }

    /// Asks until there is an answer, or no other try may help.
    async fn ask(&mut self) -> io::Result<Result<Answer, Failure>> {
        let mut backoff = BACKOFF_FIRST;
        for attempt in 1..=RETRIES_MAX {
            let failure = match self.model.ask(&self.history).await {
                Ok(answer) => return Ok(Ok(answer)),
                Err(failure) => failure,
            };
            let wait = match failure.again {
                Again::Never => return Ok(Err(failure)),
                Again::Later => backoff,
                Again::After(wait) => wait,
            };
            self.events.emit(&Event::Retry { attempt, why: failure.message })?;
            sleep(wait).await;
            backoff *= 2;
        }
        Ok(self.model.ask(&self.history).await)
    }

    /// Acts on one answer; says how the run ended, if it did.
    async fn take_in(&mut self, answer: Answer) -> io::Result<Option<Claim>> {
        let Answer { message, text, calls, stop, usage } = answer;
        self.turns += 1;
        self.events.emit(&usage)?;
        let is_silent = text.trim().is_empty();
        if !is_silent {
            self.events.emit(&Event::Text { text: text.clone() })?;
        }
        self.history.extend(message);
        if !calls.is_empty() {
            self.said = text;
            self.n_nudges = 0;
            self.run_calls(calls).await?;
            return Ok(None);
        }

        if self.n_nudges == 0 {
            self.said.clear();
        }
        self.said.push_str(&text);
        let nudge = match stop {
            Some(StopReason::ContentFilter(why)) => {
                let message = format!("the model refused to answer (`{why}`)");
                return self.fail(Claim::ModelError, message).map(Some);
            }
            Some(StopReason::MaxTokens(_)) => prompt::GO_ON,
            _ if is_silent => prompt::SAY_SOMETHING,
            _ => return self.end(Claim::Finished).map(Some),
        };
        if self.n_nudges == NUDGES_MAX {
            let message = format!("no whole answer after {NUDGES_MAX} requests to go on");
            return self.fail(Claim::ModelError, message).map(Some);
        }
        self.n_nudges += 1;
        self.history.push(ChatMessage::user(nudge));
        Ok(None)
    }

    /// Runs all calls of one turn, in order, and answers all of them in one message.
    async fn run_calls(&mut self, calls: Vec<Call>) -> io::Result<()> {
        let mut responses = Vec::with_capacity(calls.len());
        for call in calls {
            let Call { id, tool, command } = call;
            let command = if tool == prompt::TOOL {
                command.map_err(|arguments| prompt::bad_arguments(&arguments))
            } else {
                Err(prompt::no_such_tool(&tool))
            };
            let shown = command.as_deref().unwrap_or_default().to_owned();
            self.events.emit(&Event::Call { id: id.clone(), command: shown })?;
            let command =
                command.and_then(|command| match deny::find(&command, &self.options.denied) {
                    Some(denied) => Err(prompt::denied(denied)),
                    None => Ok(command),
                });
            let outcome = match command {
                Ok(command) => bash::run(&command, &self.options).await,
                Err(why) => {
                    Outcome { exit: EXIT_BAD_CALL, timed_out: false, output: why, bytes_cut: 0 }
                }
            };
            let result = prompt::result(&outcome, &self.options);
            responses.push(ToolResponse::new(&id, result));
            let Outcome { exit, timed_out, output, bytes_cut } = outcome;
            self.events.emit(&Event::Result { id, exit, timed_out, output, bytes_cut })?;
        }
        if self.turns + 1 == self.options.turns_max
            && let Some(last) = responses.last_mut()
        {
            last.content.push_str(prompt::LAST_TURN);
        }
        self.history.push(ChatMessage::from(responses));
        Ok(())
    }

    fn fail(&mut self, claim: Claim, message: String) -> io::Result<Claim> {
        self.events.emit(&Event::Error { message })?;
        self.end(claim)
    }

    fn end(&mut self, claim: Claim) -> io::Result<Claim> {
        let text = std::mem::take(&mut self.said);
        self.events.emit(&Event::End { claim, text, turns: self.turns })?;
        Ok(claim)
    }
}
