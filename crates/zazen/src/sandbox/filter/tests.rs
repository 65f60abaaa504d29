//! The programs themselves, run here by a small machine. That the kernel has
//! them in force is tried in real sandboxes, in `tests/it/sandbox`.

use super::*;

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(not(target_arch = "x86_64"))]
const ARCH: u32 = 0xc000_00b7;

const I386: u32 = 0x4000_0003;

const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;

fn refused(errno: i32) -> u32 {
    RETURN_ERRNO | errno.cast_unsigned()
}

/// Runs one program on one call, as the kernel does.
fn run(program: &BpfProgram, words: &[u32; 16]) -> u32 {
    let (mut at, mut loaded) = (0, 0);
    loop {
        let sock_filter { code, jt, jf, k } = program[at].clone();
        let jump = |is: bool| usize::from(if is { jt } else { jf });
        at += 1;
        match code {
            LOAD => loaded = words[k as usize / 4],
            RETURN => return k,
            0x05 => at += k as usize,
            0x54 => loaded &= k,
            0x15 => at += jump(loaded == k),
            JUMP_IF_GREATER => at += jump(loaded > k),
            0x35 => at += jump(loaded >= k),
            other => panic!("the machine does not know {other:#x}"),
        }
    }
}

/// What the whole filter says to a call. Of several answers the strictest counts.
fn answer_to(arch: u32, call: i64, args: &[u64]) -> u32 {
    let mut words = [0; 16];
    words[0] = u32::try_from(call).unwrap();
    words[1] = arch;
    for (n, arg) in args.iter().enumerate() {
        words[4 + 2 * n] = (*arg & 0xffff_ffff) as u32;
        words[5 + 2 * n] = (*arg >> 32) as u32;
    }
    let answers =
        programs().unwrap().iter().map(|program| run(program, &words)).collect::<Vec<_>>();
    *answers.iter().min_by_key(|answer| answer.cast_signed()).unwrap()
}

fn answer(call: i64, args: &[u64]) -> u32 {
    answer_to(ARCH, call, args)
}

#[test]
fn every_listed_call_is_refused() {
    for (list, errno) in [(list::absent(), libc::ENOSYS), (list::forbidden(), libc::EPERM)] {
        for (call, cases) in list {
            if cases.is_empty() {
                assert_eq!(answer(call, &[0; 6]), refused(errno), "{call}");
                assert_eq!(answer(call, &[u64::MAX; 6]), refused(errno), "{call}");
            }
        }
    }
}

#[test]
fn ordinary_calls_pass() {
    let calls = [
        libc::SYS_read,
        libc::SYS_execve,
        libc::SYS_mmap,
        libc::SYS_futex,
        libc::SYS_kill,
        libc::SYS_seccomp,
        libc::SYS_landlock_create_ruleset,
        libc::SYS_prctl,
        libc::SYS_rseq,
        libc::SYS_faccessat2,
        i64::from(NEWEST_KNOWN),
    ];
    for call in calls {
        assert_eq!(answer(call, &[0; 6]), ALLOW, "{call}");
    }
}

#[test]
fn a_process_and_a_thread_may_be_made_and_a_namespace_may_not() {
    let thread = 0x003d_0f00;
    for flags in [17, thread, 0x4111] {
        assert_eq!(answer(libc::SYS_clone, &[flags]), ALLOW, "{flags:#x}");
    }
    // Without a namespace: descriptors and the working directory for itself.
    assert_eq!(answer(libc::SYS_unshare, &[0x0000_0600]), ALLOW);
    for new in [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000] {
        for flags in [new, new | 0x11, new | 0x4000_0000, new | 1 << 40] {
            assert_eq!(answer(libc::SYS_clone, &[flags]), refused(libc::EPERM), "{flags:#x}");
            assert_eq!(answer(libc::SYS_unshare, &[flags]), refused(libc::EPERM), "{flags:#x}");
        }
    }
    assert_eq!(answer(libc::SYS_unshare, &[0x80]), refused(libc::EPERM));
}

