use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::{expect, expect_file};

use super::*;
use crate::lines::Lines;

fn streams() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams")
}

/// What the agent of a recording wrote; and what it was sent, as far as that has a name.
fn recording(name: &str) -> (String, Vec<String>) {
    let text = fs::read_to_string(streams().join(format!("{name}.jsonl"))).unwrap();
    let theirs = text.lines().filter_map(|line| line.strip_prefix("< "));
    let sent = text.lines().filter_map(|line| line.strip_prefix("> "));
    let theirs: Vec<&str> = theirs.collect();
    (theirs.join("\n") + "\n", sent.filter_map(method).collect())
}

fn method(line: &str) -> Option<String> {
    let message: Value = serde_json::from_str(line).unwrap();
    message["method"].as_str().map(str::to_owned)
}

/// A session as the recording of this name was made with.
fn session(name: &str) -> Session {
    Session::new(Wanted {
        prompt: "Please create hello.txt and commit it.".to_owned(),
        cwd: PathBuf::from("/workspace"),
        resume: name.ends_with("-load").then(|| "of-before".to_owned()),
        modes: if name.ends_with("-bypass") {
            vec!["bypassPermissions".to_owned()]
        } else {
            vec![]
        },
        login: None,
        policy: Policy {
            deny: if name.ends_with("-deny") { vec!["execute".to_owned()] } else { vec![] },
            ..Policy::default()
        },
        servers: Vec::new(),
    })
}

/// Plays a stream. A recorded stop is repeated where it came.
fn play(name: &str, stream: &[u8]) -> Vec<Out> {
    let mut session = session(name);
    let mut lines = Lines::new(1 << 20);
    let mut out: Vec<Out> = session.take_out().collect();
    let is_stopped = name.ends_with("-cancel");
    for line in lines.push(stream).into_iter().chain(lines.end()) {
        if is_stopped && line.contains("\"result\":{\"stopReason\"") {
            session.stop();
        }
        session.take_line(&line);
        out.extend(session.take_out());
    }
    session.gone(Claim::Cut, "its output ended");
    out.extend(session.take_out());
    out
}

fn events(out: &[Out]) -> Vec<&Event> {
    let told = out.iter().filter_map(|out| match out {
        Out::Tell(event) => Some(event),
        Out::Send(_) => None,
    });
    told.collect()
}

fn all() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(streams()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = file.strip_suffix(".jsonl") {
            all.insert(name.to_owned(), recording(name).0);
        }
    }
    assert!(all.len() > 20);
    all
}

#[test]
fn every_recorded_stream_is_read_as_what_happened() {
    for (name, stream) in all() {
        let out = play(&name, stream.as_bytes());
        let mut text = String::new();
        for out in &out {
            match out {
                Out::Send(line) => match method(line) {
                    Some(method) => writeln!(text, "> {method}").unwrap(),
                    None => writeln!(text, "> {line}").unwrap(),
                },
                Out::Tell(event) => {
                    writeln!(text, "{}", serde_json::to_string(event).unwrap()).unwrap();
                }
            }
        }
        expect_file![streams().join(format!("{name}.events"))].assert_eq(&text);
        let sent = out.iter().filter_map(|out| match out {
            Out::Send(line) => method(line),
            Out::Tell(_) => None,
        });
        assert_eq!(sent.collect::<Vec<_>>(), recording(&name).1, "{name}");
    }
}

