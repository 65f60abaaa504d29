//! Commands in comments, and the same from the command line.

use std::fs;

use crate::harness::gate::Gate;
use crate::harness::model::{Turn, script, small_script};
use crate::harness::place::Place;

/// A script whose step waits at a gate.
fn waits_at(gate: &Gate) -> crate::harness::model::Script {
    let mut script = small_script();
    let steps = script.get_mut("implement/1").expect("a step");
    steps.insert(0, gate.turn());
    script
}

#[test]
fn a_command_in_code_or_in_a_quote_does_nothing() {
    let (mut place, model) = Place::with(small_script());
    place.up();
    place.zazen(&["issue", "new", "Say hello"]);
    place.comment(1, "Try it with\n\n```\n/plan\n```\n\nor `/plan`, as in\n\n> /plan\n");
    place.comment(1, "    /plan\n\n<!--\n/plan\n-->");
    place.comment(1, "/status");
    let said = place.wait_said(1, "Nothing was asked for");
    assert!(said.contains("Write `/plan` to begin."), "{said}");
    assert_eq!(place.said(1).len(), 1);
    assert_eq!(place.task(1), None);
    assert!(model.calls().is_empty());
    place.down();
}

#[test]
fn a_misspelt_command_gets_exactly_one_helpful_reply() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.zazen(&["issue", "new", "Say hello"]);
    place.comment(1, "/pln please");
    let said = place.wait_said(1, "did you mean `/plan`?");
    assert!(said.contains("`/pln` is not a command"), "{said}");
    // Neither a later look nor a new daemon says it again.
    place.down();
    place.up();
    place.comment(1, "/status");
    place.wait_said(1, "Nothing was asked for");
    assert_eq!(place.said(1).len(), 2, "{:?}", place.said(1));
    place.down();
}

#[test]
fn implement_without_a_plan_says_what_comes_first() {
    let (mut place, model) = Place::with(small_script());
    place.up();
    place.zazen(&["issue", "new", "Say hello"]);
    place.comment(1, "/implement");
    place.wait_said(1, "There is no plan to carry out yet. Write `/plan`");
    assert!(model.calls().is_empty());
    place.down();
}

#[test]
fn status_says_where_every_task_of_the_issue_stands() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.comment(1, "/status");
    let said = place.wait_said(1, "- Task 1");
    assert!(said.contains("Task 1 waits for your approval"), "{said}");
    place.down();
}

#[test]
fn a_command_in_the_issue_itself_is_taken() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.zazen(&["issue", "new", "Say hello", "--body", "A line is missing.\n\n/plan"]);
    place.wait_for(1, &["awaiting-approval"]);
    let page = fs::read_to_string(place.home().join("forge/local/tally/issues/1/issue.md"));
    assert!(page.expect("the issue's page").contains("eyes"), "the command is acknowledged");
    place.down();
}

#[test]
fn a_question_is_answered_in_the_thread() {
    let answers = script(&[("ask", vec![Turn::run("ls"), Turn::say("Line 3 of `tally` does.")])]);
    let (mut place, model) = Place::with(answers);
    place.up();
    place.zazen(&["issue", "new", "Who sums?"]);
    place.comment(1, "/ask Which line does the sum?");
    place.wait_for(1, &["closed"]);
    place.wait_said(1, "Line 3 of `tally` does.");
    assert!(model.prompts("ask")[0].contains("Which line does the sum?"));
    let report = fs::read_to_string(place.task_folder(1).join("report.md")).expect("a report");
    assert_eq!(report.trim(), "Line 3 of `tally` does.");
    assert_eq!(place.branches(), Vec::new());
    place.down();
}

#[test]
fn stop_ends_everything_that_the_agent_started_and_retry_goes_on_from_there() {
    let gate = Gate::new();
    let mut answers = waits_at(&gate);
    // A grandchild that left its session behind must go, too.
    let leaves = Turn::run(&format!("setsid sleep 7777 & {}", gate.command()));
    answers.get_mut("implement/1").expect("a step")[0] = leaves;
    let (mut place, model) = Place::with(answers);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    gate.wait(&mut place);
    assert_ne!(place.processes(), Vec::<String>::new());
    place.comment(1, "/stop");
    place.wait_for(1, &["stopped"]);
    place.wait_said(1, "Stopped, as ada asked. Write `/retry` to go on from here.");
    place.wait("the run is gone", |place| place.processes().is_empty().then_some(()));

    gate.open();
    place.comment(1, "/retry Mind the full stop.");
    place.wait_for(1, &["drafted"]);
    assert_eq!(model.prompts("plan").len(), 1, "the plan is not made again");
    let last = model.prompts("implement/1").pop().expect("a second try");
    assert!(last.contains("Mind the full stop."), "{last}");
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}

#[test]
fn the_command_line_stops_and_retries_while_the_daemon_is_up() {
    let gate = Gate::new();
    let (mut place, _model) = Place::with(waits_at(&gate));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    gate.wait(&mut place);
    place.zazen(&["task", "stop", "1"]);
    place.wait_for(1, &["stopped"]);
    let refused = place.try_zazen(&["task", "stop", "1"]);
    assert_eq!(refused.status.code(), Some(2));
    gate.open();
    place.zazen(&["task", "retry", "1", "go", "on"]);
    place.wait_for(1, &["drafted"]);
    place.down();
}

