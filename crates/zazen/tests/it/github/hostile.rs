//! Deliveries that are forged, doubled, shuffled and lost; limits and tokens that run out in
//! the middle; what GitHub does not have: the task ends the same, or says plainly why not.

use bytes::Bytes;

use super::acting::{said, undisturbed};
use super::double::deliveries::Delivering;
use super::double::faults::Fault;
use super::double::state::Permission;
use super::double::{Double, Setup};
use super::place::{Hears, OnGitHub};
use crate::harness::model::small_script;

const COMMENTS: &str = "/repos/{owner}/{repo}/issues/{issue_number}/comments";

#[test]
fn doubled_and_repeated_deliveries_do_nothing_twice() {
    let Some(expected) = undisturbed() else { return };
    let Some(mut on) = OnGitHub::small(Hears::Webhooks) else { return };
    on.github.deliver(Delivering::Twice);
    let mut n_repeated = 0;
    let issue = on.see_through_with(&[], |github, _| {
        // Somebody has listened, and says the same again: also what was first, at the end.
        let so_far = github.deliveries();
        for delivery in so_far.iter().skip(n_repeated).filter(|delivery| delivery.is_done) {
            assert_eq!(github.sends(delivery, |_| ()) / 100, 2);
        }
        n_repeated = so_far.len();
    });
    on.github.deliver(Delivering::AtOnce);
    for delivery in on.github.deliveries() {
        on.github.sends(&delivery, |_| ());
    }
    assert!(n_repeated > 10, "{n_repeated}");
    on.finish_as(issue, &expected);
}

#[test]
fn forged_deliveries_are_refused_and_not_looked_into() {
    let Some(mut on) = OnGitHub::small(Hears::Webhooks) else { return };
    on.up();
    on.wait("it has caught up, and asks no more", |on| {
        let asked = on.github.calls_of("GET", "/repos/{owner}/{repo}/issues");
        asked.iter().any(|call| call.status == 200).then_some(())
    });
    on.github.deliver(Delivering::Lost);
    let alice = on.github.person("alice", Permission::Write);
    let issue = alice.opens_issue("Say hello", "The README should say hello.");
    alice.comments(issue, "/plan");
    on.github.deliver(Delivering::AtOnce);
    let other = on.github.person("alice", Permission::Write).opens_issue("Another", "");
    let lost = on.github.deliveries().into_iter().find(|d| d.event == "issue_comment").unwrap();
    for name in ["x-hub-signature-256", "x-github-delivery"] {
        let status = on.github.sends(&lost, |ask| ask.headers.retain(|(known, _)| known != name));
        assert_eq!(status / 100, 4, "without {name}");
    }
    let status = on.github.sends(&lost, |ask| {
        let text = String::from_utf8_lossy(&ask.body).replace("/plan", "/stop");
        ask.body = Bytes::from(text);
    });
    assert_eq!(status / 100, 4, "what was signed is not what came");
    on.catch_up(other);
    assert_eq!(on.n_tasks(), 0, "nobody looked at #{issue}");
    // The same, as GitHub signed it.
    assert_eq!(on.github.sends(&lost, |_| ()) / 100, 2);
    on.place.wait_for(1, &["awaiting-approval"]);
    on.finish();
}

#[test]
fn shuffled_deliveries_are_read_in_the_order_of_what_was_said() {
    let Some(mut on) = OnGitHub::small(Hears::Webhooks) else { return };
    on.up();
    on.github.deliver(Delivering::Held);
    let alice = on.github.person("alice", Permission::Write);
    let issue = alice.opens_issue("Say hello", "The README should say hello.");
    alice.comments(issue, "/plan");
    alice.comments(issue, "/status");
    on.github.release_shuffled();
    on.place.wait_for(1, &["awaiting-approval"]);
    let told = on.catch_up(issue);
    assert_eq!(told.len(), 2, "the plan, and one answer that knows of it: {told:#?}");
    assert!(
        told.iter().any(|body| body.contains("Task 1") || body.contains("task 1")),
        "{told:#?}"
    );
    on.finish();
}

#[test]
fn what_no_delivery_says_is_found_by_asking() {
    let Some(expected) = undisturbed() else { return };
    let Some(mut on) = OnGitHub::small(Hears::Both) else { return };
    on.github.deliver(Delivering::Lost);
    let issue = on.see_through(&[]);
    on.finish_as(issue, &expected);
}

#[test]
fn what_happened_while_zazen_was_down_is_found_without_polling() {
    let Some(mut on) = OnGitHub::small(Hears::Webhooks) else { return };
    on.up();
    on.place.down();
    let issue = {
        let alice = on.github.person("alice", Permission::Write);
        let issue = alice.opens_issue("Say hello", "The README should say hello.");
        alice.comments(issue, "/plan");
        issue
    };
    on.github.settle();
    assert!(on.github.deliveries().iter().all(|delivery| delivery.status == 502));
    on.up();
    on.place.wait_for(1, &["awaiting-approval"]);
    on.catch_up(issue);
    assert_eq!(on.n_tasks(), 1);
    on.finish();
}

