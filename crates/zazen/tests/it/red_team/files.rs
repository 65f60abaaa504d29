//! Attempts to write outside of the workspace, and to use the kernel for it.

use super::attack::Family::Files;
use super::sortie::Probe;
use super::{probe, works_outside};

const MOUNTS: &str = "mounts that begin with nothing";
const READ_ONLY: &str = "mounts that are read-only";
const RIGHTS: &str = "no capability, and no way to get one";
const KERNEL: &str = "`/proc` mounted read-only, and no capability";
const NO_SYS: &str = "no `/sys` in the sandbox";
const FILTER: &str = "a filter of system calls";
const USERNS: &str = "no second user namespace";

pub(super) const PROBES: &[Probe] = &[
    works_outside(probe(
        (Files, "file-of-the-host", MOUNTS),
        "make a file in a folder of the host that is open to everybody",
        "touch $MARKS/made && echo THROUGH",
        &["No such file"],
    )),
    probe(
        (Files, "clone-of-the-person", MOUNTS),
        "change the person's own clone and plant a hook in it",
        "echo evil >> $REPO/README.md && echo THROUGH; \
         echo evil > $REPO/.git/hooks/pre-commit && echo THROUGH",
        &["No such file"],
    ),
    probe(
        (Files, "link-to-the-host", MOUNTS),
        "write through symbolic links that lead out",
        "for to in $MARKS $PERSON/.ssh $ZAZEN; do ln -sfn $to out && echo evil > out/made \
         && echo THROUGH; done; rm -f out",
        &["No such file"],
    ),
    probe(
        (Files, "programs-of-the-system", READ_ONLY),
        "change programs, certificates and names of the system",
        "for dir in /usr/bin /usr/lib /etc /etc/ssl /bin / /dev; do touch $dir/made \
         && echo THROUGH; done",
        &["Read-only file system"],
    ),
    probe(
        (Files, "objects-of-the-mirror", READ_ONLY),
        "plant and remove objects in the mirror that all runs start from",
        "touch /zazen/objects/made && echo THROUGH; rm -rf /zazen/objects/* && echo THROUGH; \
         cat .git/objects/info/alternates",
        &["Read-only file system"],
    ),
    probe(
        (Files, "program-of-zazen", READ_ONLY),
        "change zazen's program and the runner's orders",
        "echo evil > /run/zazen/bin/zazen && echo THROUGH; \
         echo evil > /run/zazen/spec.json && echo THROUGH",
        &["Read-only file system", "Permission denied", "Text file busy"],
    ),
    probe(
        (Files, "hard-link-to-a-program", READ_ONLY),
        "give a program of the system a second name in the workspace",
        "ln /usr/bin/env env2 && echo THROUGH; rm -f env2",
        &["Invalid cross-device link", "Operation not permitted", "Permission denied"],
    ),
    probe(
        (Files, "core-pattern", KERNEL),
        "have the kernel start a program as root when something crashes",
        "echo '|/bin/sh' > /proc/sys/kernel/core_pattern && echo THROUGH",
        &["Read-only file system", "Permission denied"],
    ),
    probe(
        (Files, "switches-of-the-kernel", KERNEL),
        "open other switches of the kernel for writing",
        "for switch in kernel/modprobe kernel/hotplug vm/drop_caches kernel/hostname \
         fs/binfmt_misc/register kernel/ns_last_pid kernel/yama/ptrace_scope; do \
         (exec 3>/proc/sys/$switch) && echo THROUGH; done; \
         (exec 3>/proc/sysrq-trigger) && echo THROUGH",
        &["Read-only file system", "Permission denied"],
    ),
    probe(
        (Files, "control-groups", NO_SYS),
        "escape through the agent that control groups call when they are empty",
        "ls -A /sys | grep . && echo THROUGH; \
         echo /bin/sh > /sys/fs/cgroup/release_agent && echo THROUGH",
        &["No such file", "Read-only file system"],
    ),
    probe(
        (Files, "raw-devices", "a `/dev` with six harmless devices"),
        "read the disk and the memory as devices",
        "head -c 1 /dev/mem /dev/kmem /dev/kmsg /dev/sda /dev/vda /dev/nvme0n1 /dev/kvm /dev/fuse \
         /dev/net/tun && echo THROUGH",
        &["No such file"],
    ),
    probe(
        (Files, "device-of-its-own", RIGHTS),
        "make a device file for the first disk",
        "mknod disk b 8 0 && echo THROUGH; mknod memory c 1 1 && echo THROUGH; rm -f disk memory",
        &["Operation not permitted"],
    ),
    probe(
        (Files, "memory-of-the-kernel", RIGHTS),
        "read the kernel's memory, symbols and messages",
        "head -c 1 /proc/kcore && echo THROUGH; grep -v '^0*[ ]' /proc/kallsyms | grep -q . \
         && echo THROUGH; dmesg | grep . && echo THROUGH; echo tried all",
        &["not permitted", "Permission denied", "tried all"],
    ),
    probe(
        (Files, "mount", RIGHTS),
        "mount a file system over the sandbox's own",
        "call $MOUNT none /tmp tmpfs 0 0; call $MOUNT / /tmp none 4096 0",
        &["Operation not permitted"],
    ),
    probe(
        (Files, "remount", RIGHTS),
        "make the read-only mounts writable again",
        "for at in / /proc /usr /zazen/objects; do call $MOUNT none $at none 4128 0; done",
        &["Operation not permitted"],
    ),
    probe(
        (Files, "pivot-root", RIGHTS),
        "change the root to one that shows more",
        "call $PIVOT_ROOT /workspace /workspace; \
         perl -e 'chroot(q(/proc/1/root)) and print qq(THROUGH\\n); print qq($!\\n)'",
        &["Operation not permitted", "Permission denied"],
    ),
    probe(
        (Files, "user-namespace", USERNS),
        "become root in a user namespace of its own, and mount there",
        "unshare --user --map-root-user mount -t tmpfs none /tmp && echo THROUGH; \
         call $UNSHARE 268435456",
        &["No space left on device", "Operation not permitted", "Function not implemented"],
    ),
    probe(
        (Files, "other-namespaces", RIGHTS),
        "make namespaces of its own, and enter those of other processes",
        "for kind in --mount --net --pid --ipc --uts --cgroup; do unshare $kind true \
         && echo THROUGH; done; nsenter --target 1 --mount --net true && echo THROUGH",
        &["Operation not permitted", "Permission denied"],
    ),
    probe(
        (Files, "file-by-its-handle", RIGHTS),
        "open files of the host by their numbers, past all mounts",
        "exec 5</workspace; perl -e '$! = 0; my $handle = pack(q(L l L L), 8, 1, 2, 0); \
         my $got = syscall($ENV{OPEN_BY_HANDLE_AT} + 0, 5, $handle, 0); \
         print $got < 0 ? qq($!\\n) : qq(THROUGH\\n)'",
        &["Operation not permitted", "Function not implemented"],
    ),
    probe(
        (Files, "work-handed-to-the-kernel", FILTER),
        "have the kernel open files and sockets in its stead, past the filter",
        "call $IO_URING_SETUP 8 0",
        &["Function not implemented", "Operation not permitted"],
    ),
    probe(
        (Files, "programs-in-the-kernel", FILTER),
        "run a program in the kernel, and watch other processes through it",
        "call $BPF 5 0 0; call $PERF_EVENT_OPEN 0 -1 0 -1 0",
        &["Function not implemented", "Operation not permitted"],
    ),
    probe(
        (Files, "keyrings", FILTER),
        "read the keyrings that the kernel keeps for the user",
        "call $KEYCTL 0 -4 0; call $KEYCTL 0 -3 0; call $KEYCTL 0 -5 0",
        &["Function not implemented", "Operation not permitted"],
    ),
    probe(
        (Files, "faults-and-modules", FILTER),
        "hold the kernel up in the middle of a call, load a module, start another kernel",
        "call $USERFAULTFD 0; call $INIT_MODULE 0 0 0; call $KEXEC_LOAD 0 0 0 0",
        &["Function not implemented", "Operation not permitted"],
    ),
    probe(
        (Files, "setuid-programs", "processes that cannot gain rights (`no_new_privs`)"),
        "become root through a program that is installed for that",
        "echo | su -c 'echo THROUGH'; grep NoNewPrivs /proc/self/status; \
         for p in su passwd chsh newgrp mount; do [ -u /usr/bin/$p ] && echo setuid: $p; done; \
         id -u | grep -x 0 && echo THROUGH",
        &["NoNewPrivs:\t1"],
    ),
];
