//! What is handed back: commits, in a bundle, and an honest word on the rest.

use std::path::Path;

use zazen::sandbox::{Collected, EndReason, EngineKind, Ev, RESULT_REF, RunDir};

use super::conformance::ENGINES;
use super::setup::{Run, git, machine};

fn collected(run: &Run) -> Collected {
    let found = run.events().into_iter().find_map(|event| match event.ev {
        Ev::Result(collected) => Some(collected),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no result: {:?}", run.events()))
}

/// Runs a script in a checkout with each engine, and looks at what comes back.
async fn check(script: &str, look: impl AsyncFn(&Run, Collected)) {
    for machine in ENGINES.into_iter().filter_map(machine) {
        let run = machine.run(1, script).with_repository().await;
        let exit = machine.finish(&run).await;
        assert_eq!(exit.reason, EndReason::Exited, "{:?}", run.events());
        look(&run, collected(&run)).await;
    }
}

/// The log of the bundle, fetched into a repository that has the base only.
async fn log_of_bundle(run: &Run) -> String {
    let mirror = run.mirror();
    let bundle = RunDir::new(&run.dir).bundle();
    let refs = format!("{RESULT_REF}:refs/runs/result");
    git(Path::new(&mirror), &["fetch", "--quiet", &bundle.to_string_lossy(), &refs]).await;
    let new = ["log", "--format=%an <%ae> %s", "main..refs/runs/result"];
    git(Path::new(&mirror), &new).await
}

#[tokio::test]
async fn changes_that_the_agent_did_not_commit_become_one_commit() {
    check("echo two > README; echo new > new", async |run, collected| {
        assert!(collected.committed_by_runner);
        assert_eq!((collected.n_commits, collected.untracked_left), (1, 0));
        assert!(collected.bundle_bytes > 0);
        let log = log_of_bundle(run).await;
        assert_eq!(log, "Zazen <zazen@example.org> Do the work");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_checked_out_and_is_written_anew_is_a_change_where_that_is_wanted() {
    let script = "git update-index --skip-worktree README; rm README; echo two > README";
    for takes_hidden in [false, true] {
        for machine in ENGINES.into_iter().filter_map(machine) {
            let mut run = machine.run(1, script).with_repository().await;
            let collect = run.spec.collect.as_mut().unwrap();
            collect.takes_hidden = takes_hidden;
            let exit = machine.finish(&run).await;
            assert_eq!(exit.reason, EndReason::Exited, "{:?}", run.events());
            assert_eq!(collected(&run).n_commits, u64::from(takes_hidden));
        }
    }
}

#[tokio::test]
async fn the_agents_own_commits_are_kept_and_its_left_overs_are_named() {
    let script = "echo two > README; git commit -qam two; echo three > README; \
                  git commit -qam three; echo four > README; echo new > new";
    check(script, async |run, collected| {
        assert!(!collected.committed_by_runner);
        assert_eq!((collected.n_commits, collected.untracked_left), (2, 1));
        assert_eq!(collected.left_over, ["README"]);
        let log = log_of_bundle(run).await;
        assert_eq!(log, "Zazen <zazen@example.org> three\nZazen <zazen@example.org> two");
    })
    .await;
}

#[tokio::test]
async fn a_run_that_changes_nothing_hands_back_no_bundle() {
    check("cat README", async |run, collected| {
        assert_eq!((collected.n_commits, collected.bundle_bytes), (0, 0));
        assert_eq!(collected.head, collected.base);
        assert!(!RunDir::new(&run.dir).bundle().exists());
    })
    .await;
}

#[tokio::test]
async fn a_history_that_does_not_go_on_from_the_base_says_so() {
    let script = "git checkout -q --orphan other; git commit -qm other";
    check(script, async |_, collected| {
        assert!(collected.base_mismatch);
        assert_eq!(collected.n_commits, 1);
        assert!(collected.bundle_bytes > 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_planted_in_the_checkout_neither_runs_nor_hinders() {
    let script = "git config core.hooksPath $PWD/hooks; git config commit.gpgSign true; \
                  git config core.fsmonitor 'touch /tmp/planted; false'; mkdir hooks; \
                  printf '#!/bin/sh\\nexit 1\\n' > hooks/pre-commit; chmod +x hooks/pre-commit; \
                  touch .git/index.lock; rm -rf $OUT/result.bundle; mkdir -p $OUT/result.bundle/x";
    for machine in ENGINES.into_iter().filter_map(machine) {
        let mut run = machine.run(1, script).with_repository().await;
        let out = match machine.engine {
            EngineKind::Bwrap | EngineKind::Container => "/run/zazen/out".to_owned(),
            EngineKind::None => run.dir.join("out").to_string_lossy().into_owned(),
        };
        run.spec.env.insert("OUT".to_owned(), out);
        let exit = machine.finish(&run).await;
        assert_eq!(exit.reason, EndReason::Exited, "{:?}", run.events());
        assert!(collected(&run).committed_by_runner);
        assert!(RunDir::new(&run.dir).bundle().is_file());
    }
    assert!(!Path::new("/tmp/planted").exists());
}

#[tokio::test]
async fn the_work_of_a_run_that_is_stopped_is_handed_back() {
    for machine in ENGINES.into_iter().filter_map(machine) {
        let script = "echo two > README; echo up; trap '' TERM; while :; do sleep 1; done";
        let run = machine.run(1, script).with_repository().await;
        machine.submit(&run).await;
        run.printed("up").await;
        let grace = std::time::Duration::from_millis(50);
        zazen::sandbox::stop(&run.dir, grace).await.unwrap();
        assert_eq!(run.ended().await.reason, EndReason::Stopped);
        assert!(collected(&run).committed_by_runner);
    }
}

#[tokio::test]
async fn a_checkout_that_is_broken_fails_the_run() {
    for machine in ENGINES.into_iter().filter_map(machine) {
        let run = machine.run(1, "rm -rf .git").with_repository().await;
        let exit = machine.finish(&run).await;
        assert!(matches!(exit.reason, EndReason::RunnerFailed { .. }), "{exit:?}");
        assert_eq!(exit.code, Some(0));
    }
}
