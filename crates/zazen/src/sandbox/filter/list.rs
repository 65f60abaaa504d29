//! The calls that are refused, with the reason for each group.
//!
//! Not here: what takes a capability that no run has and has never been a way
//! in by itself (`chown`, `mknod` of devices, raw sockets), and what tools need
//! (`seccomp`, `landlock_*`, `memfd_create`, System V's shared memory).

use libc::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER,
    CLONE_NEWUTS,
};

use super::{Call, Eq, MaskedEq, Ne, On};

/// Calls that programs have another way for. They are told that there is none.
pub(super) fn absent() -> Vec<Call> {
    // A second, asynchronous entrance to the kernel, and the richest source of its holes.
    let mut calls =
        always(&[libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register]);
    // Their arguments are in memory, where a filter cannot look. `clone` and
    // `openat` do the same, and can be looked at.
    calls.extend(always(&[libc::SYS_clone3, libc::SYS_openat2]));
    calls
}

/// Calls that fail as if by a lack of rights, which is what they lack.
pub(super) fn forbidden() -> Vec<Call> {
    let mut calls = always(&[
        // Programs in the kernel, its events, and faults handled by the program itself.
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        // The kernel's keyring, which no namespace divides.
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        // Another kernel, or parts of one.
        libc::SYS_kexec_load,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_reboot,
        // Other processes' memory and descriptors.
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_kcmp,
        // Memory moved between nodes, of any process.
        libc::SYS_move_pages,
        libc::SYS_migrate_pages,
        // The tree of mounts, by either of its two interfaces.
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_fsopen,
        libc::SYS_fsconfig,
        libc::SYS_fsmount,
        libc::SYS_fspick,
        libc::SYS_move_mount,
        libc::SYS_open_tree,
        libc::SYS_mount_setattr,
        // Namespaces: there are enough.
        libc::SYS_setns,
        // Files by a number that no path leads to.
        libc::SYS_open_by_handle_at,
        libc::SYS_fanotify_init,
        // Settings of the machine.
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_acct,
        libc::SYS_quotactl,
        libc::SYS_quotactl_fd,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_clock_adjtime,
        libc::SYS_adjtimex,
        libc::SYS_sethostname,
        libc::SYS_setdomainname,
        libc::SYS_syslog,
        libc::SYS_vhangup,
    ]);
    calls.extend(forbidden_here());
    calls.extend([new_namespaces(libc::SYS_clone), new_namespaces(libc::SYS_unshare)]);
    calls.push((libc::SYS_ioctl, TERMINAL.iter().map(|code| vec![(1, Eq, *code)]).collect()));
    // Asking is allowed, and what every process has already.
    calls.push((libc::SYS_personality, vec![vec![(0, Ne, PERSONALITY_QUERY), (0, Ne, 0)]]));
    calls.extend(set_user_id());
    calls
}

/// Sockets of all but four families, and of few protocols.
///
/// A namespace of the network does not divide virtual machines' sockets from
/// the host's, and the rare families are where the holes have been.
pub(super) fn families() -> Vec<Call> {
    let [unix, inet, inet6, netlink] =
        [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK].map(number);
    let mut cases = vec![vec![(0, Ne, unix), (0, Ne, inet), (0, Ne, inet6), (0, Ne, netlink)]];
    // To list the interfaces, which `getifaddrs` does. The rest of it is administration.
    cases.push(vec![(0, Eq, netlink), (2, Ne, number(libc::NETLINK_ROUTE))]);
    for family in [inet, inet6] {
        let others = PROTOCOLS.map(|protocol| (2, Ne, number(protocol)));
        cases.push([(0, Eq, family)].into_iter().chain(others).collect());
    }
    vec![(libc::SYS_socket, cases), (libc::SYS_socketpair, vec![vec![(0, Ne, unix)]])]
}

/// What a socket of the internet may speak; nothing stands for the usual one.
const PROTOCOLS: [i32; 5] =
    [0, libc::IPPROTO_ICMP, libc::IPPROTO_TCP, libc::IPPROTO_UDP, libc::IPPROTO_ICMPV6];

/// Typing into a terminal (`TIOCSTI`), pasting into a console (`TIOCLINUX`),
/// and giving a terminal another driver (`TIOCSETD`).
const TERMINAL: [u64; 3] = [0x5412, 0x541C, 0x5423];

/// What `personality` is asked with.
const PERSONALITY_QUERY: u64 = 0xffff_ffff;

/// The namespace of time, in `unshare` alone: in `clone` the bit is part of a signal.
const NEW_TIME: i32 = 0x80;

fn new_namespaces(call: i64) -> Call {
    let flags = [
        CLONE_NEWCGROUP,
        CLONE_NEWIPC,
        CLONE_NEWNET,
        CLONE_NEWNS,
        CLONE_NEWPID,
        CLONE_NEWUSER,
        CLONE_NEWUTS,
    ];
    let time = (call == libc::SYS_unshare).then_some(NEW_TIME);
    (call, flags.into_iter().chain(time).map(|flag| vec![has(0, flag)]).collect())
}

/// A file that runs as who made it. On the host, outside of the sandbox, it
/// would lend the user of the runs to anybody who finds it.
fn set_user_id() -> Vec<Call> {
    let mode = |arg| has(arg, libc::S_ISUID.cast_signed());
    let created = |flags, arg| {
        vec![
            vec![has(flags, libc::O_CREAT), mode(arg)],
            vec![has(flags, libc::O_TMPFILE & !libc::O_DIRECTORY), mode(arg)],
        ]
    };
    let mut calls = vec![
        (libc::SYS_fchmod, vec![vec![mode(1)]]),
        (libc::SYS_fchmodat, vec![vec![mode(2)]]),
        (SYS_FCHMODAT2, vec![vec![mode(2)]]),
        (libc::SYS_mknodat, vec![vec![mode(2)]]),
        (libc::SYS_openat, created(2, 3)),
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([
        (libc::SYS_chmod, vec![vec![mode(1)]]),
        (libc::SYS_creat, vec![vec![mode(1)]]),
        (libc::SYS_mknod, vec![vec![mode(1)]]),
        (libc::SYS_open, created(1, 2)),
    ]);
    calls
}

/// The same on all architectures, and not in every C library's list yet.
const SYS_FCHMODAT2: i64 = 452;

/// What only this architecture has.
#[cfg(target_arch = "x86_64")]
fn forbidden_here() -> Vec<Call> {
    always(&[
        libc::SYS_kexec_file_load,
        libc::SYS_nfsservctl,
        libc::SYS_lookup_dcookie,
        // The processor's ports and its table of segments.
        libc::SYS_iopl,
        libc::SYS_ioperm,
        libc::SYS_modify_ldt,
        libc::SYS_uselib,
        libc::SYS_ustat,
        libc::SYS_sysfs,
        libc::SYS__sysctl,
    ])
}

#[cfg(not(target_arch = "x86_64"))]
fn forbidden_here() -> Vec<Call> {
    // `kexec_file_load`, which not every C library lists here.
    always(&[294, libc::SYS_nfsservctl, libc::SYS_lookup_dcookie])
}

fn always(calls: &[i64]) -> Vec<Call> {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// A bit of an argument is set.
fn has(arg: u8, bit: i32) -> On {
    (arg, MaskedEq(number(bit)), number(bit))
}

fn number(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}
