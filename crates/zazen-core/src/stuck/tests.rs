//! Loops are found, work is let be.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::words;

/// Plays events, one a second, until there is a verdict.
fn play(events: &[Event]) -> Option<Verdict> {
    play_every(1000, events)
}

fn play_every(ms: u64, events: &[Event]) -> Option<Verdict> {
    let mut watch = Watch::default();
    let mut at = Time(1_000_000);
    events.iter().find_map(|event| {
        at = Time(at.0 + ms);
        watch.see(event, at)
    })
}

/// One call and what came back.
fn call(n: usize, (name, input): (&str, &str), (ok, output): (bool, &str)) -> [Event; 2] {
    let id = format!("call-{n}");
    let (name, input, output) = (name.to_owned(), input.to_owned(), output.to_owned());
    let exit = Some(i32::from(!ok));
    let call = Event::ToolCall { id: id.clone(), name, input, paths: Vec::new() };
    [call, Event::ToolResult { id, ok, exit, output }]
}

fn bash(n: usize, command: &str, result: (bool, &str)) -> [Event; 2] {
    call(n, ("Bash", command), result)
}

/// A change of one file.
fn edit(n: usize, from: &str, to: &str) -> [Event; 2] {
    let input = json!({ "file_path": "src/lib.rs", "old_string": from, "new_string": to });
    call(n, ("Edit", &input.to_string()), (true, &format!("changed, {n}")))
}

fn check(events: &[Event], expected: &Expect) {
    let verdict = play(events);
    let said = verdict.map(|verdict| format!("{:?}: {}", verdict.kind(), words::stuck(&verdict)));
    expected.assert_eq(&said.unwrap_or_default());
}

#[test]
fn the_same_call_with_the_same_result_is_a_loop() {
    let events: Vec<Event> = (0..20).flat_map(|n| bash(n, "ls", (true, "a b"))).collect();
    check(
        &events,
        &expect!["Stuck: The same call came back with the same result 10 times: Bash ls"],
    );
}

#[test]
fn the_same_failure_of_other_calls_is_a_loop_whatever_its_numbers() {
    let fail = |n: usize| bash(n, &format!("make {n}"), (false, &format!("error on line {n}")));
    let events: Vec<Event> = (0..20).flat_map(fail).collect();
    check(
        &events,
        &expect![
            "Stuck: The same tool failed in the same way 12 times, with no success between: Bash: error on line 11"
        ],
    );
}

#[test]
fn a_circle_of_calls_that_brings_nothing_new_is_a_loop() {
    let look = |n: usize| bash(n, &format!("cat file-{}", n % 5), (true, "text"));
    let events: Vec<Event> = (0..60).flat_map(look).collect();
    check(
        &events,
        &expect![
            "Stuck: 40 results in a row brought nothing that was not there before; the last: Bash cat file-4"
        ],
    );
}

#[test]
fn a_file_that_goes_to_and_fro_is_a_loop() {
    let both = |n: usize| if n.is_multiple_of(2) { edit(n, "a", "b") } else { edit(n, "b", "a") };
    let events: Vec<Event> = (0..20).flat_map(both).collect();
    check(
        &events,
        &expect![
            "Stuck: A file was changed to and fro between the same two texts 10 times: src/lib.rs"
        ],
    );
    let whole = |n: usize| {
        let content = if n.is_multiple_of(2) { "one" } else { "two" };
        let input = json!({ "file_path": "notes", "content": content }).to_string();
        call(n, ("Write", &input), (true, &format!("written, {n}")))
    };
    let events: Vec<Event> = (0..20).flat_map(whole).collect();
    check(
        &events,
        &expect!["Stuck: A file was changed to and fro between the same two texts 10 times: notes"],
    );
}

#[test]
fn the_same_words_and_empty_turns_are_loops() {
    let text = "I will now look at the file, and then I will look at it again, to be quite sure.";
    let words = vec![Event::Text { text: text.to_owned() }; 30];
    check(
        &words,
        &expect![
            "Stuck: The same words were said 20 times, with nothing done between: I will now look at the file, and then I will look at it again, to be quite sure."
        ],
    );
    let turns =
        vec![Event::Usage { tokens: crate::usage::Tokens::default(), cost_micros: None }; 30];
    check(&turns, &expect!["Stuck: 25 turns of the model in a row held neither words nor calls."]);
}

