//! `/split`: each step of a plan becomes an issue and a task of its own.

use std::fs;

use crate::crash::oracle::check_inside;
use crate::harness::model::{Model, Script, Turn, script};
use crate::harness::place::{Place, git};

/// A plan of three steps: the second one needs the first, the third needs none.
const PLAN: &str = "## Summary\n\nThe program greets, and there is news.\n\n## Steps\n\n\
    - [ ] 1. Greet in the README\n  One line at its end.\n\
    - [ ] 2. Part in the README\n  Right after the greeting.\n\
    - [ ] 3. Write the news\n  Files: `NEWS`\n  After: nothing\n\n\
    ## Files\n\n- `README.md`\n\n## Dependencies\n\nNone\n\n\
    ## Validation\n\n```sh\ntest -s README.md\n```\n\n## Risks\n\nNone\n\n\
    ## Open questions\n\nNone\n\n## Non-goals\n\nNone\n";

/// What the model says: the second step fails where the first is not merged.
pub(crate) fn answers() -> Script {
    let part = "grep -q hello README.md && echo goodbye >> README.md";
    script(&[
        ("plan", vec![Turn::say(PLAN)]),
        ("implement/1@Greet in", vec![Turn::run("echo hello >> README.md"), Turn::say("Done.")]),
        ("implement/1@Part in", vec![Turn::run(part), Turn::say("Done.")]),
        ("implement/1@Write the", vec![Turn::run("echo news > NEWS"), Turn::say("Done.")]),
    ])
}

/// A place whose plan waits.
fn planned() -> (Place, Model) {
    let (mut place, model) = Place::with(answers());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.wait_said(1, "`/split` makes an issue of each step");
    (place, model)
}

/// A place whose plan was split into the issues 2, 3 and 4, with the tasks 2, 3 and 4.
fn split() -> (Place, Model) {
    let (mut place, model) = planned();
    place.comment(1, "/split Keep it short.");
    place.wait_for(1, &["split"]);
    place.wait_said(1, "**Split into 3 issues**");
    (place, model)
}

/// Merges the pull request of a task as a person does: the branch, then the page.
fn merge(place: &Place, pull: u64, branch: &str) {
    let remote = place.remote().display().to_string();
    git(&place.repo(), &["fetch", "-q", &remote, branch]);
    git(&place.repo(), &["merge", "-q", "--no-edit", "FETCH_HEAD"]);
    let page = place.home().join(format!("forge/local/tally/pulls/{pull}.md"));
    let text = fs::read_to_string(&page).unwrap();
    fs::write(&page, text.replace("state: open", "state: merged")).unwrap();
}

/// The titles of the issues that there are, in order.
fn titles(place: &Place) -> Vec<String> {
    let issues = place.json(&["issue", "list", "--json"]);
    let all = issues.as_array().expect("a list").iter();
    let mut titles: Vec<(u64, String)> = all
        .map(|issue| {
            let title = issue["title"].as_str().unwrap_or_default().to_owned();
            (issue["issue"].as_u64().expect("a number"), title)
        })
        .collect();
    titles.sort();
    titles.into_iter().map(|(_, title)| title).collect()
}

/// What there is to be in the end: one issue a step, and each once.
const TITLES: [&str; 4] =
    ["Sum by month", "Greet in the README", "Part in the README", "Write the news"];

#[test]
fn the_steps_of_a_plan_are_issues_and_each_begins_when_what_it_needs_is_merged() {
    let (mut place, model) = split();
    assert_eq!(titles(&place), TITLES);
    let page = fs::read_to_string(place.home().join("forge/local/tally/issues/3/issue.md"));
    let page = page.unwrap();
    for words in
        ["Part of #1: step 2 of 3", "It comes after #2.", "> Keep it short.", "Right after"]
    {
        assert!(page.contains(words), "{words} is not in\n{page}");
    }
    let list = place.wait_said(1, "- [ ] #3 Part in the README (after #2)");
    assert!(list.contains("- [ ] #4 Write the news\n"), "{list}");
    // Nothing was approved by that but the splitting.
    for task in 2..=4 {
        place.wait_for(task, &["awaiting-approval"]);
    }
    assert!(model.prompts("implement/1@Greet in").is_empty());
    let plan = place.wait_said(3, "It comes after #2, which is not merged");
    assert!(plan.contains("- [ ] 1. Part in the README") && !plan.contains("Greet"), "{plan}");

    place.comment(3, "/implement");
    place.wait_said(3, "**Approved.** It waits for #2 to be merged.");
    assert!(place.zazen(&["status"]).contains("waits for #2"), "{}", place.zazen(&["status"]));
    assert!(place.zazen(&["task", "show", "3"]).contains("it waits for #2"));
    place.comment(4, "/implement");
    place.wait_for(4, &["drafted"]);
    place.comment(2, "/implement");
    place.wait_for(2, &["drafted"]);
    assert_eq!(place.task(3).unwrap()["state"], "queued");
    assert!(model.prompts("implement/1@Part in").is_empty());

    place.wait_said(2, "Draft pull request #6 is open");
    merge(&place, 6, "zazen/2-greet-in-the-readme");
    place.wait_for(3, &["drafted", "failed"]);
    let tree = ["show", "zazen/3-part-in-the-readme:README.md"];
    let readme = git(&place.remote(), &tree);
    assert!(readme.ends_with("hello\ngoodbye\n"), "{readme}");
    let prompt = model.prompts("implement/1@Part in").remove(0);
    assert!(prompt.contains("Keep it short."), "what was said with it is known: {prompt}");
    let list = place.wait_said(1, "- [x] #2 Greet in the README");
    assert!(list.contains("- [ ] #3") && list.contains("1 merged so far"), "{list}");

    merge(&place, 5, "zazen/4-write-the-news");
    place.wait_said(3, "Draft pull request #7 is open");
    merge(&place, 7, "zazen/3-part-in-the-readme");
    place.wait_said(1, "all of them are merged");
    assert_eq!(titles(&place), TITLES);
    place.down();
    assert_eq!(check_inside(&place), Vec::<String>::new());
}

