use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use expect_test::{expect, expect_file};
use serde_json::Value;
use zazen_core::trace::{Claim, Event};

use super::*;
use crate::{At, Dialect, Kit, Reader, Server};

fn agent(agent: Speaker, api: Api) -> Acp {
    let is_script = matches!(agent, Speaker::Gemini | Speaker::Qwen);
    Acp {
        agent,
        program: PathBuf::from("/opt/agent/bin/agent"),
        node: is_script.then(|| PathBuf::from("/opt/node/bin/node")),
        folders: vec![PathBuf::from("/opt/agent")],
        model: "a-model".to_owned(),
        api,
        n_turns_max: 30,
    }
}

/// Nothing is given and nothing denied.
static EMPTY: LazyLock<Kit> = LazyLock::new(Kit::default);

fn order(task: Task) -> Order<'static> {
    Order { task, prompt: "Do it.", route: "r", token: "t0ken", session: None, kit: &EMPTY }
}

fn all() -> [(&'static str, Acp); 7] {
    let args = vec!["--speak".to_owned(), "acp".to_owned(), "{model}".to_owned()];
    let usual = Other { args, ..Other::default() };
    let env = [("OWL_KEY", "{key}"), ("OWL_AT", "{url}/v1"), ("OWL_HOME", "{home}/owl")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let own = Other { env, login: "owl-key".to_owned(), ..Other::default() };
    [
        ("gemini", agent(Speaker::Gemini, Api::Gemini)),
        ("opencode", agent(Speaker::OpenCode, Api::OpenAi)),
        ("qwen", agent(Speaker::Qwen, Api::OpenAi)),
        ("copilot", agent(Speaker::Copilot, Api::OpenAi)),
        ("copilot-anthropic", agent(Speaker::Copilot, Api::Anthropic)),
        ("other", agent(Speaker::Other(usual), Api::OpenAi)),
        ("other-of-its-own", agent(Speaker::Other(own), Api::OpenAi)),
    ]
}

#[test]
fn each_agent_finds_the_gateway_and_nothing_else() {
    let mut text = String::new();
    for (name, acp) in all() {
        let launch = launch(&acp, order(Task::Write));
        assert_eq!(launch.stdin, "{\"id\":\"\",\"text\":\"Do it.\"}\n");
        assert_eq!(launch.tools, acp.folders);
        assert!(!launch.argv.join(" ").contains("t0ken"), "arguments can be read by everybody");
        writeln!(text, "# {name}\n\n{}", launch.argv.join(" ")).unwrap();
        for (name, value) in &launch.env {
            writeln!(text, "{name}={value}").unwrap();
        }
        for (path, file) in &launch.files {
            writeln!(text, "\n{path}:\n{file}").unwrap();
        }
        text.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/acp-launches.txt");
    expect_file![file].assert_eq(&text);
}

#[test]
fn a_run_that_only_looks_is_told_to_deny_what_changes_files() {
    for (name, acp) in all() {
        let read = launch(&acp, order(Task::Read)).argv;
        let begin: Vec<&str> = read.iter().take(3).map(String::as_str).collect();
        assert_eq!(begin[..3], ["{zazen}", "acp", "--read-only"], "{name}");
        let write = launch(&acp, order(Task::Write)).argv;
        assert!(!write.contains(&"--read-only".to_owned()), "{name}");
    }
    let read = launch(&all()[1].1, order(Task::Read)).files;
    assert!(read["opencode.json"].contains("\"edit\": \"deny\""));
}

#[test]
fn where_something_is_denied_an_agent_goes_on_asking() {
    let (_, other) = all()[5].clone();
    let argv = |order: Order<'_>| launch(&other, order).argv.join(" ");
    assert!(argv(order(Task::Write)).contains("--mode bypassPermissions"));
    let mut kit = Kit::default();
    kit.denied.commands = vec!["git push".parse().unwrap()];
    kit.denied.tools = vec!["fetch".parse().unwrap()];
    let denied = argv(Order { kit: &kit, ..order(Task::Write) });
    assert!(denied.contains("--deny execute:git push --deny fetch --"), "{denied}");
    assert!(!denied.contains("--mode"), "{denied}");
}

#[test]
fn servers_are_handed_to_every_agent_in_the_words_of_the_protocol() {
    let mut kit = Kit::default();
    let (url, token) = ("{gateway}/mcp/issues".to_owned(), "t0ken".to_owned());
    let issues = Server { at: At::Gateway { url, token }, tools: Vec::new() };
    let argv = vec!["owls".to_owned(), "--all".to_owned()];
    let env = BTreeMap::from([("OWLS".to_owned(), "two".to_owned())]);
    let owls = Server { at: At::Program { argv, env }, tools: vec!["count".parse().unwrap()] };
    kit.servers = BTreeMap::from([("issues".to_owned(), issues), ("owls".to_owned(), owls)]);
    for (name, acp) in all() {
        let launch = launch(&acp, Order { kit: &kit, ..order(Task::Write) });
        let argv = launch.argv.join(" ");
        assert!(argv.contains("--servers {home}/acp-servers.json"), "{name}: {argv}");
        let header = json!({ "name": "Authorization", "value": "Bearer t0ken" });
        let variable = json!({ "name": "OWLS", "value": "two" });
        let wanted = json!([
            { "type": "http", "name": "issues", "url": "{gateway}/mcp/issues",
                "headers": [header] },
            { "name": "owls", "command": "{zazen}", "env": [variable],
                "args": ["mcp-filter", "--only", "count", "--", "owls", "--all"] },
        ]);
        let said = serde_json::from_str::<Value>(&launch.files["acp-servers.json"]).unwrap();
        assert_eq!(said, wanted);
    }
}

#[test]
fn a_session_is_gone_on_with_by_its_own_name() {
    let resumed = Order { session: Some(Session::Resumed("s-1")), ..order(Task::Write) };
    let argv = launch(&all()[0].1, resumed).argv.join(" ");
    assert!(argv.starts_with("{zazen} acp --resume s-1 "), "{argv}");
}

/// The streams that `zazen acp` printed for recordings of real agents.
fn streams() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../zazen-acp/tests/streams");
    let mut streams = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "events") {
            let text = fs::read_to_string(&path).unwrap();
            // What was sent to the agent stands between.
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('>')).collect();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            streams.push((name, lines.join("\n") + "\n"));
        }
    }
    streams.sort();
    assert!(streams.len() > 20);
    streams
}

