//! The real Gemini CLI in a real sandbox, through `zazen acp` and the gateway, answered by the
//! scripted model.
//!
//! Its program is the one that `ZAZEN_GEMINI` names; the node of `ZAZEN_GITHUB_DOUBLE` runs
//! it. Where one is missing, or `bwrap`, the tests say so and pass; with
//! `ZAZEN_REQUIRE_TOOLS=1` they fail.

use std::fs;

use serde_json::json;

use crate::harness::machine::{named, with_node};
use crate::harness::model::{Call, Model, Turn, script, small_script};
use crate::harness::place::{KEY, Place, Setup, git, has_bwrap};

/// What a repository has that no agent is to take up by itself.
const CANARY: &str = "CANARY-OF-THE-REPOSITORY";

/// What the endless command of a test is known by among all processes.
const MARK: &str = "zazen-endless-acp";

#[test]
fn gemini_cli_takes_an_issue_to_a_checked_draft_in_acp() {
    let model = Model::start(small_script());
    let Some(mut place) = place(&model) else { return };
    commit_texts(&place);
    place.carry_through();

    let logs = place.zazen(&["task", "logs", "1"]);
    let (branch, _) = place.branches().remove(0);
    let readme = git(&place.remote(), &["show", &format!("{branch}:README.md")]);
    assert!(readme.contains("hello") && !readme.contains(CANARY), "{readme}");
    let [pull] = place.pulls().try_into().unwrap_or_else(|_| panic!("one pull request:\n{logs}"));
    assert!(pull.contains("draft: true"), "{pull}");
    for expected in ["says it finished", "result: 1 commit", "echo hello"] {
        assert!(logs.contains(expected), "`{expected}` is not in:\n{logs}");
    }
    let calls = model.calls();
    assert!(calls.iter().any(|call| call.label == "implement/1" && call.turn == 1), "{logs}");
    assert!(calls.iter().all(|call| call.key.ends_with(KEY)), "the gateway puts the key in");
    assert!(calls.iter().all(|call| !call.body.contains(KEY)), "the agent does not know it");
    let seen = |call: &&Call| call.body.contains(CANARY);
    let seen: Vec<_> = calls.iter().filter(seen).map(|call| call.body.as_str()).collect();
    assert!(seen.is_empty(), "the repository's texts are read: {seen:?}");
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}

/// Commits what agents look for in a repository: skills, instructions, and programs to start.
fn commit_texts(place: &Place) {
    let write = |path: &str, text: &str| {
        let path = place.repo().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    let skill = format!("---\nname: owl\ndescription: {CANARY} greets.\n---\n{CANARY}\n");
    for folder in [".agents", ".claude", ".gemini"] {
        write(&format!("{folder}/skills/owl/SKILL.md"), &skill);
    }
    // zazen itself gives the first of the repository's pages of instructions, and no other.
    write("AGENTS.md", "Be brief.\n");
    for page in ["CLAUDE.md", "GEMINI.md"] {
        write(page, CANARY);
    }
    let start = json!({ "type": "command", "command": format!("echo {CANARY} >> README.md") });
    let hooks = json!({ "hooks": { "SessionStart": [{ "hooks": [start] }] } }).to_string();
    write(".gemini/settings.json", &hooks);
    git(&place.repo(), &["add", "-A"]);
    git(&place.repo(), &["commit", "-q", "-m", "Texts and programs for agents"]);
}

#[test]
fn a_refused_key_is_told_apart_for_an_acp_agent() {
    let refused = vec![Turn::fail(401, "invalid_api_key")];
    let model = Model::start(script(&[("plan", refused)]));
    let Some(mut place) = place(&model) else { return };
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["failed", "parked", "awaiting-approval"]);
    let page = place.zazen(&["task", "show", "1"]);
    let logs = place.zazen(&["task", "logs", "1"]);
    assert!(page.contains("the model's service refused the key"), "{page}\n{logs}");
    place.down();
}

/// Gemini CLI takes what came of an answer for all of it. The gateway knows better.
#[test]
fn an_answer_that_is_cut_in_a_word_is_no_success_of_an_acp_agent() {
    let mut script = small_script();
    let cut = vec![Turn::run("echo hello >> README.md"), Turn::fail(200, "cut")];
    script.insert("implement/1".to_owned(), cut);
    let model = Model::start(script);
    let Some(mut place) = place(&model) else { return };
    place.carry_out();
    place.wait_for(1, &["failed", "parked", "drafted"]);
    place.wait("the page says it", |place| {
        let page = place.zazen(&["task", "show", "1"]);
        page.contains("ended in its middle").then_some(())
    });
    assert!(place.pulls().is_empty() && place.branches().is_empty(), "{}", place.log());
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}

#[test]
fn a_stopped_acp_agent_leaves_no_process() {
    let command = format!("touch /tmp/{MARK}; while true; do sleep 0.1; done");
    let model = Model::start(script(&[("plan", vec![Turn::run(&command)])]));
    let Some(mut place) = place(&model) else { return };
    place.up();
    place.ask_for_plan();
    let token = place.wait_at_work("1.1", MARK);
    place.zazen(&["issue", "comment", "1", "/stop"]);
    place.wait_for(1, &["stopped"]);
    place.wait_gone(&token);
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}

/// A home whose agent is Gemini CLI, in bubblewrap. Nothing where there are no such tools and
/// none are required.
pub(crate) fn place(model: &Model) -> Option<Place> {
    let program = named("ZAZEN_GEMINI")?;
    let path = with_node()?;
    if !has_bwrap() {
        return None;
    }
    let harness = format!(
        "use = \"gemini\"\nprogram = \"{}\"\nmodel = \"gemini-2.5-pro\"\nroute = \"other\"\n",
        program.display()
    );
    let more = format!(
        "[models.other]\napi = \"gemini\"\nbase_url = \"{}\"\nkey_env = \"ZAZEN_TEST_KEY\"\n",
        model.url()
    );
    let mut place = Place::new(&Setup { harness, more, ..Setup::mini("bwrap", &model.url()) });
    place.set("PATH", &path);
    Some(place)
}
