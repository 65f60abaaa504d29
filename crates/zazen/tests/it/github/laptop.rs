//! zazen with a person's own token, and without an address that webhooks could reach.
//!
//! Its comments are by that person's account then. What the person writes counts, and what
//! zazen writes does not, though both have one author.

use std::time::Duration;

use super::acting::said;
use super::double::Double;
use super::double::state::Permission;
use super::place::{Hears, OnGitHub};
use crate::harness::model::{Script, Turn, script, small_script};

/// The variable with the token.
const VARIABLE: &str = "ZAZEN_TEST_GITHUB_TOKEN";

fn on_a_laptop() -> Option<OnGitHub> {
    on_a_laptop_with(small_script())
}

fn on_a_laptop_with(script: Script) -> Option<OnGitHub> {
    let double = Double::start()?;
    let token = double.token();
    let login = format!("token_env = \"{VARIABLE}\"\n");
    let mut on = OnGitHub::by(double, &login, Hears::Polls, script);
    on.place.set(VARIABLE, &token);
    Some(on)
}

#[test]
fn a_persons_token_is_enough_and_that_persons_words_are_commands() {
    let Some(mut on) = on_a_laptop() else { return };
    on.up();
    let me = on.github.machine();
    let issue = me.opens_issue("Say hello", "The README should say hello.");
    me.comments(issue, "/plan");
    on.place.wait_for(1, &["awaiting-approval"]);
    let OnGitHub { github, place, .. } = &mut on;
    place.wait("the plan can be read", |_| {
        said(github, issue).iter().any(|body| body.contains("/implement")).then_some(())
    });
    // The plan names `/implement`, and is by the same account as this:
    let told = on.catch_up(issue);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(on.place.task(1).unwrap()["state"], "awaiting-approval");
    on.github.machine().comments(issue, "/implement");
    on.place.wait_for(1, &["drafted", "failed"]);
    let OnGitHub { github, place, .. } = &mut on;
    place.wait("the result can be read", |_| {
        said(github, issue).iter().any(|body| body.contains("Draft pull request")).then_some(())
    });
    let pull = on.pull();
    assert_eq!(pull["draft"], true);
    assert_eq!(pull["user"]["login"], "zazen-machine");
    let checks = on.github.checks(pull["head"]["sha"].as_str().unwrap());
    assert_eq!(checks.len(), 0, "only an App may have those");
    assert_eq!(on.github.statuses(pull["head"]["sha"].as_str().unwrap()).len(), 1);
    let asked = on.github.calls_of("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs");
    assert!(asked.iter().all(|call| call.status == 403), "{asked:?}");
    assert!(asked.len() <= 2, "it is not asked again and again");
    assert_eq!(on.n_tasks(), 1);
    on.finish();
}

#[test]
fn an_issue_that_is_assigned_to_the_account_is_planned() {
    let Some(mut on) = on_a_laptop() else { return };
    on.up();
    let ada = on.github.owner();
    let issue = ada.opens_issue("Say hello", "The README should say hello.");
    ada.assigns(issue, "zazen-machine");
    on.place.wait_for(1, &["awaiting-approval"]);
    on.catch_up(issue);
    assert_eq!(on.n_tasks(), 1);
    on.finish();
}

#[test]
fn whoever_asks_the_account_for_a_review_has_one() {
    let review = "## Summary\n\nIt adds notes.\n\n## Findings\n\n\
        ### high: `notes.txt:2` this is wrong\n\nIt should be three.\n";
    let turns = vec![Turn::run("git diff --stat main...HEAD"), Turn::say(review)];
    let Some(mut on) = on_a_laptop_with(script(&[("review", turns)])) else { return };
    on.up();
    let pull = {
        let alice = on.github.person("alice", Permission::Write);
        alice.pushes_commit("notes", "notes.txt", "one\ntwo\n");
        let pull = alice.opens_pull("Notes", "notes");
        alice.requests_review(pull, "zazen-machine");
        pull
    };
    on.place.wait_for(1, &["closed"]);
    let review = on.wait("it is reviewed", |on| on.github.reviews(pull).into_iter().next());
    assert_eq!(review["state"], "COMMENTED");
    on.finish();
}

#[test]
fn red_checks_are_found_and_mended_by_asking_alone() {
    let mut script = small_script();
    let rework = vec![Turn::run("echo again >> README.md"), Turn::say("It says so again.")];
    script.insert("rework".to_owned(), rework);
    let Some(mut on) = on_a_laptop_with(script) else { return };
    on.up();
    let me = on.github.machine();
    let issue = me.opens_issue("Say hello", "The README should say hello.");
    me.comments(issue, "/plan");
    on.place.wait_for(1, &["awaiting-approval"]);
    on.github.machine().comments(issue, "/implement");
    on.place.wait_for(1, &["drafted", "failed"]);
    let branch = "zazen/1-say-hello";
    let first = on.github.branches()[branch].clone();
    let run = on.github.ci_begins(branch, &first, "tests");
    on.github.ci_ends(run, "failure", "the canary sang once");
    on.wait("it is run again", |on| (on.github.ci_run(run)["run_attempt"] == 2).then_some(()));
    // GitHub's times are whole seconds, and nothing ends twice in one.
    std::thread::sleep(Duration::from_millis(1100));
    on.github.ci_ends(run, "failure", "the canary sang twice");
    on.wait_subjects(2);
    let [prompt] = on.model.prompts("rework").try_into().expect("one round");
    assert!(prompt.contains("the canary sang twice"), "{prompt}");
    on.finish();
}

#[test]
fn what_is_on_github_is_not_written_by_the_command_line() {
    let Some(on) = OnGitHub::start(Hears::Polls, small_script()) else { return };
    let repo = on.github.repo();
    for args in [
        vec!["issue", "new", "Say hello", "--repo", &repo],
        vec!["issue", "comment", "1", "/plan", "--repo", &repo],
    ] {
        let output = on.place.try_zazen(&args);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("{}/{repo}/issues", on.github.url())), "{said}");
    }
    on.finish();
}