#[test]
fn a_part_whose_predecessor_is_stuck_says_so_and_a_retry_has_it_begin() {
    let (mut place, _model) = split();
    place.comment(3, "/implement");
    place.wait_said(3, "It waits for #2 to be merged.");
    place.comment(2, "/stop");
    place.wait_said(3, "But #2 was stopped: somebody has to see to it.");
    let status = place.json(&["status", "--json"]);
    let needs: Vec<u64> = status["needs_you"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|task| task["waits_for"][0] == 2)
        .filter_map(|task| task["task"].as_u64())
        .collect();
    assert_eq!(needs, [3], "{status}");
    place.comment(3, "/retry Begin with the greeting.");
    // It is on its own: what it needs is not there, and it says so.
    place.wait_for(3, &["failed", "drafted"]);
    place.down();
}

#[test]
fn what_cannot_be_split_says_why() {
    let (mut place, _model) = Place::with(crate::harness::model::small_script());
    place.up();
    place.zazen(&["issue", "new", "Say hello"]);
    place.comment(1, "/split");
    place.wait_said(1, "There is no plan to carry out yet");
    place.comment(1, "/plan");
    place.wait_for(1, &["awaiting-approval"]);
    place.comment(1, "/split");
    place.wait_said(1, "Nothing was split: the plan has one step.");
    assert_eq!(titles(&place), ["Say hello"]);
    place.down();
}

#[test]
fn a_plan_that_was_split_is_neither_planned_again_nor_carried_out() {
    let (mut place, _model) = split();
    place.comment(1, "/implement");
    place.wait_said(1, "`/implement` does not fit now: task 1 was split into 3 issues.");
    place.comment(1, "/split");
    place.wait_said(1, "`/split` does not fit now");
    place.comment(1, "/plan");
    // That is other work on the same issue.
    place.wait_for(5, &["awaiting-approval"]);
    assert_eq!(place.task(1).unwrap()["state"], "split");
    assert_eq!(titles(&place), TITLES);
    place.down();
}

/// How many effects splitting takes, texts aside: the sign, and an issue for each step.
const N_EFFECTS: usize = 8;

#[test]
fn a_daemon_killed_after_any_effect_opens_one_issue_for_each_step() {
    kill_at("effect.after");
}

#[test]
fn a_daemon_killed_before_any_record_opens_one_issue_for_each_step() {
    kill_at("journal.before");
}

#[test]
fn a_daemon_killed_after_any_record_opens_one_issue_for_each_step() {
    kill_at("journal.after");
}

fn kill_at(moment: &str) {
    for n in 1..=N_EFFECTS {
        let (mut place, _model) = planned();
        place.down();
        place.set("ZAZEN_CRASH", &format!("{moment}:{n}"));
        place.up();
        place.comment(1, "/split");
        place.wait("the daemon is killed", |place| place.is_down().then_some(()));
        place.unset("ZAZEN_CRASH");
        place.up();
        place.wait_for(1, &["split"]);
        for task in 2..=4 {
            let task = place.wait_for(task, &["awaiting-approval"]);
            // A kill in the midst of writing a page leaves a number that nothing has.
            let part = task["issue"].as_u64().expect("a number");
            place.wait_said(part, "`/implement` approves exactly this text");
            assert_eq!(place.said(part).len(), 1, "{moment}:{n}");
        }
        place.wait_said(1, "**Split into 3 issues**");
        assert_eq!(titles(&place), TITLES, "{moment}:{n}");
        place.down();
        assert_eq!(check_inside(&place), Vec::<String>::new(), "{moment}:{n}");
    }
}
