//! Starts a server of tools and lets some of them through.
//!
//! A small program between a harness and a server that it speaks to over pipes: one line
//! of JSON-RPC a message, both ways. The list of tools is cut, and a call of another tool is
//! answered here. It keeps to the owner's list whatever the harness can; it does not hold
//! an agent, which could start the server by itself.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, ExitCode};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::exec::Command;

/// How long one message may be. Pictures come as text in them.
const LINE_BYTES_MAX: u64 = 32 << 20;

/// What a server that is asked for what it has not got answers, by the protocol.
const INVALID_PARAMS: i64 = -32602;

/// What goes on with a message of the client.
enum Sent {
    On(String),
    /// Answered without the server.
    Back(Value),
}

/// Runs as the filter, until either side has ended.
pub fn filter_tools(only: BTreeSet<String>, server: &[String]) -> ExitCode {
    match filter(only, server) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            // Its harness keeps what a server says there.
            writeln!(std::io::stderr(), "{err:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn filter(only: BTreeSet<String>, server: &[String]) -> anyhow::Result<()> {
    let Some((program, args)) = server.split_first() else { bail!("there is no server to start") };
    let cwd = std::env::current_dir().context("find where we are")?;
    let mut command = Command::new(program).args(args).cwd(cwd);
    // The harness has decided what a server of its gets.
    for (name, value) in std::env::vars_os() {
        command = command.env(name, value);
    }
    let mut child = command.spawn_piped().context("start the server")?;
    let to_server = child.stdin.take().context("speak to the server")?;
    let from_server = child.stdout.take().context("listen to the server")?;
    if let Some(mut errors) = child.stderr.take() {
        thread::spawn(move || std::io::copy(&mut errors, &mut std::io::stderr()));
    }
    let (sender, lines) = mpsc::sync_channel(1);
    let (answers, for_back) = (sender.clone(), only.clone());
    thread::spawn(move || carry_on(&only, to_server, &answers));
    thread::spawn(move || carry_back(&for_back, from_server, &sender));
    let mut out = std::io::stdout();
    // Nothing comes when the server has ended.
    while let Ok(Some(line)) = lines.recv() {
        if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    child.kill().ok();
    child.wait().context("wait for the server")?;
    Ok(())
}

/// Carries what the harness says, until it says no more.
fn carry_on(only: &BTreeSet<String>, mut server: ChildStdin, answers: &Sender) {
    let mut reader = BufReader::new(std::io::stdin());
    while let Ok(Some(line)) = read_line(&mut reader) {
        let is_passed = match let_on(only, line) {
            Sent::On(line) => server.write_all(line.as_bytes()).is_ok(),
            Sent::Back(answer) => answers.send(Some(format!("{answer}\n"))).is_ok(),
        };
        if !is_passed {
            break;
        }
    }
}

/// Carries what the server says, and its end.
fn carry_back(only: &BTreeSet<String>, server: ChildStdout, sender: &Sender) {
    let mut reader = BufReader::new(server);
    while let Ok(Some(line)) = read_line(&mut reader) {
        if sender.send(Some(let_back(only, line))).is_err() {
            return;
        }
    }
    sender.send(None).ok();
}

type Sender = mpsc::SyncSender<Option<String>>;

/// Reads one message. Nothing at the end; an error for one that is too long.
fn read_line(reader: &mut impl BufRead) -> anyhow::Result<Option<String>> {
    let mut line = Vec::new();
    reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.len() as u64 == LINE_BYTES_MAX {
        bail!("a message is longer than {LINE_BYTES_MAX} bytes");
    }
    String::from_utf8(line).map(Some).context("a message is no text")
}

/// What becomes of a message on its way to the server.
fn let_on(only: &BTreeSet<String>, line: String) -> Sent {
    let Ok(message) = serde_json::from_str::<Value>(&line) else { return Sent::On(line) };
    // The protocol has no batches any more; one could hide a call.
    if message.is_array() {
        let error = json!({ "code": -32600, "message": "batches are not taken" });
        return Sent::Back(json!({ "jsonrpc": "2.0", "id": null, "error": error }));
    }
    let tool = message["params"]["name"].as_str().unwrap_or_default();
    if message["method"] != "tools/call" || only.contains(tool) {
        return Sent::On(line);
    }
    let why = format!("the tool `{tool}` is not among those that agents may use here");
    let error = json!({ "code": INVALID_PARAMS, "message": why });
    Sent::Back(json!({ "jsonrpc": "2.0", "id": message["id"], "error": error }))
}

/// A message on its way back, with only the tools that are let through.
fn let_back(only: &BTreeSet<String>, line: String) -> String {
    let Ok(mut message) = serde_json::from_str::<Value>(&line) else { return line };
    let tools = message.pointer_mut("/result/tools").and_then(Value::as_array_mut);
    let Some(tools) = tools else { return line };
    tools.retain(|tool| tool["name"].as_str().is_some_and(|name| only.contains(name)));
    format!("{message}\n")
}

#[cfg(test)]
mod tests;
