//! Reviews: those that zazen gives of anybody's pull request, and those that it answers.

use serde_json::Value;

use super::double::Double;
use super::double::faults::Fault;
use super::double::people::Inline;
use super::double::state::Permission;
use super::place::{Hears, OnGitHub, said};
use crate::harness::gate::Gate;
use crate::harness::model::{Script, Turn, script, small_script};

/// What an agent finds in `notes.txt`, and in a file that the pull request does not change.
const REVIEW: &str = "## Summary\n\nIt adds notes. cc @everyone\n\n## Findings\n\n\
    ### high: `notes.txt:2` this is wrong\n\nIt should be three.\n\n\
    ```suggestion\nthree\n```\n\n\
    ### low: `README.md:1` the title is old\n\nNobody changed it.\n";

const REVIEWS: &str = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews";

fn reviewing() -> Script {
    script(&[("review", vec![Turn::run("git diff --stat main...HEAD"), Turn::say(REVIEW)])])
}

fn wait_reviewed(on: &mut OnGitHub, pull: u64) -> Value {
    // It is whole when zazen has its answer: a review is there before its comments at lines.
    on.place.wait_for(1, &["closed"]);
    let OnGitHub { github, place, .. } = on;
    place.wait(&format!("#{pull} is reviewed"), |_| github.reviews(pull).into_iter().next())
}

/// The review is as it has to be, whoever opened the pull request.
fn check_review(github: &Double, pull: u64, head: &str) {
    let [review] = github.reviews(pull).try_into().expect("one review");
    let body = review["body"].as_str().unwrap();
    assert_eq!(review["state"], "COMMENTED", "{review}");
    assert_eq!(review["commit_id"], head, "{review}");
    assert!(body.starts_with("<!-- zazen:1/review by "), "{body}");
    assert!(body.contains(&head[..12]), "{body}");
    assert!(body.contains("2 findings, at worst high"), "{body}");
    assert!(body.contains("README.md:1"), "what has no line is said below: {body}");
    assert!(!body.contains("notes.txt") && !body.contains("@everyone"), "{body}");
    let [aside] = github.review_comments(pull).try_into().expect("one comment at a line");
    assert_eq!((&aside["path"], &aside["line"]), (&"notes.txt".into(), &2.into()), "{aside}");
    let text = aside["body"].as_str().unwrap();
    assert!(text.contains("```suggestion\nthree\n```"), "{text}");
}

#[test]
fn a_pull_request_is_reviewed_beside_its_lines_and_once_at_each_commit() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, reviewing()) else { return };
    on.up();
    let alice = on.github.person("alice", Permission::Write);
    let head = alice.pushes_commit("notes", "notes.txt", "one\ntwo\n");
    let pull = alice.opens_pull("Notes", "notes");
    alice.comments(pull, "/review the notes");
    wait_reviewed(&mut on, pull);
    check_review(&on.github, pull, &head);
    let [prompt] = on.model.prompts("review").try_into().expect("one run");
    assert!(prompt.contains("...HEAD` shows what it changes"), "{prompt}");
    assert!(prompt.contains("the notes"), "{prompt}");

    on.place.wait_for(1, &["closed"]);
    on.github.person("alice", Permission::Write).comments(pull, "/review");
    on.wait_said(pull, "nothing was changed since");
    let alice = on.github.person("alice", Permission::Write);
    let head = alice.pushes_commit("notes", "notes.txt", "one\n2\n");
    alice.comments(pull, "/review");
    let OnGitHub { github, place, .. } = &mut on;
    let second = place.wait("it is reviewed again", |_| github.reviews(pull).into_iter().nth(1));
    assert_eq!(second["commit_id"], head, "{second}");
    assert_eq!(on.model.prompts("review").len(), 2);
    on.finish();
}

#[test]
fn a_pull_request_from_a_fork_is_reviewed_at_its_head() {
    let Some(mut on) = OnGitHub::start(Hears::Polls, reviewing()) else { return };
    let alice = on.github.person("alice", Permission::Write);
    alice.forks();
    let head = alice.pushes_to_fork("notes", "notes.txt", "one\ntwo\n");
    let pull = alice.opens_pull("Notes", "alice:notes");
    on.up();
    on.github.person("alice", Permission::Write).comments(pull, "/review");
    wait_reviewed(&mut on, pull);
    check_review(&on.github, pull, &head);
    let page = on.place.home().join(format!("forge/ada/tally/issues/{pull}/issue.md"));
    let page = std::fs::read_to_string(page).unwrap();
    for key in [&format!("head: {head}"), "base: main", "fork: true", "kind: pull"] {
        assert!(page.contains(key), "{page}");
    }
    on.finish();
}

