//! The filter of system calls as the kernel has it in force, and what still
//! works under it.
//!
//! Calls are made by number from perl. Many of them would fail for a user
//! without rights in any case, so the arguments are such that the kernel
//! itself would find something else wrong, where there is such a thing. What
//! the filter says to every call and argument is tested beside it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use zazen::sandbox::EngineKind;

use crate::harness::machine::skip;
use crate::sandbox::setup::Machine;

const PERM: i32 = libc::EPERM;
const NOSYS: i32 = libc::ENOSYS;
const FAMILY: i32 = libc::EAFNOSUPPORT;

/// Makes the calls that are its arguments, and prints how each failed.
const CALL: &str = "for (@ARGV) { my ($name, $call, @args) = split /,/; $! = 0; \
    my $got = syscall($call + 0, map { $_ + 0 } @args); \
    print \"$name \", $got == -1 ? $! + 0 : 0, \"\\n\" }";

async fn check(machine: &Machine, calls: &[(&str, i64, &[i64], i32)]) {
    if !Path::new("/usr/bin/perl").exists() {
        return skip("`perl` is not installed");
    }
    let mut script = format!("exec perl -e '{CALL}'");
    for (name, call, args, _) in calls {
        let args: Vec<String> = args.iter().map(i64::to_string).collect();
        let args = [vec![call.to_string()], args].concat().join(",");
        write!(script, " {name},{args}").unwrap();
    }
    let expected: Vec<String> =
        calls.iter().map(|(name, _, _, errno)| format!("{name} {errno}")).collect();
    assert_eq!(machine.output(&script).await, expected);
}

async fn the_kernel_has_no_side_doors(machine: Machine) {
    check(
        &machine,
        &[
            ("io_uring_setup", libc::SYS_io_uring_setup, &[0, 0], NOSYS),
            ("io_uring_enter", libc::SYS_io_uring_enter, &[-1, 0, 0, 0, 0], NOSYS),
            ("io_uring_register", libc::SYS_io_uring_register, &[-1, 0, 0, 0], NOSYS),
            ("bpf", libc::SYS_bpf, &[9999, 0, 0], PERM),
            ("perf_event_open", libc::SYS_perf_event_open, &[0, 0, -1, -1, 0], PERM),
            ("userfaultfd", libc::SYS_userfaultfd, &[-1], PERM),
            ("keyctl", libc::SYS_keyctl, &[9999, 0, 0], PERM),
            ("add_key", libc::SYS_add_key, &[0, 0, 0, 0, 0], PERM),
            ("request_key", libc::SYS_request_key, &[0, 0, 0, 0], PERM),
            ("fanotify_init", libc::SYS_fanotify_init, &[-1, 0], PERM),
            ("open_by_handle_at", libc::SYS_open_by_handle_at, &[-1, 0, 0], PERM),
            ("personality", libc::SYS_personality, &[0x0040_0000], PERM),
            ("personality_asked", libc::SYS_personality, &[0xffff_ffff], 0),
        ],
    )
    .await;
}

async fn the_machine_is_not_set_up(machine: Machine) {
    check(
        &machine,
        &[
            ("kexec_load", libc::SYS_kexec_load, &[0, 0, 0, -1], PERM),
            ("init_module", libc::SYS_init_module, &[0, 0, 0], PERM),
            ("finit_module", libc::SYS_finit_module, &[-1, 0, 0], PERM),
            ("delete_module", libc::SYS_delete_module, &[0, 0], PERM),
            ("reboot", libc::SYS_reboot, &[0, 0, 0, 0], PERM),
            ("swapon", libc::SYS_swapon, &[0, 0], PERM),
            ("swapoff", libc::SYS_swapoff, &[0], PERM),
            ("acct", libc::SYS_acct, &[1], PERM),
            ("quotactl", libc::SYS_quotactl, &[-1, 0, 0, 0], PERM),
            ("quotactl_fd", libc::SYS_quotactl_fd, &[-1, 0, 0, 0], PERM),
            ("settimeofday", libc::SYS_settimeofday, &[1, 1], PERM),
            ("clock_settime", libc::SYS_clock_settime, &[0, 1], PERM),
            ("clock_adjtime", libc::SYS_clock_adjtime, &[0, 1], PERM),
            ("adjtimex", libc::SYS_adjtimex, &[1], PERM),
            ("sethostname", libc::SYS_sethostname, &[1, 1], PERM),
            ("syslog", libc::SYS_syslog, &[9, 0, 0], PERM),
        ],
    )
    .await;
}

