//! What an agent does with its tools, told once each.
//!
//! Agents announce a call in pieces, again and again, or not at all. A call is
//! told as soon as its input is known, at the latest when it is over, and its
//! end is told once.

use std::collections::BTreeMap;

use agent_client_protocol_schema::v1::{
    ContentBlock, Diff, Meta, ToolCallContent, ToolCallStatus, ToolCallUpdate, ToolKind,
};
use serde_json::Value;

use crate::event::{Change, Event};
use crate::permission;

/// All calls of a session.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    calls: BTreeMap<String, Call>,
}

#[derive(Debug, Default)]
struct Call {
    name: String,
    title: String,
    kind: ToolKind,
    input: Option<Value>,
    content: Vec<ToolCallContent>,
    output: Option<Value>,
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    New,
    Told,
    /// It was told, and must not be.
    Refused,
    Over,
}

/// How much of what a tool printed is kept: its beginning and its end. What is in it is
/// the agent's to read; people see a few lines.
const OUTPUT_BYTES_MAX: usize = 64 << 10;

impl Tools {
    /// Takes what an agent says of a call.
    pub(crate) fn update(&mut self, update: ToolCallUpdate) -> Vec<Event> {
        let id = update.tool_call_id.0.to_string();
        let status = update.fields.status;
        let call = self.calls.entry(id.clone()).or_default();
        if call.state == State::Over {
            return Vec::new();
        }
        call.take(update);
        let is_over = matches!(status, Some(ToolCallStatus::Completed | ToolCallStatus::Failed));
        let is_begun = status == Some(ToolCallStatus::InProgress);
        let mut events = Vec::new();
        if call.state == State::New && (is_begun || is_over || call.is_input_known()) {
            events.push(call.tell(&id));
        }
        if is_over {
            events.extend(call.end(&id, status == Some(ToolCallStatus::Completed)));
        }
        events
    }

    /// Takes the call that an agent asks about. It knows its input by then.
    pub(crate) fn asked(&mut self, mut update: ToolCallUpdate) -> Vec<Event> {
        // Some ask with a status, and none of them is the end.
        update.fields.status = Some(ToolCallStatus::InProgress);
        self.update(update)
    }

    /// Takes that a call was not allowed. Its end may be told, or not.
    pub(crate) fn refuse(&mut self, id: &str) {
        if let Some(call) = self.calls.get_mut(id).filter(|call| call.state == State::Told) {
            call.state = State::Refused;
        }
    }

    /// Whether a tool is at work.
    pub(crate) fn is_busy(&self) -> bool {
        self.calls.values().any(|call| call.state == State::Told)
    }

    /// The text that a call is about: its title, and its command line.
    pub(crate) fn texts(&self, id: &str) -> Vec<&str> {
        let Some(call) = self.calls.get(id) else { return Vec::new() };
        let command = call.input.as_ref().and_then(|input| input["command"].as_str());
        [Some(call.title.as_str()), command].into_iter().flatten().collect()
    }

    /// The tool's own name, or nothing.
    pub(crate) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.calls.get(id).and_then(|call| call.own_name(id)).unwrap_or_default()
    }

    /// The kind of a call.
    pub(crate) fn kind(&self, id: &str) -> ToolKind {
        self.calls.get(id).map_or(ToolKind::Other, |call| call.kind)
    }
}

impl Call {
    fn take(&mut self, update: ToolCallUpdate) {
        let fields = update.fields;
        let name = fields.name.or_else(|| name_in(update.meta.as_ref()?));
        if let Some(name) = name.filter(|_| self.name.is_empty()) {
            self.name = name;
        }
        self.title = fields.title.unwrap_or(std::mem::take(&mut self.title));
        self.kind = fields.kind.unwrap_or(self.kind);
        self.content = fields.content.unwrap_or(std::mem::take(&mut self.content));
        // What is asked about is described for people; what was called is worth more.
        if self.state == State::New {
            self.input = fields.raw_input.filter(is_filled).or(self.input.take());
        }
        self.output = fields.raw_output.or(self.output.take());
    }

    fn own_name<'a>(&'a self, id: &'a str) -> Option<&'a str> {
        Some(self.name.as_str()).filter(|name| !name.is_empty()).or_else(|| name_in_id(id))
    }

    fn is_input_known(&self) -> bool {
        // The working directory alone is what `OpenCode` begins with.
        let has_more = |input: &Value| {
            input.as_object().is_none_or(|fields| fields.keys().any(|name| name != "cwd"))
        };
        self.input.as_ref().is_some_and(has_more)
    }

