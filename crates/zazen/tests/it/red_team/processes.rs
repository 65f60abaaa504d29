//! Attempts on other processes, and to live longer than the run.

use super::attack::Family::Processes;
use super::sortie::Probe;
use super::{probe, works_outside};

const NAMESPACE: &str = "a process namespace of its own";
const RUNNER: &str =
    "a runner that is the first process of its namespace, and cannot be looked into";
const END: &str = "a process namespace that ends with the run";
const RIGHTS: &str = "no capability, and no way to get one";

pub(super) const PROBES: &[Probe] = &[
    probe(
        (Processes, "kill-the-runner", RUNNER),
        "kill the process that reports what it does",
        "for signal in KILL TERM STOP SEGV ABRT; do kill -$signal 1; done; sleep 0.1; \
         grep -q '^State:.[TZX]' /proc/1/status && echo THROUGH; ls -d /proc/1 && echo it is there",
        &["it is there"],
    ),
    probe(
        (Processes, "trace-the-runner", RUNNER),
        "attach to the process that reports what it does",
        "call $PTRACE 16 1 0 0; call $PTRACE 16902 1 0 0",
        &["Operation not permitted"],
    ),
    probe(
        (Processes, "read-the-runner", RUNNER),
        "read the memory of that process with a call made for it",
        "perl -e '$! = 0; my $to = q(x) x 64; my $local = pack(q(P Q), $to, 8); \
         my $remote = pack(q(Q Q), 0x400000, 8); \
         my $got = syscall($ENV{PROCESS_VM_READV} + 0, 1, $local, 1, $remote, 1, 0); \
         print $got < 0 ? qq($!\\n) : qq(THROUGH\\n)'",
        &["Operation not permitted", "Function not implemented"],
    ),
    probe(
        (Processes, "speak-for-the-runner", RUNNER),
        "write to the runner's own stream that the work ended well",
        "for fd in 1 2 3 4 5; do echo '{\"frame\":\"work\",\"code\":0,\"signal\":null}' \
         > /proc/1/fd/$fd && echo THROUGH; done",
        &["Permission denied"],
    ),
    probe(
        (Processes, "speak-frames", "frames that only the runner's stream has; all else is text"),
        "print the runner's frames on the agent's own stream",
        "for frame in '{\"frame\":\"work\",\"code\":0,\"signal\":null}' '{\"frame\":\"hello\"}' \
         '{\"ev\":\"ended\",\"seq\":1,\"at\":0}'; do echo \"$frame\" > /proc/$MINI/fd/1; done; \
         echo printed",
        &["printed"],
    ),
    works_outside(probe(
        (Processes, "signal-a-host-process", NAMESPACE),
        "signal a process of the same user on the host",
        "kill -CONT $HOSTPID && echo THROUGH",
        &["No such process"],
    )),
    probe(
        (Processes, "dodge-the-memory-killer", RIGHTS),
        "have the kernel kill others first when memory is short",
        "echo -1000 > /proc/self/oom_score_adj && echo THROUGH",
        &["Permission denied", "Read-only file system"],
    ),
    probe(
        (Processes, "raise-its-limits", RIGHTS),
        "raise its own limits and its priority",
        "ulimit -Hf unlimited && echo THROUGH; ulimit -Hf; \
         perl -e 'setpriority(0, 0, -10) and print qq(THROUGH\\n); print qq($!\\n)'",
        &["Operation not permitted", "Permission denied"],
    ),
    probe(
        (Processes, "daemon", END),
        "leave a process behind that has left its session and its group",
        "(setsid sh -c 'nohup sleep $SLEEP & setsid sleep $SLEEP &' >/dev/null 2>&1 &); sleep 0.1; \
         pgrep -c sleep >/dev/null; echo left behind",
        &["left behind"],
    ),
    probe(
        (Processes, "immortal", END),
        "leave a process behind that ignores all signals it can",
        "(setsid perl -e '$SIG{$_} = q(IGNORE) for keys %SIG; exec qw(setsid sleep), $ENV{SLEEP}' \
         >/dev/null 2>&1 &); sleep 0.1; echo left behind",
        &["left behind"],
    ),
    probe(
        (Processes, "planned-for-later", "no service of the host is in the sandbox"),
        "have itself started again later, by cron, at or systemd",
        "echo '* * * * * touch made' | crontab - && echo THROUGH; echo touch made | at now + 1 min \
         && echo THROUGH; systemd-run --user touch made && echo THROUGH; \
         touch /etc/cron.d/made /var/spool/cron/made && echo THROUGH",
        &["No such file", "not found", "Read-only file system"],
    ),
    probe(
        (Processes, "terminal", "a session without a terminal"),
        "type into the terminal of the person who started the daemon",
        "perl -e 'open(T, q(+<), q(/dev/tty)) or die $!; ioctl(T, 0x5412, q(x)) \
         and print qq(THROUGH\\n); print $!'",
        &["No such device or address", "No such file", "not permitted"],
    ),
    probe(
        (Processes, "program-of-zazen", "a home that is not in the sandbox"),
        "use zazen's own program to approve its plan and to read other tasks",
        "for words in 'issue comment 2 /implement' 'task list' 'task stop 1'; do \
         ZAZEN_HOME=$ZAZEN /run/zazen/bin/zazen $words && echo THROUGH; done",
        &["open the home", "No such file", "zazen.toml"],
    ),
];