async fn mounts_and_namespaces_stay_as_they_are(machine: Machine) {
    let new_user = i64::from(libc::CLONE_NEWUSER);
    check(
        &machine,
        &[
            ("mount", libc::SYS_mount, &[1, 1, 1, 0, 0], PERM),
            ("umount2", libc::SYS_umount2, &[1, -1], PERM),
            ("pivot_root", libc::SYS_pivot_root, &[1, 1], PERM),
            ("chroot", libc::SYS_chroot, &[1], PERM),
            ("fsopen", libc::SYS_fsopen, &[1, -1], PERM),
            ("fsconfig", libc::SYS_fsconfig, &[-1, 99, 0, 0, 0], PERM),
            ("fsmount", libc::SYS_fsmount, &[-1, -1, 0], PERM),
            ("fspick", libc::SYS_fspick, &[-1, 1, -1], PERM),
            ("move_mount", libc::SYS_move_mount, &[-1, 1, -1, 1, -1], PERM),
            ("open_tree", libc::SYS_open_tree, &[-1, 1, 0], PERM),
            ("mount_setattr", libc::SYS_mount_setattr, &[-1, 1, -1, 0, 0], PERM),
            ("open_tree_attr", 467, &[-1, 1, 0, 0, 0], NOSYS),
            ("setns", libc::SYS_setns, &[-1, 0], PERM),
            ("unshare_user", libc::SYS_unshare, &[new_user], PERM),
            ("unshare_time", libc::SYS_unshare, &[0x80], PERM),
            ("unshare_files", libc::SYS_unshare, &[0x400], 0),
            ("clone_user", libc::SYS_clone, &[new_user | 0x11, 0, 0, 0, 0], PERM),
            ("clone3", libc::SYS_clone3, &[0, 0], NOSYS),
        ],
    )
    .await;
}

async fn no_process_is_looked_into(machine: Machine) {
    check(
        &machine,
        &[
            ("ptrace_me", libc::SYS_ptrace, &[0, 0, 0, 0], PERM),
            ("ptrace_attach", libc::SYS_ptrace, &[16, 1, 0, 0], PERM),
            ("process_vm_readv", libc::SYS_process_vm_readv, &[1, 0, 0, 0, 0, 0], PERM),
            ("process_vm_writev", libc::SYS_process_vm_writev, &[1, 0, 0, 0, 0, 0], PERM),
            ("pidfd_getfd", libc::SYS_pidfd_getfd, &[-1, 0, 0], PERM),
            ("kcmp", libc::SYS_kcmp, &[1, 1, 0, 0, 0], PERM),
            ("move_pages", libc::SYS_move_pages, &[1, 0, 0, 0, 0, 0], PERM),
        ],
    )
    .await;
}

async fn sockets_of_rare_families_are_not_had(machine: Machine) {
    let socket = libc::SYS_socket;
    check(
        &machine,
        &[
            ("unix", socket, &[1, 1, 0], 0),
            ("inet", socket, &[2, 1, 0], 0),
            ("inet6", socket, &[10, 2, 0], 0),
            ("netlink_route", socket, &[16, 3, 0], 0),
            ("netlink_netfilter", socket, &[16, 3, 12], FAMILY),
            ("packet", socket, &[17, 3, 0], FAMILY),
            ("alg", socket, &[38, 5, 0], FAMILY),
            ("vsock", socket, &[40, 1, 0], FAMILY),
            ("bluetooth", socket, &[31, 3, 1], FAMILY),
            ("xdp", socket, &[44, 3, 0], FAMILY),
            ("sctp", socket, &[2, 1, 132], FAMILY),
            ("mptcp", socket, &[2, 1, 262], FAMILY),
            ("raw", socket, &[2, 3, 255], FAMILY),
            ("tipc_pair", libc::SYS_socketpair, &[30, 1, 0, 0], FAMILY),
        ],
    )
    .await;
}

