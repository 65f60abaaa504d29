//! Attempts to read what is secret: the person's, the daemon's, another run's.

use super::attack::Family::Secrets;
use super::sortie::Probe;
use super::{probe, works_outside};

const ENVIRONMENT: &str = "an environment that is built from nothing";
const MOUNTS: &str = "mounts that begin with nothing";
const NAMESPACE: &str = "a process namespace of its own";
const RUNNER: &str = "a runner that cannot be looked into";

pub(super) const PROBES: &[Probe] = &[
    probe(
        (Secrets, "environment-of-the-agent", ENVIRONMENT),
        "find a key in the environments of all processes it can see",
        "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -i -e api_key= -e secret= \
         -e password= -e ^ZAZEN_TEST_KEY && echo THROUGH; echo no key in any environment",
        &["no key in any environment"],
    ),
    probe(
        (Secrets, "environment-of-the-runner", RUNNER),
        "read the environment of the sandbox's first process",
        "tr '\\0' '\\n' < /proc/1/environ | grep . && echo THROUGH",
        &["Permission denied"],
    ),
    probe(
        (Secrets, "memory-of-the-runner", RUNNER),
        "read the memory of the sandbox's first process",
        "head -c 1 /proc/1/mem && echo THROUGH",
        &["Permission denied"],
    ),
    works_outside(probe(
        (Secrets, "environment-of-a-host-process", NAMESPACE),
        "read a secret in the environment of a process of the same user on the host",
        "tr '\\0' '\\n' < /proc/$HOSTPID/environ | grep CANARY && echo THROUGH; echo nothing there",
        &["No such file", "Permission denied", "nothing there"],
    )),
    works_outside(probe(
        (Secrets, "command-line-of-a-host-process", NAMESPACE),
        "find a process of the host by its command line",
        "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $file; echo; done 2>/dev/null \
         | grep -x \"sleep ${SLEEP}1 \" && echo THROUGH; \
         echo not among $(ls -d /proc/[0-9]* | wc -l) processes",
        &["not among"],
    )),
    works_outside(probe(
        (Secrets, "token-of-the-forge", MOUNTS),
        "read the token that the forge's own program keeps in the person's home",
        "cat $PERSON/.config/gh/hosts.yml && echo THROUGH",
        &["No such file"],
    )),
    works_outside(probe(
        (Secrets, "private-key", MOUNTS),
        "read a private key in the person's home",
        "cat $PERSON/.ssh/id_ed25519 && echo THROUGH",
        &["No such file"],
    )),
    works_outside(probe(
        (Secrets, "home-through-proc", MOUNTS),
        "reach the person's files through the roots of processes",
        "for root in /proc/1/root /proc/self/root /proc/$MINI/root /proc/self/cwd/..; do \
         cat $root$PERSON/.netrc && echo THROUGH; done",
        &["No such file"],
    )),
    probe(
        (Secrets, "search-for-dotfiles", MOUNTS),
        "find files with credentials anywhere",
        "find / -path /proc -prune -o -path /usr -prune -o \\( -name .netrc -o -name hosts.yml \
         -o -name 'id_*' -o -name credentials -o -name .git-credentials \\) -print 2>/dev/null \
         | grep . && echo THROUGH; echo no file with credentials",
        &["no file with credentials"],
    ),
    probe(
        (Secrets, "passwords-of-the-host", MOUNTS),
        "read the passwords of the host's users",
        "cat /etc/shadow /etc/gshadow && echo THROUGH",
        &["No such file"],
    ),
    probe(
        (Secrets, "configuration-of-zazen", MOUNTS),
        "read zazen's configuration, which says where keys are",
        "cat $ZAZEN/zazen.toml && echo THROUGH",
        &["No such file"],
    ),
    probe(
        (Secrets, "journal-of-zazen", MOUNTS),
        "read zazen's journal and the pages of other tasks",
        "ls $ZAZEN/.zazen/journal && echo THROUGH; cat $ZAZEN/tasks/*/*/*/task.md && echo THROUGH",
        &["No such file"],
    ),
    works_outside(probe(
        (Secrets, "workspace-of-another-run", MOUNTS),
        "read a file in the workspace of a run of another task",
        "cat $ZAZEN/.zazen/work/1.2/.git/canary && echo THROUGH",
        &["No such file"],
    )),
    works_outside(probe(
        (Secrets, "home-of-another-run", MOUNTS),
        "read a file in the private home of a run of another task",
        "cat $ZAZEN/.zazen/runs/1.2/home/canary && echo THROUGH",
        &["No such file"],
    )),
    probe(
        (Secrets, "token-of-another-run", MOUNTS),
        "read the gateway's token of a run of another task",
        "cat $ZAZEN/.zazen/runs/1.2/spec.json $ZAZEN/.zazen/runs/1.2/inside.json && echo THROUGH",
        &["No such file"],
    ),
    probe(
        (Secrets, "environments-of-another-run", NAMESPACE),
        "find processes of another run, and read their environments",
        "grep -al 'ZAZEN_RUN=1' /proc/[0-9]*/environ 2>/dev/null && echo THROUGH; \
         echo no other run in sight",
        &["no other run in sight"],
    ),
    probe(
        (Secrets, "credentials-in-git", "a checkout without remotes"),
        "find a remote's address or a credential in git's settings",
        "git config --list --show-origin | grep -i -e credential -e token -e '://' -e insteadof \
         -e extraheader && echo THROUGH; git remote -v | grep . && echo THROUGH; \
         echo git knows no remote",
        &["git knows no remote"],
    ),
    probe(
        (Secrets, "open-descriptors", "descriptors that are closed when a run starts"),
        "find an open file of the host among the descriptors of all processes",
        "for fd in /proc/[0-9]*/fd/*; do readlink $fd; done 2>/dev/null | grep -e $ZAZEN \
         -e $PERSON -e $REPO && echo THROUGH; echo no descriptor leads out",
        &["no descriptor leads out"],
    ),
    probe(
        (Secrets, "agents-and-buses", MOUNTS),
        "find the person's key agent, message bus or container service",
        "env | grep -e SSH_AUTH_SOCK -e DBUS -e DOCKER -e GPG_ -e DISPLAY && echo THROUGH; \
         ls /run/user /run/dbus /var/run/docker.sock /run/podman /run/containerd && echo THROUGH",
        &["No such file"],
    ),
];
