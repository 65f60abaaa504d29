//! Attempts to get out of bubblewrap, each of which must fail.
//!
//! A probe is a shell condition that is true if the escape worked.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use zazen::sandbox::{Access, EndReason, EngineKind, Ev, Outcome};

use super::setup::{is_root, machine};

/// Tries each escape, and expects that none works.
async fn check(escapes: &[&str]) {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let probes: Vec<String> = (0..)
        .zip(escapes)
        .map(|(n, escape)| format!("if ( {escape} ) 2>/dev/null; then echo 'escaped {n}'; fi\n"))
        .collect();
    let out = machine.output(&format!("{}echo tried", probes.concat())).await;
    let worked: Vec<&str> = out
        .iter()
        .filter_map(|line| line.strip_prefix("escaped ")?.parse::<usize>().ok())
        .map(|n| escapes[n])
        .collect();
    assert_eq!(worked, Vec::<&str>::new());
    assert_eq!(out.last().map(String::as_str), Some("tried"), "{out:?}");
}

#[tokio::test]
async fn the_hosts_files_are_not_there() {
    check(&[
        "cat /etc/shadow",
        "ls /root",
        "ls /home | grep -v '^agent$'",
        "ls /var/run/docker.sock",
        "ls -A /sys",
        "test \"$(ls -A /tmp)\"",
        "test \"$(cat /etc/passwd | wc -l)\" -ne 1",
    ])
    .await;
}

#[tokio::test]
async fn the_hosts_kernel_cannot_be_set() {
    check(&[
        "exec 3> /proc/sys/kernel/core_pattern",
        "exec 3> /proc/sys/vm/drop_caches",
        "exec 3> /proc/sys/kernel/hostname",
        "exec 3> /proc/sysrq-trigger",
        "mount -t tmpfs none /mnt",
        "mount -o remount,rw /proc",
        "mount -o remount,rw /",
        "unshare -U true",
        "unshare -m true",
        "dmesg | grep .",
    ])
    .await;
}

#[tokio::test]
async fn nothing_but_its_own_can_be_written() {
    check(&[
        "touch /usr/x",
        "touch /x",
        "touch /etc/x",
        "touch /dev/x",
        "touch /run/zazen/x",
        "touch /run/zazen/bin/zazen",
        "touch /zazen/objects/x",
        "mkdir /run/zazen/gateway",
        "echo x > /run/zazen/spec.json",
        "ln /usr/bin/env /workspace/env",
    ])
    .await;
}

#[tokio::test]
async fn the_runner_cannot_be_looked_into_or_spoken_for() {
    check(&[
        "cat /proc/1/environ | grep -a .",
        "ls /proc/1/fd | grep .",
        "echo '{\"frame\":\"work\",\"code\":0}' > /proc/1/fd/1",
        "cat /proc/1/maps | grep .",
        "readlink /proc/1/exe",
        "readlink /proc/1/root",
        "kill -KILL 1 && ! kill -0 1",
        "kill -STOP 1 && grep -q 'State:.T' /proc/1/status",
        "test $(ls /proc | grep -c '^[0-9]') -gt 12",
    ])
    .await;
}

#[tokio::test]
async fn frames_on_stdout_are_only_text() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let frame = r#"{"frame":"event","ev":"result","head":"0","n_commits":9}"#;
    let run = machine.run(1, &format!("echo '{frame}'; exit 4"));
    assert_eq!(machine.finish(&run).await.code, Some(4));
    assert_eq!(run.out(), [frame]);
}

#[tokio::test]
async fn the_network_is_empty() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut run = machine.run(1, "");
    let command = format!(
        "(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo loopback\n\
         grep -v -e lo: -e '|' /proc/net/dev && echo interface\n\
         tail -n +2 /proc/net/unix | grep . && echo abstract\n\
         tail -n +2 /proc/net/route | grep . && echo route\n\
         echo tried"
    );
    run.spec.work = zazen::sandbox::Work::Check { command };
    machine.finish(&run).await;
    assert_eq!(run.out(), ["tried"]);
}

#[tokio::test]
async fn other_runs_are_neither_seen_nor_reached() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let other = machine.run(2, "echo secret > secret; echo up; exec sleep 1000");
    machine.submit(&other).await;
    other.printed("up").await;
    let (runs, work) = (machine.runs(), machine.path("work"));
    let script = format!(
        "ls {} {} 2>/dev/null; grep -al 7.2 /proc/[0-9]*/environ 2>/dev/null; \
         pgrep sleep; echo tried",
        runs.display(),
        work.display()
    );
    let run = machine.run(1, &script);
    machine.finish(&run).await;
    assert_eq!(run.out(), ["tried"]);
    zazen::sandbox::stop(&other.dir, std::time::Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_workspace_that_is_read_only_stays_as_it_is() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let mut run = machine
        .run(1, "touch x 2>/dev/null || echo refused; cat there; touch $HOME/x && echo home");
    run.spec.access = Access::ReadOnly;
    fs::write(run.spec.workspace.join("there"), "there\n").unwrap();
    machine.finish(&run).await;
    let out = run.out();
    assert_eq!(out, ["refused", "there", "home"]);
    assert!(!run.spec.workspace.join("x").exists());
}

#[tokio::test]
async fn no_secret_is_on_a_command_line() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let token = format!("token-{}-of-this-test", std::process::id());
    let mut run = machine.run(1, "echo up; until [ -e seen ]; do sleep 0.01; done");
    run.spec.env.insert("ANTHROPIC_API_KEY".to_owned(), token.clone());
    machine.submit(&run).await;
    run.printed("up").await;
    assert_eq!(super::setup::processes_with(&token), Vec::<i32>::new());
    fs::write(run.spec.workspace.join("seen"), "").unwrap();
    run.ended().await;
}

#[tokio::test]
async fn a_tool_is_shown_at_its_own_place_and_cannot_be_changed() {
    let Some(machine) = machine(EngineKind::Bwrap) else { return };
    let folder = tempfile::Builder::new().prefix("zazen-tool-").tempdir_in("/tmp").unwrap();
    super::setup::open(folder.path());
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
    super::setup::open(&machine.path("runs/7.2"));
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