async fn no_terminal_is_typed_into_and_no_file_runs_as_its_owner(machine: Machine) {
    check(
        &machine,
        &[
            // On what is no terminal, the kernel would say that it is none.
            ("tiocsti", libc::SYS_ioctl, &[0, 0x5412, 0], PERM),
            ("tioclinux", libc::SYS_ioctl, &[0, 0x541c, 0], PERM),
            ("tiocsetd", libc::SYS_ioctl, &[0, 0x5423, 0], PERM),
            ("tiocgwinsz", libc::SYS_ioctl, &[0, 0x5413, 0], libc::ENOTTY),
            ("fchmod", libc::SYS_fchmod, &[-1, 0o4755], PERM),
            ("fchmod_plain", libc::SYS_fchmod, &[-1, 0o755], libc::EBADF),
            ("openat2", libc::SYS_openat2, &[-1, 0, 0, 0], NOSYS),
        ],
    )
    .await;
    let out = machine.run(2, "touch x; chmod 4755 x 2>/dev/null || echo refused; chmod 755 x");
    machine.finish(&out).await;
    assert_eq!(out.out(), ["refused"]);
}

/// A whole program of a few instructions, which makes one call the way 32-bit
/// programs do and ends with 0.
#[cfg(target_arch = "x86_64")]
fn old_fashioned_program() -> Vec<u8> {
    let code = [
        0xb8, 20, 0, 0, 0, 0xcd, 0x80, // mov eax, getpid; int 0x80
        0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05, // xor edi, edi; mov eax, exit; syscall
    ];
    let (header, entry) = (64 + 56, 0x0040_0000_u64);
    let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0];
    elf.extend(1_u32.to_le_bytes());
    elf.extend((entry + header).to_le_bytes());
    elf.extend(64_u64.to_le_bytes());
    elf.extend([0; 12]);
    elf.extend([64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    elf.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [0, entry, entry, header + 16, header + 16, 0x1000] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(code);
    elf
}

#[cfg(target_arch = "x86_64")]
async fn the_calls_of_another_architecture_end_the_process(machine: Machine) {
    use std::os::unix::fs::PermissionsExt;
    let run = machine.run(1, "./program; echo $?");
    let program = run.spec.workspace.join("program");
    std::fs::write(&program, old_fashioned_program()).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run_outside(&program).await, Some(0), "it works where there is no filter");
    machine.finish(&run).await;
    // 128 and the signal for a bad system call; the shell may say so, too.
    assert!(run.out().contains(&"159".to_owned()), "{:?}", run.out());
}

#[cfg(target_arch = "x86_64")]
async fn run_outside(program: &Path) -> Option<i32> {
    zazen::exec::run(zazen::exec::Command::new(program)).await.unwrap().status.code()
}

