//! zazen with a person's own token, and without an address that webhooks could reach.
//!
//! Its comments are by that person's account then. What the person writes counts, and what
//! zazen writes does not, though both have one author.

use super::acting::said;
use super::double::Double;
use super::place::{Hears, OnGitHub};
use crate::harness::model::small_script;

/// The variable with the token.
const VARIABLE: &str = "ZAZEN_TEST_GITHUB_TOKEN";

fn on_a_laptop() -> Option<OnGitHub> {
    let double = Double::start()?;
    let token = double.token();
    let login = format!("token_env = \"{VARIABLE}\"\n");
    let mut on = OnGitHub::by(double, &login, Hears::Polls, small_script());
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
    let asked = on.github.calls_of("POST", "/repos/{owner}/{repo}/check-runs");
    assert!(asked.iter().all(|call| call.status == 403), "{asked:?}");
    assert!(asked.len() <= 1, "it is not asked again and again");
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
