//! What people, and their CI, do with a draft of ours.

use std::time::Duration;

use super::double::people::Person;
use super::double::state::Permission;
use super::place::{Hears, OnGitHub, said};
use crate::harness::model::{Script, Turn, script, small_script};

const COMMENTS: &str = "/repos/{owner}/{repo}/issues/{issue_number}/comments";

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
fn a_red_status_is_a_red_check() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, reworked()) else { return };
    drafted(&mut on);
    let first = tip(&on);
    let bob = on.github.person("bob", Permission::Write);
    bob.reports(&first, "buildbot", ("pending", "it builds"));
    bob.reports(&first, "buildbot", ("failure", "the canary sang on the bus"));
    on.wait_subjects(2);
    let [prompt] = on.model.prompts("rework").try_into().expect("one round");
    assert!(prompt.contains("the canary sang on the bus"), "{prompt}");
    let second = tip(&on);
    on.github.person("bob", Permission::Write).reports(&second, "buildbot", ("success", "well"));
    on.place.wait_for(1, &["drafted"]);
    on.finish();
}

#[test]
fn a_closed_issue_stops_the_work_on_it() {
    let Some(on) = OnGitHub::start(Hears::Webhooks, slow()) else { return };
    let (mut on, issue) = ended_at_work(on, |alice, issue| alice.closes(issue));
    on.wait_said(issue, "Stopped, as the issue was closed by alice.");
    on.finish();
}

#[test]
fn an_issue_that_becomes_a_discussion_stops_the_work_on_it() {
    let Some(on) = OnGitHub::start(Hears::Webhooks, slow()) else { return };
    let (mut on, issue) = ended_at_work(on, |alice, issue| alice.converts(issue));
    on.wait_said(issue, "Stopped, as the issue was turned into a discussion by alice.");
    on.finish();
}

#[test]
fn an_issue_that_moves_away_stops_the_work_on_it() {
    let Some(on) = OnGitHub::start(Hears::Webhooks, slow()) else { return };
    let (on, _) = ended_at_work(on, |alice, issue| alice.transfers(issue));
    on.finish();
}

#[test]
fn an_issue_that_is_deleted_stops_the_work_though_no_list_says_so() {
    let Some(on) = OnGitHub::start(Hears::Polls, slow()) else { return };
    let (mut on, _) = ended_at_work(on, |alice, issue| alice.deletes_issue(issue));
    // Nobody is there to read that it stopped, so it is not tried again and again.
    let n_asked = on.github.calls_of("POST", COMMENTS).len();
    let other = on.github.person("alice", Permission::Write).opens_issue("Another", "");
    on.catch_up(other);
    assert_eq!(on.github.calls_of("POST", COMMENTS).len(), n_asked + 1, "only the answer");
    on.finish();
}

#[test]
fn a_locked_issue_is_worked_on_as_before() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, small_script()) else { return };
    let issue = approved(&mut on);
    on.github.person("alice", Permission::Write).locks(issue);
    on.place.wait_for(1, &["drafted", "failed"]);
    on.wait_said(issue, "Draft pull request");
    assert_eq!(on.place.task(1).unwrap()["state"], "drafted");
    on.finish();
}

#[test]
fn a_branch_that_somebody_moves_or_deletes_is_left() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, reworked()) else { return };
    let (issue, pull) = drafted(&mut on);
    let theirs = on.github.person("alice", Permission::Write).force_pushes(
        "zazen/1-say-hello",
        "NOTES.md",
        "mine\n",
    );
    on.wait_said(issue, "somebody");
    assert_eq!(tip(&on), theirs);
    on.github.person("alice", Permission::Write).deletes_branch("zazen/1-say-hello");
    // GitHub closes a pull request whose branch is gone.
    on.place.wait_for(1, &["closed"]);
    on.github.person("alice", Permission::Write).comments(pull, "Thanks anyway.");
    on.catch_up(issue);
    assert!(!on.github.branches().contains_key("zazen/1-say-hello"), "it is not pushed again");
    on.finish();
}

#[test]
fn another_base_is_told_of() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, small_script()) else { return };
    on.github.owner().pushes_commit("next", "next.txt", "next\n");
    let (issue, pull) = drafted(&mut on);
    on.github.person("alice", Permission::Write).retargets(pull, "next");
    on.wait_said(issue, "`next`");
    on.finish();
}

#[test]
fn a_draft_is_put_onto_the_base_as_it_is_by_now() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, small_script()) else { return };
    let (issue, pull) = drafted(&mut on);
    let base = on.github.owner().pushes_commit("main", "other.txt", "other\n");
    on.github.person("alice", Permission::Write).comments(pull, "/rebase");
    on.wait_said(issue, "builds on");
    let log = on.github.git(&["log", "--format=%H", "zazen/1-say-hello"]);
    assert!(log.contains(&base), "{log}");
    assert_eq!(on.github.subjects("main..zazen/1-say-hello").len(), 1);
    on.finish();
}

#[test]
fn a_question_is_answered_with_links_to_the_code_at_its_commit() {
    let answer = "It is in `README.md:1`, and not in `nowhere.md:1`.";
    let turns = vec![Turn::run("ls"), Turn::say(answer)];
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, script(&[("ask", turns)])) else { return };
    on.up();
    let commit = on.github.branches()["main"].clone();
    let issue = {
        let alice = on.github.person("alice", Permission::Write);
        let issue = alice.opens_issue("A question", "Where does it say hello?");
        alice.comments(issue, "/ask Where does it say hello?");
        issue
    };
    let said = on.wait_said(issue, "It is in");
    let link = format!("{}/ada/tally/blob/{commit}/README.md#L1", on.github.url());
    assert!(said.contains(&format!("[`README.md:1`]({link})")), "{said}");
    assert!(said.contains("not in `nowhere.md:1`"), "{said}");
    on.finish();
}

#[test]
fn approve_remember_stop_and_retry_count_where_they_are_written() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, small_script()) else { return };
    on.up();
    let issue = {
        let alice = on.github.person("alice", Permission::Write);
        let issue = alice.opens_issue("Say hello", "The README should say hello.");
        alice.comments(issue, "/plan");
        issue
    };
    on.place.wait_for(1, &["awaiting-approval"]);
    let alice = |on: &OnGitHub, text: &str| {
        on.github.person("alice", Permission::Write).comments(issue, text);
    };
    alice(&on, "/stop");
    on.place.wait_for(1, &["stopped"]);
    alice(&on, "/retry");
    on.place.wait_for(1, &["awaiting-approval"]);
    alice(&on, "/remember The README is for everybody.");
    on.catch_up(issue);
    let memory = on.place.home().join("memory/repos/ada/tally.md");
    let memory = std::fs::read_to_string(memory).unwrap();
    assert!(memory.contains("The README is for everybody. (alice"), "{memory}");
    alice(&on, "/approve");
    on.place.wait_for(1, &["drafted", "failed"]);
    assert_eq!(on.place.task(1).unwrap()["state"], "drafted");
    on.finish();
}

/// A script whose step takes longer than any test.
fn slow() -> Script {
    let mut script = small_script();
    script.insert("implement/1".to_owned(), vec![Turn::run("sleep 60"), Turn::say("Done.")]);
    script
}

/// A task at work whose issue somebody ends, and the issue. The work has stopped.
fn ended_at_work(mut on: OnGitHub, end: impl FnOnce(Person<'_>, u64)) -> (OnGitHub, u64) {
    let issue = approved(&mut on);
    on.place.wait_for(1, &["implementing"]);
    end(on.github.person("alice", Permission::Write), issue);
    on.place.wait_for(1, &["stopped"]);
    (on, issue)
}