/// What people's checks are made of. Each prints one line, which says that it worked.
const TOOLS: [(&str, &str); 8] = [
    (
        "/usr/bin/git",
        "git init -q r && cd r && echo x > f && git add f && git -c user.name=a \
         -c user.email=a@b commit -qm one && git gc -q && git log --format=%s",
    ),
    (
        "/usr/bin/node",
        "node -e 'const s = require(\"http\").createServer((q, a) => a.end(\"one\")).listen(0, \
         () => fetch(`http://127.0.0.1:${s.address().port}`).then(a => a.text()).then(t => \
         { console.log(t); s.close() })); require(\"os\").networkInterfaces()'",
    ),
    (
        "/usr/bin/python3",
        "/usr/bin/python3 -c 'import multiprocessing as m, subprocess, threading, socket; \
         a, b = socket.socketpair(); t = threading.Thread(target=lambda: b.send(b\"one\")); \
         t.start(); t.join(); p = m.Process(target=print, args=(a.recv(9).decode(),)); \
         p.start(); p.join(); subprocess.run([\"true\"], check=True)'",
    ),
    (
        "/usr/bin/gcc",
        "printf '#include <pthread.h>\\n#include <stdio.h>\\nvoid *f(void *p) { puts(p); return \
         0; }\\nint main() { pthread_t t; pthread_create(&t, 0, f, \"one\"); pthread_join(t, 0); \
         return 0; }' > t.c && gcc -pthread t.c -o t && ./t",
    ),
    ("/usr/bin/make", "printf 'a: b c\\nb c:\\n\\t@true\\n' > Makefile && make -s -j2 && echo one"),
    (
        "/usr/bin/perl",
        "perl -e 'my $pid = fork; exit 0 unless $pid; waitpid $pid, 0; print \"one\\n\"'",
    ),
    (
        "/usr/bin/java",
        "printf 'class T { public static void main(String[] a) { System.out.println(\"one\"); } \
         }' > T.java && java -Xmx64m T.java",
    ),
    ("/bin/bash", "cat <(echo one) | tee >(cat >/dev/null) | sort"),
];

async fn the_tools_of_every_day_work(machine: Machine) {
    if machine.engine == EngineKind::Container {
        println!("SKIPPED: the tests' image has few tools; the filter is the same");
        return;
    }
    for (n, (tool, script)) in (1..).zip(TOOLS) {
        if !Path::new(tool).exists() {
            println!("SKIPPED: `{tool}` is not installed");
            continue;
        }
        let mut run = machine.run(n, "");
        run.spec.work = zazen::sandbox::Work::Check { command: script.to_owned() };
        let exit = machine.finish(&run).await;
        if tool.ends_with("java") && exit.code == Some(1) {
            println!("SKIPPED: there is a `java` without a compiler: {:?}", run.out());
            continue;
        }
        assert_eq!((run.out(), exit.code), (vec!["one".to_owned()], Some(0)), "{tool}");
    }
}

/// Where the toolchain is that this was built with, if runs can get there.
fn toolchain() -> Option<PathBuf> {
    let named = std::env::var_os("ZAZEN_TOOLCHAIN").map(PathBuf::from);
    let own = || Some(Path::new(env!("CARGO")).parent()?.parent()?.to_owned());
    let toolchain = named.or_else(own)?;
    zazen::sandbox::check_reachable(&toolchain).is_ok().then_some(toolchain)
}

async fn cargo_builds_and_tests(machine: Machine) {
    if machine.engine == EngineKind::Container {
        println!("SKIPPED: the tests' image has no linker; the filter is the same");
        return;
    }
    let Some(toolchain) = toolchain() else {
        println!("SKIPPED: no run can reach the toolchain; name another in ZAZEN_TOOLCHAIN");
        return;
    };
    let script = "cargo init -q --vcs none --name one --lib . && cargo test -q --offline \
                  >log 2>&1 || cat log; grep -o '1 passed' log";
    let mut run = machine.run(1, "");
    run.spec.work = zazen::sandbox::Work::Check { command: script.to_owned() };
    run.spec.limits.memory_bytes = 2 << 30;
    let path = format!("{}/bin:/usr/bin:/bin", toolchain.display());
    run.spec.env.insert("PATH".to_owned(), path);
    run.spec.tools = vec![toolchain];
    machine.finish(&run).await;
    assert_eq!(run.out(), ["1 passed"]);
}

in_every_engine!(
    the_kernel_has_no_side_doors,
    the_machine_is_not_set_up,
    mounts_and_namespaces_stay_as_they_are,
    no_process_is_looked_into,
    sockets_of_rare_families_are_not_had,
    no_terminal_is_typed_into_and_no_file_runs_as_its_owner,
    the_tools_of_every_day_work,
    cargo_builds_and_tests,
);

#[cfg(target_arch = "x86_64")]
mod of_this_architecture {
    use super::the_calls_of_another_architecture_end_the_process;
    in_every_engine!(the_calls_of_another_architecture_end_the_process);
}