    fn tell(&mut self, id: &str) -> Event {
        self.state = State::Told;
        let kind = permission::word(self.kind);
        let name = self.own_name(id).unwrap_or(&kind).to_owned();
        let input = match &self.input {
            Some(input) => input.to_string(),
            None => self.title.clone(),
        };
        Event::Call { id: id.to_owned(), name, kind, input }
    }

    fn end(&mut self, id: &str, completed: bool) -> Vec<Event> {
        self.state = State::Over;
        let (content, output) = (std::mem::take(&mut self.content), self.output.take());
        self.input = None;
        let said = content.iter().filter_map(text_of).collect::<Vec<_>>().join("\n");
        let exit = output.as_ref().and_then(exit_in);
        let exit = exit.or_else(|| (self.kind == ToolKind::Execute).then(|| exit_line(&said))?);
        let output = output.as_ref().and_then(output_in).unwrap_or(said);
        let mut events: Vec<Event> = content
            .iter()
            .filter(|_| completed)
            .filter_map(diff)
            .map(|diff| change(id, diff))
            .collect();
        let ok = completed && exit.is_none_or(|exit| exit == 0);
        events.push(Event::Result { id: id.to_owned(), ok, exit, output: clip(output) });
        events
    }
}

/// The tool's own name, where an agent has it on the side: Claude's bridge, and Qwen Code.
fn name_in(meta: &Meta) -> Option<String> {
    let name = meta.get("toolName").or_else(|| meta.get("claudeCode")?.get("toolName"));
    name?.as_str().map(str::to_owned)
}

/// The same, of Gemini CLI, which begins the id of a call with it, twice.
fn name_in_id(id: &str) -> Option<&str> {
    let (name, rest) = id.split_once("__")?;
    (!name.is_empty() && rest.starts_with(name)).then_some(name)
}

fn is_filled(input: &Value) -> bool {
    match input {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
    }
}

fn text_of(part: &ToolCallContent) -> Option<&str> {
    let ToolCallContent::Content(content) = part else { return None };
    let ContentBlock::Text(text) = &content.content else { return None };
    Some(&text.text)
}

/// The change of a file, where a part of a call is one.
pub(crate) fn diff(part: &ToolCallContent) -> Option<&Diff> {
    let ToolCallContent::Diff(diff) = part else { return None };
    Some(diff)
}

/// The status that a command ended with: of `OpenCode`, Copilot, Qwen Code.
fn exit_in(output: &Value) -> Option<i32> {
    let of_parts =
        || output["contents"].as_array()?.iter().find_map(|part| part["exitCode"].as_i64());
    let exit = output["metadata"]["exit"].as_i64().or_else(|| output["exitCode"].as_i64());
    exit.or_else(of_parts).and_then(|exit| i32::try_from(exit).ok())
}

/// The same, where it is only told: of Gemini CLI, and of Claude's bridge.
fn exit_line(said: &str) -> Option<i32> {
    let after = |sign: &str| {
        said.lines()
            .find_map(|line| line.trim().to_lowercase().strip_prefix(sign)?.trim().parse().ok())
    };
    after("exit code:")
        .or_else(|| after("exit code"))
        .or_else(|| after("command exited with code:"))
}

/// What a tool printed.
fn output_in(output: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    text(output).or_else(|| text(&output["output"])).or_else(|| text(&output["content"]))
}

fn change(id: &str, diff: &Diff) -> Event {
    let kind = diff.meta.as_ref().and_then(|meta| meta.get("kind")?.as_str());
    let was_there = diff.old_text.as_deref().is_some_and(|old| !old.is_empty());
    let what = match kind {
        Some("add") => Change::Added,
        Some("delete") => Change::Deleted,
        Some(_) | None if was_there => Change::Modified,
        Some(_) => Change::Modified,
        None => Change::Added,
    };
    Event::Change { id: id.to_owned(), path: diff.path.display().to_string(), what }
}

/// Takes out the middle of what is too long.
fn clip(text: String) -> String {
    let half = OUTPUT_BYTES_MAX / 2;
    let n_out = text.len().saturating_sub(OUTPUT_BYTES_MAX);
    if n_out == 0 {
        return text;
    }
    let bytes = text.as_bytes();
    let begin = String::from_utf8_lossy(&bytes[..half]);
    let end = String::from_utf8_lossy(&bytes[bytes.len() - half..]);
    format!("{begin}\n… ({n_out} bytes left out)\n{end}")
}
