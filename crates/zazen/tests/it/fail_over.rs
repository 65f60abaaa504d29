//! An agent without quota, and another that takes over with the work so far.

use std::fs;

use serde_json::Value;

use crate::crash::oracle::{check_inside, keep_up};
use crate::harness::machine::named;
use crate::harness::model::{Model, SMALL_PLAN, Script, Turn, script, small_script};
use crate::harness::place::{Place, Setup, git};

/// Another agent beside `default`, with a route of its own to a service at `url`; it comes
/// first in every role.
fn deep_first(url: &str) -> String {
    let route = format!("base_url = \"{url}\"\nkey_env = \"ZAZEN_TEST_KEY\"\n");
    let agent = "[agents.deep]\nharness = \"mini\"\nmodel = \"large\"\nroute = \"other\"\n";
    format!("{agent}[models.other]\napi = \"anthropic\"\n{route}{}", roles("deep", "default"))
}

fn roles(first: &str, next: &str) -> String {
    let list = format!("[\"{first}\", \"{next}\"]");
    let roles = format!("[roles]\nplan = {list}\nimplement = {list}\nask = {list}\n");
    format!("[quota]\nthen = \"fail-over\"\n{roles}")
}

/// A home with both, `deep` first.
fn place(deep: &Model, default: &Model) -> Place {
    let more = deep_first(&deep.url());
    Place::new(&Setup { more, ..Setup::mini("none", &default.url()) })
}

fn refusal(how_long: &str) -> Turn {
    Turn::fail(429, &format!("usage_limit_reached, try again in {how_long}"))
}

/// An agent that is out of quota in the middle of its first step.
fn ends_in_its_step() -> Script {
    let mut answers = small_script();
    let half = vec![Turn::run("echo one >> README.md"), refusal("5 hours")];
    answers.insert("implement/1".to_owned(), half);
    answers
}

/// An agent that goes on from there.
fn goes_on() -> Script {
    let next = vec![Turn::run("echo hello >> README.md"), Turn::say("It says hello.")];
    script(&[("plan", vec![Turn::say(SMALL_PLAN)]), ("implement/1", next)])
}

/// Who acted in each run of a task.
fn acted(place: &Place) -> Vec<String> {
    let show = place.json(&["task", "show", "1", "--json"]);
    let runs = show["runs"].as_array().expect("runs").iter();
    runs.map(|run| run["agent"]["agent"].as_str().unwrap_or("checks").to_owned()).collect()
}

/// What both did is on the branch, in one commit, and one pull request is open.
fn check_both(place: &Place) {
    let [(branch, _)] = place.branches().try_into().expect("one branch");
    let readme = git(&place.remote(), &["show", &format!("{branch}:README.md")]);
    assert!(readme.ends_with("one\nhello\n"), "{readme}");
    let log = git(&place.remote(), &["rev-list", "--count", &format!("main..{branch}")]);
    assert_eq!(log.trim(), "1", "what both did is one commit");
    assert_eq!(place.pulls().len(), 1);
    assert_eq!(place.processes(), Vec::<String>::new());
}

fn day(place: &Place) -> String {
    let pages = fs::read_dir(place.home().join("journal")).expect("the days");
    let read = |page: fs::DirEntry| fs::read_to_string(page.path()).expect("a page");
    pages.map(|page| read(page.expect("an entry"))).collect()
}

#[test]
fn the_next_agent_takes_over_in_the_middle_of_a_step_with_the_work_so_far() {
    let (deep, default) = (Model::start(ends_in_its_step()), Model::start(goes_on()));
    let mut place = place(&deep, &default);
    place.carry_through();
    let said = place.wait_said(1, "`default` goes on in its place, with the work so far.");
    assert!(said.starts_with("`deep` is out of quota until about "), "{said}");
    place.wait_said(1, "the checks passed on exactly its commit");
    place.down();
    check_both(&place);
    assert_eq!(acted(&place), ["deep", "deep", "default", "checks", "checks"]);
    let [told] = default.prompts("implement/1").try_into().expect("it began once");
    assert!(told.contains("$ echo one >> README.md -> status 0"), "{told}");
    assert!(told.contains("is in the working tree, uncommitted"), "{told}");
    let day = day(&place);
    let line = "`default` took over task 1 (local/tally #1): `deep` is out of quota until about";
    assert!(day.contains(line), "{day}");
    let show = place.json(&["task", "show", "1", "--json"]);
    assert_eq!(show["task"]["passed"][0]["agent"], "deep", "{show}");
}

#[test]
fn an_agent_that_is_passed_over_is_not_begun_before_its_time() {
    let deep = Model::start(script(&[("plan", vec![Turn::run("ls"), refusal("5 hours")])]));
    let default = Model::start(goes_on());
    let mut place = place(&deep, &default);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval", "failed"]);
    let n_calls = deep.calls().len();
    place.kill();
    place.up();
    place.approve();
    place.wait_for(1, &["drafted", "failed"]);
    place.down();
    assert_eq!(deep.calls().len(), n_calls, "it is known after a restart as well");
    assert_eq!(acted(&place), ["deep", "default", "default", "checks", "checks"]);
    let told = &default.prompts("plan")[0];
    assert!(told.contains("Another agent began this, and was interrupted."), "{told}");
    assert!(told.contains("$ ls -> status 0"), "{told}");
}

