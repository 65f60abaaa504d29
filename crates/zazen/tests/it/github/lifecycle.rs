//! What people, and their CI, do with a draft of ours.

use std::time::Duration;

use super::double::state::Permission;
use super::place::{Hears, OnGitHub, said};
use crate::harness::model::{Script, Turn, small_script};

/// The smallest work, and one round of rework.
fn reworked() -> Script {
    let mut script = small_script();
    let rework = vec![Turn::run("echo again >> README.md"), Turn::say("It says so again.")];
    script.insert("rework".to_owned(), rework);
    script
}

/// An issue whose plan was just approved.
fn approved(on: &mut OnGitHub) -> u64 {
    on.up();
    let issue = {
        let alice = on.github.person("alice", Permission::Write);
        let issue = alice.opens_issue("Say hello", "The README should say hello.");
        alice.comments(issue, "/plan");
        issue
    };
    on.wait_said(issue, "/implement");
    on.github.person("alice", Permission::Write).comments(issue, "/implement");
    issue
}

/// A draft pull request of ours: the issue, and the pull request's number.
fn drafted(on: &mut OnGitHub) -> (u64, u64) {
    let issue = approved(on);
    on.place.wait_for(1, &["drafted", "failed"]);
    let pull = on.pull()["number"].as_u64().unwrap();
    on.wait("the result is told", |on| (said(&on.github, issue).len() > 1).then_some(()));
    (issue, pull)
}

/// The commit that our branch is at.
fn tip(on: &OnGitHub) -> String {
    on.github.branches()["zazen/1-say-hello"].clone()
}

#[test]
fn a_merge_ends_the_task_and_the_deletion_of_its_branch_says_nothing_more() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, small_script()) else { return };
    let (issue, pull) = drafted(&mut on);
    {
        let alice = on.github.person("alice", Permission::Write);
        alice.marks_ready(pull);
        alice.merges(pull);
        alice.deletes_branch("zazen/1-say-hello");
    }
    on.place.wait_for(1, &["merged"]);
    on.github.settle();
    assert_eq!(said(&on.github, issue).len(), 2, "{:#?}", said(&on.github, issue));
    on.finish();
}

#[test]
fn a_pull_request_that_is_closed_and_opened_again_can_be_worked_on() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, reworked()) else { return };
    let (_, pull) = drafted(&mut on);
    on.github.person("alice", Permission::Write).closes(pull);
    on.place.wait_for(1, &["closed"]);
    on.github.person("alice", Permission::Write).reopens(pull);
    on.place.wait_for(1, &["drafted"]);
    on.github.person("alice", Permission::Write).comments(pull, "/fix Say it twice.");
    on.wait_subjects(2);
    on.finish();
}

#[test]
fn somebodys_commit_on_our_branch_is_kept_and_built_upon() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, reworked()) else { return };
    let (issue, pull) = drafted(&mut on);
    let theirs = on.github.person("alice", Permission::Write).pushes_commit(
        "zazen/1-say-hello",
        "NOTES.md",
        "mine\n",
    );
    on.wait_said(issue, "somebody");
    on.github.person("alice", Permission::Write).comments(pull, "/fix Say it twice.");
    on.wait_subjects(3);
    let log = on.github.git(&["log", "--format=%H", "zazen/1-say-hello"]);
    assert!(log.contains(&theirs), "the commit is still there: {log}");
    on.finish();
}

#[test]
fn red_checks_are_run_once_more_and_then_mended_with_their_log() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, reworked()) else { return };
    let (_, _) = drafted(&mut on);
    let first = tip(&on);
    let run = on.github.ci_begins("zazen/1-say-hello", &first, "tests");
    on.github.ci_ends(run, "failure", "the canary sang once");
    on.wait("it is run again", |on| (on.github.ci_run(run)["run_attempt"] == 2).then_some(()));
    // GitHub's times are whole seconds, and nothing ends twice in one.
    std::thread::sleep(Duration::from_millis(1100));
    on.github.ci_ends(run, "failure", "the canary sang twice");
    on.wait_subjects(2);
    let [prompt] = on.model.prompts("rework").try_into().expect("one round");
    assert!(prompt.contains("the canary sang twice"), "{prompt}");
    let second = tip(&on);
    assert_ne!(first, second);
    let run = on.github.ci_begins("zazen/1-say-hello", &second, "tests");
    on.github.ci_ends(run, "success", "all is well");
    on.place.wait_for(1, &["drafted"]);
    on.finish();
}

#[test]
fn a_closed_issue_stops_the_work_on_it() {
    let mut script = small_script();
    script.insert("implement/1".to_owned(), vec![Turn::run("sleep 60"), Turn::say("Done.")]);
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, script) else { return };
    let issue = approved(&mut on);
    on.place.wait_for(1, &["implementing"]);
    on.github.person("alice", Permission::Write).closes(issue);
    on.place.wait_for(1, &["stopped"]);
    on.finish();
}
