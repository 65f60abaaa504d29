//! Two runs of one user, side by side: neither reaches the other, nor a
//! process or a folder that is nobody's run.
//!
//! A sandbox has its own world for this. On the host it is Landlock that holds,
//! where the kernel is new enough for it.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::time::Duration;

use zazen::sandbox::{Achieved, EngineKind, stop};

use crate::harness::machine::skip;
use crate::sandbox::setup::{Machine, Run, is_root};

/// The first version of Landlock that holds signals and sockets without a file.
const SCOPES: u32 = 6;

/// Whether this engine keeps runs apart, here.
fn keeps_apart(machine: &Machine, achieved: &Achieved) -> bool {
    let holds = machine.engine != EngineKind::None || achieved.landlock >= Some(SCOPES);
    if !holds {
        skip("the kernel's Landlock is too old to keep processes apart without a sandbox");
    }
    holds
}

/// A run that goes on, and the number of its process as the host sees it.
async fn other(machine: &Machine) -> (Run, i32) {
    let other = machine.run(2, "echo $$; exec sleep 1000");
    machine.submit(&other).await;
    other.printed_anything().await;
    let mark = format!("{}", machine.folder.path().display());
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_other = |pid: &i32| {
        let cwd = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        let cmdline = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let is_there = cwd.starts_with(&mark) || cwd == Path::new("/workspace");
        is_there && cmdline.starts_with(b"sleep\x001000\0")
    };
    let pid = pids.filter(is_other).max().expect("the other run sleeps");
    (other, pid)
}

async fn another_runs_processes_are_out_of_reach(machine: Machine) {
    let (other, pid) = other(&machine).await;
    let script = format!(
        "cat /proc/{pid}/environ 2>/dev/null | grep -a ZAZEN && echo environment\n\
         readlink /proc/{pid}/fd/0 && echo descriptors\n\
         cat /proc/{pid}/mem 2>&1 >/dev/null | grep -q 'Input/output' && echo memory\n\
         kill -0 {pid} 2>/dev/null && echo signal\n\
         echo tried"
    );
    let run = machine.run(1, &script);
    let exit = machine.finish(&run).await;
    if keeps_apart(&machine, &exit.achieved.unwrap()) {
        assert_eq!(run.out(), ["tried"]);
    }
    stop(&other.dir, Duration::ZERO).await.unwrap();
}

async fn a_socket_without_a_file_is_out_of_reach(machine: Machine) {
    if !Path::new("/usr/bin/perl").exists() {
        return skip("`perl` is not installed");
    }
    let name = format!("zazen-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let connect = format!(
        "use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0); \
         print connect($s, pack(\"Sa*\", AF_UNIX, \"\\0{name}\")) ? \"reached\" : \"refused\", \"\\n\""
    );
    let run = machine.run(1, &format!("perl -e '{connect}'"));
    let exit = machine.finish(&run).await;
    if keeps_apart(&machine, &exit.achieved.unwrap()) {
        assert_eq!(run.out(), ["refused"]);
    }
}

async fn what_anybody_may_write_to_is_not_written_to(machine: Machine) {
    if !is_root() {
        println!("SKIPPED: it takes root to make a folder outside of `/tmp` and the home");
        return;
    }
    let folder = tempfile::Builder::new().prefix("zazen-it-").tempdir_in("/var/lib").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let path = folder.path().display();
    let script = format!(
        "touch {path}/x 2>/dev/null && echo written; mkdir {path}/d 2>/dev/null && echo made; \
         touch here $HOME/there $TMPDIR/and-there && mkdir d && mv here d/ && echo own"
    );
    let run = machine.run(1, &script);
    let exit = machine.finish(&run).await;
    if machine.engine == EngineKind::None && exit.achieved.unwrap().landlock.is_none() {
        return skip("the kernel has no Landlock to hold writes with");
    }
    assert_eq!(run.out(), ["own"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

async fn a_workspace_to_read_is_not_written_to(machine: Machine) {
    let mut run = machine.run(1, "touch x 2>/dev/null && echo written; touch $HOME/y && echo home");
    run.spec.access = zazen::sandbox::Access::ReadOnly;
    let exit = machine.finish(&run).await;
    let is_in_tmp = run.spec.workspace.starts_with("/tmp");
    if machine.engine == EngineKind::None
        && (is_in_tmp || exit.achieved.unwrap().landlock.is_none())
    {
        println!("SKIPPED: without a sandbox everything in `/tmp` may be written to");
        return;
    }
    assert_eq!(run.out(), ["home"]);
}

async fn no_descriptor_comes_in_from_outside(machine: Machine) {
    // As a shell or a service manager leaves one open for what it starts.
    let secret = fs::File::open("/etc/passwd").unwrap();
    let _inherited = rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty());
    let run = machine.run(1, "cd /proc/self/fd; for fd in *; do readlink $fd; done; echo tried");
    machine.finish(&run).await;
    let out = run.out();
    let strange = out.iter().filter(|line| line.starts_with('/') && !line.contains("/proc/"));
    assert_eq!(strange.collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(out.len() < 8, "{out:?}");
}

in_every_engine!(
    no_descriptor_comes_in_from_outside,
    another_runs_processes_are_out_of_reach,
    a_socket_without_a_file_is_out_of_reach,
    what_anybody_may_write_to_is_not_written_to,
    a_workspace_to_read_is_not_written_to,
);
