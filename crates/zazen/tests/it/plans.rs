//! Plans: made, repaired, revised, edited by hand, approved.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::model::{SMALL_PLAN, Turn, script, small_script};
use crate::harness::place::Place;

fn plan_page(place: &Place) -> PathBuf {
    place.task_folder(1).join("plan.md")
}

/// Saves a file as most editors do: another file, then a rename.
fn save(path: &Path, text: &str) {
    let temp = path.with_file_name(".plan.md.swp");
    fs::write(&temp, text).expect("a file");
    fs::rename(temp, path).expect("a rename");
}

/// The comment that shows the plan. There is exactly one.
fn plan_comment(place: &Place) -> String {
    let said = place.said(1).into_iter().filter(|body| body.contains("## Steps"));
    let [comment] = said.collect::<Vec<_>>().try_into().expect("one plan comment");
    comment
}

fn hash(place: &Place) -> String {
    let task = place.json(&["task", "show", "1", "--json"]);
    task["task"]["plan"]["hash"].as_str().expect("a plan").to_owned()
}

fn up_with_a_plan(place: &mut Place) {
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.wait("the plan's page is there", |place| plan_page(place).exists().then_some(()));
    place.wait_said(1, "## Steps");
}

#[test]
fn an_unreadable_plan_is_repaired_once_with_its_problems_quoted() {
    let mut answers = small_script();
    let broken = SMALL_PLAN.replace("## Validation", "## Something else");
    answers.insert("plan".to_owned(), vec![Turn::say(&broken)]);
    answers.insert("plan/again".to_owned(), vec![Turn::say(SMALL_PLAN)]);
    let (mut place, model) = Place::with(answers);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    let repair = &model.prompts("plan/again")[0];
    assert!(repair.contains("the plan could not be read. Do not repeat it."), "{repair}");
    assert!(repair.contains("Validation"), "{repair}");
    assert!(repair.contains("Something else"), "its own answer is quoted: {repair}");
    place.down();
}

#[test]
fn a_plan_that_stays_unreadable_fails_with_advice() {
    let (mut place, model) = Place::with(script(&[("plan", vec![Turn::say("No plan today.")])]));
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["failed"]);
    let said = place.wait_said(1, "I gave up: the plan could not be read.");
    assert!(said.contains("then write `/retry`"), "{said}");
    assert!(said.contains("No plan today."), "{said}");
    assert_eq!(model.prompts("plan").len(), 2);
    assert_eq!(place.branches(), Vec::new());
    place.down();
}

#[test]
fn open_questions_are_shown_with_what_to_do_about_them() {
    let mut answers = small_script();
    let asks = SMALL_PLAN.replace(
        "## Open questions\n\nNone",
        "## Open questions\n\n- In which language?\n- At the top, or at the end?",
    );
    answers.insert("plan".to_owned(), vec![Turn::say(&asks)]);
    let (mut place, _model) = Place::with(answers);
    up_with_a_plan(&mut place);
    let comment = plan_comment(&place);
    assert!(comment.contains("has 2 open questions"), "{comment}");
    assert!(comment.contains("- In which language?"), "{comment}");
    assert!(comment.contains("`/implement` with your answers approves exactly"), "{comment}");
    place.down();
}

#[test]
fn plan_again_with_remarks_revises_the_same_comment() {
    let mut answers = small_script();
    let revised = SMALL_PLAN.replace("Say hello in the README", "Say hello in a new file");
    answers.insert("plan/revised".to_owned(), vec![Turn::say(&revised)]);
    let (mut place, model) = Place::with(answers);
    up_with_a_plan(&mut place);
    place.comment(1, "/plan Rather in a file of its own.");
    place.wait_said(1, "This is version 2 of the plan");
    let comment = plan_comment(&place);
    assert!(comment.contains("Say hello in a new file"), "{comment}");
    let prompt = &model.prompts("plan/revised")[0];
    assert!(prompt.contains("Rather in a file of its own."), "{prompt}");
    assert!(prompt.contains("Say hello in the README"), "the plan so far is given: {prompt}");
    place.wait("the page is the new plan", |place| {
        fs::read_to_string(plan_page(place)).ok().filter(|text| text.contains("a new file"))
    });
    place.down();
}

