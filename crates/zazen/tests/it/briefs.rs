//! Briefs and contracts: what is missing is asked for, what is approved is shown and holds.

use crate::harness::model::{Model, SMALL_PLAN, Turn, script, small_script};
use crate::harness::place::{Place, Setup};

/// A home whose owner says this besides.
fn place_with(model: &Model, more: &str) -> Place {
    Place::new(&Setup { more: more.to_owned(), ..Setup::mini("none", &model.url()) })
}

/// Opens an issue that is a brief.
fn write_brief(place: &Place, parts: &[&str]) {
    place.zazen(
        &[&["issue", "new", "Say hello", "--goal", "The README says hello."], parts].concat(),
    );
    place.comment(1, "/plan");
}

#[test]
fn a_plan_that_does_not_ask_for_what_its_brief_lacks_is_sent_back() {
    let question =
        "## Open questions\n\n- Validation command: is `grep -q hello README.md` right?\n\n";
    let asking = SMALL_PLAN.replace("## Open questions\n\nNone\n\n", question);
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        ("plan/again", vec![Turn::say(&asking)]),
    ]));
    let mut place = place_with(&model, "");
    place.up();
    write_brief(&place, &["--non-goal", "Say goodbye"]);
    place.wait_for(1, &["awaiting-approval", "failed"]);
    let said = place.wait_said(1, "It waits for you, and has 1 open question");
    assert!(said.contains("Validation command:"), "{said}");
    let [first, again] = model
        .prompts("plan")
        .into_iter()
        .chain(model.prompts("plan/again"))
        .collect::<Vec<_>>()
        .try_into()
        .expect("two tries");
    assert!(first.contains("in a question that begins with `Validation command:`"), "{first}");
    assert!(first.contains("Say goodbye"), "{first}");
    assert!(again.contains("the brief does not say its validation command"), "{again}");
    place.down();
}

#[test]
fn what_is_approved_is_shown_with_the_plan_and_in_the_draft_and_is_in_the_journal() {
    let model = Model::start(small_script());
    let mut place = place_with(&model, "");
    place.up();
    write_brief(&place, &["--check", "grep -q hello README.md", "--budget", "$5"]);
    place.wait_for(1, &["awaiting-approval", "failed"]);
    let said = place.wait_said(1, "The contract that is approved with it");
    for line in ["goal: The README says hello.", "files: README.md", "budget: $5.00", "hosts: none"]
    {
        assert!(said.contains(line), "`{line}` is not in:\n{said}");
    }
    let hash = said.split("approved with it (").nth(1).and_then(|rest| rest.get(..12));
    let hash = hash.expect("its hash").to_owned();
    place.approve();
    place.wait_for(1, &["drafted", "failed"]);
    place.down();
    let [pull] = place.pulls().try_into().expect("one pull request");
    assert!(pull.contains(&format!(", contract `{hash}`")), "{pull}");
    let task = place.json(&["task", "show", "1", "--json"])["task"].to_string();
    assert!(task.contains(&format!("\"contract\":{{\"hash\":\"{hash}")), "{task}");
}

#[test]
fn a_tasks_own_budget_ends_it_before_the_next_call() {
    let model = Model::start(script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        (
            "implement/1",
            vec![
                Turn::run("echo one >> README.md"),
                Turn::run("echo two >> README.md"),
                Turn::run("echo three >> README.md"),
                Turn::say("It says hello."),
            ],
        ),
    ]));
    let mut place = place_with(&model, "");
    place.up();
    write_brief(&place, &["--check", "true", "--budget", "3000 tokens"]);
    place.wait_for(1, &["awaiting-approval", "failed"]);
    // What the issue says by now does not matter: another one was approved.
    let issue = place.home().join("forge/local/tally/issues/1/issue.md");
    let text = std::fs::read_to_string(&issue).expect("the issue");
    assert!(text.contains("3000 tokens"), "{text}");
    std::fs::write(&issue, text.replace("3000 tokens", "3000000 tokens")).expect("it is changed");
    place.comment(1, "/implement");
    place.wait_for(1, &["failed", "parked", "drafted"]);
    let page = place.zazen(&["task", "show", "1"]);
    assert!(page.contains("a budget is used up"), "{page}");
    let n_calls = model.calls().iter().filter(|call| call.label == "implement/1").count();
    assert!(n_calls < 4, "{n_calls} calls");
    assert!(place.pulls().is_empty());
    place.down();
}

#[test]
fn after_the_deadline_no_agent_begins_and_the_issue_says_why() {
    let model = Model::start(small_script());
    let mut place = place_with(&model, "");
    place.up();
    write_brief(&place, &["--check", "true", "--deadline", "2020-01-31 18:00"]);
    place.wait_for(1, &["failed", "awaiting-approval"]);
    let said = place.wait_said(1, "the deadline is past");
    assert!(
        said.contains("2020-01-31 18:00 UTC") && said.contains("Set a later deadline"),
        "{said}"
    );
    assert_eq!(model.calls().len(), 0, "nobody was asked");
    place.down();
}

#[test]
fn work_of_a_kind_is_approved_by_whom_the_owner_names_and_by_nobody_else() {
    let model = Model::start(small_script());
    let kinds = "[policy.delegate.words]\nwords = [\"hello\"]\napprovers = [\"eve\"]\n";
    let mut place = place_with(&model, kinds);
    place.up();
    write_brief(&place, &["--check", "grep -q hello README.md"]);
    place.wait_for(1, &["awaiting-approval", "failed"]);
    place.wait_said(1, "This is work of the kind *words*");
    place.comment(1, "/implement");
    let said = place.wait_said(1, "Nothing was approved");
    assert!(said.contains("eve"), "{said}");
    assert_eq!(place.task(1).expect("a task")["state"], "awaiting-approval");
    place.configure("approvers = [\"eve\"]", "approvers = [\"ada\"]");
    place.down();
    // Another plan has another contract.
    place.up();
    place.comment(1, "/plan once more");
    place.wait("there is another plan", |place| {
        let version =
            place.json(&["task", "show", "1", "--json"])["task"]["plan"]["version"].clone();
        (version == 2).then_some(())
    });
    place.comment(1, "/implement");
    place.wait_for(1, &["drafted", "failed"]);
    place.down();
    assert_eq!(place.pulls().len(), 1);
}

#[test]
fn what_cannot_be_read_of_a_brief_is_refused_where_it_is_typed() {
    let model = Model::start(small_script());
    let place = place_with(&model, "");
    for (part, value, says) in [
        ("--budget", "a lot", "`a lot` is no budget"),
        ("--deadline", "tomorrow", "`tomorrow` is no deadline"),
    ] {
        let output = place.try_zazen(&["issue", "new", "Hello", part, value]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{said}");
    }
}
