//! What commands may do, and what they may not.

use std::path::Path;
use std::thread;
use std::time::Duration;

use zazen_mini::event::Event;
use zazen_mini::{Api, Exit};

use crate::sse::{Bash, Text, answer};
use crate::{Done, run_with};

/// Long enough for a process that is already killed to be gone, on any machine.
const GONE_TRIES: u32 = 1000;

async fn run_command(command: &str, change: impl FnOnce(&mut zazen_mini::Options)) -> Done {
    let api = Api::OpenAi;
    let replies = vec![answer(api, &[Bash("c", command)]), answer(api, &[Text("Done.")])];
    let done = run_with(api, replies, change).await;
    assert_eq!(done.exit, Exit::Finished);
    done
}

/// Whether a process is there and not only waiting for somebody to notice its end.
fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat"));
    stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
}

fn is_gone(pid: &str) -> bool {
    (0..GONE_TRIES).any(|_| {
        thread::sleep(Duration::from_millis(10));
        !is_alive(pid)
    })
}

#[tokio::test]
async fn a_command_that_takes_too_long_dies_with_its_children() {
    let command = "echo begun; (sleep 600 & echo $! > grandchild; wait) & echo $! > child; wait";
    let done =
        run_command(command, |options| options.command_timeout = Duration::from_secs(1)).await;
    assert_eq!(done.results(), [(137, true, "begun\n")]);
    assert!(is_gone(&done.read("child")));
    assert!(is_gone(&done.read("grandchild")));
    assert_eq!(done.tool_results(1)[0].1, "begun\n[killed: not done after 1 seconds]");
}

#[tokio::test]
async fn a_command_that_ignores_signals_dies_all_the_same() {
    let command = "trap '' TERM INT HUP; while :; do sleep 1; done";
    let done =
        run_command(command, |options| options.command_timeout = Duration::from_secs(1)).await;
    assert_eq!(done.results(), [(137, true, "")]);
}

#[tokio::test]
async fn what_stays_in_the_background_does_not_hold_the_run_up() {
    // Both hold the pipe; the second has left the process group as well.
    let command = "sleep 600 & echo $! > plain; setsid sleep 600 & echo $! > own; echo started";
    let done = run_command(command, |_| ()).await;
    assert_eq!(done.results(), [(0, false, "started\n")]);
    for pid in [done.read("plain"), done.read("own")] {
        assert!(is_alive(&pid), "a later command may need what was left in the background");
        let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
}

#[tokio::test]
async fn a_process_in_its_own_session_does_not_hold_a_kill_up() {
    let command = "setsid sleep 600 & echo $! > own; sleep 600";
    let done =
        run_command(command, |options| options.command_timeout = Duration::from_secs(1)).await;
    assert_eq!(done.results(), [(137, true, "")]);
    let pid = rustix::process::Pid::from_raw(done.read("own").trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_huge_output_keeps_its_head_and_its_tail() {
    let command = "echo first; yes | head -c 100000000; echo last; exit 3";
    let done = run_command(command, |options| options.output_bytes_max = 1000).await;
    let Some(Event::Result { exit: 3, output, bytes_cut, .. }) = done.events.get(3) else {
        panic!("{:?}", done.events.get(3));
    };
    assert!(output.starts_with("first\ny\n") && output.ends_with("y\nlast\n"), "{output}");
    assert_eq!(*bytes_cut, 100_000_000 + 11 - 1000);
    assert!(output.contains("[... 99999011 bytes cut ...]"), "{output}");
    assert!(output.len() < 1100);
}

#[tokio::test]
async fn both_outputs_arrive_in_order() {
    let done = run_command("echo 1; echo 2 >&2; echo 3; kill -9 $$", |_| ()).await;
    assert_eq!(done.results(), [(137, false, "1\n2\n3\n")]);
}

#[tokio::test]
async fn standard_input_is_empty() {
    let done = run_command("cat; read answer || echo none", |_| ()).await;
    assert_eq!(done.results(), [(0, false, "none\n")]);
}

#[tokio::test]
async fn every_command_starts_afresh_in_the_workspace() {
    let api = Api::Anthropic;
    let replies = vec![
        answer(api, &[Bash("c1", "mkdir d; cd d; x=1; pwd"), Bash("c2", "pwd; echo \"[$x]\"")]),
        answer(api, &[Text("Done.")]),
    ];
    let done = run_with(api, replies, |_| ()).await;
    let cwd = done.path().canonicalize().unwrap().display().to_string();
    let expected = [format!("{cwd}/d\n"), format!("{cwd}\n[]\n")];
    assert_eq!(done.results().iter().map(|result| result.2).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_token_is_kept_from_commands_and_events() {
    // A variable that is there anyway stands for the one that holds the token.
    let path = std::env::vars().find(|(name, _)| name == "CARGO_MANIFEST_DIR").unwrap().1;
    let command = "echo \"[$CARGO_MANIFEST_DIR]\"; ls / > /dev/null && echo ok";
    let done = run_command(command, |options| options.token = path).await;
    assert_eq!(done.results(), [(0, false, "[]\nok\n")]);

    let done = run_command("echo zrt-0123456789; echo abcdef", |options| {
        options.token = "zrt-0123456789".into();
    })
    .await;
    assert_eq!(done.results(), [(0, false, "[token]\nabcdef\n")]);
    assert!(!done.lines.contains("zrt-0123456789"));
}

#[tokio::test]
async fn a_command_that_cannot_be_started_is_told() {
    // Longer than the system lets an argument be.
    let done = run_command(&format!(": {}", "x".repeat(200_000)), |_| ()).await;
    let (exit, _, output) = done.results()[0];
    assert_eq!(exit, 127);
    assert!(output.starts_with("the command could not be run: "), "{output}");
}