#[test]
fn sockets_are_of_four_families_and_few_protocols() {
    let socket = |family: i32, protocol: u64| {
        answer(libc::SYS_socket, &[family.cast_unsigned().into(), 1, protocol])
    };
    let no = refused(libc::EAFNOSUPPORT);
    for (family, protocol) in [(1, 0), (2, 0), (2, 6), (10, 17), (10, 58), (16, 0)] {
        assert_eq!(socket(family, protocol), ALLOW, "{family} {protocol}");
    }
    // Netlink of the audit and of the netfilter, SCTP, MPTCP, raw IP.
    for (family, protocol) in [(16, 9), (16, 12), (2, 132), (10, 262), (2, 255)] {
        assert_eq!(socket(family, protocol), no, "{family} {protocol}");
    }
    for family in (0..=64).filter(|family| ![1, 2, 10, 16].contains(family)) {
        assert_eq!(socket(family, 0), no, "{family}");
    }
    assert_eq!(
        answer(libc::SYS_socket, &[0x28 | 1 << 32, 1, 0]),
        no,
        "the upper half is not looked at"
    );
    assert_eq!(answer(libc::SYS_socketpair, &[1, 1, 0]), ALLOW);
    assert_eq!(answer(libc::SYS_socketpair, &[30, 1, 0]), no);
}

#[test]
fn a_terminal_is_not_typed_into() {
    for code in [0x5412, 0x541C, 0x5423, 0x5412 | 1 << 32] {
        assert_eq!(answer(libc::SYS_ioctl, &[0, code]), refused(libc::EPERM), "{code:#x}");
    }
    // What a terminal is like (`TCGETS`), and how large (`TIOCGWINSZ`).
    for code in [0x5401, 0x5413] {
        assert_eq!(answer(libc::SYS_ioctl, &[0, code]), ALLOW, "{code:#x}");
    }
}

#[test]
fn no_file_is_made_to_run_as_its_owner() {
    let no = refused(libc::EPERM);
    assert_eq!(answer(libc::SYS_fchmodat, &[0, 0, 0o755]), ALLOW);
    assert_eq!(answer(libc::SYS_fchmodat, &[0, 0, 0o4755]), no);
    assert_eq!(answer(452, &[0, 0, 0o4755, 0]), no);
    assert_eq!(answer(libc::SYS_openat, &[0, 0, 0o102, 0o4755]), no);
    assert_eq!(answer(libc::SYS_openat, &[0, 0, 0o2020_0002, 0o4755]), no);
    // Without creating anything, the last argument is whatever was there before.
    assert_eq!(answer(libc::SYS_openat, &[0, 0, 0o2, 0o4755]), ALLOW);
    assert_eq!(answer(libc::SYS_openat, &[0, 0, 0o20_0000, 0o4755]), ALLOW);
    assert_eq!(answer(libc::SYS_mknodat, &[0, 0, 0o10_4755]), no);
}

#[test]
fn the_personality_can_be_asked_for_and_not_be_changed() {
    assert_eq!(answer(libc::SYS_personality, &[0xffff_ffff]), ALLOW);
    assert_eq!(answer(libc::SYS_personality, &[0]), ALLOW);
    for other in [0x8, 0x0004_0000, 0x0040_0000] {
        assert_eq!(answer(libc::SYS_personality, &[other]), refused(libc::EPERM), "{other:#x}");
    }
}

#[test]
fn calls_that_are_newer_than_the_list_do_not_exist() {
    for call in [467, 468, 1000, 0x4000_0000, 0x4000_0027, 0xffff_ffff] {
        assert_eq!(answer(call, &[0; 6]), refused(libc::ENOSYS), "{call:#x}");
    }
}

#[test]
fn the_calls_of_another_architecture_end_the_process() {
    for call in [1, 20, 120, 0x4000_0000] {
        assert_eq!(answer_to(I386, call, &[0; 6]), KILL, "{call}");
    }
}

#[test]
fn a_program_is_printed_as_the_kernel_reads_it() {
    use std::io::Read;
    for (program, file) in programs().unwrap().into_iter().zip(files().unwrap()) {
        let mut bytes = Vec::new();
        File::from(file).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), program.len() * 8);
        assert!(program.len() < 4096, "the kernel takes no more");
        let last = program.last().unwrap();
        assert_eq!(bytes[bytes.len() - 4..], last.k.to_ne_bytes());
    }
}
