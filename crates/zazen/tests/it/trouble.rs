//! What can go wrong in a run, and what people are told.

use crate::harness::gate::Gate;
use crate::harness::model::{Script, Turn, script, small_script};
use crate::harness::place::{Place, git};

/// The agent that carries out the step does this first.
fn begins_with(turn: Turn) -> Script {
    let mut answers = small_script();
    answers.get_mut("implement/1").expect("a step").insert(0, turn);
    answers
}

/// The task failed, nobody is left, and nothing was published.
fn check_failed(place: &mut Place, words: &str) -> String {
    place.wait_for(1, &["failed"]);
    let said = place.wait_said(1, &format!("I gave up: {words}."));
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
    assert_eq!(place.branches(), Vec::new());
    said
}

#[test]
fn a_key_that_is_refused_is_a_persons_matter_at_once() {
    let refused = script(&[("plan", vec![Turn::fail(401, "authentication_error")])]);
    let (mut place, model) = Place::with(refused);
    place.up();
    place.ask_for_plan();
    let said = check_failed(&mut place, "the model's service refused the key");
    assert!(said.contains("Check the key with `zazen doctor`"), "{said}");
    assert!(said.contains("status 401"), "{said}");
    assert_eq!(model.calls().len(), 1, "it is not tried again");
}

#[test]
fn a_service_without_quota_or_with_too_much_to_do_is_waited_for() {
    for (status, kind, words) in [
        (
            429,
            "rate_limit_error",
            "the model's service is out of quota, and nobody says until when",
        ),
        (529, "overloaded_error", "the model's service is too busy, and nobody says until when"),
    ] {
        let (mut place, model) = Place::with(script(&[("plan", vec![Turn::fail(status, kind)])]));
        place.up();
        place.ask_for_plan();
        let said = check_parked(&mut place, words);
        assert!(said.contains("It is tried again at"), "{said}");
        assert!(model.calls().len() > 1, "{status} is tried again by the harness first");
    }
}

#[test]
fn an_empty_account_ends_the_run_without_waiting() {
    let (mut place, model) =
        Place::with(script(&[("plan", vec![Turn::fail(429, "insufficient_quota")])]));
    place.up();
    place.ask_for_plan();
    check_parked(&mut place, "the model's service is out of quota");
    assert_eq!(model.calls().len(), 1, "the harness does not wait in its sandbox");
}

/// The task waits, nobody is left, and nothing was published.
fn check_parked(place: &mut Place, words: &str) -> String {
    place.wait_for(1, &["parked", "failed"]);
    let said = place.wait_said(1, &format!("This waits: {words}"));
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
    assert_eq!(place.branches(), Vec::new());
    said
}

#[test]
fn an_answer_that_breaks_off_with_an_error_fails_as_the_services_fault() {
    let broken = script(&[("plan", vec![Turn::fail(200, "invalid_request_error")])]);
    let (mut place, _model) = Place::with(broken);
    place.up();
    place.ask_for_plan();
    let said = check_failed(&mut place, "the model's service failed");
    assert!(said.contains("invalid_request_error"), "{said}");
}

#[test]
fn a_harness_that_is_killed_is_told_from_one_that_fails() {
    let (mut place, model) = Place::with(begins_with(Turn::run("kill -9 $PPID; sleep 7777")));
    place.carry_out();
    let said = check_failed(&mut place, "the harness was killed");
    assert!(said.contains("signal 9"), "{said}");
    assert_eq!(model.prompts("implement/1").len(), 2, "it is tried once more");
}

