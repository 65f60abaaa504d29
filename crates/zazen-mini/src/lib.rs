//! zazen's built-in harness: a coding agent with one tool and a linear history.
//!
//! It asks a model, runs the `bash` commands the model asks for, hands back
//! what they printed, and ends when the model answers without a command. It is
//! not a sandbox: whoever calls [`run`] has already made one. Read `agent` for
//! the loop, `model` and `failure` for one model call, `bash` and `clip` for one
//! command, `prompt` for what the model is told, [`event`] for what a caller reads.

mod agent;
mod bash;
mod clip;
mod deny;
pub mod event;
mod failure;
mod model;
mod prompt;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::agent::Agent;
use crate::event::{Claim, Event, Events};
use crate::model::Model;

/// The wire format that the model's endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Anthropic Messages.
    Anthropic,
    /// `OpenAI` Chat Completions.
    OpenAi,
}

/// What one run of the agent is given.
#[derive(Clone)]
pub struct Options {
    pub api: Api,
    /// Where the endpoint is, over plain HTTP: TLS is the gateway's work.
    pub base_url: String,
    /// The key sent with every model call: a run token, worthless elsewhere.
    pub token: String,
    /// The model's name, sent as it is written.
    pub model: String,
    /// Where every command starts.
    pub cwd: PathBuf,
    /// How many answers the model may give.
    pub turns_max: u32,
    /// How long one command may take.
    pub command_timeout: Duration,
    /// How much of one command's output is kept; the middle goes first.
    pub output_bytes_max: usize,
    /// Beginnings of commands that are not run: `git push`.
    pub denied: Vec<String>,
}

/// How a run ended, as the process tells it to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The model answered.
    Finished,
    /// The model could not be asked, or made no sense, or nobody reads our events.
    ModelError,
    /// The options or the prompt cannot be used; nothing was done.
    Usage,
    /// The turns were used up.
    TurnLimit,
    /// The endpoint refused the key.
    NeedsLogin,
    /// The endpoint has a limit, and it is reached.
    Quota,
    /// The endpoint is too busy.
    Overloaded,
    /// The conversation is longer than the model can read.
    ContextTooLong,
    /// The model's answer ended in its middle, again and again.
    StreamCut,
}

/// Works on `prompt` until the model is done, writing one [`Event`] a line to `out`.
pub async fn run(options: Options, prompt: String, out: &mut (impl Write + Send)) -> Exit {
    let mut events = Events::new(out, options.token.clone());
    let model = match check(&options, &prompt).and_then(|()| Model::new(&options)) {
        Ok(model) => model,
        Err(message) => {
            let told = events.emit(&Event::Error { message });
            return told.map_or(Exit::ModelError, |()| Exit::Usage);
        }
    };
    match Agent::new(options, model, events, prompt).work().await {
        Ok(claim) => claim.into(),
        Err(_nobody_reads) => Exit::ModelError,
    }
}

fn check(options: &Options, prompt: &str) -> Result<(), String> {
    if !options.base_url.starts_with("http://") {
        return Err(format!("base URL `{}` does not start with `http://`", options.base_url));
    }
    if options.model.is_empty() {
        return Err("the model has no name".into());
    }
    if !options.cwd.is_dir() {
        return Err(format!("`{}` is not a directory", options.cwd.display()));
    }
    if options.turns_max == 0 {
        return Err("no turn is allowed, so nothing can be done".into());
    }
    if prompt.trim().is_empty() {
        return Err("the prompt is empty".into());
    }
    Ok(())
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Finished => 0,
            Exit::ModelError => 1,
            Exit::Usage => 2,
            Exit::TurnLimit => 3,
            Exit::NeedsLogin => 4,
            Exit::Quota => 5,
            Exit::Overloaded => 6,
            Exit::ContextTooLong => 7,
            Exit::StreamCut => 8,
        }
    }
}

impl From<Claim> for Exit {
    fn from(claim: Claim) -> Self {
        match claim {
            Claim::Finished => Self::Finished,
            Claim::Limit => Self::TurnLimit,
            Claim::NeedsLogin => Self::NeedsLogin,
            Claim::Quota => Self::Quota,
            Claim::Overloaded => Self::Overloaded,
            Claim::ContextTooLong => Self::ContextTooLong,
            Claim::StreamCut => Self::StreamCut,
            Claim::ModelError => Self::ModelError,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is left out on purpose.
        f.debug_struct("Options")
            .field("api", &self.api)
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .field("cwd", &self.cwd)
            .field("turns_max", &self.turns_max)
            .field("command_timeout", &self.command_timeout)
            .field("output_bytes_max", &self.output_bytes_max)
            .field("denied", &self.denied)
            .finish_non_exhaustive()
    }
}
