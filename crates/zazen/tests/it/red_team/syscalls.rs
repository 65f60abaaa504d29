//! The numbers of system calls that probes make by number, as their programs may be absent.

/// As variables for a shell.
pub(super) fn numbers() -> String {
    let numbers = if cfg!(target_arch = "x86_64") { &X86_64 } else { &AARCH64 };
    let pairs = NAMES.iter().zip(numbers).map(|(name, n)| format!("{name}={n} "));
    format!("export {}\n", pairs.collect::<String>())
}

const NAMES: [&str; 13] = [
    "MOUNT",
    "PIVOT_ROOT",
    "PTRACE",
    "PROCESS_VM_READV",
    "OPEN_BY_HANDLE_AT",
    "KEYCTL",
    "BPF",
    "PERF_EVENT_OPEN",
    "USERFAULTFD",
    "KEXEC_LOAD",
    "INIT_MODULE",
    "IO_URING_SETUP",
    "UNSHARE",
];

const X86_64: [u32; 13] = [165, 155, 101, 310, 304, 250, 321, 298, 323, 246, 175, 425, 272];

const AARCH64: [u32; 13] = [40, 41, 117, 270, 265, 219, 280, 241, 282, 104, 105, 425, 97];