#[test]
fn an_agent_that_is_killed_leaves_its_changes_and_an_account_to_the_next() {
    let mut answers = small_script();
    let killed = vec![Turn::run("echo one >> README.md"), Turn::run("kill -9 $PPID; sleep 7777")];
    let next = vec![Turn::run("echo hello >> README.md"), Turn::say("It says hello.")];
    answers.insert("implement/1".to_owned(), killed);
    answers.insert("implement/1/again".to_owned(), next);
    let (mut place, model) = Place::with(answers);
    place.carry_out();
    place.wait_for(1, &["drafted", "failed"]);
    place.down();
    let prompts = model.prompts("implement/1/again");
    let [told] = prompts.as_slice() else { panic!("{prompts:?}") };
    assert!(told.contains("$ echo one >> README.md -> status 0"), "{told}");
    assert!(told.contains("$ kill -9 $PPID; sleep 7777 -> it did not come back"), "{told}");
    assert!(told.contains("is in the working tree, uncommitted"), "{told}");
    let [(branch, _)] = place.branches().try_into().expect("one branch");
    let readme = git(&place.remote(), &["show", &format!("{branch}:README.md")]);
    assert!(readme.ends_with("one\nhello\n"), "{readme}");
    let log = git(&place.remote(), &["rev-list", "--count", &format!("main..{branch}")]);
    assert_eq!(log.trim(), "1", "what both did is one commit");
    let kept = std::fs::read_dir(place.home().join(".zazen/sessions")).expect("the folder");
    assert_eq!(kept.count(), 0, "nothing is kept once it is used up");
}

#[test]
fn what_is_written_while_an_agent_works_that_does_not_listen_is_for_the_next_one() {
    let gate = Gate::new();
    let (mut place, _model) = Place::with(begins_with(gate.turn()));
    place.carry_out();
    gate.wait(&mut place);
    place.comment(1, "Greet in French, too.");
    place.wait_said(1, "What ada wrote, the next agent will read.");
    gate.open();
    place.wait_for(1, &["drafted"]);
    place.wait_said(1, "the checks passed on exactly its commit");
    let said = place.said(1);
    assert_eq!(said.len(), 2, "the plan with its state, and the draft: {said:?}");
    place.down();
}

/// An agent that looks at the same thing for ever, and one that was told about it.
fn looks_for_ever() -> Script {
    let mut answers = small_script();
    let good = answers.remove("implement/1").expect("a step");
    let mut looks = vec![Turn::run("ls"); 10];
    looks.push(Turn::run("sleep 7777"));
    answers.insert("implement/1".to_owned(), looks);
    answers.insert("implement/1/again".to_owned(), good);
    answers
}

#[test]
fn an_agent_that_goes_round_in_circles_is_ended_and_the_next_one_is_told() {
    let (mut place, model) = Place::with(looks_for_ever());
    place.carry_out();
    place.wait_for(1, &["drafted", "failed"]);
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
    let prompts = model.prompts("implement/1/again");
    let [told] = prompts.as_slice() else { panic!("{prompts:?}") };
    assert!(told.contains("it failed: the agent went round in circles"), "{told}");
    assert!(told.contains("with the same result 10 times: bash ls"), "{told}");
    assert_eq!(place.branches().len(), 1);
}

#[test]
fn a_daemon_that_is_killed_before_it_ends_a_loop_finds_the_same_evidence_again() {
    let mut loops = looks_for_ever();
    loops.remove("implement/1/again");
    let (mut place, _model) = Place::with(loops);
    place.set("ZAZEN_CRASH", "run.stuck:1");
    place.carry_out();
    place.wait("the daemon dies", |place| place.is_down().then_some(()));
    let verdict = place.home().join(".zazen/runs/1.2/stuck.json");
    let before = std::fs::read_to_string(&verdict).expect("the verdict is kept");
    place.unset("ZAZEN_CRASH");
    place.up();
    let said = check_failed(&mut place, "the agent went round in circles");
    assert!(said.contains("with the same result 10 times: bash ls"), "{said}");
    assert!(said.contains("say what to do instead"), "{said}");
    assert_eq!(std::fs::read_to_string(&verdict).expect("it stays"), before);
}

