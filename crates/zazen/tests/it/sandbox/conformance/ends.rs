//! How a run begins, speaks and ends.
//!
//! Every engine does all of it.

use std::fs;

use zazen::sandbox::{
    Access, EndReason, Ev, LINE_BYTES_MAX, Level, Phase, TRUNCATED, Work, observe, say,
};

use crate::sandbox::setup::Machine;

async fn ends_with_codes_and_signals(machine: Machine) {
    let cases =
        [("exit 0", Some(0), None), ("exit 7", Some(7), None), ("kill -9 $$", None, Some(9))];
    for (n, (script, code, signal)) in (1..).zip(cases) {
        let exit = machine.finish(&machine.run(n, script)).await;
        assert_eq!((exit.reason, exit.code, exit.signal), (EndReason::Exited, code, signal));
    }
}

async fn keeps_its_events_numbered_and_ends_with_the_end(machine: Machine) {
    let run = machine.run(1, "echo one; echo two >&2; exit 3");
    let exit = machine.finish(&run).await;
    let events = run.events();
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
    assert!(matches!(events[0].ev, Ev::Ready { .. }));
    assert!(matches!(events[1].ev, Ev::Canary { ok: true, .. }));
    assert!(matches!(events[2].ev, Ev::Started { .. }));
    assert_eq!(exit.last_seq, events.len() as u64 - 1);
    let Ev::Ended { exit: ended } = &events.last().unwrap().ev else { panic!("{events:?}") };
    assert_eq!(**ended, exit);
}

async fn shows_output_while_it_runs(machine: Machine) {
    let run = machine.run(1, "echo first; until [ -e seen ]; do sleep 0.01; done; echo second");
    machine.submit(&run).await;
    run.printed("first").await;
    assert_eq!(observe(&run.dir).unwrap(), Phase::Running);
    fs::write(run.spec.workspace.join("seen"), "").unwrap();
    assert_eq!(run.ended().await.code, Some(0));
    assert_eq!(run.out(), ["first", "second"]);
}

async fn gives_the_prompt_and_the_places(machine: Machine) {
    let mut run = machine.run(1, "cat; echo $HERE $HOME; pwd; echo $ZAZEN_RUN $ZAZEN_TASK; id -u");
    run.spec.env.insert("HERE".to_owned(), "{workspace} {home}".to_owned());
    if let Work::Harness { stdin, .. } = &mut run.spec.work {
        "the prompt\n".clone_into(stdin);
    }
    machine.finish(&run).await;
    let out = run.out();
    assert_eq!(out[0], "the prompt");
    let places: Vec<&str> = out[1].split(' ').collect();
    assert_eq!(places[0], out[2]);
    assert_eq!(places[1], places[2]);
    assert_eq!(out[3], "7.1 task-7");
    assert_ne!(out[4], "0");
}

/// Codex and others wait for ever on an input that stays open.
async fn ends_the_input_after_the_prompt(machine: Machine) {
    let mut run = machine.run(1, "cat; echo over");
    if let Work::Harness { stdin, .. } = &mut run.spec.work {
        "the prompt\n".clone_into(stdin);
    }
    let exit = machine.finish(&run).await;
    assert_eq!((exit.code, run.out()), (Some(0), vec!["the prompt".into(), "over".into()]));
}

async fn says_each_line_once_to_work_that_listens(machine: Machine) {
    let script = "while read -r line; do echo \"heard $line\"; \
                  [ \"$line\" != bye ] || echo 'that is all, bye'; done; echo over";
    let mut run = machine.run(1, script);
    if let Work::Harness { stdin, open_until, .. } = &mut run.spec.work {
        "the prompt\n".clone_into(stdin);
        *open_until = Some("that is all".to_owned());
    }
    machine.submit(&run).await;
    run.printed("heard the prompt").await;
    for (name, line) in [("a", "$(id) `id`; stop 0"), ("a", "$(id) `id`; stop 0"), ("b", "bye")] {
        assert!(say(&run.dir, name, line).unwrap(), "somebody takes it");
    }
    assert_eq!(run.ended().await.code, Some(0));
    let expected =
        ["heard the prompt", "heard $(id) `id`; stop 0", "heard bye", "that is all, bye", "over"];
    assert_eq!(run.out(), expected);
    for (name, line) in [("../a", "x"), ("", "x"), ("d", "two\nlines"), ("e", &"x".repeat(1 << 20))]
    {
        assert!(say(&run.dir, name, line).is_err(), "{name}");
    }
}

async fn runs_a_check(machine: Machine) {
    let mut run = machine.run(1, "");
    run.spec.work = Work::Check { command: "echo checked && false | true".to_owned() };
    let exit = machine.finish(&run).await;
    assert_eq!((exit.code, run.out()), (Some(0), vec!["checked".to_owned()]));
}

async fn cuts_a_line_that_is_too_long(machine: Machine) {
    let run = machine.run(1, "head -c 3000000 /dev/zero | tr '\\0' x; echo; printf 'last\\377'");
    machine.finish(&run).await;
    let out = run.out();
    assert_eq!(out[0].len(), LINE_BYTES_MAX + TRUNCATED.len());
    assert_eq!(out[1..], ["last\u{fffd}"]);
}

async fn can_be_probed(machine: Machine) {
    let probed = machine.probe().await;
    assert!(probed.works, "{probed:?}");
    assert_eq!(probed.isolated, machine.engine.is_isolated(), "{probed:?}");
}

async fn says_what_it_achieved(machine: Machine) {
    let exit = machine.finish(&machine.run(1, "true")).await;
    let achieved = exit.achieved.unwrap();
    let level = if machine.engine.is_isolated() { Level::Isolated } else { Level::None };
    assert_eq!((achieved.files, achieved.network, achieved.processes), (level, level, level));
    assert_eq!(achieved.users, level);
    assert!(achieved.syscall_filter);
    assert_ne!(achieved.uid, 0);
}

async fn says_why_it_cannot_start(machine: Machine) {
    let mut run = machine.run(1, "true");
    if let Work::Harness { argv, .. } = &mut run.spec.work {
        *argv = vec!["no-such-harness".to_owned()];
    }
    let exit = machine.finish(&run).await;
    let EndReason::RunnerFailed { message } = exit.reason else { panic!("{exit:?}") };
    assert!(message.contains("no-such-harness"), "{message}");
}

async fn refuses_to_collect_what_must_not_be_written(machine: Machine) {
    let mut run = machine.run(1, "true").with_repository().await;
    run.spec.access = Access::ReadOnly;
    let err = zazen::sandbox::submit(&machine.zazen, &run.dir, &run.spec).await.unwrap_err();
    assert!(err.to_string().contains("nothing to collect"), "{err}");
    assert_eq!(observe(&run.dir).unwrap(), Phase::Absent);
}

in_every_engine!(
    ends_with_codes_and_signals,
    keeps_its_events_numbered_and_ends_with_the_end,
    shows_output_while_it_runs,
    gives_the_prompt_and_the_places,
    ends_the_input_after_the_prompt,
    says_each_line_once_to_work_that_listens,
    runs_a_check,
    cuts_a_line_that_is_too_long,
    can_be_probed,
    says_what_it_achieved,
    says_why_it_cannot_start,
    refuses_to_collect_what_must_not_be_written,
);
