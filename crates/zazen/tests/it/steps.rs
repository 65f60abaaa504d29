//! What the steps of a task left, gone on from and looked at: `zazen fork`, `bisect`, `eval`.

use std::fs;

use serde_json::{Value, json};

use crate::harness::model::{Model, Turn, demo_script, script, small_script};
use crate::harness::place::{Place, Setup, git, has_bwrap};

/// A plan with three steps, one file each.
const PLAN: &str = "## Summary\n\nThree files.\n\n## Steps\n\n\
    - [ ] 1. Write one\n  A file.\n- [ ] 2. Write two\n  A file.\n- [ ] 3. Write three\n  A file.\n\n\
    ## Files\n\n- `one`\n\n## Dependencies\n\nNone\n\n## Validation\n\n```sh\ntrue\n```\n\n\
    ## Risks\n\nNone\n\n## Open questions\n\nNone\n\n## Non-goals\n\nNone\n";

/// A task of three steps at rest, whose daemon is down.
fn three_steps(engine: &'static str) -> (Place, Model) {
    let step = |command: &str| vec![Turn::run(command), Turn::say("Done.")];
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(PLAN)]),
        ("implement/1", step("echo 1 > one; echo good > state")),
        ("implement/2", step("echo 2 > two; echo bad > state")),
        ("implement/3", step("echo 3 > three")),
    ]));
    let mut place = Place::new(&Setup::mini(engine, &model.url()));
    place.carry_through();
    place.down();
    (place, model)
}

#[test]
fn the_step_that_broke_a_check_is_found_and_so_is_the_one_that_mended_it() {
    if !has_bwrap() {
        return;
    }
    let (place, model) = three_steps("bwrap");
    let n_calls = model.calls().len();
    let broke = place.json(&["bisect", "1", "--json", "--", "! grep -q bad state"]);
    assert_eq!(broke["found"], "broke", "{broke:#}");
    assert_eq!(broke["at"]["step"], 2);
    assert_eq!(broke["at"]["run"], "1.3");
    assert_eq!(broke["is_monotone"], true);
    assert!(broke["at"]["title"].to_string().contains("Write two"), "{broke:#}");
    let mended = place.json(&["bisect", "1", "--json", "--", "test", "-e", "three"]);
    assert_eq!((&mended["found"], &mended["at"]["step"]), (&json!("mended"), &json!(3)));
    let page = place.zazen(&["bisect", "1", "--", "test -e one"]);
    assert!(page.contains("mended by step 1 (run 1.2)"), "{page}");
    assert_eq!(model.calls().len(), n_calls, "no model is asked");
    let left = fs::read_dir(place.home().join(".zazen/apart")).expect("it was there");
    let left = left.map(|entry| entry.expect("an entry").path());
    assert!(left.into_iter().all(|path| path.extension().is_some_and(|it| it == "lock")));
}

#[test]
fn a_check_that_changes_back_and_forth_is_said_to() {
    let (place, _model) = three_steps("none");
    // It passes on the base, fails after step 1, and passes again from step 2 on.
    let command = "! test -e one || test -e two";
    let found = place.json(&["bisect", "1", "--json", "--", command]);
    assert_eq!(found["found"], "passes", "{found:#}");
    assert_eq!(found["is_monotone"], false);
    let tried: Vec<bool> = found["tried"]
        .as_array()
        .expect("what was tried")
        .iter()
        .map(|point| point["passes"].as_bool().expect("whether it passes"))
        .collect();
    assert_eq!(tried, [true, false, true, true]);
    let page = place.zazen(&["bisect", "1", "--", command]);
    assert!(page.contains("it changes more than once in between"), "{page}");
}

