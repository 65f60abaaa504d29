//! Recorded streams of Claude Code 2.1.329 and a hand-made one of `mini`, whole,
//! cut, glued and broken.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect;
use zazen_core::trace::{Claim, Event};
use zazen_mini::event::{Claim as MiniClaim, Event as MiniEvent};

use super::{At, Claude, Harness, Kit, Mini, Name, Order, Programs, Reader, Server, Session, Task};

fn claude() -> Harness {
    Harness::Claude(Claude {
        program: PathBuf::from("/opt/claude/claude"),
        folder: PathBuf::from("/opt/claude"),
        model: String::new(),
        effort: String::new(),
        n_turns_max: 30,
        repo_programs: Programs::default(),
        is_login: false,
    })
}

/// Nothing is given and nothing denied.
static EMPTY: std::sync::LazyLock<Kit> = std::sync::LazyLock::new(Kit::default);

fn order(task: Task, prompt: &str) -> Order<'_> {
    Order { task, prompt, route: "anthropic", token: "t0ken", session: None, kit: &EMPTY }
}

fn mini() -> Harness {
    Harness::Mini(Mini { api: "anthropic", model: "a-model".to_owned(), n_turns_max: 30 })
}

/// The recordings, by name.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/claude");
    let mut all: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().display().to_string(), fs::read(&path).unwrap()))
        .collect();
    all.sort();
    all
}

