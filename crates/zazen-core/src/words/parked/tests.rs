use std::fmt::Write as _;

use expect_test::expect;

use super::*;

#[test]
fn every_wait_says_why_until_when_how_that_is_known_and_what_a_person_can_do() {
    let until = Some(Time(1_796_133_900_000));
    let pauses = [
        Pause { why: Why::Quota, until, known: Known::Reported, resumes: true },
        Pause { why: Why::Quota, until, known: Known::Approximate, resumes: true },
        Pause { why: Why::Overloaded, until, known: Known::Tried, resumes: true },
        Pause { why: Why::DayBudget, until, known: Known::Calendar, resumes: true },
        Pause { why: Why::MonthBudget, until, known: Known::Calendar, resumes: false },
        Pause { why: Why::Reserve, until: None, known: Known::Tried, resumes: false },
    ];
    let mut text = String::new();
    for (pause, n) in pauses.iter().zip(1..) {
        writeln!(text, "{}\n  task 3 {}.", note(n, Some(pause), (&[], None)), standing(pause))
            .unwrap();
    }
    writeln!(text, "{}", note(1, None, (&[], None))).unwrap();
    writeln!(text, "{}", note(5, None, (&[], None))).unwrap();
    expect![[r#"
        This waits: the model's service is out of quota. By what it says, it is free again at 2026-12-01 14:05 UTC. It then goes on by itself. Write `/retry` to try at once, or `/stop` to have it wait for you.
          task 3 waits until 2026-12-01 14:05 UTC: the model's service is out of quota.
        This waits: the model's service is out of quota. It is free again at about 2026-12-01 14:05 UTC. It then goes on by itself. Write `/retry` to try at once, or `/stop` to have it wait for you. It is wait 2 of this task.
          task 3 waits until 2026-12-01 14:05 UTC, by a text that may be wrong: the model's service is out of quota.
        This waits: the model's service is too busy, and nobody says until when. It is tried again at 2026-12-01 14:05 UTC. Write `/retry` to try at once, or `/stop` to have it wait for you. It is wait 3 of this task.
          task 3 waits until 2026-12-01 14:05 UTC, when it is tried again: the model's service is too busy.
        This waits: the budget of this day is used up. It is free again at 2026-12-01 14:05 UTC. It then goes on by itself. Write `/retry` to try at once, or `/stop` to have it wait for you. It is wait 4 of this task.
          task 3 waits until 2026-12-01 14:05 UTC: the budget of this day is used up.
        This waits: the budget of this month is used up. It is free again at 2026-12-01 14:05 UTC. Write `/retry` when it is to go on. It is wait 5 of this task.
          task 3 waits for `/retry`: the budget of this month is used up.
        This waits: what is left of the model's quota is kept for later. Write `/retry` when it is to go on. It is wait 6 of this task.
          task 3 waits for `/retry`: what is left of the model's quota is kept for later.
        This had to wait 1 time for the model. It does not wait any more.
        This had to wait 5 times for the model. It does not wait any more.
    "#]].assert_eq(&text);
}

#[test]
fn who_is_passed_over_is_named_with_why_and_until_when_and_who_takes_over() {
    let until = Some(Time(1_796_133_900_000));
    let passed = |agent: &str, why, until, known| Passed {
        agent: agent.parse().unwrap(),
        why,
        until,
        known,
        n: 1,
    };
    let all = [
        passed("deep", Why::Quota, until, Known::Reported),
        passed("quick", Why::Overloaded, until, Known::Tried),
        passed("cheap", Why::Reserve, None, Known::Tried),
        passed("old", Why::Login, None, Known::Tried),
    ];
    let run = "3.2".parse().unwrap();
    let taken = TakenOver { by: "spare".parse().unwrap(), run };
    let pause = Pause { why: Why::Quota, until, known: Known::Reported, resumes: true };
    let mut text = String::new();
    for (n, pause, passed, taken) in [
        (0, None, &all[..1], Some(&taken)),
        (2, None, &all[..], Some(&taken)),
        (1, Some(&pause), &all[..2], None),
        (0, None, &[][..], None),
    ] {
        writeln!(text, "{}", note(n, pause, (passed, taken))).unwrap();
    }
    let solo = passed("default", Why::Quota, until, Known::Reported);
    writeln!(text, "{}", note(1, Some(&pause), (&[solo], None))).unwrap();
    expect![[r#"
        `deep` is out of quota until 2026-12-01 14:05 UTC. `spare` goes on in its place, with the work so far.
        This had to wait 2 times for the model. `deep` is out of quota until 2026-12-01 14:05 UTC; `quick` has a service that is too busy, and is tried again at 2026-12-01 14:05 UTC; `cheap` is kept for later, and nobody says until when; `old` has no login that its service takes. `spare` goes on in their place, with the work so far.
        This waits: the model's service is out of quota. By what it says, it is free again at 2026-12-01 14:05 UTC. No agent may act: `deep` is out of quota until 2026-12-01 14:05 UTC; `quick` has a service that is too busy, and is tried again at 2026-12-01 14:05 UTC. It then goes on by itself. Write `/retry` to try at once, or `/stop` to have it wait for you.
        Another agent went on with this for a while. Its own agent is back.
        This waits: the model's service is out of quota. By what it says, it is free again at 2026-12-01 14:05 UTC. It then goes on by itself. Write `/retry` to try at once, or `/stop` to have it wait for you.
    "#]].assert_eq(&text);
}