fn play(stream: &str) -> (Reader, Vec<Event>) {
    let mut reader = Reader::of(Dialect::Acp);
    let events = stream.lines().flat_map(|line| reader.read(line)).collect();
    (reader, events)
}

#[test]
fn every_recording_says_how_it_ended_and_what_it_used() {
    let mut text = String::new();
    for (name, stream) in streams() {
        let (reader, events) = play(&stream);
        let claim = reader.end().unwrap().claim;
        let tokens = reader.totals().tokens;
        let cost = reader.totals().cost_micros;
        let (input, output, cached) = (tokens.input, tokens.output, tokens.cache_read);
        let is_tool = |event: &&Event| matches!(event, Event::ToolCall { .. });
        let n_tools = events.iter().filter(is_tool).count();
        let n_denied = reader.n_denied();
        writeln!(
            text,
            "{name:18} {claim:?}, {n_tools} tools, {n_denied} denied, \
             {input}+{cached} in, {output} out, {cost} µ$"
        )
        .unwrap();
        assert!(reader.session().is_some(), "{name}");
    }
    expect![[r#"
        claude-bypass      Finished, 2 tools, 0 denied, 3600+1200 in, 171 out, 24080 µ$
        claude-cancel      Killed, 2 tools, 0 denied, 2400+800 in, 114 out, 18060 µ$
        claude-deny        Finished, 1 tools, 1 denied, 2400+800 in, 114 out, 18060 µ$
        claude-err401      NeedsLogin, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        claude-err429      Quota, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        claude-errusage    Quota, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        claude-load        Finished, 1 tools, 0 denied, 2400+800 in, 114 out, 42140 µ$
        claude-success     Finished, 2 tools, 0 denied, 3600+1200 in, 171 out, 24080 µ$
        claudezed-success  Finished, 2 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        codex-err401       NeedsLogin, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        codex-load         Finished, 1 tools, 0 denied, 1600+800 in, 114 out, 0 µ$
        codex-success      Finished, 1 tools, 0 denied, 2400+1200 in, 171 out, 0 µ$
        codexzed-success   Finished, 1 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        copilot-cancel     Killed, 2 tools, 0 denied, 1600+800 in, 114 out, 0 µ$
        copilot-err401     NeedsLogin, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        copilot-success    Finished, 2 tools, 0 denied, 2400+1200 in, 171 out, 0 µ$
        gemini-deny        Finished, 1 tools, 1 denied, 2400+0 in, 114 out, 0 µ$
        gemini-err401      NeedsLogin, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        gemini-errusage    Quota, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        gemini-success     Finished, 2 tools, 0 denied, 3600+0 in, 171 out, 0 µ$
        opencode-cancel    Killed, 2 tools, 0 denied, 0+0 in, 0 out, 3375 µ$
        opencode-err401    NeedsLogin, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        opencode-success   Finished, 2 tools, 0 denied, 0+0 in, 0 out, 10125 µ$
        qwen-err401        NeedsLogin, 0 tools, 0 denied, 0+0 in, 0 out, 0 µ$
        qwen-success       Finished, 2 tools, 0 denied, 2400+1200 in, 171 out, 0 µ$
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_stream_that_is_cut_anywhere_says_no_more_than_was_whole() {
    for (name, stream) in streams() {
        let (_, whole) = play(&stream);
        let n_lines = stream.lines().count();
        for n_kept in 0..n_lines {
            let kept: Vec<&str> = stream.lines().take(n_kept).collect();
            let line = stream.lines().nth(n_kept).unwrap();
            let half: String = line.chars().take(line.chars().count() / 2).collect();
            let cut = format!("{}\n{half}", kept.join("\n"));
            let (reader, events) = play(cut.trim_start());
            assert_eq!(reader.end(), None, "{name}, line {n_kept}");
            assert_eq!(events[..n_kept], whole[..n_kept], "{name}, line {n_kept}");
            assert!(matches!(events[n_kept], Event::Unknown { .. }), "{name}, line {n_kept}");
        }
    }
}

#[test]
fn every_end_of_the_client_has_its_claim() {
    use zazen_acp::event::Claim as Said;
    let mut text = String::new();
    for said in [
        Said::Finished,
        Said::MaxTokens,
        Said::MaxTurns,
        Said::Refused,
        Said::Cancelled,
        Said::NeedsLogin,
        Said::Quota,
        Said::Overloaded,
        Said::ContextFull,
        Said::ModelError,
        Said::SessionLost,
        Said::NotStarted,
        Said::Silent,
        Said::Exited,
        Said::Crashed,
        Said::Cut,
        Said::Confused,
    ] {
        let end = zazen_acp::event::Event::End { claim: said, text: "words".into(), turns: 1 };
        let (reader, _) = play(&serde_json::to_string(&end).unwrap());
        let claim: Claim = reader.end().unwrap().claim;
        assert_eq!(claim == Claim::Finished, said == Said::Finished);
        writeln!(text, "{said:?} is {claim:?}").unwrap();
    }
    expect![[r#"
        Finished is Finished
        MaxTokens is ModelError
        MaxTurns is TurnLimit
        Refused is GaveUp
        Cancelled is Killed
        NeedsLogin is NeedsLogin
        Quota is Quota
        Overloaded is Overloaded
        ContextFull is ContextTooLong
        ModelError is ModelError
        SessionLost is Crashed
        NotStarted is Crashed
        Silent is Hung
        Exited is Crashed
        Crashed is Crashed
        Cut is Crashed
        Confused is Crashed
    "#]]
    .assert_eq(&text);
}
