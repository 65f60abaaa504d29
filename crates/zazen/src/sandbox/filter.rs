//! Which system calls nothing in a sandbox may make.
//!
//! A list of what agents, compilers and tests do without, and what kernels
//! were broken through. Where a program has another way it is told that the
//! call does not exist; otherwise that it is not permitted. Calls that are
//! newer than this list do not exist, and another architecture's calls end the
//! process. It is one layer: what the calls that are left may reach is up to
//! the namespaces, and to Landlock in `runner::ground`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::OwnedFd;

use anyhow::Context;
use rustix::fs::{MemfdFlags, memfd_create};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};

mod list;

/// The newest call that was looked at: `removexattrat`, of Linux 6.13. The
/// numbers are the same on all architectures from 424 on.
const NEWEST_KNOWN: u32 = 466;

/// `BPF_LD | BPF_W | BPF_ABS`, `BPF_JMP | BPF_JGT | BPF_K` and `BPF_RET | BPF_K`.
const LOAD: u16 = 0x20;
const JUMP_IF_GREATER: u16 = 0x25;
const RETURN: u16 = 0x06;

/// `SECCOMP_RET_ERRNO`.
const RETURN_ERRNO: u32 = 0x0005_0000;

/// One condition on an argument. The kernel looks at the lower half of those that are here.
type On = (u8, SeccompCmpOp, u64);

/// A call, and the cases in which it is refused: in all where there is none.
type Call = (i64, Vec<Vec<On>>);

/// How many programs the filter is.
pub(super) const N_PROGRAMS: usize = 3;

/// The filter, one program for each answer that a refused call gets. The
/// kernel asks all of them.
pub(super) fn programs() -> anyhow::Result<[BpfProgram; N_PROGRAMS]> {
    let errno = |errno: i32| errno.cast_unsigned();
    let mut absent = program(list::absent(), errno(libc::ENOSYS))?;
    absent.splice(0..0, newer_is_absent());
    Ok([
        absent,
        program(list::forbidden(), errno(libc::EPERM))?,
        program(list::families(), errno(libc::EAFNOSUPPORT))?,
    ])
}

/// The filter as files, for a program that is told their numbers. They stay
/// open in what is started from here.
pub(super) fn files() -> anyhow::Result<Vec<OwnedFd>> {
    programs()?.iter().map(file).collect::<std::io::Result<_>>().context("print the filter")
}

/// Puts this thread, and all that it starts, under the filter.
pub(super) fn apply() -> anyhow::Result<()> {
    for program in programs()? {
        seccompiler::apply_filter(&program).context("filter system calls")?;
    }
    Ok(())
}

fn program(calls: Vec<Call>, errno: u32) -> anyhow::Result<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for (call, cases) in calls {
        let cases = cases.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        rules.entry(call).or_default().extend(cases);
    }
    let arch = std::env::consts::ARCH.try_into().context("filter the calls of this processor")?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), arch)?;
    filter.try_into().context("compile the filter")
}

fn rule(conditions: Vec<On>) -> Result<SeccompRule, seccompiler::BackendError> {
    let conditions = conditions
        .into_iter()
        .map(|(arg, is, value)| SeccompCondition::new(arg, SeccompCmpArgLen::Dword, is, value))
        .collect::<Result<_, _>>()?;
    SeccompRule::new(conditions)
}

/// Says that calls with high numbers do not exist: those that are newer than
/// the list, and those of the x32 variant, which have a bit set.
fn newer_is_absent() -> [sock_filter; 3] {
    let errno = RETURN_ERRNO | libc::ENOSYS.cast_unsigned();
    [
        // The number of the call is the first word of what a filter sees.
        sock_filter { code: LOAD, jt: 0, jf: 0, k: 0 },
        sock_filter { code: JUMP_IF_GREATER, jt: 0, jf: 1, k: NEWEST_KNOWN },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: errno },
    ]
}

fn file(program: &BpfProgram) -> std::io::Result<OwnedFd> {
    let mut bytes = Vec::with_capacity(program.len() * size_of::<sock_filter>());
    for sock_filter { code, jt, jf, k } in program {
        bytes.extend_from_slice(&code.to_ne_bytes());
        bytes.extend_from_slice(&[*jt, *jf]);
        bytes.extend_from_slice(&k.to_ne_bytes());
    }
    let mut file = File::from(memfd_create("filter", MemfdFlags::empty())?);
    file.write_all(&bytes)?;
    file.rewind()?;
    Ok(file.into())
}

#[cfg(test)]
mod tests;
