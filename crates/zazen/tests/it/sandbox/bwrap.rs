//! What is bubblewrap's alone: the tools it shows, and what it refuses to begin with.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use zazen::exec;
use zazen::sandbox::{EndReason, EngineKind, Ev, Outcome, sandbox_ids};

use super::setup::{Machine, is_root, machine, open};

#[tokio::test]
async fn a_tool_is_shown_at_its_own_place_and_cannot_be_changed() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let folder = tempfile::Builder::new().prefix("zazen-tool-").tempdir_in("/tmp").unwrap();
    open(folder.path());
    let tool = folder.path().to_owned();
    fs::write(tool.join("data"), "a tool\n").unwrap();
    let path = tool.display().to_string();
    let mut run =
        machine.run(1, &format!("cat {path}/data; touch {path}/x 2>/dev/null || echo refused"));
    run.spec.tools = vec![tool];
    machine.finish(&run).await;
    let out = run.out();
    assert_eq!(out, ["a tool", "refused"]);
}

#[tokio::test]
async fn a_tool_that_would_show_the_host_is_refused() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    for (n, tool) in (1..).zip(["/", "/proc", "/home", "/tmp", "/usr/../etc", "relative"]) {
        let mut run = machine.run(n, "true");
        run.spec.tools = vec![tool.into()];
        let err = zazen::sandbox::submit(&machine.zazen, &run.dir, &run.spec).await;
        assert!(err.is_err(), "`{tool}` was shown");
    }
}

#[tokio::test]
async fn a_canary_that_gets_through_refuses_the_run() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let mut run = machine.run(1, "echo started");
    // Another run's folder is no tool: with it, the runs are in sight.
    fs::create_dir(machine.path("runs/7.2")).unwrap();
    open(&machine.path("runs/7.2"));
    run.spec.tools = vec![machine.path("runs/7.2")];
    assert_eq!(machine.finish(&run).await.reason, EndReason::CanaryFailed);
    assert_eq!(run.out(), Vec::<String>::new());
    let leaked = run.events().into_iter().find_map(|event| match event.ev {
        Ev::Canary { ok: false, tried } => {
            tried.into_iter().find(|tried| tried.outcome == Outcome::Allowed)
        }
        _ => None,
    });
    assert_eq!(leaked.unwrap().what, format!("read {}", machine.runs().display()));
}

#[tokio::test]
async fn a_folder_that_the_sandbox_cannot_reach_is_named_before_anything_starts() {
    if !is_root() {
        println!("SKIPPED: this takes root");
        return;
    }
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let run = machine.run(1, "true");
    fs::set_permissions(machine.path("work"), fs::Permissions::from_mode(0o700)).unwrap();
    let err = zazen::sandbox::submit(&machine.zazen, &run.dir, &run.spec).await.unwrap_err();
    let work = machine.path("work").display().to_string();
    assert!(format!("{err:#}").contains(&format!("chmod o+x {work}")), "{err:#}");
}

#[tokio::test]
async fn a_workspace_with_a_second_name_for_a_file_is_refused() {
    if !is_root() {
        println!("SKIPPED: this takes root");
        return;
    }
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let run = machine.run(1, "true");
    fs::write(machine.path("objects/pack"), "precious").unwrap();
    fs::hard_link(machine.path("objects/pack"), run.spec.workspace.join("pack")).unwrap();
    let err = zazen::sandbox::submit(&machine.zazen, &run.dir, &run.spec).await.unwrap_err();
    assert!(format!("{err:#}").contains("hard links"), "{err:#}");
}

/// Runs zazen where no user namespace can be made: in a sandbox that allows none.
async fn shut_in(machine: &Machine, args: &[&str]) -> (Option<i32>, String) {
    let output = exec::run(
        exec::Command::new("/usr/bin/bwrap")
            .args(["--unshare-user", "--disable-userns", "--dev-bind", "/", "/", "--"])
            .arg(&machine.zazen.0)
            .args(args)
            .env("HOME", machine.path("home"))
            .user(sandbox_ids()),
    );
    let output = output.await.unwrap();
    (output.status.code(), output.stdout_text() + &output.stderr_text())
}

#[tokio::test]
async fn where_no_sandbox_can_be_made_doctor_says_why_and_nothing_is_started_without_one() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let home = machine.path("home");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
    let home = home.join("zazen").display().to_string();
    let (code, said) = shut_in(&machine, &["init", &home]).await;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = shut_in(&machine, &["--home", &home, "doctor"]).await;
    assert_ne!(code, Some(0), "{said}");
    assert!(said.contains("bwrap does not hold here"), "{said}");
    assert!(said.contains("no user namespaces"), "{said}");
    assert!(said.contains("fix: `sysctl user.max_user_namespaces"), "{said}");
    let (code, said) = shut_in(&machine, &["--home", &home, "up"]).await;
    assert_ne!(code, Some(0), "{said}");
    assert!(said.contains("the sandbox `bwrap` does not hold here"), "{said}");
    assert!(said.contains("no user namespaces"), "{said}");
}