#[test]
fn every_recording_ends_as_it_did() {
    let mut text = String::new();
    for (name, stream) in all() {
        let out = play(&name, stream.as_bytes());
        let [.., Event::End { claim, text: words, .. }] = events(&out)[..] else {
            panic!("{name} has no end");
        };
        let words: String = words.chars().take(50).collect();
        writeln!(text, "{name:18} {claim:?}: {words}").unwrap();
    }
    expect![[r#"
        claude-bypass      Finished: Done: wrote hello.txt and committed.
        claude-cancel      Cancelled: it was stopped
        claude-deny        Finished: I was not allowed to push; stopping.
        claude-err401      NeedsLogin: Authentication required
        claude-err429      Quota: Internal error: API Error: Request rejected (429) 
        claude-errusage    Quota: Internal error: You've hit your 5-hour limit · res
        claude-load        Finished: Resumed fine, I still see the history.
        claude-success     Finished: Done: wrote hello.txt and committed.
        claudezed-success  Finished: Done: wrote hello.txt and committed.
        codex-err401       NeedsLogin: Authentication required
        codex-load         Finished: Resumed fine, I still see the history.
        codex-success      Finished: Done: wrote hello.txt and committed.
        codexzed-success   Finished: Step 2: calling exec_command.Done: wrote hello.txt
        copilot-cancel     Cancelled: it was stopped
        copilot-err401     NeedsLogin: Authentication failed with provider at http://gate
        copilot-success    Finished: Done: wrote hello.txt and committed.
        gemini-deny        Finished: I was not allowed to push; stopping.
        gemini-err401      NeedsLogin: API key not valid. Please pass a valid API key.
        gemini-errusage    Quota: You have exhausted your daily quota on this model.
        gemini-success     Finished: Done: wrote hello.txt and committed.
        opencode-cancel    Cancelled: it was stopped
        opencode-err401    NeedsLogin: Internal error: Incorrect API key provided: sk-x.
        opencode-success   Finished: Done: wrote hello.txt and committed.
        qwen-err401        NeedsLogin: Internal error: 401 Incorrect API key provided: sk
        qwen-success       Finished: Done: wrote hello.txt and committed.
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_stream_that_is_cut_anywhere_is_never_finished() {
    for (name, stream) in all() {
        let last = stream.trim_end().rfind('\n').unwrap() + 1;
        let whole = play(&name, stream.as_bytes());
        let step = (stream.len() / 150).max(1);
        for at in (0..last).step_by(step) {
            let cut = play(&name, &stream.as_bytes()[..at]);
            let (cut, whole) = (events(&cut), events(&whole));
            let [same @ .., Event::End { claim: Claim::Cut, .. }] = &cut[..] else {
                panic!("{name}, cut at {at}, ends with {:?}", cut.last());
            };
            // What was being said, and the line that was cut, are all that may differ.
            let n_same = same.iter().zip(&whole).take_while(|(a, b)| a == b).count();
            assert!(n_same + 2 >= same.len(), "{name}, cut at {at}: {same:#?}");
        }
    }
}

#[test]
fn what_is_glued_or_broken_is_read_as_far_as_it_can_be() {
    for (name, stream) in all() {
        let whole = play(&name, stream.as_bytes());
        let glued = play(&name, stream.replace('\n', "").as_bytes());
        if !name.ends_with("-cancel") {
            assert_eq!(glued, whole, "{name}");
        }
        let noisy = stream.replace('\n', "\nWARN: something\n\u{1b}[0m\n");
        let noisy = play(&name, noisy.as_bytes());
        assert_eq!(events(&noisy).last(), events(&whole).last(), "{name}");
        let mut broken = stream.clone().into_bytes();
        for at in (0..broken.len()).step_by(997) {
            broken[at] = 0xff;
        }
        let broken = play(&name, &broken);
        assert!(matches!(events(&broken).last(), Some(Event::End { .. })), "{name}");
    }
}

#[test]
fn a_line_of_an_agent_that_is_too_long_hides_nothing_else() {
    let (stream, _) = recording("opencode-success");
    let huge = format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":\"{}\"}}\n",
        "x".repeat(4 << 20)
    );
    let out = play("opencode-success", format!("{huge}{stream}").as_bytes());
    let whole = play("opencode-success", stream.as_bytes());
    assert_eq!(events(&out)[1..], events(&whole)[..]);
    let Event::Raw { line } = events(&out)[0] else { panic!("it is kept") };
    assert!(line.len() < 2 << 20);
}

/// A session of an agent that is at work on its prompt.
fn at_work() -> Session {
    let mut session = session("plain");
    session.take_line(r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}"#);
    session.take_line(r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s"}}"#);
    assert_eq!(session.waits(), Waits::ForAnswer);
    session.take_out().for_each(drop);
    session
}

fn call(session: &mut Session, status: &str) {
    let update = json!({ "sessionUpdate": "tool_call_update", "toolCallId": "c", "status": status,
        "title": "ls", "kind": "execute" });
    let params = json!({ "sessionId": "s", "update": update });
    session.take_line(&json!({ "method": "session/update", "params": params }).to_string());
}

fn out(session: &mut Session) -> Vec<String> {
    let out = session.take_out().map(|out| match out {
        // What is in all of them is left out.
        Out::Send(line) => {
            line.replace(",\"jsonrpc\":\"2.0\"", "").replace("\"sessionId\":\"s\",", "")
        }
        Out::Tell(event) => format!("{event:?}"),
    });
    out.collect()
}

#[test]
fn servers_are_given_as_far_as_the_agent_says_it_can_ask_them() {
    let program = json!({ "name": "owls", "command": "owls", "args": [], "env": [] });
    let service = json!({ "type": "http", "name": "issues", "url": "u", "headers": [] });
    let opened = |capabilities: Value| {
        let mut session = session("plain");
        session.wanted.servers = vec![program.clone(), service.clone()];
        session.take_out().for_each(drop);
        let hello = json!({ "protocolVersion": 1, "agentCapabilities": capabilities });
        session.take_line(&json!({ "jsonrpc": "2.0", "id": 1, "result": hello }).to_string());
        out(&mut session).split_off(1).join("\n")
    };
    let one = opened(json!({}));
    assert!(one.contains("it cannot ask a service, so it goes without `issues`"), "{one}");
    assert!(one.contains("\"owls\"") && !one.contains("\"issues\""), "{one}");
    let both = opened(json!({ "mcpCapabilities": { "http": true } }));
    assert!(both.contains("\"owls\"") && both.contains("\"issues\""), "{both}");
}

#[test]
fn an_agent_that_stops_where_it_is_not_allowed_something_is_told_to_go_on() {
    let mut session = at_work();
    session.wanted.policy.deny = vec!["execute:git tag".to_owned()];
    let ask = json!({ "jsonrpc": "2.0", "id": 0, "method": "session/request_permission", "params": {
        "sessionId": "s",
        "toolCall": { "toolCallId": "c", "kind": "execute", "title": "git tag x" },
        "options": [{ "optionId": "no", "name": "No", "kind": "reject_once" }] } });
    let over = |id: u64| json!({ "id": id, "result": { "stopReason": "end_turn" } }).to_string();
    session.take_line(&ask.to_string());
    session.take_line(&over(3));
    session.take_line(&over(4));
    expect![[r#"
        Call { id: "c", name: "execute", kind: "execute", input: "git tag x" }
        Permission { id: "c", kind: "execute", title: "git tag x", allowed: false, why: "rule `execute:git tag`" }
        {"id":0,"result":{"outcome":{"outcome":"selected","optionId":"no"}}}
        Notice { text: "it was told to go on without that" }
        {"id":4,"method":"session/prompt","params":{"prompt":[{"type":"text","text":"That is denied here (rule `execute:git tag`), and nobody is there who could allow it. Go on without it."}]}}
        End { claim: Finished, text: "", turns: 2 }"#]].assert_eq(&out(&mut session).join("\n"));

    // What it says or does after that is its own end, and being told has one, too.
    let mut session = at_work();
    session.wanted.policy.deny = vec!["execute".to_owned()];
    session.take_line(&ask.to_string());
    let said = json!({ "sessionUpdate": "agent_message_chunk",
        "content": { "type": "text", "text": "Then not." } });
    let said = json!({ "method": "session/update", "params": { "update": said } });
    session.take_line(&said.to_string());
    session.take_line(&over(3));
    assert_eq!(session.waits(), Waits::No);
    let mut session = at_work();
    session.wanted.policy.deny = vec!["execute".to_owned()];
    let n_turns = (3..).take_while(|id| {
        session.take_line(&ask.to_string());
        session.take_line(&over(*id));
        session.waits() != Waits::No
    });
    assert_eq!(n_turns.count(), N_TOLD_TO_GO_ON_MAX as usize);
}

#[test]
fn a_message_is_handed_over_when_no_tool_is_at_work() {
    let mut session = at_work();
    call(&mut session, "in_progress");
    out(&mut session);
    session.say("m1".to_owned(), "Use tabs.".to_owned());
    assert_eq!(out(&mut session), [""; 0], "the tool is at work");
    call(&mut session, "completed");
    session.say("m2".to_owned(), "And be quick.".to_owned());
    session.take_line(r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"cancelled"}}"#);
    session.take_line(r#"{"jsonrpc":"2.0","id":4,"result":{"stopReason":"end_turn"}}"#);
    session.take_line(r#"{"jsonrpc":"2.0","id":5,"error":{"code":429,"message":"no"}}"#);
    expect![[r#"
        Result { id: "c", ok: true, exit: None, output: "" }
        {"method":"session/cancel","params":{"sessionId":"s"}}
        Steered { id: "m1", how: Prompted }
        {"id":4,"method":"session/prompt","params":{"prompt":[{"type":"text","text":"Use tabs."}]}}
        Steered { id: "m2", how: Prompted }
        {"id":5,"method":"session/prompt","params":{"prompt":[{"type":"text","text":"And be quick."}]}}
        End { claim: Quota, text: "no", turns: 3 }"#]]
    .assert_eq(&out(&mut session).join("\n"));
    assert_eq!(session.waits(), Waits::No);
}

#[test]
fn an_agent_that_asks_for_messages_is_not_interrupted() {
    let mut session = at_work();
    let ask = |id: u64| json!({ "id": id, "method": ASKS_FOR_MESSAGES, "params": {} }).to_string();
    session.take_line(&ask(0));
    session.say("m1".to_owned(), "Use tabs.".to_owned());
    session.take_line(&ask(1));
    session.take_line(&ask(2));
    expect![[r#"
        {"id":0,"result":{"messages":[],"hasQueuedPrompt":false}}
        Steered { id: "m1", how: Asked }
        {"id":1,"result":{"messages":["Use tabs."],"hasQueuedPrompt":false}}
        {"id":2,"result":{"messages":[],"hasQueuedPrompt":false}}"#]]
    .assert_eq(&out(&mut session).join("\n"));
}

#[test]
fn a_stop_is_passed_on_and_is_the_end_whatever_is_answered() {
    for answer in [
        r#"{"id":3,"result":{"stopReason":"cancelled"}}"#,
        r#"{"id":3,"result":{"stopReason":"end_turn"}}"#,
        r#"{"id":3,"error":{"code":-32603,"message":"aborted"}}"#,
    ] {
        let mut session = at_work();
        session.say("m3".to_owned(), "too late".to_owned());
        session.stop();
        session.stop();
        assert_eq!(session.waits(), Waits::ForStop);
        let sent = out(&mut session);
        assert_eq!(sent.iter().filter(|line| line.contains("session/cancel")).count(), 2);
        session.take_line(answer);
        let end = out(&mut session);
        assert!(end[0].contains("Cancelled"), "{end:?}");
        assert_eq!(session.waits(), Waits::No);
    }
    let mut session = session("plain");
    session.stop();
    assert_eq!(session.waits(), Waits::No);
}

#[test]
fn what_is_asked_of_us_and_not_offered_is_refused_at_once() {
    let mut session = at_work();
    session.take_line(r#"{"id":"a","method":"fs/read_text_file","params":{}}"#);
    session.take_line(r#"{"id":7,"method":"session/request_permission","params":{"x":1}}"#);
    session.take_line(
        r#"{"id":8,"method":"session/request_permission","params":{"sessionId":"s","toolCall":
           {"toolCallId":"c","kind":"execute","title":"ls"},"options":[]}}"#,
    );
    expect![[r#"
        Raw { line: "{\"id\":\"a\",\"method\":\"fs/read_text_file\",\"params\":{}}" }
        {"id":"a","error":{"code":-32601,"message":"no fs/read_text_file here"}}
        Raw { line: "{\"x\":1}" }
        {"id":7,"result":{"outcome":{"outcome":"cancelled"}}}
        Call { id: "c", name: "execute", kind: "execute", input: "ls" }
        Permission { id: "c", kind: "execute", title: "ls", allowed: false, why: "" }
        {"id":8,"result":{"outcome":{"outcome":"cancelled"}}}"#]]
    .assert_eq(&out(&mut session).join("\n"));
}

#[test]
fn what_a_start_comes_to_is_told_apart() {
    let hello =
        r#"{"id":1,"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true}}}"#;
    let failed = |name: &str, lines: &[&str]| {
        let mut session = session(name);
        for line in lines {
            session.take_line(line);
        }
        out(&mut session).pop().unwrap()
    };
    let ends = [
        failed("a", &[r#"{"id":1,"result":{"protocolVersion":2}}"#]),
        failed("a", &[r#"{"id":1,"result":{}}"#]),
        failed("a", &[r#"{"id":1,"error":{"code":-32603,"message":"no"}}"#]),
        failed("a", &[hello, r#"{"id":2,"error":{"code":-32000,"message":"Log in"}}"#]),
        failed("a", &[hello, r#"{"id":2,"result":{}}"#]),
        failed("a-load", &[hello, r#"{"id":2,"error":{"code":-32603,"message":"what?"}}"#]),
        failed("a-load", &[hello, r#"{"id":2,"error":{"code":-32000,"message":"Log in"}}"#]),
        failed("a-load", &[r#"{"id":1,"result":{"protocolVersion":1}}"#]),
        failed(
            "a",
            &[
                hello,
                r#"{"id":2,"result":{"sessionId":"s"}}"#,
                r#"{"id":3,"result":{"stopReason":"tired"}}"#,
            ],
        ),
    ];
    expect![[r#"
        End { claim: Confused, text: "it speaks version 2 of the protocol, and not 1", turns: 0 }
        End { claim: Confused, text: "it speaks version null of the protocol, and not 1", turns: 0 }
        End { claim: ModelError, text: "no", turns: 0 }
        End { claim: NeedsLogin, text: "Log in", turns: 0 }
        End { claim: Confused, text: "it opened a session without an id", turns: 0 }
        End { claim: SessionLost, text: "what?", turns: 0 }
        End { claim: NeedsLogin, text: "Log in", turns: 0 }
        End { claim: SessionLost, text: "it cannot go on with a session", turns: 0 }
        End { claim: Confused, text: "it ended its turn with `\"tired\"`", turns: 1 }"#]]
    .assert_eq(&ends.join("\n"));
}

#[test]
fn a_mode_is_set_where_the_agent_has_it() {
    let wanted = ["none".to_owned(), "yolo".to_owned(), "agent".to_owned()];
    let id = SessionId::new("s");
    let modes = |current: &str| {
        json!({ "modes": { "currentModeId": current,
        "availableModes": [{ "id": "default" }, { "id": "yolo" }] } })
    };
    let option = |current: &str| {
        json!({ "configOptions": [{ "id": "m", "category": "mode",
        "currentValue": current, "options": [{ "value": "x#plan" }, { "value": "x#agent" }] }] })
    };
    let mut text = String::new();
    for answer in [modes("default"), modes("yolo"), option("x#plan"), option("x#agent"), json!({})]
    {
        let change = mode::change(&answer, &id, &wanted);
        let request = change.map(|change| format!("{} {}", change.method, change.params));
        let current = mode::current(&answer).unwrap_or_default();
        writeln!(text, "{current}: {}", request.unwrap_or_default()).unwrap();
    }
    expect![[r#"
        default: session/set_mode {"sessionId":"s","modeId":"yolo"}
        yolo: 
        x#plan: session/set_config_option {"sessionId":"s","configId":"m","value":"x#agent"}
        x#agent: 
        : 
    "#]]
    .assert_eq(&text);
}