#[test]
fn finished_tasks_are_done_again_by_another_agent_and_compared() {
    let model = Model::start(demo_script());
    let mut setup = Setup::mini("none", &model.url());
    setup.more = "[agents.other]\nharness = \"mini\"\nmodel = \"claude-haiku-4-5\"\n".to_owned();
    let mut place = Place::new(&setup);
    place.carry_through();
    place.down();
    let branches = place.branches();
    let n_calls = model.calls().len();

    let refused = place.try_zazen(&["eval"]);
    let said = String::from_utf8(refused.stderr).expect("text");
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("real calls, $5.00 at the most") && said.contains("--yes"), "{said}");
    assert_eq!(model.calls().len(), n_calls, "nothing is asked before a person agrees");

    let soul = place.home().join("other.md");
    fs::write(&soul, "Speak like a pirate.\n").expect("it is written");
    let soul = soul.display().to_string();
    let args = ["eval", "--yes", "--json", "--tasks", "1", "--with", "default,other"];
    let answer = place.json(&[&args[..], &["--soul", &soul]].concat());
    let rows = answer["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "{answer:#}");
    assert!(rows[0]["agent"].is_null(), "the first is the work as it was: {answer:#}");
    for row in rows {
        assert_eq!(row["checks"], true, "{answer:#}");
        assert_eq!((&row["n_done"], &row["n_steps"]), (&json!(2), &json!(2)));
        for same in ["n_files", "n_added", "n_removed"] {
            assert_eq!(row[same], rows[0][same], "{answer:#}");
        }
    }
    assert_eq!(rows[1]["usage"]["n_calls"], 5, "{answer:#}");
    assert!(rows[2]["who"].to_string().contains("claude-haiku-4-5"), "{answer:#}");
    let calls = model.calls();
    let again = &calls[n_calls..];
    assert!(again.iter().all(|call| call.body.contains("Speak like a pirate.")));
    assert!(again.iter().any(|call| call.model() == "claude-haiku-4-5"));
    assert_eq!(place.branches(), branches, "nothing is published");
    let page = place.zazen(&["eval", "--yes", "--last", "1"]);
    assert!(page.contains("as it was: ") && page.contains("green"), "{page}");
}

#[test]
fn an_evaluation_costs_no_more_than_it_may() {
    let (mut place, model) = Place::with(small_script());
    place.carry_through();
    place.down();
    let n_calls = model.calls().len();
    let answer = place.json(&["eval", "--yes", "--json", "--budget", "0.000001"]);
    let row: &Value = &answer["rows"][1];
    assert!(row["says"].to_string().contains("step 1: "), "{answer:#}");
    assert!(row["checks"].is_null(), "{answer:#}");
    assert_eq!(model.calls().len(), n_calls + 1, "the first call uses it up, and no other is made");
}

#[test]
fn a_fork_goes_on_from_a_step_with_another_agent_and_has_its_own_branch() {
    let step = |command: &str| vec![Turn::run(command), Turn::say("Done.")];
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(PLAN)]),
        ("implement/1", step("echo 1 > one")),
        ("implement/2", step("echo 2 > two")),
        ("implement/3", step("echo 3 > three")),
    ]));
    let mut setup = Setup::mini("none", &model.url());
    setup.more = "[agents.other]\nharness = \"mini\"\nmodel = \"claude-haiku-4-5\"\n".to_owned();
    let mut place = Place::new(&setup);
    place.carry_through();
    let before = place.branches();
    let n_calls = model.calls().len();
    for (args, words) in [
        (["--from", "3", "--with", "other"], "a fork begins after step 2 at the latest"),
        (["--from", "7", "--with", "other"], "what step 7 left is not kept"),
        (["--from", "1", "--with", "nobody"], "no agent of zazen.toml is `nobody`"),
    ] {
        let refused = place.try_zazen(&[&["fork", "1"][..], &args].concat());
        let said = String::from_utf8(refused.stderr).expect("text");
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let with = "mini/claude-haiku-4-5";
    let asked = place.json(&["fork", "1", "--from", "1", "--with", with, "--json"]);
    assert_eq!(asked["asked"]["agent"], "other");
    place.wait_for(2, &["drafted", "failed"]);
    place.wait_said(1, "goes on from task 1 after step 1");
    place.down();
    let branches = place.branches();
    assert_eq!(branches.len(), 2, "{branches:?}");
    assert!(branches.contains(&before[0]), "the branch of task 1 is as it was");
    let [one, two] = ["zazen/1-sum-by-month", "zazen/2-sum-by-month"];
    let common = git(&place.remote(), &["merge-base", one, two]);
    assert_eq!(common.trim(), asked["asked"]["head"], "the first step is common to both");
    let files = git(&place.remote(), &["ls-tree", "--name-only", two]);
    assert!(files.contains("one") && files.contains("two") && files.contains("three"), "{files}");
    let calls = model.calls();
    let labels: Vec<&str> = calls[n_calls..].iter().map(|call| call.label.as_str()).collect();
    assert!(
        labels.iter().all(|label| ["implement/2", "implement/3", "review-own"].contains(label)),
        "{labels:?}"
    );
    let written = calls[n_calls..].iter().filter(|call| call.label != "review-own");
    assert!(written.clone().count() > 0);
    assert!(written.into_iter().all(|call| call.model() == "claude-haiku-4-5"));
    let provenance = "Forked from task 1 after step 1.";
    let page = fs::read_to_string(place.task_folder(2).join("task.md")).expect("a page");
    assert!(page.contains(provenance), "{page}");
    assert!(place.pulls().iter().any(|pull| pull.contains(provenance)));
}