#[test]
fn an_agent_that_gives_up_is_believed_and_its_reason_is_told() {
    let (mut place, model) = Place::with(begins_with(Turn::say("Hm.\n\nGave up: no such file.")));
    place.carry_out();
    let said = check_failed(&mut place, "the agent says that it cannot do this");
    assert!(said.contains("Gave up: no such file."), "{said}");
    assert_eq!(model.prompts("implement/1").len(), 1, "it is not asked once more");
}

#[test]
fn a_run_that_takes_too_long_is_ended_with_all_its_processes() {
    let noisy = "setsid sleep 7777 & while true; do echo still here; sleep 0.1; done";
    let (mut place, _model) = Place::with(begins_with(Turn::run(noisy)));
    place.configure("wall = \"5m\"", "wall = \"2s\"");
    place.carry_out();
    let said = check_failed(&mut place, "the run took too long");
    assert!(said.contains("Raise that limit in `zazen.toml`"), "{said}");
}

#[test]
fn a_run_that_is_silent_for_too_long_is_ended() {
    let (mut place, _model) = Place::with(begins_with(Turn::run("sleep 7777")));
    place.configure("silence = \"3m\"", "silence = \"1s\"");
    place.carry_out();
    check_failed(&mut place, "the run was silent for too long");
}

#[test]
fn an_agent_that_never_ends_reaches_its_limit_of_turns() {
    let (mut place, _model) = Place::with(begins_with(Turn::run("ls")));
    place.configure("wall = \"5m\"", "turns = 1\nwall = \"2m\"");
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["awaiting-approval"]);
    place.approve();
    check_failed(&mut place, "the agent reached its limit of turns");
}

#[test]
fn a_check_that_never_ends_is_ended_as_a_run_that_takes_too_long() {
    let (mut place, _model) = Place::with(small_script());
    place.configure("wall = \"5m\"", "wall = \"2s\"");
    place.configure("[[repo]]", "[[repo]]\ncheck = \"sleep 7777\"");
    place.carry_out();
    let said = check_failed(&mut place, "the run took too long");
    assert!(said.contains("The finished commits are kept"), "{said}");
}

#[test]
fn a_repository_that_is_gone_is_a_persons_matter_and_retry_goes_on_when_it_is_back() {
    let (mut place, _model) = Place::with(small_script());
    let away = place.repo().with_file_name("away");
    std::fs::rename(place.repo(), &away).expect("it is moved");
    place.up();
    place.ask_for_plan();
    place.wait_for(1, &["failed"]);
    let said = place.wait_said(1, "I gave up: the repository could not be read.");
    assert!(said.contains("Run `zazen doctor`, mend what it names"), "{said}");
    std::fs::rename(&away, place.repo()).expect("it is back");
    place.comment(1, "/retry");
    place.wait_for(1, &["awaiting-approval"]);
    place.down();
}

#[test]
fn the_real_key_is_nowhere_that_an_agent_or_a_reader_gets_to() {
    use crate::harness::place::{KEY, files_below};

    let gate = Gate::new();
    let (mut place, model) = Place::with(begins_with(gate.turn()));
    place.carry_out();
    gate.wait(&mut place);
    let holder = place.daemon_pid();
    let mut n_runs = 0;
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let all = [read("environ"), read("cmdline")].concat();
        let all = String::from_utf8_lossy(&all);
        if !all.contains(&*place.home().display().to_string()) {
            continue;
        }
        let is_daemon = entry.file_name().to_string_lossy() == holder.to_string();
        if is_daemon {
            continue;
        }
        n_runs += 1;
        assert!(!all.contains(KEY), "{}: {all}", entry.path().display());
    }
    assert!(n_runs > 0, "a run is under way");
    gate.open();
    place.wait_for(1, &["drafted"]);
    place.down();
    assert!(model.calls().iter().all(|call| call.key == KEY), "the service got it");
    assert!(!place.log().contains(KEY));
    for (path, bytes) in files_below(&place.home()) {
        let has_key = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
        assert!(!has_key, "{}", path.display());
    }
}