#[test]
fn an_agent_without_a_login_is_passed_over_until_a_person_says_retry() {
    let deep = Model::start(script(&[("plan", vec![Turn::fail(401, "authentication_error")])]));
    let default = Model::start(script(&[("plan", vec![Turn::fail(401, "authentication_error")])]));
    let mut place = place(&deep, &default);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["failed", "parked"]);
    let said = place.wait_said(1, "I gave up: the model's service refused the key.");
    assert!(said.contains("deep: login") && said.contains("default: login"), "{said}");
    default.follow(goes_on());
    place.comment(1, "/retry");
    place.wait_for(1, &["awaiting-approval"]);
    place.wait_said(1, "`deep` has no login that its service takes. `default` goes on");
    place.down();
    assert_eq!(acted(&place), ["deep", "default", "deep", "default"]);
}

#[test]
fn where_no_agent_may_act_the_task_waits_for_the_first_that_is_free() {
    let plan = |how_long| script(&[("plan", vec![refusal(how_long)])]);
    let deep = Model::start(plan("5 hours"));
    let default = Model::start(plan("4 seconds"));
    let mut place = place(&deep, &default);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["parked", "failed"]);
    let said = place.wait_said(1, "No agent may act: `deep` is out of quota until about");
    assert!(said.contains("; `default` is out of quota until about"), "{said}");
    let status = place.zazen(&["status"]);
    assert!(status.contains("        `deep` is out of quota until about"), "{status}");
    let n_calls = deep.calls().len();
    default.follow(goes_on());
    place.wait_for(1, &["awaiting-approval", "failed"]);
    place.down();
    assert_eq!(deep.calls().len(), n_calls, "its time has not come");
    assert_eq!(acted(&place).last().map(String::as_str), Some("default"));
}

/// The moments around the end of the run that is out of quota (1.2) and the beginning of the
/// next one. Facts before that: the task, its base, two runs, the plan, the command.
const MOMENTS: [&str; 12] = [
    "run.ended:2",
    "run.judged:2",
    "run.cleaned:2",
    "run.prepared:3",
    "run.submitted:3",
    "run.ended:3",
    "run.judged:3",
    "journal.before:10",
    "journal.before:12",
    "journal.after:11",
    "journal.after:13",
    "journal.after:14",
];

#[test]
fn a_daemon_that_is_killed_while_another_takes_over_loses_nothing_and_does_nothing_twice() {
    kill_at(&MOMENTS[..6]);
}

#[test]
fn a_daemon_that_is_killed_when_another_has_taken_over_loses_nothing_and_does_nothing_twice() {
    kill_at(&MOMENTS[6..]);
}

fn kill_at(moments: &[&str]) {
    for moment in moments {
        let (deep, default) = (Model::start(ends_in_its_step()), Model::start(goes_on()));
        let mut place = place(&deep, &default);
        let (crashes, mut n_starts) = ([(*moment).to_owned()], 0);
        place.ask_for_plan();
        let mut is_approved = false;
        place.wait("the task is drafted", |place| {
            keep_up(place, &crashes, (&mut n_starts, 4));
            let task = place.task(1).unwrap_or(Value::Null);
            if task["state"] == "awaiting-approval" && !is_approved {
                place.approve();
                is_approved = true;
            }
            assert_ne!(task["state"], "failed", "{moment}\n{}", place.log());
            let is_told = |body: &String| body.contains("the checks passed on exactly");
            (task["state"] == "drafted" && place.said(1).iter().any(is_told)).then_some(())
        });
        place.down();
        let log = place.log();
        assert!(log.contains(&format!("moment {moment}")), "{moment} never came\n{log}");
        check_both(&place);
        assert_eq!(acted(&place), ["deep", "deep", "default", "checks", "checks"], "{moment}");
        let said = place.said(1);
        assert_eq!(said.len(), 3, "the plan, who takes over, the draft: {moment} {said:?}");
        assert_eq!(check_inside(&place), Vec::<String>::new(), "{moment}");
    }
}

#[test]
fn codex_takes_over_from_claude_code_and_is_told_what_was_done() {
    let model = Model::start(ends_in_its_step());
    let Some(setup) = crate::claude::setup(&model, "") else { return };
    let Some(codex) = named("ZAZEN_CODEX") else { return };
    let other = Model::start(goes_on());
    let url = other.url();
    let more = format!(
        "[agents.spare]\nharness = \"codex\"\nmodel = \"gpt-5.5\"\nroute = \"openai\"\n\
         program = \"{}\"\n[models.openai]\napi = \"openai\"\nbase_url = \"{url}\"\n\
         key_env = \"ZAZEN_TEST_KEY\"\n{}",
        codex.display(),
        roles("default", "spare")
    );
    let mut place = Place::new(&Setup { more, ..setup });
    place.carry_through();
    place.wait_said(1, "`spare` goes on in its place, with the work so far.");
    place.down();
    check_both(&place);
    assert_eq!(acted(&place), ["default", "default", "spare", "checks", "checks"]);
    let calls = other.calls();
    let first = calls.iter().find(|call| call.label == "implement/1").expect("it was asked");
    assert!(first.body.contains("echo one >> README.md"), "it is told what was done");
    assert!(first.body.contains("is in the working tree, uncommitted"), "and where that is");
}