#[test]
fn the_command_line_leaves_its_wish_for_a_daemon_that_is_down() {
    let gate = Gate::new();
    let (mut place, _model) = Place::with(waits_at(&gate));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    gate.wait(&mut place);
    place.down();
    place.zazen(&["task", "stop", "1"]);
    assert_eq!(place.task(1).expect("the task")["state"], "implementing");
    place.up();
    place.wait_for(1, &["stopped"]);
    place.wait("the run is gone", |place| place.processes().is_empty().then_some(()));
    place.down();
    place.zazen(&["task", "retry", "1"]);
    gate.open();
    place.up();
    place.wait_for(1, &["drafted"]);
    place.down();
}

#[test]
fn a_file_dropped_among_the_comments_is_a_comment_once() {
    let (mut place, model) = Place::with(small_script());
    place.up();
    place.zazen(&["issue", "new", "Say hello"]);
    let comments = place.home().join("forge/local/tally/issues/1/comments");
    fs::create_dir_all(&comments).expect("a folder");
    fs::write(comments.join("my thoughts.md"), "I want this.\n\n/plan\n").expect("a file");
    place.wait_for(1, &["awaiting-approval"]);
    assert_eq!(place.comments()[0], ("ada".to_owned(), "I want this.\n\n/plan".to_owned()));
    // A number of one's own, written as one likes.
    fs::write(comments.join("7.md"), "/status\n").expect("a file");
    place.wait_said(1, "Task 1 waits for your approval");
    place.down();
    place.up();
    place.comment(1, "/stop");
    place.wait_for(1, &["stopped"]);
    assert_eq!(model.prompts("plan").len(), 1);
    place.down();
}

#[test]
fn an_old_comment_that_becomes_a_command_does_nothing() {
    let (mut place, model) = Place::with(small_script());
    place.up();
    place.zazen(&["issue", "new", "Say hello"]);
    place.comment(1, "Soon.");
    place.comment(1, "/status");
    place.wait_said(1, "Nothing was asked for");
    let old = place.home().join("forge/local/tally/issues/1/comments/0001.md");
    let text = fs::read_to_string(&old).expect("the comment");
    fs::write(&old, text.replace("Soon.", "/plan")).expect("it is edited");
    place.comment(1, "/ask");
    place.wait_said(1, "needs a question");
    assert_eq!(place.task(1), None);
    assert!(model.calls().is_empty());
    place.down();
}

#[test]
fn two_issues_are_worked_on_at_once() {
    let gate = Gate::new();
    let (mut place, _model) = Place::with(waits_at(&gate));
    place.configure("[harness]", "[runs]\nparallel = 2\n[harness]");
    place.up();
    for (n, title) in [(1, "Say hello"), (2, "Say goodbye")] {
        place.zazen(&["issue", "new", title]);
        place.comment(n, "/plan");
    }
    for n in [1, 2] {
        place.wait_for(n, &["awaiting-approval"]);
        place.comment(n, "/implement");
    }
    place.wait("both are at the gate", |_| (gate.n_came() == 2).then_some(()));
    gate.open();
    for n in [1, 2] {
        place.wait_for(n, &["drafted"]);
    }
    assert_eq!(place.branches().len(), 2);
    assert_eq!(place.pulls().len(), 2);
    place.down();
}

#[test]
fn an_issue_written_by_hand_is_as_good_as_any() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.wait("it is up", |place| place.log().contains(" up in ").then_some(()));
    let dir = place.home().join("forge/local/tally/issues/1");
    fs::create_dir_all(&dir).expect("a folder");
    fs::write(dir.join("issue.md"), "# Say hello\n\nA line is missing.\n\n/plan\n")
        .expect("a file");
    place.wait_for(1, &["awaiting-approval"]);
    place.comment(1, "/implement");
    place.wait_for(1, &["drafted"]);
    assert_eq!(place.branches()[0].0, "zazen/1-say-hello");
    place.down();
}

#[test]
fn a_comment_on_an_old_issue_is_noticed_though_hundreds_of_newer_ones_are_watched() {
    let (mut place, _model) = Place::with(small_script());
    place.zazen(&["issue", "new", "Say hello"]);
    // More than are watched.
    for n in 2..=520 {
        let issue = place.home().join(format!("forge/local/tally/issues/{n}"));
        fs::create_dir_all(issue.join("comments")).expect("an issue");
        let page = format!("---\ntitle: Issue {n}\nauthor: ada\nstate: open\n---\n\nText.\n");
        fs::write(issue.join("issue.md"), page).expect("its page");
    }
    place.up();
    // Once it has heard of the newest, it has read them all, and none will be read without a cause.
    place.comment(520, "/status");
    place.wait_said(520, "Nothing was asked for");
    place.comment(1, "/status");
    place.wait_said(1, "Nothing was asked for");
    place.down();
}