#[test]
fn a_harness_that_only_retries_hangs_on_the_service() {
    let why = || "503 overloaded".to_owned();
    let retry = |attempt| Event::Retry { attempt, why: why(), wait_millis: None };
    let events: Vec<Event> = (0..10).map(retry).collect();
    assert_eq!(play(&events), None, "ten seconds are no hang");
    let verdict = play_every(2 * 60 * 1000, &events).expect("twenty minutes are");
    assert_eq!(verdict.kind(), TroubleKind::Hung);
    let said = words::stuck(&verdict);
    assert!(said.contains("service again 5 times, and did nothing else"), "{said}");
    assert!(said.ends_with("The last answer: 503 overloaded"), "{said}");
    let with_work: Vec<Event> = (0..10)
        .flat_map(|attempt| [retry(attempt), Event::Text { text: "on it".to_owned() }])
        .collect();
    assert_eq!(play_every(2 * 60 * 1000, &with_work), None, "it gets through");
}

#[test]
fn looking_again_at_what_takes_its_time_is_no_loop() {
    let events: Vec<Event> = (0..30).flat_map(|n| bash(n, "wait", (true, "running"))).collect();
    assert!(play(&events).is_some(), "a second apart, it is one");
    assert_eq!(play_every(WAIT_MIN_MS, &events), None);
}

#[test]
fn red_tests_between_changes_are_no_loop() {
    let work = |n: usize| {
        let change = edit(2 * n, &format!("{n}"), &format!("{}", n + 1));
        let test = bash(2 * n + 1, "make test", (false, &format!("{} of 9 failed: t{n}x", 9 - n)));
        [change, test].concat()
    };
    // In each the names of the tests that fail are others.
    let named = |n: usize| {
        let name = ["open", "read", "write", "close", "seek", "sync", "lock", "list", "stat"];
        [edit(2 * n, &format!("{n}"), "x"), bash(2 * n + 1, "make test", (false, name[n % 9]))]
            .concat()
    };
    assert_eq!(play(&(0..9).flat_map(work).collect::<Vec<_>>()), None);
    assert_eq!(play(&(0..100).flat_map(named).collect::<Vec<_>>()), None);
}

/// What an agent does that gets somewhere: each call is another, or brings something else.
fn work() -> impl Strategy<Value = Vec<Event>> {
    let step = (0..4_usize, any::<bool>(), "[a-z ]{0,20}");
    prop::collection::vec(step, 0..60).prop_map(|steps| {
        let mut events = Vec::new();
        for (n, (kind, ok, text)) in steps.into_iter().enumerate() {
            match kind {
                0 => events.push(Event::Text { text: text.repeat(8) + &n.to_string() }),
                1 => events.extend(edit(n, &format!("{text}{n}"), &text)),
                2 => events.extend(bash(n, "git status", (true, &format!("{text} {n}")))),
                // Letters, as numbers do not tell failures apart.
                _ => {
                    let unlike: String = format!("{n:b}").replace('0', "o").replace('1', "i");
                    events.extend(bash(n, &text, (ok, &unlike)));
                }
            }
        }
        events
    })
}

/// A loop of some calls, each with one result: what its limit is, at the most.
fn circle() -> impl Strategy<Value = Vec<Event>> {
    (1..8_usize, any::<bool>()).prop_map(|(length, ok)| {
        let step = |n: usize| bash(n, &format!("look {}", n % length), (ok, "the same"));
        let n_max = NOTHING_NEW_MAX as usize + length;
        (0..n_max).flat_map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn work_is_let_be(events in work()) {
        prop_assert_eq!(play(&events), None);
    }

    #[test]
    fn a_loop_after_any_work_is_found_before_it_has_gone_round_too_often(
        before in work(),
        circle in circle(),
    ) {
        let events = [before, circle].concat();
        prop_assert!(play(&events).is_some());
    }

    #[test]
    fn the_same_events_have_the_same_verdict_again(before in work(), circle in circle()) {
        let events = [before, circle].concat();
        prop_assert_eq!(play(&events), play(&events));
    }

    #[test]
    fn no_input_of_any_kind_breaks_it(inputs in prop::collection::vec("\\PC{0,40}", 0..40)) {
        let events: Vec<Event> = inputs
            .iter()
            .enumerate()
            .flat_map(|(n, input)| call(n, ("Edit", input), (true, input)))
            .collect();
        let _verdict = play(&events);
    }
}
