//! Claims are checked: what an agent says counts for nothing, what it left is looked at.

use std::process::Command;

use crate::harness::model::{Model, SMALL_PLAN, Script, Turn, script, small_script};
use crate::harness::place::{Place, Setup, files_below, git, has_bwrap};

/// A plan whose checks say what they miss.
fn plan_that_checks() -> Turn {
    let check = "grep -q hello README.md || { echo 'there is no greeting'; exit 3; }";
    Turn::say(&SMALL_PLAN.replace("grep -q hello README.md", check))
}

/// One step, by these commands, each in a turn of its own.
fn steps(commands: &[&str]) -> Script {
    let mut turns: Vec<Turn> = commands.iter().map(|command| Turn::run(command)).collect();
    turns.push(Turn::say("Done."));
    script(&[("plan", vec![plan_that_checks()]), ("implement/1", turns)])
}

fn carry_out(place: &mut Place) {
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
}

/// Nothing was published.
fn check_unpublished(place: &Place) {
    assert_eq!(place.branches(), Vec::new());
    assert_eq!(place.pulls(), Vec::<String>::new());
}

#[test]
fn red_checks_are_mended_once_with_their_output_as_evidence() {
    let mut answers = steps(&["echo hallo >> README.md"]);
    let mend = vec![Turn::run("sed -i s/hallo/hello/ README.md"), Turn::say("A typing error.")];
    answers.insert("correct".to_owned(), mend);
    let (mut place, model) = Place::with(answers);
    carry_out(&mut place);
    place.wait_for(1, &["drafted"]);
    let prompt = &model.prompts("correct")[0];
    assert!(prompt.contains("The validation command ended with status 3."), "{prompt}");
    assert!(prompt.contains("there is no greeting"), "{prompt}");
    assert!(prompt.contains("They were red already before the work began."), "{prompt}");
    let log = git(&place.remote(), &["log", "--format=%s", "main..zazen/1-sum-by-month"]);
    assert_eq!(log, "Mend the checks of Sum by month\nSay hello in the README\n");
    place.down();
}

#[test]
fn checks_that_stay_red_end_the_task_and_its_commits_can_be_fetched() {
    let mut answers = steps(&["echo hallo >> README.md"]);
    let mend = vec![Turn::run("echo hullo >> README.md"), Turn::say("All is well.")];
    answers.insert("correct".to_owned(), mend);
    let (mut place, model) = Place::with(answers);
    carry_out(&mut place);
    place.wait_for(1, &["failed"]);
    let said = place.wait_said(1, "I gave up: the checks are red.");
    assert!(said.contains("there is no greeting"), "{said}");
    assert_eq!(model.prompts("correct").len(), 1);
    check_unpublished(&place);

    let fetch = said.lines().find(|line| line.starts_with("git fetch ")).expect("a command");
    let clone = place.repo().with_file_name("clone");
    git(&place.repo(), &["clone", "-q", ".", "../clone"]);
    run_in(&clone, fetch);
    let fetched = git(&clone, &["for-each-ref", "--format=%(refname)", "refs/zazen/"]);
    let last = fetched.lines().last().expect("a ref");
    let subjects = git(&clone, &["log", "--all", "--format=%s"]);
    assert!(subjects.contains("Mend the checks of Sum by month"), "{last}: {subjects}");
    place.down();
}

#[expect(clippy::disallowed_methods, reason = "a person pastes the command into a shell")]
fn run_in(dir: &std::path::Path, line: &str) {
    let status = Command::new("sh").args(["-c", line]).current_dir(dir).status();
    assert!(status.expect("a shell").success(), "`{line}` failed");
}

#[test]
fn the_owners_check_wins_over_the_plans() {
    let (mut place, _model) = Place::with(steps(&["echo hello >> README.md"]));
    place.configure("[[repo]]", "[[repo]]\ncheck = \"echo from the owner; sh tests/run.sh\"");
    carry_out(&mut place);
    place.wait_for(1, &["drafted"]);
    let [pull] = place.pulls().try_into().expect("one pull request");
    assert!(pull.contains("from the owner"), "{pull}");
    place.down();
}

#[test]
fn work_that_changed_nothing_is_tried_again_once_and_then_fails_as_empty() {
    let (mut place, model) = Place::with(steps(&["true"]));
    carry_out(&mut place);
    place.wait_for(1, &["failed"]);
    place.wait_said(1, "I gave up: the agent finished, but nothing was changed.");
    let prompts = model.prompts("implement/1");
    assert_eq!(prompts.len(), 2);
    assert!(prompts[1].contains("nothing was changed. Do not repeat it."), "{}", prompts[1]);
    check_unpublished(&place);
    place.down();
}

