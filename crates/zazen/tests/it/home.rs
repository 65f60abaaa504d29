//! The home: pages that people and zazen write together, and its history in git.

use std::fs;
use std::path::PathBuf;

use crate::harness::gate::Gate;
use crate::harness::model::{Script, small_script};
use crate::harness::place::{Place, files_below, git};

fn waits_at(gate: &Gate) -> Script {
    let mut answers = small_script();
    answers.get_mut("implement/1").expect("a step").insert(0, gate.turn());
    answers
}

/// Brings a task to the gate, in its only step.
fn up_to_the_gate(place: &mut Place, gate: &Gate) {
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    gate.wait(place);
    place.wait_for(1, &["implementing"]);
}

fn task_page(place: &Place) -> PathBuf {
    place.task_folder(1).join("task.md")
}

fn read(path: &std::path::Path) -> String {
    fs::read_to_string(path).expect("a page")
}

/// Waits until the page says this.
fn wait_page(place: &mut Place, words: &str) -> String {
    place.wait(&format!("task.md says {words:?}"), |place| {
        fs::read_to_string(task_page(place)).ok().filter(|text| text.contains(words))
    })
}

#[test]
fn what_people_write_in_a_task_page_survives_byte_for_byte() {
    let gate = Gate::new();
    let (mut place, _model) = Place::with(waits_at(&gate));
    up_to_the_gate(&mut place, &gate);
    let page = wait_page(&mut place, "State: implementing");
    let mine = "\n\tMy notes,  with   blanks \n\n* and – odd ✓ signs\\\n\n<!-- mine -->\n";
    let edited = page
        .replacen("---\n", "---\nreviewer: [ada,  bob]   # both\n", 1)
        .replace("## Notes\n", &format!("## Notes\n{mine}"));
    assert_ne!(edited, page);
    fs::write(task_page(&place), &edited).expect("an edit");
    gate.open();
    place.wait_for(1, &["drafted"]);
    let after = wait_page(&mut place, "Draft pull request #");
    assert!(after.contains("---\nreviewer: [ada,  bob]   # both\n"), "{after}");
    assert!(after.contains(&format!("## Notes\n{mine}")), "{after}");
    place.down();
    assert!(files_below(&place.home().join("conflicts")).is_empty(), "nothing was put aside");
}

#[test]
fn an_edit_inside_zazens_part_is_put_aside_and_said() {
    let gate = Gate::new();
    let (mut place, _model) = Place::with(waits_at(&gate));
    up_to_the_gate(&mut place, &gate);
    let page = wait_page(&mut place, "State: implementing");
    fs::write(task_page(&place), page.replace("State: implementing", "State: I think it hangs"))
        .expect("an edit");
    gate.open();
    place.wait_for(1, &["drafted"]);
    wait_page(&mut place, "State: drafted");
    place.down();
    let aside = files_below(&place.home().join("conflicts"));
    let [(path, text)] = aside.into_iter().collect::<Vec<_>>().try_into().expect("one file");
    assert!(String::from_utf8_lossy(&text).contains("State: I think it hangs"));
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(place.log().contains(&name), "the log says where it is");
    assert_eq!(git(&place.home(), &["status", "--porcelain"]), "");
}

#[test]
fn edits_of_soul_and_missions_survive_and_reach_the_next_prompt() {
    let gate = Gate::new();
    let mut answers = waits_at(&gate);
    let end = crate::harness::model::Turn::say("Not today.");
    answers.insert("plan/revised".to_owned(), vec![end]);
    let (mut place, model) = Place::with(answers);
    up_to_the_gate(&mut place, &gate);
    for (page, words) in
        [("soul.md", "Speak like a sailor."), ("missions.md", "Sail round the Horn.")]
    {
        let path = place.home().join(page);
        fs::write(&path, format!("{}\n- {words}\n", read(&path))).expect("an edit");
    }
    gate.open();
    place.wait_for(1, &["drafted"]);
    place.zazen(&["issue", "new", "Another"]);
    place.comment(3, "/plan");
    place.wait_for(2, &["awaiting-approval"]);
    let prompt = model.prompts("plan").pop().expect("a prompt");
    assert!(prompt.contains("Speak like a sailor.") && prompt.contains("Sail round the Horn."));
    place.down();
    assert!(read(&place.home().join("soul.md")).contains("Speak like a sailor."));
    let log = git(&place.home(), &["log", "--format=%an: %s", "--", "soul.md"]);
    assert_eq!(log, "ada: Keep what people wrote\nada: Begin\n");
}