#[test]
fn a_plan_edited_in_an_editor_is_the_plan_that_is_carried_out() {
    let (mut place, model) = Place::with(small_script());
    up_with_a_plan(&mut place);
    let before = hash(&place);
    let text = fs::read_to_string(plan_page(&place)).expect("the plan");
    save(&plan_page(&place), &text.replace("Say hello in the README", "Greet in the README"));
    place.wait_said(1, "This is version 2 of the plan");
    assert!(plan_comment(&place).contains("Greet in the README"));
    let edited = hash(&place);
    assert_ne!(edited, before);
    place.approve();
    place.wait_for(1, &["drafted"]);
    assert_eq!(hash(&place), edited);
    let prompt = &model.prompts("implement/1")[0];
    assert!(prompt.contains("Greet in the README"), "{prompt}");
    place.down();
    let page = fs::read_to_string(plan_page(&place)).expect("the plan");
    assert!(page.contains("Greet in the README"), "{page}");
}

#[test]
fn an_edit_in_two_halves_counts_once_and_whole() {
    use std::io::Write as _;

    let (mut place, model) = Place::with(small_script());
    up_with_a_plan(&mut place);
    let text = fs::read_to_string(plan_page(&place)).expect("the plan");
    let text = text.replace("## Non-goals", "## Non-goals\n\n- A greeting in French");
    let (first, second) = text.split_at(text.len() / 2);
    let mut file = fs::File::create(plan_page(&place)).expect("a file");
    file.write_all(first.as_bytes()).expect("the first half");
    // A person who is in a hurry: the approval comes in the middle of the saving.
    place.approve();
    file.write_all(second.as_bytes()).expect("the second half");
    drop(file);
    place.wait_for(1, &["drafted"]);
    let prompt = &model.prompts("implement/1")[0];
    assert!(prompt.contains("A greeting in French"), "{prompt}");
    assert!(plan_comment(&place).contains("This is version 2 of the plan"));
    place.down();
}

#[test]
fn an_edit_that_cannot_be_read_starts_nothing_and_says_why() {
    let (mut place, model) = Place::with(small_script());
    up_with_a_plan(&mut place);
    let text = fs::read_to_string(plan_page(&place)).expect("the plan");
    let broken = text.replace("- [ ] 1. Say hello in the README", "");
    save(&plan_page(&place), &broken);
    place.approve();
    let said = place.wait_said(1, "the plan was edited, and cannot be read now");
    assert!(said.contains("Nothing was started"), "{said}");
    assert!(said.contains("steps") || said.contains("Steps"), "{said}");
    assert_eq!(place.task(1).expect("the task")["state"], "awaiting-approval");
    assert_eq!(fs::read_to_string(plan_page(&place)).expect("the plan"), broken);
    // Mended, it is approved as it is.
    save(&plan_page(&place), &text.replace("One line", "A single line"));
    place.approve();
    place.wait_for(1, &["drafted"]);
    assert!(model.prompts("implement/1")[0].contains("A single line"));
    place.down();
}

#[test]
fn an_edit_after_the_approval_changes_nothing_and_is_kept() {
    let gate = crate::harness::gate::Gate::new();
    let mut answers = small_script();
    answers.get_mut("implement/1").expect("a step").insert(0, gate.turn());
    let (mut place, model) = Place::with(answers);
    up_with_a_plan(&mut place);
    place.approve();
    gate.wait(&mut place);
    let approved = hash(&place);
    let text = fs::read_to_string(plan_page(&place)).expect("the plan");
    let late = text.replace("One line at its end.", "Three lines at its top.");
    assert_ne!(late, text);
    save(&plan_page(&place), &late);
    gate.open();
    place.wait_for(1, &["drafted"]);
    assert_eq!(hash(&place), approved);
    assert!(model.prompts("implement/1")[0].contains("One line at its end."));
    place.down();
    assert_eq!(fs::read_to_string(plan_page(&place)).expect("the plan"), late);
    assert!(plan_comment(&place).contains("One line at its end."));
}
