use super::*;

fn good() -> Machine {
    Machine {
        bwrap: Some("bubblewrap 0.8.0".to_owned()),
        n_namespaces_max: Some(96_365),
        ..Machine::default()
    }
}

/// What bubblewrap says where it may not make a user namespace.
const REFUSED: &str = "the sandbox did not come to stand (exit status: 1): bwrap: No permissions \
    to create new namespace, likely because the kernel does not allow non-privileged user \
    namespaces.";

fn check(machine: &Machine, message: &str, what: &str, fix: &str) {
    let cause = machine.cause(message);
    assert!(cause.what.contains(what), "{cause:?}");
    assert!(cause.fix.contains(fix), "{cause:?}");
}

#[test]
fn each_cause_is_told_apart_with_what_mends_it() {
    let gone = Machine { bwrap: None, ..good() };
    check(&gone, "find `bwrap`", "not installed", "install the package `bubblewrap`");
    let old = Machine { bwrap: Some("bubblewrap 0.4.1".to_owned()), ..good() };
    check(&old, "bwrap: Unknown option --disable-userns", "0.4.1", "0.8 or newer");
    let closed = Machine { n_namespaces_max: Some(0), ..good() };
    check(&closed, REFUSED, "max_user_namespaces", "sysctl user.max_user_namespaces");
    let debian = Machine { clone_allowed: Some(false), ..good() };
    check(&debian, REFUSED, "only root", "unprivileged_userns_clone=1");
    let ubuntu = Machine { apparmor_restricts: true, ..good() };
    let uid_map = "bwrap: setting up uid map: Permission denied";
    check(&ubuntu, uid_map, "AppArmor", "/etc/apparmor.d/bwrap");
    let docker = Machine { in_container: true, ..good() };
    check(&docker, "bwrap: Can't mount proc on /newroot/proc", "container", "unmask=ALL");
    check(&good(), REFUSED, "refuses a user namespace", "container");
    let full = "bwrap: Creating new namespace failed: nesting depth or \
        /proc/sys/user/max_*_namespaces exceeded (ENOSPC)";
    check(&good(), full, "no user namespaces", "inside of another sandbox");
    check(&good(), "the sandbox's user cannot reach `/srv/x`", "/srv/x", "open the folder");
}

#[test]
fn what_is_not_known_is_shown_as_it_is() {
    let cause = good().cause("something else");
    assert_eq!(cause.what, "something else");
}

#[test]
fn a_version_is_read_and_a_strange_one_is_no_reason() {
    assert_eq!(number("bubblewrap 0.11.0"), Some((0, 11)));
    assert_eq!(number("bubblewrap"), None);
    let strange = Machine { bwrap: Some(String::new()), ..good() };
    assert_eq!(strange.cause("x").what, "x");
}
