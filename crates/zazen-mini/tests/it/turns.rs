//! What goes back and forth when all goes well, or nearly so.

use serde_json::json;
use zazen_mini::event::{Claim, Event};
use zazen_mini::{Api, Exit};

use crate::sse::{Bash, Call, Text, Thought, answer, answer_at_limit};
use crate::{BOTH, TOKEN, run, run_with};

#[tokio::test]
async fn a_command_runs_and_its_result_reaches_the_model() {
    for api in BOTH {
        let replies = vec![
            answer(api, &[Text("I write it."), Bash("c1", "echo hé > a.txt; cat a.txt; false")]),
            answer(api, &[Text("Done: wrote a.txt.")]),
        ];
        let done = run(api, replies).await;
        assert_eq!(done.exit, Exit::Finished);
        assert_eq!(done.read("a.txt"), "hé\n");
        assert_eq!(done.end(), (Claim::Finished, "Done: wrote a.txt.", 2));
        assert_eq!(done.results(), [(1, false, "hé\n")]);
        assert_eq!(done.tool_results(1), [("c1".into(), "hé\n[exit 1]".into())]);
    }
}

#[tokio::test]
async fn the_events_are_one_json_object_a_line() {
    let replies = vec![
        answer(Api::Anthropic, &[Text("a"), Bash("c1", "echo b")]),
        answer(Api::Anthropic, &[Text("c")]),
    ];
    let done = run(Api::Anthropic, replies).await;
    let cwd = done.path().to_str().unwrap();
    let usage = r#"{"type":"usage","input":90,"output":7,"cache_read":10,"cache_write":5}"#;
    let expected = [
        &format!(r#"{{"type":"start","version":"0.1.0","model":"fake-model-max","cwd":"{cwd}"}}"#),
        usage,
        r#"{"type":"text","text":"a"}"#,
        r#"{"type":"call","id":"c1","command":"echo b"}"#,
        r#"{"type":"result","id":"c1","exit":0,"timed_out":false,"output":"b\n","bytes_cut":0}"#,
        usage,
        r#"{"type":"text","text":"c"}"#,
        r#"{"type":"end","claim":"finished","text":"c","turns":2}"#,
    ];
    assert_eq!(done.lines.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn calls_of_one_turn_run_in_order_and_are_all_answered() {
    for api in BOTH {
        let replies = vec![
            answer(api, &[Bash("c1", "echo 1 >> log"), Bash("c2", "echo 2 >> log; cat log")]),
            answer(api, &[Text("Done.")]),
        ];
        let done = run(api, replies).await;
        assert_eq!(done.exit, Exit::Finished);
        let expected = [("c1".into(), "[exit 0]".into()), ("c2".into(), "1\n2\n[exit 0]".into())];
        assert_eq!(done.tool_results(1), expected);
    }
}

#[tokio::test]
async fn the_results_of_one_turn_are_one_message_where_the_wire_wants_it() {
    let api = Api::Anthropic;
    let replies =
        vec![answer(api, &[Bash("c1", "true"), Bash("c2", "true")]), answer(api, &[Text("Done.")])];
    let done = run(api, replies).await;
    let messages = done.requests[1].body["messages"].as_array().unwrap().clone();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].clone()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(messages[2]["content"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_request_says_what_it_must() {
    for (api, path, key) in [
        (Api::Anthropic, "/anthropic/v1/messages", format!("x-api-key: {TOKEN}")),
        (Api::OpenAi, "/openai/v1/chat/completions", format!("authorization: bearer {TOKEN}")),
    ] {
        let done = run(api, vec![answer(api, &[Text("Done.")])]).await;
        let request = &done.requests[0];
        assert_eq!(request.path, path);
        assert!(request.head.contains(&key), "{}", request.head);
        // The name's ending is not taken for an effort.
        assert_eq!(request.body["model"], "fake-model-max");
        assert_eq!(request.body.get("reasoning_effort"), None);
        assert_eq!(request.body.get("output_config"), None);
        assert_eq!(request.body["tools"].as_array().unwrap().len(), 1);
        assert!(request.body.to_string().contains("please do it"));
    }
}

#[tokio::test]
async fn the_newest_messages_are_marked_for_the_cache() {
    let api = Api::Anthropic;
    let replies = vec![
        answer(api, &[Bash("c1", "true")]),
        answer(api, &[Bash("c2", "true")]),
        answer(api, &[Text("Done.")]),
    ];
    let done = run(api, replies).await;
    let marks = |n: usize| {
        let messages = done.requests[n].body["messages"].as_array().unwrap();
        let marked = messages.iter().enumerate().filter(|(_, message)| {
            message["content"]
                .as_array()
                .and_then(|parts| parts.last())
                .is_some_and(|part| part["cache_control"] == json!({ "type": "ephemeral" }))
        });
        marked.map(|(index, _)| index).collect::<Vec<_>>()
    };
    assert_eq!((marks(0), marks(1), marks(2)), (vec![0], vec![0, 2], vec![2, 4]));
}

#[tokio::test]
async fn the_usage_of_every_answer_is_told() {
    for (api, cache_write) in [(Api::Anthropic, 5), (Api::OpenAi, 0)] {
        let replies = vec![
            answer(api, &[Bash("c1", "true")]),
            answer_at_limit(api, &[Text("Do")]),
            answer(api, &[Text("ne.")]),
        ];
        let done = run(api, replies).await;
        let usage = Event::Usage { input: 90, output: 7, cache_read: 10, cache_write };
        assert_eq!(done.events.iter().filter(|event| **event == usage).count(), 3);
    }
}

#[tokio::test]
async fn the_run_ends_with_its_turns() {
    for api in BOTH {
        let replies = (0..3).map(|_| answer(api, &[Text("More."), Bash("c", "echo x >> log")]));
        let done = run_with(api, replies.collect(), |options| options.turns_max = 3).await;
        assert_eq!(done.exit, Exit::TurnLimit);
        assert_eq!(u8::from(done.exit), 3);
        assert_eq!(done.end(), (Claim::Limit, "More.", 3));
        assert_eq!(done.read("log"), "x\nx\nx\n");
        // The model is warned before its last turn, and only then.
        let told = done.tool_results(2);
        assert_eq!(told[0].1, "[exit 0]");
        assert!(told[1].1.contains("last command"), "{}", told[1].1);
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_at_the_limit_is_gone_on_with() {
    for api in BOTH {
        let replies = vec![answer_at_limit(api, &[Text("It is ")]), answer(api, &[Text("done.")])];
        let done = run(api, replies).await;
        assert_eq!(done.end(), (Claim::Finished, "It is done.", 2));
        assert!(done.requests[1].body.to_string().contains("It is "));
    }
}

#[tokio::test]
async fn a_model_that_never_comes_to_an_end_is_given_up() {
    for api in BOTH {
        let replies = (0..4).map(|_| answer_at_limit(api, &[Text("la ")])).collect();
        let done = run(api, replies).await;
        assert_eq!(done.exit, Exit::ModelError);
        assert_eq!(done.end(), (Claim::ModelError, "la la la la ", 4));
    }
}

#[tokio::test]
async fn an_empty_answer_is_asked_about() {
    for api in BOTH {
        let done = run(api, vec![answer(api, &[]), answer(api, &[Text("Done.")])]).await;
        assert_eq!(done.end(), (Claim::Finished, "Done.", 2));
    }
}

#[tokio::test]
async fn a_call_that_makes_no_sense_is_answered_and_the_run_goes_on() {
    for api in BOTH {
        let replies = vec![
            answer(
                api,
                &[
                    Call("c1", "bash", r#"{"command": "touch bad"#),
                    Call("c2", "bash", r#"{"cmd": "touch bad"}"#),
                    Call("c3", "edit", r#"{"command": "touch bad"}"#),
                    Bash("c4", "echo good"),
                ],
            ),
            answer(api, &[Text("Done.")]),
        ];
        let done = run(api, replies).await;
        assert_eq!(done.exit, Exit::Finished);
        assert!(!done.path().join("bad").exists());
        let exits: Vec<_> = done.results().iter().map(|result| result.0).collect();
        assert_eq!(exits, [2, 2, 2, 0]);
        let told = done.tool_results(1);
        assert!(told[0].1.contains(r#"{"command": "touch bad"#), "{}", told[0].1);
        assert!(told[1].1.contains("touch bad"), "{}", told[1].1);
        assert!(told[2].1.contains("no tool `edit`"), "{}", told[2].1);
        assert_eq!(told[3], ("c4".into(), "good\n[exit 0]".into()));
    }
}

#[tokio::test]
async fn broken_arguments_go_back_as_an_object() {
    let api = Api::Anthropic;
    let replies = vec![answer(api, &[Call("c1", "bash", "{oops")]), answer(api, &[Text("Done.")])];
    let done = run(api, replies).await;
    let call = &done.requests[1].body["messages"][1]["content"][0];
    assert_eq!(call["input"], json!({ "invalid": "{oops" }));
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused_before_anything_is_done() {
    let done = run_with(Api::OpenAi, vec![], |options| options.base_url = "https://x".into()).await;
    assert_eq!((done.exit, u8::from(done.exit)), (Exit::Usage, 2));
    assert_eq!(done.errors(), ["base URL `https://x` does not start with `http://`"]);
    assert_eq!(done.events.len(), 1);
    let done = run_with(Api::OpenAi, vec![], |options| options.cwd = "/no/such".into()).await;
    assert_eq!(done.errors(), ["`/no/such` is not a directory"]);
}

#[tokio::test]
async fn signed_thoughts_go_back_before_the_call_they_led_to() {
    let api = Api::Anthropic;
    let replies = vec![
        answer(api, &[Thought("Look first."), Bash("c1", "true")]),
        answer(api, &[Text("Done.")]),
    ];
    let done = run(api, replies).await;
    let content = &done.requests[1].body["messages"][1]["content"];
    let thought = json!({
        "type": "thinking", "thinking": "Look first.", "signature": "c2lnbmVk",
    });
    assert_eq!(content[0], thought);
    assert_eq!(content[1]["type"], "tool_use");
    assert!(!done.lines.contains("Look first."));
}

#[tokio::test]
async fn a_denied_command_is_not_run_and_the_model_is_told() {
    let replies = vec![
        answer(Api::Anthropic, &[Bash("c1", "touch a && git push origin main")]),
        answer(Api::Anthropic, &[Text("It cannot be pushed.")]),
    ];
    let deny = |options: &mut zazen_mini::Options| options.denied = vec!["git push".to_owned()];
    let done = run_with(Api::Anthropic, replies, deny).await;
    assert_eq!(done.exit, Exit::Finished);
    assert!(!done.path().join("a").exists(), "no part of it is run");
    let [(_, result)] = done.tool_results(1).try_into().unwrap();
    assert!(result.contains("`git push` is denied here"), "{result}");
}