#[test]
fn limits_only_make_it_later() {
    let Some(expected) = undisturbed() else { return };
    let Some(mut on) = OnGitHub::small(Hears::Both) else { return };
    for (method, path, fault) in [
        ("GET", "/repos/{owner}/{repo}/issues/{issue_number}", Fault::UsedUp(1)),
        ("GET", COMMENTS, Fault::TooMany(1)),
        ("GET", "git/upload-pack", Fault::TooMany(1)),
        ("POST", COMMENTS, Fault::TooMany(1)),
        ("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}", Fault::Secondary(Some(1))),
        ("POST", "git/receive-pack", Fault::Unavailable),
        ("POST", "/repos/{owner}/{repo}/pulls", Fault::Secondary(Some(1))),
        ("POST", "/repos/{owner}/{repo}/check-runs", Fault::UsedUp(1)),
    ] {
        on.github.fault(method, path, fault);
    }
    let issue = on.see_through(&[]);
    assert_eq!(on.github.n_faults_left(), 0, "each of them came up");
    on.finish_as(issue, &expected);
}

#[test]
fn a_token_that_ended_before_a_push_is_minted_anew() {
    // Git reads what is public without a token.
    a_token_that_ended_is_minted_anew(false, "git/receive-pack");
}

#[test]
fn a_token_that_ended_before_a_fetch_is_minted_anew() {
    a_token_that_ended_is_minted_anew(true, "git/upload-pack");
}

fn a_token_that_ended_is_minted_anew(is_private: bool, template: &str) {
    let Some(double) = Double::with(Setup { is_private, ..Setup::default() }) else { return };
    let mut on = OnGitHub::with(double, Hears::Both, small_script());
    on.see_through(&[]);
    // Now there is one for each purpose, git's included, and none is good any more.
    on.github.expire_tokens();
    let alice = on.github.person("alice", Permission::Write);
    let issue = alice.opens_issue("Once more", "The README should say it twice.");
    alice.comments(issue, "/plan");
    on.place.wait_for(2, &["awaiting-approval"]);
    on.github.person("alice", Permission::Write).comments(issue, "/implement");
    on.place.wait_for(2, &["drafted", "failed"]);
    assert_eq!(on.place.task(2).unwrap()["state"], "drafted", "{}", on.place.log());
    let refused = on.github.calls().into_iter().filter(|call| call.who == "a bad token");
    let refused: Vec<String> = refused.map(|call| call.template).collect();
    assert!(refused.iter().any(|refused| refused == template), "{refused:?}");
    on.finish();
}

#[test]
fn a_repository_without_drafts_is_told_so_and_keeps_the_branch() {
    let setup = Setup { has_no_drafts: true, ..Setup::default() };
    let Some(double) = Double::with(setup) else { return };
    let mut on = OnGitHub::with(double, Hears::Both, small_script());
    on.up();
    let alice = on.github.person("alice", Permission::Write);
    let issue = alice.opens_issue("Say hello", "The README should say hello.");
    alice.comments(issue, "/plan");
    on.place.wait_for(1, &["awaiting-approval"]);
    on.github.person("alice", Permission::Write).comments(issue, "/implement");
    on.place.wait_for(1, &["drafted", "failed"]);
    let OnGitHub { github, place, .. } = &mut on;
    place.wait("it says why", |_| {
        let said = said(github, issue);
        said.iter().any(|body| body.contains("cannot have draft pull requests")).then_some(())
    });
    assert_eq!(on.place.task(1).unwrap()["state"], "failed");
    assert!(on.github.branches().contains_key("zazen/1-say-hello"));
    assert_eq!(on.github.subjects("main..zazen/1-say-hello").len(), 1);
    let asked = on.github.calls_of("POST", "/repos/{owner}/{repo}/pulls").len();
    on.catch_up(issue);
    assert_eq!(on.github.calls_of("POST", "/repos/{owner}/{repo}/pulls").len(), asked);
    assert_eq!(asked, 1, "it is not asked again and again");
    on.finish();
}

#[test]
fn status_says_that_github_wants_us_to_wait() {
    let Some(mut on) = OnGitHub::start(Hears::Webhooks, small_script()) else { return };
    on.up();
    on.github.fault("POST", COMMENTS, Fault::UsedUp(3600));
    {
        let alice = on.github.person("alice", Permission::Write);
        let issue = alice.opens_issue("Say hello", "The README should say hello.");
        alice.comments(issue, "/plan");
    }
    let said = on.place.wait("status says so", |place| {
        let said = place.zazen(&["status"]);
        said.contains("GitHub wants").then_some(said)
    });
    assert!(said.contains("to wait for 1 h") || said.contains("59 min"), "{said}");
    on.finish();
}
