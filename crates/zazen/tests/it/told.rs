//! What agents are told beside their task: once each, whatever their harness.

use std::fs;

use crate::claude;
use crate::harness::model::{Model, small_script};
use crate::harness::place::{Place, Setup, git};

/// What stands in each of the places that a text for agents can be in.
const TOLD: [(&str, &str); 3] = [
    ("soul.md", "CANARY-SOUL: owls are praised."),
    ("memory/global.md", "CANARY-MEMORY: the owl lives in the barn."),
    ("memory/repos/local/tally.md", "CANARY-OF-REPO: the tests are in tests."),
];

/// Where a repository tells agents something: each harness reads some of these by itself.
const INSTRUCTIONS: [&str; 5] =
    ["AGENTS.md", "CLAUDE.md", "GEMINI.md", ".claude/CLAUDE.md", ".github/copilot-instructions.md"];

/// How often each text is in the first call of a run, with this setup: those of the home,
/// and those of the repository.
fn counts(setup: &Setup, model: &Model) -> Vec<(String, [usize; 3], [usize; 5])> {
    let mut place = Place::new(setup);
    for (page, text) in TOLD {
        let page = place.home().join(page);
        fs::create_dir_all(page.parent().expect("a folder")).expect("a folder");
        fs::write(page, text).expect("a page");
    }
    for name in INSTRUCTIONS {
        let file = place.repo().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, format!("CANARY in <{name}>: count twice.\n")).expect("a file");
    }
    git(&place.repo(), &["add", "-A"]);
    git(&place.repo(), &["commit", "-q", "-m", "Tell agents"]);
    place.carry_through();
    place.down();
    let first = model.calls().into_iter().filter(|call| call.turn == 0 && call.label != "aside");
    let counted = first.map(|call| {
        let of_home = TOLD.map(|(_, text)| call.body.matches(text).count());
        let of_repo =
            INSTRUCTIONS.map(|name| call.body.matches(&format!("CANARY in <{name}>")).count());
        (call.label, of_home, of_repo)
    });
    counted.collect()
}

/// Every run is told all of the home once, and of the repository what `of_repo` says.
fn check(setup: &Setup, model: &Model, of_repo: [usize; 5]) {
    let counted = counts(setup, model);
    let labels: Vec<&str> = counted.iter().map(|(label, ..)| label.as_str()).collect();
    assert_eq!(labels, ["plan", "implement/1"]);
    for (label, home, repo) in counted {
        assert_eq!((home, repo), ([1, 1, 1], of_repo), "{label}");
    }
}

#[test]
fn mini_is_told_everything_once() {
    let model = Model::start(small_script());
    check(&Setup::mini("none", &model.url()), &model, [1, 0, 0, 0, 0]);
}

#[test]
fn claude_code_is_told_everything_once_and_reads_no_instructions_by_itself() {
    let model = Model::start(small_script());
    let Some(setup) = claude::setup(&model, "") else { return };
    check(&setup, &model, [1, 0, 0, 0, 0]);
}

#[test]
fn where_the_owner_says_so_no_agent_is_told_what_the_repository_says() {
    let policy = "[policy]\nrepo_instructions = false\n";
    let model = Model::start(small_script());
    let more = policy.to_owned();
    check(&Setup { more, ..Setup::mini("none", &model.url()) }, &model, [0; 5]);

    let model = Model::start(small_script());
    let Some(mut setup) = claude::setup(&model, "") else { return };
    setup.more.push_str(policy);
    check(&setup, &model, [0; 5]);
}