#[test]
fn the_history_tells_who_did_what_and_the_machinery_is_not_in_it() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    place.wait_for(1, &["drafted"]);
    place.down();
    assert_eq!(git(&place.home(), &["status", "--porcelain"]), "");
    let log = git(&place.home(), &["log", "--format=%an: %s"]);
    assert!(log.contains("ada: Keep what people wrote"), "{log}");
    assert!(
        log.lines().any(|line| line.starts_with("zazen: ") && line.contains("task 1")),
        "{log}"
    );
    let files = git(&place.home(), &["log", "--format=", "--name-only", "--all"]);
    assert!(!files.lines().any(|file| file.starts_with(".zazen")), "{files}");
    for page in ["forge/local/tally/issues/1/issue.md", "forge/local/tally/pulls/2.md", "soul.md"] {
        assert!(files.lines().any(|file| file == page), "{page}: {files}");
    }
}

#[test]
fn a_page_that_a_person_deleted_is_written_again() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    let folder = place.task_folder(1);
    place.wait("the pages are there", |_| folder.join("plan.md").exists().then_some(()));
    let plan = read(&folder.join("plan.md"));
    fs::remove_file(folder.join("task.md")).expect("it is there");
    fs::remove_file(folder.join("plan.md")).expect("it is there");
    place.wait("the pages are there again", |_| {
        (folder.join("task.md").exists() && folder.join("plan.md").exists()).then_some(())
    });
    assert_eq!(read(&folder.join("plan.md")), plan);
    // The same while nobody looks.
    place.down();
    fs::remove_dir_all(&folder).expect("it is there");
    place.up();
    place.wait("the pages are there again", |_| folder.join("plan.md").exists().then_some(()));
    place.approve();
    place.wait_for(1, &["drafted"]);
    place.down();
}

#[test]
fn a_second_daemon_says_who_holds_the_home_and_changes_nothing() {
    let (mut place, _model) = Place::with(small_script());
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.wait("the home is committed", |place| {
        let status = ["--no-optional-locks", "status", "--porcelain"];
        git(&place.home(), &status).is_empty().then_some(())
    });
    // The first daemon's git may still be tidying up after the commit.
    let git_dir = place.home().join(".git");
    let files = |place: &Place| {
        let mut files = files_below(&place.home());
        files.retain(|path, _| !path.starts_with(&git_dir));
        files
    };
    let before = files(&place);
    let second = place.try_zazen(&["up"]);
    assert_eq!(second.status.code(), Some(4));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&format!("process {}", place.daemon_pid())), "{said}");
    assert!(said.contains("stop that one first"), "{said}");
    let after = files(&place);
    let changed = after.iter().find(|(path, text)| before.get(*path) != Some(text));
    assert_eq!(changed.map(|(path, _)| path), None);
    assert_eq!(after.len(), before.len());
    place.down();
}

#[test]
fn an_agent_outlives_a_daemon_that_is_asked_to_end_and_is_found_again() {
    let gate = Gate::new();
    let (mut place, model) = Place::with(waits_at(&gate));
    up_to_the_gate(&mut place, &gate);
    place.down();
    assert_ne!(place.processes(), Vec::<String>::new(), "the agent goes on");
    // It comes to its end while nobody is there, or just after; both are fine.
    gate.open();
    place.up();
    place.wait_for(1, &["drafted"]);
    assert_eq!(model.prompts("implement/1").len(), 1, "the step was not done twice");
    assert_eq!(gate.n_came(), 1);
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}

#[test]
fn a_commit_that_is_in_the_way_of_a_persons_git_is_made_later() {
    let (mut place, _model) = Place::with(small_script());
    let lock = place.home().join(".git/index.lock");
    place.up();
    // At its start it removes a lock that nobody holds.
    place.wait("it is up", |place| place.log().contains(" up in ").then_some(()));
    fs::write(&lock, "").expect("a lock");
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.wait("it is said", |place| place.log().contains("index.lock").then_some(()));
    fs::remove_file(&lock).expect("it is there");
    place.wait("the home is committed", |place| {
        let status = ["--no-optional-locks", "status", "--porcelain"];
        git(&place.home(), &status).is_empty().then_some(())
    });
    let log = git(&place.home(), &["log", "-1", "--format=%an: %s"]);
    assert!(log.starts_with("zazen: ada asked for a plan"), "{log}");
    place.down();
}

#[test]
fn an_editor_that_empties_the_page_first_loses_nothing() {
    use std::io::Write as _;

    let gate = Gate::new();
    let (mut place, _model) = Place::with(waits_at(&gate));
    up_to_the_gate(&mut place, &gate);
    let page = wait_page(&mut place, "State: implementing");
    let mut file = fs::File::create(task_page(&place)).expect("it is emptied");
    // The page is due for its next state just now.
    gate.open();
    place.zazen(&["task", "stop", "1"]);
    file.write_all(page.replace("## Notes\n", "## Notes\n\nMine.\n").as_bytes()).expect("a write");
    drop(file);
    place.wait_for(1, &["stopped"]);
    let after = wait_page(&mut place, "State: stopped");
    assert!(after.contains("## Notes\n\nMine.\n") && after.contains("## Brief"), "{after}");
    place.down();
}
