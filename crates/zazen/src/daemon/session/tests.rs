//! What is kept of runs, found and let go of.

use std::fs::File;

use super::*;

fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::at(dir.path().to_owned());
    (dir, home)
}

fn run(task: u32, n: u32) -> RunId {
    RunId { task: TaskId(task), n }
}

fn put(home: &Home, run: RunId) {
    let folder = folder_of(home, run);
    fs::create_dir_all(folder.join(HOME_PART)).expect("a folder");
    let kept = Kept {
        v: KEPT_VERSION,
        run,
        phase: Phase::Plan,
        from: "1".repeat(40).parse().expect("a commit"),
        harness: "claude".to_owned(),
        agent: AgentName::default(),
        before: (1..run.n).map(|n| RunId { n, ..run }).collect(),
        asked: Digest::of(""),
        trouble: Trouble::new(TroubleKind::Killed, String::new()),
        session: Some("an-id".to_owned()),
        used: None,
        left: None,
    };
    let json = serde_json::to_vec(&kept).expect("it prints");
    fs::write(folder.join(KEPT_FILE), json).expect("a file");
}

#[test]
fn the_last_run_before_one_is_found_and_no_other_tasks() {
    let (_dir, home) = home();
    assert_eq!(newest(&home, run(1, 5)).expect("it is looked"), None);
    for (task, n) in [(1, 2), (1, 3), (1, 7), (11, 4)] {
        put(&home, run(task, n));
    }
    let found = newest(&home, run(1, 5)).expect("it is looked").expect("there is one");
    assert_eq!((found.run, found.session.as_deref()), (run(1, 3), Some("an-id")));
    assert_eq!(newest(&home, run(1, 2)).expect("it is looked"), None);
}

#[test]
fn what_is_used_up_goes_and_other_tasks_keep_theirs() {
    let (_dir, home) = home();
    for (task, n) in [(1, 2), (1, 3), (2, 1)] {
        put(&home, run(task, n));
    }
    forget(&home, TaskId(1), Some(run(1, 3))).expect("it is let go");
    let mut left = all(&home).expect("a list");
    left.sort();
    assert_eq!(left, [run(1, 3), run(2, 1)]);
    forget(&home, TaskId(1), None).expect("it is let go");
    assert_eq!(all(&home).expect("a list"), [run(2, 1)]);
}

#[test]
fn what_nobody_came_for_goes_after_its_time() {
    let (_dir, home) = home();
    put(&home, run(1, 2));
    put(&home, run(2, 1));
    let long_ago = SystemTime::now() - KEPT_MAX;
    let folder = File::open(folder_of(&home, run(1, 2))).expect("a folder");
    folder.set_modified(long_ago).expect("its time is set");
    tidy(&home).expect("it is tidied");
    assert_eq!(all(&home).expect("a list"), [run(2, 1)]);
}

#[test]
fn an_id_is_a_uuid_and_nothing_that_is_an_option_or_a_path() {
    let (first, second) = (new_id().expect("an id"), new_id().expect("an id"));
    assert_ne!(first, second);
    let lengths: Vec<usize> = first.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert!(is_id(&first));
    for bad in ["", "--resume", "../x", "a b", &"x".repeat(101)] {
        assert!(!is_id(bad), "{bad}");
    }
}

#[test]
fn a_session_is_of_one_agent_and_the_next_is_told_of_the_last_runs() {
    let (_dir, home) = home();
    put(&home, run(1, 20));
    let kept = newest(&home, run(1, 21)).expect("it is looked").expect("there is one");
    let acting = |agent: &str, harness| Acting {
        agent: agent.parse().expect("a name"),
        harness,
        model: String::new(),
        effort: String::new(),
        route: "anthropic".to_owned(),
        version: None,
        lines: None,
        patterns: None,
    };
    assert!(kept.is_of(&acting("default", Name::Claude)));
    assert!(!kept.is_of(&acting("deep", Name::Claude)), "it may have another account");
    assert!(!kept.is_of(&acting("default", Name::Codex)), "it cannot read it");
    let last: Vec<RunId> = (13..=20).map(|n| run(1, n)).collect();
    assert_eq!(kept.runs(), last);
}