const COMMIT: &str = "git -c user.name=A -c user.email=a@b commit -q";

#[test]
fn changes_left_after_the_agents_own_commit_are_told_apart() {
    let commit = format!("echo hello >> README.md && {COMMIT} -am mine && echo '# x' >> tally");
    let (mut place, _model) = Place::with(steps(&[&commit]));
    carry_out(&mut place);
    place.wait_for(1, &["failed"]);
    let said = place.wait_said(1, "I gave up: the agent left changes that it did not commit.");
    assert!(said.contains("these files were changed after the last commit:\ntally"), "{said}");
    check_unpublished(&place);
    place.down();
}

#[test]
fn the_agents_own_commits_are_as_good_as_zazens() {
    let first = format!("echo hello >> README.md && {COMMIT} -am 'Say hello'");
    let second = format!("echo bye >> README.md && {COMMIT} -am 'Say goodbye'");
    let (mut place, _model) = Place::with(steps(&[&first, &second]));
    carry_out(&mut place);
    place.wait_for(1, &["drafted"]);
    let log = git(&place.remote(), &["log", "--format=%s", "main..zazen/1-sum-by-month"]);
    assert_eq!(log, "Say goodbye\nSay hello\n");
    place.down();
}

#[test]
fn commits_that_are_not_on_top_of_the_given_one_are_told_apart() {
    let orphan =
        format!("git checkout -q --orphan fresh && echo hello >> README.md && {COMMIT} -am new");
    wrong_base(&orphan);
}

#[test]
fn going_back_to_an_older_commit_is_told_apart() {
    wrong_base("git reset -q --hard HEAD~1");
}

#[test]
fn rewriting_the_given_commit_is_told_apart() {
    wrong_base(&format!("echo hello >> README.md && {COMMIT} -a --amend -m other"));
}

fn wrong_base(command: &str) {
    let (mut place, model) = Place::with(steps(&[command]));
    git(&place.repo(), &["commit", "-q", "--allow-empty", "-m", "A second commit"]);
    carry_out(&mut place);
    place.wait_for(1, &["failed"]);
    place.wait_said(1, "I gave up: the agent's commits are not on top of the given commit.");
    assert_eq!(model.prompts("implement/1").len(), 2);
    check_unpublished(&place);
    place.down();
}

#[test]
fn an_agent_in_bwrap_can_neither_push_nor_change_the_mirror_nor_the_persons_clone() {
    if !has_bwrap() {
        return;
    }
    let model = Model::start(small_script());
    let mut place = Place::new(&Setup::mini("bwrap", &model.url()));
    let (remote, home, repo) = (place.remote(), place.home(), place.repo());
    drop(model);
    let tries = format!(
        "echo hello >> README.md
         git push {remote} HEAD:refs/heads/main
         git push origin HEAD:refs/heads/main
         for dir in {mirror} {remote} {repo}/.git /objects /run/zazen/objects; do
             echo evil > $dir/evil; rm -rf $dir/HEAD $dir/objects
         done
         cat .git/objects/info/alternates | while read dir; do echo evil > $dir/evil; done
         echo evil >> {repo}/README.md
         true",
        remote = remote.display(),
        mirror = home.join(".zazen/mirrors/local/tally.git").display(),
        repo = repo.display(),
    );
    let model = Model::start(steps(&[&tries]));
    let from = std::fs::read_to_string(home.join("zazen.toml")).expect("the configuration");
    let line = from.lines().find(|line| line.starts_with("base_url")).expect("a line").to_owned();
    place.configure(&line, &format!("base_url = \"{}\"", model.url()));
    let before = files_below(&repo);
    carry_out(&mut place);
    place.wait_for(1, &["drafted"]);
    place.down();
    assert!(files_below(&repo) == before, "the person's clone is byte for byte the same");
    let refs = git(&remote, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main\nrefs/heads/zazen/1-sum-by-month\nrefs/zazen/receipts\n");
    let main = git(&remote, &["rev-parse", "main"]);
    assert_eq!(main, git(&repo, &["rev-parse", "main"]));
    for (path, _) in files_below(&home.join(".zazen")) {
        assert!(!path.ends_with("evil"), "{}", path.display());
    }
}

#[test]
fn the_persons_own_clone_is_left_byte_for_byte_as_it_was() {
    let (mut place, _model) = Place::with(small_script());
    std::fs::write(place.repo().join("draft.txt"), "not committed").expect("a file");
    let before = files_below(&place.repo());
    carry_out(&mut place);
    place.wait_for(1, &["drafted"]);
    place.down();
    assert!(files_below(&place.repo()) == before);
}
