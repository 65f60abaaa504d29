//! `/rebase`: a draft's branch is put on its base as that is by now, or left alone.

use crate::harness::model::{Model, small_script};
use crate::harness::place::{Place, git};

/// How many effects a rebase takes: the sign, the rebase, the checks, the push, the pull
/// request. More are texts.
const N_EFFECTS: u32 = 6;

const BRANCH: &str = "zazen/1-sum-by-month";

/// A place with a draft pull request that adds a line to the README.
fn with_a_draft() -> (Place, Model) {
    let (mut place, model) = Place::with(small_script());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["drafted", "failed"]);
    place.wait_said(1, "Draft pull request #2 is open");
    (place, model)
}

/// Somebody goes on with the base branch.
fn go_on(place: &Place, file: &str, text: &str) {
    std::fs::write(place.repo().join(file), text).unwrap();
    git(&place.repo(), &["add", "-A"]);
    git(&place.repo(), &["commit", "-q", "-m", "Somebody goes on"]);
}

fn tip(place: &Place) -> String {
    git(&place.remote(), &["rev-parse", BRANCH])
}

#[test]
fn rebase_puts_the_branch_on_the_base_and_checks_it_anew() {
    let (mut place, _model) = with_a_draft();
    let before = tip(&place);
    go_on(&place, "NEWS", "There is news.\n");
    place.comment(1, "/rebase");
    let said = place.wait_said(1, "#2 builds on `");
    place.wait_for(1, &["drafted"]);
    let (base, after) = (git(&place.repo(), &["rev-parse", "main"]), tip(&place));
    assert!(said.contains(&base[..12]) && said.contains(&after[..12]), "{said}");
    assert_ne!(after, before);
    assert_eq!(git(&place.remote(), &["rev-parse", &format!("{BRANCH}~1")]), base);
    let readme = git(&place.remote(), &["show", &format!("{BRANCH}:README.md")]);
    assert!(readme.ends_with("hello\n"), "{readme}");
    let [pull] = place.pulls().try_into().expect("the same pull request");
    assert!(pull.contains(after.trim()), "{pull}");
    let show = place.json(&["task", "show", "1", "--json"]);
    assert_eq!(show["task"]["n_runs"], 5, "it was checked once more: {show}");

    // There is nothing to do a second time.
    place.comment(1, "/rebase");
    place.wait_said(1, "already: there is nothing to do");
    place.wait_for(1, &["drafted"]);
    assert_eq!(tip(&place), after);

    // The base goes on, and what was rebased is rebased.
    go_on(&place, "NEWS", "There is more news.\n");
    place.comment(1, "/rebase");
    let base = git(&place.repo(), &["rev-parse", "main"]);
    place.wait_said(1, &format!("#2 builds on `{}`", &base[..12]));
    assert_eq!(git(&place.remote(), &["rev-parse", &format!("{BRANCH}~1")]), base);
    place.down();
}

#[test]
fn rebase_names_the_files_that_do_not_fit_and_changes_nothing() {
    let (mut place, _model) = with_a_draft();
    let before = tip(&place);
    go_on(&place, "README.md", "Another README\n");
    place.comment(1, "/rebase");
    let said = place.wait_said(1, "Nothing was changed: commit `");
    assert!(said.contains("- `README.md`") && said.contains("`/fix`"), "{said}");
    place.wait_for(1, &["drafted"]);
    assert_eq!(tip(&place), before);
    place.down();
}

#[test]
fn rebase_leaves_a_branch_alone_that_has_a_persons_commit() {
    let (mut place, _model) = with_a_draft();
    let person = place.home().parent().unwrap().join("person");
    git(&place.repo(), &["worktree", "add", "-q", "--detach", person.to_str().unwrap()]);
    let remote = place.remote().display().to_string();
    git(&person, &["fetch", "-q", &remote, BRANCH]);
    git(&person, &["checkout", "-q", "FETCH_HEAD"]);
    git(&person, &["commit", "-q", "--allow-empty", "-m", "By hand"]);
    git(&person, &["push", "-q", &remote, &format!("HEAD:refs/heads/{BRANCH}")]);
    let theirs = tip(&place);
    go_on(&place, "NEWS", "There is news.\n");
    place.comment(1, "/rebase");
    let said = place.wait_said(1, "commits of somebody else");
    assert!(said.contains(&theirs[..12]), "{said}");
    place.wait_for(1, &["drafted"]);
    assert_eq!(tip(&place), theirs);
    place.down();
}

#[test]
fn rebase_before_there_is_a_draft_says_where_the_task_stands() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.comment(1, "/rebase");
    place.wait_said(1, "`/rebase` does not fit now");
    place.down();
}

/// The daemon is killed after its first effect, after its second, and so on.
#[test]
fn a_rebase_goes_on_after_a_kill_and_is_done_once() {
    let (mut place, _model) = with_a_draft();
    for n in 1..=N_EFFECTS {
        place.down();
        place.set("ZAZEN_CRASH", &format!("effect.after:{n}"));
        place.up();
        go_on(&place, "NEWS", &format!("There is news {n}.\n"));
        let base = git(&place.repo(), &["rev-parse", "main"]);
        place.comment(1, "/rebase");
        place.wait("the daemon is killed", |place| place.is_down().then_some(()));
        place.unset("ZAZEN_CRASH");
        place.up();
        let words = format!("#2 builds on `{}`", &base[..12]);
        place.wait_said(1, &words);
        place.wait_for(1, &["drafted"]);
        let n_said = place.said(1).iter().filter(|said| said.contains(&words)).count();
        assert_eq!(n_said, 1, "after effect {n}");
        assert_eq!(git(&place.remote(), &["rev-parse", &format!("{BRANCH}~1")]), base);
    }
    place.down();
}
