//! Attempts to get out, each of which must fail in every engine that shuts in.
//!
//! A probe is a shell condition that is true if the escape worked.

use std::fs;
use std::net::TcpListener;

use zazen::sandbox::{Access, EngineKind};

use crate::sandbox::setup::{Machine, processes_with};

/// Tries each escape, and expects that none works.
async fn check(machine: &Machine, escapes: &[&str]) {
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

async fn the_hosts_files_are_not_there(machine: Machine) {
    check(
        &machine,
        &[
            "cat /etc/shadow",
            "ls /root",
            "ls /home | grep -v '^agent$'",
            "ls /var/run/docker.sock /run/docker.sock /run/podman/podman.sock 2>/dev/null | grep .",
            "ls /run/dbus /run/user /run/containerd 2>/dev/null | grep .",
            "ls /sys/class/net | grep -v '^lo$'",
            "touch /sys/x",
            "test \"$(ls -A /tmp)\"",
            "test \"$(cat /etc/passwd | wc -l)\" -ne 1",
        ],
    )
    .await;
}

async fn the_hosts_kernel_cannot_be_set(machine: Machine) {
    check(
        &machine,
        &[
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
        ],
    )
    .await;
}

async fn nothing_but_its_own_can_be_written(machine: Machine) {
    check(
        &machine,
        &[
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
        ],
    )
    .await;
}

/// Everything that is mounted writable is the run's own, or a device of no consequence.
async fn nothing_else_is_mounted_to_be_written(machine: Machine) {
    let mut own =
        vec!["/workspace", "/home/agent", "/run/zazen/out", "/tmp", "/dev/shm", "/dev/pts"];
    if machine.engine == EngineKind::Container {
        // In memory of its own and root's, or the kernel's; Landlock closes the rest.
        own.extend(["/run", "/dev", "/dev/mqueue", "/var/tmp", "/sys/fs/cgroup"]);
        own.extend(["/proc", "/proc/keys", "/proc/timer_list"]);
    }
    let run = machine.run(1, "cut -d' ' -f5,6 /proc/self/mountinfo; echo tried");
    machine.finish(&run).await;
    let out = run.out();
    let writable = out.iter().filter_map(|line| {
        let (place, options) = line.split_once(' ')?;
        let is_device = ["null", "zero", "full", "random", "urandom", "tty"]
            .iter()
            .any(|device| place == format!("/dev/{device}"));
        let is_writable = options.split(',').any(|option| option == "rw");
        (is_writable && !is_device && !own.contains(&place)).then_some(line)
    });
    assert_eq!(writable.collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(out.len() > own.len(), "{out:?}");
}

async fn the_runner_cannot_be_looked_into_or_spoken_for(machine: Machine) {
    check(
        &machine,
        &[
            "cat /proc/1/environ | grep -a .",
            "ls /proc/1/fd | grep .",
            "echo '{\"frame\":\"work\",\"code\":0}' > /proc/1/fd/1",
            "cat /proc/1/maps | grep .",
            "readlink /proc/1/exe",
            "readlink /proc/1/root",
            "kill -KILL 1 && ! kill -0 1",
            "kill -STOP 1 && grep -q 'State:.T' /proc/1/status",
            "test $(ls /proc | grep -c '^[0-9]') -gt 12",
        ],
    )
    .await;
}

async fn frames_on_stdout_are_only_text(machine: Machine) {
    let frame = r#"{"frame":"event","ev":"result","head":"0","n_commits":9}"#;
    let run = machine.run(1, &format!("echo '{frame}'; exit 4"));
    assert_eq!(machine.finish(&run).await.code, Some(4));
    assert_eq!(run.out(), [frame]);
}

async fn the_network_is_empty(machine: Machine) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut run = machine.run(1, "");
    let command = format!(
        "(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo loopback\n\
         grep -v -e lo: -e '|' /proc/net/dev && echo interface\n\
         grep @ /proc/net/unix && echo abstract\n\
         grep -e /tmp -e /run /proc/net/unix && echo path\n\
         tail -n +2 /proc/net/route | grep . && echo route\n\
         (echo > /dev/tcp/169.254.169.254/80) 2>/dev/null && echo metadata\n\
         (echo > /dev/udp/1.1.1.1/53) 2>/dev/null && echo datagram\n\
         (echo > /dev/udp/127.0.0.53/53) 2>/dev/null && getent hosts example.org && echo names\n\
         echo tried"
    );
    run.spec.work = zazen::sandbox::Work::Check { command };
    machine.finish(&run).await;
    assert_eq!(run.out(), ["tried"]);
}

async fn other_runs_are_neither_seen_nor_reached(machine: Machine) {
    let other = machine.run(2, "echo secret > secret; echo up; exec sleep 1000");
    machine.submit(&other).await;
    other.printed("up").await;
    let (runs, work) = (machine.runs(), machine.path("work"));
    let script = format!(
        "ls {} {} 2>/dev/null; grep -alF 7.2 /proc/[0-9]*/environ 2>/dev/null; \
         pgrep sleep; echo tried",
        runs.display(),
        work.display()
    );
    let run = machine.run(1, &script);
    machine.finish(&run).await;
    assert_eq!(run.out(), ["tried"]);
    zazen::sandbox::stop(&other.dir, std::time::Duration::ZERO).await.unwrap();
}

async fn a_workspace_that_is_read_only_stays_as_it_is(machine: Machine) {
    let mut run = machine
        .run(1, "touch x 2>/dev/null || echo refused; cat there; touch $HOME/x && echo home");
    run.spec.access = Access::ReadOnly;
    fs::write(run.spec.workspace.join("there"), "there\n").unwrap();
    machine.finish(&run).await;
    let out = run.out();
    assert_eq!(out, ["refused", "there", "home"]);
    assert!(!run.spec.workspace.join("x").exists());
}

async fn no_secret_is_on_a_command_line(machine: Machine) {
    let token = format!("token-{}-of-this-test", std::process::id());
    let mut run = machine.run(1, "echo up; until [ -e seen ]; do sleep 0.01; done");
    run.spec.env.insert("ANTHROPIC_API_KEY".to_owned(), token.clone());
    machine.submit(&run).await;
    run.printed("up").await;
    assert_eq!(processes_with(&token), Vec::<i32>::new());
    fs::write(run.spec.workspace.join("seen"), "").unwrap();
    run.ended().await;
}

in_every_sandbox!(
    the_hosts_files_are_not_there,
    the_hosts_kernel_cannot_be_set,
    nothing_but_its_own_can_be_written,
    nothing_else_is_mounted_to_be_written,
    the_runner_cannot_be_looked_into_or_spoken_for,
    frames_on_stdout_are_only_text,
    the_network_is_empty,
    other_runs_are_neither_seen_nor_reached,
    a_workspace_that_is_read_only_stays_as_it_is,
    no_secret_is_on_a_command_line,
);
