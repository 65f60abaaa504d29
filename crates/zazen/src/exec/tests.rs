use std::time::Duration;

use super::{Command, run, run_blocking, run_blocking_each};

/// Long enough that only a broken limit reaches it.
const LONG: Duration = Duration::from_secs(60);

fn sh(script: &str) -> Command {
    Command::new("sh").arg("-c").arg(script).timeout(LONG)
}

fn is_gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.map_or(true, |stat| stat.contains(") Z ") || stat.contains(") X "))
}

/// Waits until a killed process has left the table.
fn wait_until_gone(pid: &str) {
    for _ in 0..10_000 {
        if is_gone(pid) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("process {pid} is still there");
}

/// Runs a command in both ways, which must agree.
async fn check(command: Command, check: impl Fn(anyhow::Result<super::Output>)) {
    check(run_blocking(&command));
    check(run(command).await);
}

#[tokio::test]
async fn a_command_has_its_input_output_and_exit_code() {
    check(sh("cat; echo oops >&2; exit 7").stdin("hello"), |output| {
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(7));
        assert_eq!(output.stdout_text(), "hello");
        assert_eq!(output.stderr_text(), "oops\n");
        assert!(!output.truncated);
    })
    .await;
}

#[tokio::test]
async fn the_environment_holds_only_what_was_given() {
    check(Command::new("env").env("A", "b"), |output| {
        let text = output.unwrap().stdout_text();
        let mut names: Vec<_> = text.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["A", "PATH"]);
    })
    .await;
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_its_children() {
    check(sh("sleep 1000 & echo $!; wait").timeout(Duration::from_millis(200)), |output| {
        let err = output.unwrap_err().to_string();
        assert!(err.contains("took longer"), "{err}");
    })
    .await;
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_killed_and_not_waited_for() {
    check(sh("sleep 1000 & echo $!"), |output| {
        wait_until_gone(&output.unwrap().stdout_text());
    })
    .await;
}

#[tokio::test]
async fn output_is_cut_at_the_limit_and_the_command_still_ends() {
    check(sh("head -c 3000000 /dev/zero; echo x >&2").output_bytes_max(1000), |output| {
        let output = output.unwrap();
        assert_eq!((output.stdout.len(), output.truncated), (1000, true));
        assert!(output.status.success());
    })
    .await;
}

#[tokio::test]
async fn a_large_input_that_nobody_reads_does_not_block() {
    check(sh("exit 0").stdin(vec![b'x'; 4 << 20]), |output| {
        assert!(output.unwrap().status.success());
    })
    .await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    check(Command::new("no-such-program"), |output| {
        let err = output.unwrap_err().to_string();
        assert!(err.contains("`no-such-program`"), "{err}");
    })
    .await;
}

#[tokio::test]
async fn a_dropped_command_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let running = run(sh("sleep 1000 & echo $! > tmp && mv tmp pid; wait").cwd(folder.path()));
    {
        let mut running = Box::pin(running);
        while !pid_file.exists() {
            tokio::time::timeout(Duration::from_millis(5), running.as_mut()).await.unwrap_err();
        }
    }
    wait_until_gone(&std::fs::read_to_string(pid_file).unwrap());
}

#[tokio::test]
async fn a_command_runs_as_the_user_it_is_given() {
    if !rustix::process::getuid().is_root() {
        println!("SKIPPED: this takes root");
        return;
    }
    let user = Some(super::Ids { uid: 60_800, gid: 60_800 });
    check(Command::new("id").arg("-u").user(user), |output| {
        assert_eq!(output.unwrap().stdout_text(), "60800\n");
    })
    .await;
}

#[test]
fn a_leftover_is_known_by_its_argument_and_ended() {
    let mark = format!("--leftover-of={}", std::process::id());
    let start = |mark: &str| {
        Command::new("sh").args(["-c", "sleep 60 & wait", mark]).spawn_piped().unwrap()
    };
    let (mut leftover, mut other) = (start(&format!("{mark}/more")), start("--another"));
    // It has its arguments only once it has become the shell.
    while super::end_leftovers(&mark) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!leftover.wait().unwrap().success());
    assert!(other.try_wait().unwrap().is_none());
    assert_eq!(super::end_leftovers(&mark), 0);
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_long_output_is_handed_over_piece_by_piece() {
    let mut n = 0;
    let mut last = Vec::new();
    let script = sh("seq 100000; printf 'no end'; echo oops >&2; exit 3");
    let output = run_blocking_each(&script, b'\n', &mut |piece| {
        n += 1;
        last = piece.to_owned();
        Ok(())
    });
    let output = output.unwrap();
    assert_eq!((n, last.as_slice()), (100_001, b"no end".as_slice()));
    assert_eq!((output.status.code(), output.stderr_text().as_str()), (Some(3), "oops\n"));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_command_ends_when_its_pieces_are_refused_or_do_not_come() {
    let mut pid = String::new();
    let refused = run_blocking_each(&sh("echo $$; yes"), b'\n', &mut |piece| {
        anyhow::ensure!(pid.is_empty(), "enough of this");
        pid = String::from_utf8_lossy(piece).into_owned();
        Ok(())
    });
    assert_eq!(refused.unwrap_err().to_string(), "enough of this");
    wait_until_gone(&pid);
    let slow = sh("echo $$; sleep 1000").timeout(Duration::from_millis(100));
    let late = run_blocking_each(&slow, b'\n', &mut |piece| {
        pid = String::from_utf8_lossy(piece).into_owned();
        Ok(())
    });
    assert!(late.unwrap_err().to_string().contains("took longer"));
    wait_until_gone(&pid);
}
