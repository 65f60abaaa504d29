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
        writeln!(text, "{}\n  task 3 {}.", note(n, Some(pause)), standing(pause)).unwrap();
    }
    writeln!(text, "{}", note(1, None)).unwrap();
    writeln!(text, "{}", note(5, None)).unwrap();
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