#[test]
fn a_review_whose_answer_was_lost_is_there_once() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, reviewing()) else { return };
    on.github.fault("POST", REVIEWS, Fault::ReplyLost);
    on.up();
    let alice = on.github.person("alice", Permission::Write);
    let head = alice.pushes_commit("notes", "notes.txt", "one\ntwo\n");
    let pull = alice.opens_pull("Notes", "notes");
    alice.comments(pull, "/review");
    wait_reviewed(&mut on, pull);

    on.place.wait("it is found again", |place| {
        place.log().contains("is 1/review already").then_some(())
    });
    assert!(!on.github.has_faults_left());
    check_review(&on.github, pull, &head);
    on.finish();
}

#[test]
fn a_review_says_that_the_pull_request_has_moved_on_meanwhile() {
    let gate = Gate::new();
    let script = script(&[("review", vec![gate.turn(), Turn::say(REVIEW)])]);
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, script) else { return };
    on.up();
    let alice = on.github.person("alice", Permission::Write);
    let head = alice.pushes_commit("notes", "notes.txt", "one\ntwo\n");
    let pull = alice.opens_pull("Notes", "notes");
    alice.comments(pull, "/review");
    gate.wait(&mut on.place);
    let alice = on.github.person("alice", Permission::Write);
    let later = alice.pushes_commit("notes", "more.txt", "more\n");
    gate.open();
    let review = wait_reviewed(&mut on, pull);
    assert_eq!(review["commit_id"], head, "it stays at what was read: {review}");
    let body = review["body"].as_str().unwrap();
    assert!(body.contains(&format!("has moved on to `{}`", &later[..12])), "{body}");
    on.finish();
}

#[test]
fn a_review_that_asks_for_changes_is_worked_in_and_answered_in_its_thread() {
    let mut script = small_script();
    script.insert(
        "rework".to_owned(),
        vec![Turn::run("echo goodbye >> README.md"), Turn::say("It says goodbye, too.")],
    );
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, script) else { return };
    on.up();
    let alice = on.github.person("alice", Permission::Write);
    let issue = alice.opens_issue("Say hello", "Please.");
    alice.comments(issue, "/plan");
    on.place.wait_for(1, &["awaiting-approval"]);
    on.wait_said(issue, "/implement");
    on.github.person("alice", Permission::Write).comments(issue, "/implement");
    on.place.wait_for(1, &["drafted", "failed"]);
    let (pull, before) = (on.pull()["number"].as_u64().unwrap(), on.pull());
    let hello = on.github.git(&["show", "zazen/1-say-hello:README.md"]).lines().count() as u64;
    let alice = on.github.person("alice", Permission::Write);
    let inline = Inline { path: "README.md", line: hello, body: "And goodbye?" };
    alice.reviews(pull, "changes_requested", "Not yet.", &[inline]);

    let OnGitHub { github, place, .. } = &mut on;
    let answer = place.wait("the thread is answered", |_| {
        let ours = |line: &Value| line["user"]["login"] != "alice";
        github.review_comments(pull).into_iter().find(ours)
    });
    on.place.wait_for(1, &["drafted"]);
    assert_eq!(on.github.subjects("main..zazen/1-say-hello").len(), 2);
    let head = on.github.branches()["zazen/1-say-hello"].clone();
    let text = answer["body"].as_str().unwrap();
    assert!(text.contains(&format!("worked on in `{}`", &head[..12])), "{text}");
    let first = on.github.review_comments(pull)[0]["id"].clone();
    assert_eq!(answer["in_reply_to_id"], first, "{answer}");
    assert_eq!(on.github.review_comments(pull).len(), 2, "one answer");
    let after = on.pull();
    assert_ne!(before["body"], after["body"], "the description is of the new commit");
    assert_eq!((&after["draft"], &after["head"]["sha"]), (&true.into(), &head.into()));
    assert_eq!(on.model.prompts("rework").len(), 1);
    assert!(on.model.prompts("rework")[0].contains("And goodbye?"));
    assert!(said(&on.github, pull).iter().all(|text| !text.contains("worked on in")));
    on.finish();
}
