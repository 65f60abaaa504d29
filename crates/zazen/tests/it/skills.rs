//! What agents are taught: skills of the home and of the repository, with `mini` and with
//! the real Claude Code.

use std::fs;
use std::path::Path;

use crate::claude;
use crate::harness::model::{Model, SMALL_PLAN, Script, Turn, script, small_script};
use crate::harness::place::{Place, Setup, git};

/// What a skill says that nothing else does.
const LESSON: &str = "CANARY-LESSON: an owl says hello twice.";

/// Writes a skill.
fn write(skills: &Path, name: &str) {
    let folder = skills.join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let page = format!("---\nname: {name}\ndescription: CANARY-{name} greets.\n---\n{LESSON}\n");
    fs::write(folder.join("SKILL.md"), page).expect("a page");
}

/// A script in which the agent copies the page of a skill into the README.
fn copying(from: &str) -> Script {
    let command = format!("echo hello >> README.md; cat \"{from}\" >> README.md");
    script(&[
        ("plan", vec![Turn::say(SMALL_PLAN)]),
        ("implement/1", vec![Turn::run(&command), Turn::say("It says hello.")]),
    ])
}

/// Takes the issue to its draft, and says what the README is then.
fn readme_after(place: &mut Place) -> String {
    place.carry_through();
    let (branch, _) = place.branches().remove(0);
    let readme = git(&place.remote(), &["show", &format!("{branch}:README.md")]);
    place.down();
    readme
}

#[test]
fn mini_is_told_of_skills_and_reads_them_in_the_sandbox() {
    let model = Model::start(copying("$HOME/.agents/skills/greeting/SKILL.md"));
    let mut place = Place::new(&Setup::mini("bwrap", &model.url()));
    write(&place.home().join("skills"), "greeting");
    write(&place.home().join("skills"), "broken");
    fs::write(place.home().join("skills/broken/SKILL.md"), "no front matter").expect("a page");
    let readme = readme_after(&mut place);
    assert!(readme.contains(LESSON), "{readme}");
    let [plan] = model.prompts("plan").try_into().expect("one plan");
    assert!(plan.contains("- `greeting`: CANARY-greeting greets.\n"), "{plan}");
    assert!(plan.contains("`~/.agents/skills/<name>/SKILL.md`"), "{plan}");
    assert!(!plan.contains(LESSON) && !plan.contains("broken"), "{plan}");
    assert!(place.log().contains("skills/broken/SKILL.md:1: there is no `name`"));
    assert!(!place.home().join(".zazen/runs/1.2/home").exists(), "copies go with their run");
}

#[test]
fn a_repository_gets_the_skills_that_it_names_and_no_others() {
    let (mut place, model) = Place::with(small_script());
    write(&place.home().join("skills"), "greeting");
    write(&place.home().join("skills"), "parting");
    place.configure("[[repo]]\n", "[[repo]]\nskills = [\"parting\"]\n");
    readme_after(&mut place);
    for prompt in model.prompts("plan").iter().chain(&model.prompts("implement/1")) {
        assert!(prompt.contains("CANARY-parting"), "{prompt}");
        assert!(!prompt.contains("CANARY-greeting"), "{prompt}");
    }
}

/// Commits a skill to the repository.
fn commit_skill(place: &Place) {
    write(&place.repo().join(".claude/skills"), "of-the-repository");
    git(&place.repo(), &["add", "-A"]);
    git(&place.repo(), &["commit", "-q", "-m", "A skill"]);
}

#[test]
fn skills_of_the_repository_are_given_only_where_the_owner_says_so() {
    for (policy, n_times) in [("", 0), ("[policy]\nrepo_skills = true\n", 1)] {
        let model = Model::start(small_script());
        let more = policy.to_owned();
        let mut place = Place::new(&Setup { more, ..Setup::mini("none", &model.url()) });
        commit_skill(&place);
        readme_after(&mut place);
        let [plan] = model.prompts("plan").try_into().expect("one plan");
        assert_eq!(plan.matches("CANARY-of-the-repository").count(), n_times, "{plan}");
    }
}

#[test]
fn claude_code_finds_the_homes_skills_by_itself_and_no_others() {
    let model = Model::start(copying("$CLAUDE_CONFIG_DIR/skills/greeting/SKILL.md"));
    let Some(setup) = claude::setup(&model, "") else { return };
    let mut place = Place::new(&setup);
    commit_skill(&place);
    write(&place.home().join("skills"), "greeting");
    let readme = readme_after(&mut place);
    assert!(readme.contains(LESSON), "{readme}");
    for label in ["plan", "implement/1"] {
        let calls = model.calls().into_iter();
        let first = calls.into_iter().find(|call| call.label == label && call.turn == 0);
        let body = first.expect("a call").body;
        assert_eq!(body.matches("CANARY-greeting").count(), 1, "{label} is told once: {body}");
        assert!(!body.contains("CANARY-of-the-repository"), "{body}");
    }
}

#[test]
fn claude_code_gets_the_repositorys_skills_where_the_owner_says_so() {
    let model = Model::start(small_script());
    let Some(mut setup) = claude::setup(&model, "") else { return };
    setup.more.push_str("[policy]\nrepo_skills = true\n");
    let mut place = Place::new(&setup);
    commit_skill(&place);
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval", "failed"]);
    place.down();
    let calls = model.calls();
    let body = &calls.iter().find(|call| call.label == "plan").expect("a call").body;
    assert_eq!(body.matches("CANARY-of-the-repository").count(), 1, "{body}");
}

#[test]
fn skills_are_listed_and_what_is_wrong_with_them_is_named() {
    let (place, _model) = Place::with(small_script());
    assert!(place.zazen(&["skill", "list"]).starts_with("There are no skills."));
    write(&place.home().join("skills"), "greeting");
    let said = place.zazen(&["skill", "list"]);
    assert!(said.contains("greeting ") && said.contains("all repositories"), "{said}");
    let list = place.json(&["skill", "list", "--json"]);
    assert_eq!(list["skills"][0]["name"], "greeting");
    assert_eq!(list["skills"][0]["repos"][0], "local/tally");
    assert_eq!(list["broken"], serde_json::json!([]));

    place.configure("[[repo]]\n", "[[repo]]\nskills = [\"parting\"]\n");
    fs::create_dir(place.home().join("skills/empty")).expect("a folder");
    let failed = place.try_zazen(&["skill", "list"]);
    assert!(!failed.status.success());
    let said = String::from_utf8(failed.stdout).expect("text");
    assert!(said.contains("no repository"), "{said}");
    assert!(said.contains("skills/empty: has no `SKILL.md`"), "{said}");
    let doctor = String::from_utf8(place.try_zazen(&["doctor"]).stdout).expect("text");
    assert!(doctor.contains("skills/empty: has no `SKILL.md`"), "{doctor}");
    assert!(doctor.contains("names the skill `parting`, which is not there"), "{doctor}");
}
