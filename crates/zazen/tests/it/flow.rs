//! From an issue to a draft pull request.

use std::fs;

use crate::harness::model::{Model, demo_script};
use crate::harness::place::{KEY, Place, Setup, git};
use crate::harness::podman::has_podman;

#[test]
fn an_issue_becomes_a_checked_draft_pull_request_without_a_sandbox() {
    an_issue_becomes_a_checked_draft_pull_request("none");
}

#[test]
fn an_issue_becomes_a_checked_draft_pull_request_in_bwrap() {
    an_issue_becomes_a_checked_draft_pull_request("bwrap");
}

fn an_issue_becomes_a_checked_draft_pull_request(engine: &'static str) {
    let model = Model::start(demo_script());
    let place = Place::new(&Setup::mini(engine, &model.url()));
    becomes_a_draft(place, &model);
}

/// The image is built from a file of the base branch, once, and every run starts in it.
#[test]
fn an_issue_becomes_a_checked_draft_pull_request_in_a_container() {
    let Some(podman) = has_podman() else { return };
    let model = Model::start(demo_script());
    let place = Place::new(&Setup::mini("none", &model.url()));
    let folder = place.repo().join(".zazen");
    fs::create_dir(&folder).unwrap();
    // With a content of its own, so that no image of an earlier test will do.
    fs::write(folder.join("made"), place.home().display().to_string()).unwrap();
    let recipe = format!("FROM {}\nCOPY made /made\nENV MADE=yes\n", podman.image);
    fs::write(folder.join("Containerfile"), recipe).unwrap();
    git(&place.repo(), &["add", "-A"]);
    git(&place.repo(), &["commit", "-q", "-m", "What runs start in"]);
    let page = place.home().join("zazen.toml");
    let socket = podman.socket.display();
    let container = format!("engine = \"container\"\ncontainer_socket = \"unix://{socket}\"");
    let text = fs::read_to_string(&page).unwrap().replace("engine = \"none\"", &container);
    let check = "check = \"test -s /made && test $MADE = yes && sh tests/run.sh\"";
    let repo = format!("{text}\ncontainerfile = \".zazen/Containerfile\"\n{check}\n");
    fs::write(&page, repo).unwrap();
    becomes_a_draft(place, &model);
}

fn becomes_a_draft(mut place: Place, model: &Model) {
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["drafted", "failed"]);

    let [pull] = place.pulls().try_into().expect("one pull request");
    assert!(pull.contains("draft: true"), "{pull}");
    assert!(pull.contains("Refs #1"), "{pull}");
    assert!(pull.contains("all tests passed"), "{pull}");
    let branches = place.branches();
    assert_eq!(branches.len(), 1);
    assert_eq!(branches[0].0, "zazen/1-sum-by-month");
    let log = git(&place.remote(), &["log", "--format=%s", "main..zazen/1-sum-by-month"]);
    assert_eq!(log, "Describe `--by` in the README\nSum by month with `--by month`\n");
    assert!(model.calls().iter().all(|call| call.key == KEY), "the gateway puts the key in");
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}