fn recording(name: &str) -> String {
    let (_, bytes) = recordings().into_iter().find(|(found, _)| found == name).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads a stream as the sandbox hands it on: line by line, invalid UTF-8 replaced.
fn read(harness: &Harness, stream: &[u8]) -> (Reader, Vec<Event>) {
    let mut reader = harness.reader();
    let mut events = Vec::new();
    for line in String::from_utf8_lossy(stream).lines() {
        events.extend(reader.read(line));
    }
    (reader, events)
}

fn word(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap();
    value["type"].as_str().unwrap().to_owned()
}

/// The events as JSON, one a line.
fn in_full(events: &[Event]) -> String {
    let lines = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n");
    lines.collect()
}

#[test]
fn each_recording_ends_with_the_claim_that_it_makes() {
    let mut table = String::new();
    for (name, stream) in recordings() {
        let (reader, _) = read(&claude(), &stream);
        match reader.end() {
            Some(end) => {
                let text: String = end.text.chars().take(48).collect();
                let claim = format!("{:?}", end.claim);
                writeln!(table, "{name:14} {claim:12} {}", text.trim_end()).unwrap();
            }
            None => writeln!(table, "{name:14} no end").unwrap(),
        }
    }
    expect![[r#"
        acceptedits    Finished     Done: wrote hello.txt and committed.
        acceptedits-allow Finished     Done: wrote hello.txt and committed.
        badtool        Finished     recovered from bad tool call.
        budget         Budget       Reached maximum budget ($0.02)
        deny-default   Finished     I was not allowed to push; stopping.
        deny-dontask   Finished     Done: wrote hello.txt and committed.
        drop           StreamCut    [ede_diagnostic] result_type=assistant last_cont
        drop-r1        StreamCut    [ede_diagnostic] result_type=assistant last_cont
        err403         NeedsLogin   Failed to authenticate. API Error: 403 Your API
        err429         Quota        API Error: Request rejected (429) · This request
        err429-r1      Quota        API Error: Request rejected (429) · This request
        err500         ModelError   API Error: 500 Internal server error. This is a
        err529         Overloaded   API Error: 529 Overloaded. This is a server-side
        errcredit      Quota        Credit balance is too low
        errctx         ContextTooLong Prompt is too long · the request is ~250000 toke
        failcmd        Finished     Both commands failed as expected.
        flaky429       Finished     Done: wrote hello.txt and committed.
        hang           ModelError   Request timed out. If the API is slow to answer,
        killpg-kill    no end
        killpg-term    no end
        maxturns       TurnLimit    Reached maximum number of turns (3)
        nokey          NeedsLogin   Not logged in · Please run /login
        noserver       ModelError   API Error: Connection refused — a firewall or pr
        oauth-rlwarn   Finished     Done, but close to the limit.
        outside        Finished     wrote outside.
        reasoning      Finished     Thought about it; the answer is 42.
        resume         Finished     Resumed fine, I still see the history.
        resume-after-sigkill Finished     Resumed fine, I still see the history.
        resume-bogus   Crashed      No conversation found with session ID: 99999999-
        sid1           Finished     Done: wrote hello.txt and committed.
        sigint-tool    Killed       [ede_diagnostic] result_type=user last_content_t
        sigterm-stream no end
        sigterm-tool   no end
        success        Finished     Done: wrote hello.txt and committed.
    "#]]
    .assert_eq(&table);
}

#[test]
fn each_recording_is_read_event_by_event() {
    let mut table = String::new();
    for (name, stream) in recordings() {
        let (_, events) = read(&claude(), &stream);
        let words: Vec<String> = events.iter().map(word).collect();
        writeln!(table, "{name}: {}", words.join(" ")).unwrap();
    }
    expect![[r#"
        acceptedits: started text tool-call tool-result text tool-call denied tool-result text usage end
        acceptedits-allow: started text tool-call tool-result text tool-call tool-result text usage end
        badtool: started text tool-call tool-result text usage end
        budget: started text tool-call tool-result text tool-call tool-result text tool-call tool-result text tool-call usage end
        deny-default: started text tool-call denied tool-result text usage end
        deny-dontask: started text tool-call tool-result text tool-call denied tool-result text usage end
        drop: started text tool-call tool-result retry notice retry usage end
        drop-r1: started text tool-call tool-result retry notice retry usage end
        err403: started error usage end
        err429: started retry retry retry retry retry retry retry retry retry retry error usage end
        err429-r1: started retry error usage end
        err500: started retry retry retry retry retry retry retry retry retry retry error usage end
        err529: started retry retry retry retry retry retry retry retry retry retry error usage end
        errcredit: started error usage end
        errctx: started error usage end
        failcmd: started text tool-call tool-result text tool-call tool-result text usage end
        flaky429: started retry retry text tool-call tool-result text tool-call tool-result text usage end
        hang: started retry error usage end
        killpg-kill: started text tool-call tool-result text tool-call
        killpg-term: started text tool-call tool-result text tool-call tool-result
        maxturns: started text tool-call tool-result text tool-call tool-result text tool-call tool-result usage end
        nokey: started error usage end
        noserver: started retry retry error usage end
        oauth-rlwarn: started text tool-call rate-limit tool-result text usage end
        outside: started text tool-call denied tool-result text usage end
        reasoning: started thinking thinking text usage end
        resume: started text tool-call tool-result text usage end
        resume-after-sigkill: started text tool-call tool-result text usage end
        resume-bogus: usage end
        sid1: started text tool-call tool-result text tool-call tool-result text usage end
        sigint-tool: started text tool-call tool-result text tool-call tool-result notice usage end
        sigterm-stream: started text tool-call tool-result
        sigterm-tool: started text tool-call tool-result text tool-call tool-result
        success: started text tool-call tool-result text tool-call tool-result text usage end
    "#]].assert_eq(&table);
}

#[test]
fn a_run_of_claude_code_in_full() {
    let (_, events) = read(&claude(), recording("failcmd").as_bytes());
    expect![[r#"
        {"type":"started","session":"6403e8b2-4d35-4d61-af4a-9bb528d3c75e","model":"claude-opus-5-5","version":"2.1.329"}
        {"type":"text","text":"Step 1: calling Bash."}
        {"type":"tool-call","id":"toolu_46b992e1b56f4b86afde","name":"Bash","input":"{\"command\":\"false\",\"description\":\"run false\"}"}
        {"type":"tool-result","id":"toolu_46b992e1b56f4b86afde","ok":false,"exit":1,"output":"Exit code 1"}
        {"type":"text","text":"Step 2: calling Bash."}
        {"type":"tool-call","id":"toolu_073b3777d9314e45971b","name":"Bash","input":"{\"command\":\"exit 7\",\"description\":\"run exit 7\"}"}
        {"type":"tool-result","id":"toolu_073b3777d9314e45971b","ok":false,"exit":7,"output":"Exit code 7"}
        {"type":"text","text":"Both commands failed as expected."}
        {"type":"usage","tokens":{"input":3600,"output":171,"cache_read":1200,"cache_write":0},"cost_micros":18060}
        {"type":"end","claim":"finished","text":"Both commands failed as expected."}
    "#]].assert_eq(&in_full(&events));
}

#[test]
fn every_line_says_something_and_nothing_that_is_said_is_lost() {
    for (name, stream) in recordings() {
        let mut reader = claude().reader();
        for line in String::from_utf8(stream).unwrap().lines() {
            let events = reader.read(line);
            assert!(!events.is_empty(), "{name}: {line}");
            let kept = in_full(&events);
            for text in said(line) {
                assert!(kept.contains(&text), "{name}: {text} is not in {kept}");
            }
        }
    }
}

/// What a line says, by its blocks: the beginning of each text, the names of tools.
fn said(line: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let blocks = value["message"]["content"].as_array().into_iter().flatten();
    let fields = blocks.flat_map(|block| ["text", "thinking", "name"].map(|name| &block[name]));
    let texts = fields.filter_map(serde_json::Value::as_str);
    texts.map(|text| text.chars().take_while(|c| !matches!(c, '\n' | '"')).collect()).collect()
}

#[test]
fn only_a_success_without_an_error_is_finished() {
    let end = |more: &str| {
        let line = format!(r#"{{"type":"result","result":"Done.",{more}}}"#);
        let mut reader = claude().reader();
        reader.read(&line);
        reader.end().map(|end| end.claim)
    };
    assert_eq!(end(r#""subtype":"success","is_error":false"#), Some(Claim::Finished));
    assert_eq!(end(r#""subtype":"success","is_error":true"#), Some(Claim::ModelError));
    assert_eq!(end(r#""subtype":"new","is_error":false"#), Some(Claim::ModelError));
    assert_eq!(end(r#""is_error":false"#), Some(Claim::ModelError));
    // What does not say whether it is an error is not known to be an end.
    assert_eq!(end(r#""subtype":"success""#), None);
    assert_eq!(end(r#""subtype":"success","is_error":"no""#), None);
    // What else is odd does not hide the end.
    let odd = r#""subtype":"success","is_error":false,"usage":[1],"errors":{"a":1},"api_error":7"#;
    assert_eq!(end(odd), Some(Claim::Finished));
}

#[test]
fn a_quota_is_told_from_a_login_and_from_a_bad_day() {
    // Made by hand, after what a subscription answers with.
    let claim = |line: &str| {
        let mut reader = claude().reader();
        reader.read(line);
        reader.end().unwrap().claim
    };
    let failed = |more: &str| {
        claim(&format!(
            r#"{{"type":"result","subtype":"success","is_error":true,"terminal_reason":"api_error",
               "result":"",{more}}}"#
        ))
    };
    assert_eq!(failed(r#""api_error_status":429,"api_error":"usage_limit_reached""#), Claim::Quota);
    assert_eq!(
        failed(r#""api_error_status":null,"api_error":"usage_limit_reached""#),
        Claim::Quota
    );
    assert_eq!(failed(r#""api_error_status":529"#), Claim::Overloaded);
    assert_eq!(failed(r#""api_error_status":401"#), Claim::NeedsLogin);
    assert_eq!(failed(r#""api_error_status":500"#), Claim::ModelError);
    assert_eq!(failed(r#""api_error_status":"500""#), Claim::ModelError);
}

#[test]
fn an_error_that_the_run_got_over_is_not_the_reason_for_its_end() {
    let refused = r#"{"type":"assistant","is_api_error_message":true,"error":"rate_limit",
        "message":{"content":[{"type":"text","text":"API Error"}]}}"#;
    let broke = r#"{"type":"result","subtype":"error_during_execution","is_error":true,
        "terminal_reason":"completed","errors":["broke"]}"#;
    let mut reader = claude().reader();
    assert_eq!(reader.read(refused), [Event::Error { message: "API Error".to_owned() }]);
    reader.read(broke);
    assert_eq!(reader.end().unwrap().claim, Claim::ModelError);
    assert_eq!(reader.answer(), "", "an error is not an answer");
}

/// Cuts a stream at every byte: what was read before the cut line stays the same, and
/// the cut line says nothing that it does not say.
fn check_all_cuts(harness: &Harness, name: &str, stream: &[u8]) {
    let mut before = harness.reader();
    for line in stream.split_inclusive(|byte| *byte == b'\n') {
        for cut in 1..line.len() - 1 {
            let mut reader = before.clone();
            let part = String::from_utf8_lossy(&line[..cut]);
            let events = reader.read(&part);
            let kept = Event::Unknown { line: part.clone().into_owned() };
            assert_eq!(events, [kept], "{name}: {part}");
            assert_eq!(reader.end(), before.end(), "{name}: {part}");
            assert_eq!(reader.answer(), before.answer(), "{name}: {part}");
        }
        before.read(String::from_utf8_lossy(line).trim_end());
    }
}

#[test]
fn a_stream_of_claude_code_that_is_cut_anywhere_says_no_more_than_was_whole() {
    for (name, stream) in recordings() {
        check_all_cuts(&claude(), &name, &stream);
    }
}

#[test]
fn broken_lines_are_kept_as_they_came() {
    let whole = recording("success");
    let first = whole.lines().next().unwrap();
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let glued = format!("{first}{first}");
    for line in [
        "",
        "Warning: something on the wrong stream",
        "null",
        "[]",
        "7",
        "{}",
        r#"{"type":"result"}"#,
        r#"{"type":"assistant"}"#,
        r#"{"type":"assistant","message":{"content":[]}}"#,
        r#"{"type":"assistant","message":{"content":null}}"#,
        r#"{"type":"system","subtype":"a_new_one"}"#,
        r#"{"type":"a_new_one","is_error":false}"#,
        &deep,
        &glued,
        &first[1..],
    ] {
        let mut reader = claude().reader();
        assert_eq!(reader.read(line), [Event::Unknown { line: line.to_owned() }]);
        assert_eq!(reader.end(), None);
    }
}

#[test]
fn a_block_that_is_not_known_is_kept_beside_those_that_are() {
    let line = r#"{"type":"assistant","message":{"content":
        [{"type":"text","text":"a"},{"type":"image","data":"b"},7,{"text":"c"}]}}"#;
    let events = claude().reader().read(line);
    expect![[r#"
        {"type":"text","text":"a"}
        {"type":"unknown","line":"{\"type\":\"image\",\"data\":\"b\"}"}
        {"type":"unknown","line":"7"}
        {"type":"unknown","line":"{\"text\":\"c\"}"}
    "#]]
    .assert_eq(&in_full(&events));
}

#[test]
fn bytes_that_are_no_text_do_not_lose_the_lines_around_them() {
    let mut stream = recording("success").into_bytes();
    let at = stream.windows(4).position(|part| part == b"Done").unwrap();
    stream[at] = 0xff;
    let (reader, events) = read(&claude(), &stream);
    assert_eq!(events.len(), read(&claude(), recording("success").as_bytes()).1.len());
    assert_eq!(reader.end().unwrap().claim, Claim::Finished);
    assert!(events.iter().any(|e| matches!(e, Event::Text { text } if text.contains('\u{fffd}'))));
}

#[test]
fn a_line_of_64_megabytes_is_one_small_event() {
    let long = "x".repeat(64 << 20);
    let line = format!(r#"{{"type":"assistant","message":{{"content":"{long}"}}}}"#);
    for harness in [claude(), mini()] {
        for line in [&long, &line] {
            let events = harness.reader().read(line);
            let [Event::Unknown { line: kept }] = events.as_slice() else { panic!("one event") };
            assert!(kept.len() < 100_000, "{} bytes are kept", kept.len());
            assert!(kept.contains(" more bytes)"), "it says that it is cut");
        }
    }
}

/// A run of `mini`, with every kind of event that it has.
fn mini_stream() -> String {
    let text = |text: &str| text.to_owned();
    let events = [
        MiniEvent::Start {
            version: text("0.1.0"),
            model: text("a-model"),
            cwd: text("/workspace"),
        },
        MiniEvent::Retry { attempt: 1, why: text("529 overloaded") },
        MiniEvent::Text { text: text("Let me look.") },
        MiniEvent::Call { id: text("c1"), command: text("ls\nfalse") },
        MiniEvent::Result {
            id: text("c1"),
            exit: 1,
            timed_out: false,
            output: text("README.md\n"),
            bytes_cut: 0,
        },
        MiniEvent::Usage { input: 10, output: 20, cache_read: 30, cache_write: 40 },
        MiniEvent::Error { message: text("it went on") },
        MiniEvent::End { claim: MiniClaim::Finished, text: text("Done."), turns: 2 },
    ];
    let lines = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n");
    lines.collect()
}

#[test]
fn a_run_of_mini_in_full() {
    let (reader, events) = read(&mini(), mini_stream().as_bytes());
    expect![[r#"
        {"type":"started","session":null,"model":"a-model","version":"0.1.0"}
        {"type":"retry","attempt":1,"why":"529 overloaded"}
        {"type":"text","text":"Let me look."}
        {"type":"tool-call","id":"c1","name":"bash","input":"ls\nfalse"}
        {"type":"tool-result","id":"c1","ok":false,"exit":1,"output":"README.md\n"}
        {"type":"usage","tokens":{"input":10,"output":20,"cache_read":30,"cache_write":40}}
        {"type":"error","message":"it went on"}
        {"type":"end","claim":"finished","text":"Done."}
    "#]]
    .assert_eq(&in_full(&events));
    assert_eq!(reader.answer(), "Done.");
}

#[test]
fn each_claim_of_mini_is_kept() {
    for (theirs, ours) in [
        (MiniClaim::Finished, Claim::Finished),
        (MiniClaim::Limit, Claim::TurnLimit),
        (MiniClaim::NeedsLogin, Claim::NeedsLogin),
        (MiniClaim::Quota, Claim::Quota),
        (MiniClaim::Overloaded, Claim::Overloaded),
        (MiniClaim::ContextTooLong, Claim::ContextTooLong),
        (MiniClaim::StreamCut, Claim::StreamCut),
        (MiniClaim::ModelError, Claim::ModelError),
    ] {
        let end = MiniEvent::End { claim: theirs, text: String::new(), turns: 1 };
        let mut reader = mini().reader();
        reader.read(&serde_json::to_string(&end).unwrap());
        assert_eq!(reader.end().unwrap().claim, ours);
    }
}

#[test]
fn a_stream_of_mini_that_is_cut_anywhere_says_no_more_than_was_whole() {
    check_all_cuts(&mini(), "mini", mini_stream().as_bytes());
}

#[test]
fn lines_that_mini_does_not_write_are_kept_as_they_came() {
    for line in ["", "{}", "cc: not found", r#"{"type":"new"}"#, r#"{"type":"end","claim":"won"}"#]
    {
        let mut reader = mini().reader();
        assert_eq!(reader.read(line), [Event::Unknown { line: line.to_owned() }]);
        assert_eq!(reader.end(), None);
    }
}

#[test]
fn the_answer_is_what_was_said_at_the_end_or_last() {
    let mut reader = mini().reader();
    let mut say = |event: &MiniEvent, answer: &str| {
        reader.read(&serde_json::to_string(event).unwrap());
        assert_eq!(reader.answer(), answer);
    };
    let end = |claim, text: &str| MiniEvent::End { claim, text: text.to_owned(), turns: 1 };
    say(&MiniEvent::Retry { attempt: 1, why: "busy".to_owned() }, "");
    say(&MiniEvent::Text { text: "One.".to_owned() }, "One.");
    say(&MiniEvent::Text { text: "Two.".to_owned() }, "Two.");
    say(&MiniEvent::Error { message: "oh".to_owned() }, "Two.");
    say(&end(MiniClaim::ModelError, "the service failed"), "Two.");
    say(&end(MiniClaim::Finished, " \n"), "Two.");
    say(&end(MiniClaim::Finished, "Three."), "Three.");
}

#[test]
fn claude_code_is_started_with_the_token_and_the_gateway_and_nothing_of_ours() {
    let launch = claude().launch(order(Task::Read, "Plan it."));
    let said: serde_json::Value = serde_json::from_str(&launch.stdin).unwrap();
    assert_eq!(said["message"]["content"][0]["text"], "Plan it.");
    assert_eq!(launch.stdin.lines().count(), 1);
    assert_eq!(launch.tools, [PathBuf::from("/opt/claude")]);
    assert!(!launch.argv.join(" ").contains("t0ken"), "arguments can be read by everybody");
    let mut text = launch.argv.join(" ");
    for (name, value) in &launch.env {
        write!(text, "\n{name}={value}").unwrap();
    }
    expect![[r#"
        /opt/claude/claude -p --output-format stream-json --input-format stream-json --replay-user-messages --verbose --dangerously-skip-permissions --max-turns 30 --disallowedTools WebFetch WebSearch AskUserQuestion EnterPlanMode ExitPlanMode CronCreate CronDelete CronList ScheduleWakeup EnterWorktree ExitWorktree Edit Write NotebookEdit --setting-sources user --strict-mcp-config
        ANTHROPIC_API_KEY=t0ken
        ANTHROPIC_BASE_URL={gateway}/anthropic
        CLAUDE_CODE_DISABLE_AUTO_MEMORY=1
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
        CLAUDE_CODE_MAX_RETRIES=4
        CLAUDE_CONFIG_DIR={home}/claude
        DISABLE_AUTOUPDATER=1
        IS_SANDBOX=1"#]].assert_eq(&text);
}

#[test]
fn only_a_run_that_may_write_gets_the_tools_that_write() {
    let never = |task| {
        let argv = claude().launch(order(task, "")).argv;
        let at = argv.iter().position(|arg| arg == "--disallowedTools").unwrap();
        argv[at + 1].split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(never(Task::Read).contains(&"Write".to_owned()));
    assert!(!never(Task::Write).contains(&"Write".to_owned()));
    for task in [Task::Read, Task::Write] {
        assert!(never(task).contains(&"WebFetch".to_owned()));
        assert!(never(task).contains(&"EnterWorktree".to_owned()));
    }
}

#[test]
fn a_session_that_is_resumed_gets_every_flag_again() {
    let argv = |session| {
        let order = Order { session: Some(session), ..order(Task::Read, "Plan it.") };
        claude().launch(order).argv
    };
    let (new, resumed) = (argv(Session::New("an-id")), argv(Session::Resumed("an-id")));
    let flag = |argv: &[String], name: &str| argv.windows(2).any(|two| two == [name, "an-id"]);
    assert!(flag(&new, "--session-id") && !flag(&new, "--resume"), "{new:?}");
    assert!(flag(&resumed, "--resume") && !flag(&resumed, "--session-id"), "{resumed:?}");
    let others = |argv: Vec<String>| -> Vec<String> {
        argv.into_iter().filter(|arg| arg != "--session-id" && arg != "--resume").collect()
    };
    assert_eq!(others(new), others(resumed));
}

#[test]
fn what_is_said_to_claude_code_is_one_line_and_comes_back_when_it_is_taken_in() {
    let text = "Use UTC.\n\"}\n{\"type\":\"control_request\"}";
    let line = Name::Claude.message("an-id", text).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    let mut back: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(back["message"]["content"][0]["text"], text);
    back["isReplay"] = true.into();
    let mut reader = claude().reader();
    assert_eq!(reader.read(&back.to_string()), [Event::Told { id: "an-id".to_owned() }]);
    assert_eq!(Name::Mini.message("an-id", "Use UTC."), None);
}

#[test]
fn a_named_model_and_effort_are_passed_on() {
    let named = Harness::Claude(Claude {
        program: PathBuf::from("/opt/claude/claude"),
        folder: PathBuf::from("/opt/claude"),
        model: "claude-haiku-5-5".to_owned(),
        effort: "high".to_owned(),
        n_turns_max: 30,
        repo_programs: Programs::default(),
        is_login: false,
    });
    let argv = named.launch(order(Task::Write, "")).argv;
    assert!(argv.join(" ").ends_with("--model claude-haiku-5-5 --effort high"), "{argv:?}");
}

#[test]
fn the_repositorys_own_settings_count_only_where_the_owner_says_so() {
    let argv = |hooks, mcp| {
        let Harness::Claude(claude) = claude() else { unreachable!("it is claude") };
        let named = Harness::Claude(Claude { repo_programs: Programs { hooks, mcp }, ..claude });
        named.launch(order(Task::Write, "")).argv.join(" ")
    };
    let closed = argv(false, false);
    assert!(closed.contains("--setting-sources user --strict-mcp-config"), "{closed}");
    let open = argv(true, true);
    assert!(open.contains("--setting-sources user,project --settings"), "{open}");
    assert!(!open.contains("--strict-mcp-config"), "{open}");
}

/// Two servers, and two things that are denied.
fn kit() -> Kit {
    let mut kit = Kit::default();
    let env = [("QUIET".to_owned(), "1".to_owned())].into();
    let argv = vec!["/opt/owls/server".to_owned(), "-q".to_owned()];
    let only = vec!["count".parse().unwrap(), "name".parse().unwrap()];
    let owls = Server { at: At::Program { argv: argv.clone(), env }, tools: only };
    let at = At::Gateway { url: "{gateway}/mcp/issues".to_owned(), token: "l3t-in".to_owned() };
    kit.servers.insert("owls".to_owned(), owls);
    kit.servers.insert("issues".to_owned(), Server { at, tools: Vec::new() });
    kit.denied.commands = vec!["git push".parse().unwrap(), "curl".parse().unwrap()];
    kit.denied.tools = vec!["Skill".parse().unwrap()];
    kit
}

#[test]
fn claude_code_is_given_the_servers_in_a_file_and_the_lists_as_arguments() {
    let kit = kit();
    let launch = claude().launch(Order { kit: &kit, ..order(Task::Write, "") });
    let said = launch.argv.join(" ");
    assert!(said.contains(" Bash(git push:*) Bash(curl:*) Skill --setting-sources"), "{said}");
    assert!(said.contains("--strict-mcp-config --mcp-config {home}/claude-servers.json"), "{said}");
    assert!(!said.contains("l3t-in"), "arguments can be read by everybody");
    let file: serde_json::Value =
        serde_json::from_str(&launch.files["claude-servers.json"]).unwrap();
    expect![[r#"
        {
          "mcpServers": {
            "issues": {
              "type": "http",
              "url": "{gateway}/mcp/issues",
              "headers": {
                "Authorization": "Bearer l3t-in"
              }
            },
            "owls": {
              "type": "stdio",
              "command": "{zazen}",
              "args": [
                "mcp-filter",
                "--only",
                "count",
                "--only",
                "name",
                "--",
                "/opt/owls/server",
                "-q"
              ],
              "env": {
                "QUIET": "1"
              }
            }
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&file).unwrap());
}

#[test]
fn mini_is_told_what_is_denied_and_has_no_servers() {
    let kit = kit();
    let launch = mini().launch(Order { kit: &kit, ..order(Task::Write, "") });
    assert!(launch.argv.join(" ").ends_with(" --deny git push --deny curl"), "{:?}", launch.argv);
    assert!(!Name::Mini.takes_servers() && launch.files.is_empty());
    assert!(Name::Claude.takes_servers());
}

#[test]
fn a_harness_is_known_by_its_name() {
    for name in Name::ALL {
        assert_eq!(name.word().parse(), Ok(name));
        assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{name}\""));
    }
    let says = "vim".parse::<Name>().unwrap_err().to_string();
    let names = "`acp`, `aider`, `claude`, `codex`, `copilot`, `custom`, `gemini`, `mini`, \
                 `opencode` and `qwen`";
    assert_eq!(says, format!("`vim` is not a harness; there are {names}"));
}
