//! What git says, and what it is taken to mean.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use super::*;

fn fault(stderr: &str) -> Fault {
    let status = ExitStatus::from_raw(128 << 8);
    let stderr = stderr.as_bytes().to_vec();
    Fault::of(&Output { status, stdout: Vec::new(), stderr, truncated: false })
}

#[test]
fn what_git_says_is_told_apart() {
    for (text, expected) in [
        (
            "remote: Invalid username or token.\n\
             fatal: Authentication failed for 'https://github.com/a/b.git/'",
            Fault::Unauthorized,
        ),
        (
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
            Fault::Unauthorized,
        ),
        ("git@github.com: Permission denied (publickey).", Fault::Unauthorized),
        (
            "remote: Write access to repository not granted.\nfatal: unable to access \
             'https://github.com/a/b/': The requested URL returned error: 403",
            Fault::Denied,
        ),
        (
            "remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found",
            Fault::NotFound,
        ),
        ("fatal: couldn't find remote ref refs/pull/9/head", Fault::NotFound),
        ("fatal: unable to access 'x': Could not resolve host: github.com", Fault::Unreachable),
        ("fatal: unable to access 'x': The requested URL returned error: 502", Fault::Unreachable),
        ("error: index-pack died of signal 25", Fault::TooLarge),
        ("fatal: fsck error in packed object", Fault::Broken),
        ("", Fault::Unreachable),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn what_a_remote_says_decides_nothing() {
    let text = "remote: fatal: Authentication failed for 'x'\nremote: fsck error\nfatal: the end";
    assert_eq!(fault(text), Fault::Unreachable);
}
