use proptest::prelude::*;

use super::*;
use crate::plan::Question;

fn limit(micros: Option<u64>, tokens: Option<u64>) -> Limit {
    Limit { micros, tokens }
}

#[test]
fn front_matter_above_an_issues_text_is_a_brief() {
    let text = "---\ncheck: cargo test\nnon-goals:\n  - the parser\n  - speed\n\
        reviewer: [bob, '@carol']\nbudget: $2.50, 300k tokens\n\
        deadline: 2027-01-31\nask-first: before the API changes\n---\n\
        It counts twice.\n\nSee below.\n";
    let brief = Brief::parse(text).expect("it is a brief");
    assert_eq!(brief.goal, "It counts twice.\n\nSee below.");
    assert_eq!(brief.non_goals, "the parser\nspeed");
    assert_eq!(brief.check, "cargo test");
    assert_eq!(brief.reviewers, ["bob", "carol"]);
    assert_eq!(brief.budget, limit(Some(2_500_000), Some(300_000)));
    assert_eq!(brief.deadline.expect("a day").utc().to_string(), "2027-02-01 00:00 UTC");
    assert_eq!(brief.boundary, "before the API changes");
    assert!(brief.unreadable.is_empty());
    let brief = Brief::parse("---\ngoal: So.\n---\nMore.\n").expect("it is a brief");
    assert_eq!((brief.goal.as_str(), brief.context.as_str()), ("So.", "More."));
}

#[test]
fn other_texts_are_no_briefs() {
    for text in ["", "Hello.", "---\n", "---\ntitle: x\n---\nHello.", "goal: x", "---\nx\n---\n"] {
        assert_eq!(Brief::parse(text), None, "{text:?}");
    }
}

#[test]
fn a_form_is_a_brief_and_a_printed_one_is_read_as_the_same() {
    let fields = Fields {
        goal: "It counts once.",
        check: "cargo test",
        budget: "$5",
        deadline: "2027-01-31 18:00",
        reviewers: "bob",
        boundary: "before the API changes",
        ..Fields::default()
    };
    assert_eq!(fields.check(), Ok(()));
    let brief = Brief::parse(&print(&fields)).expect("it is a brief");
    assert_eq!((brief.goal.as_str(), brief.check.as_str()), ("It counts once.", "cargo test"));
    assert_eq!(brief.budget, limit(Some(5_000_000), None));
    assert_eq!(brief.deadline.expect("a moment").utc().to_string(), "2027-01-31 18:00 UTC");
    assert_eq!(brief.boundary, "before the API changes");
    assert_eq!((brief.non_goals.as_str(), brief.context.as_str()), ("", ""));
    let bad = Fields { budget: "much", ..fields };
    assert!(bad.check().unwrap_err().contains("`much` is no budget"));
    let bad = Fields { deadline: "soon", ..fields };
    assert!(bad.check().unwrap_err().contains("`soon` is no deadline"));
}

#[test]
fn a_budget_is_read_as_people_write_it() {
    for (text, expected) in [
        ("", Some(limit(None, None))),
        ("$5", Some(limit(Some(5_000_000), None))),
        ("5", Some(limit(Some(5_000_000), None))),
        ("US$ 0.50", Some(limit(Some(500_000), None))),
        ("2.5 USD", Some(limit(Some(2_500_000), None))),
        ("1,000 dollars", Some(limit(Some(1_000_000_000), None))),
        ("200k tokens", Some(limit(None, Some(200_000)))),
        ("1.5M tokens", Some(limit(None, Some(1_500_000)))),
        ("2 million tokens", Some(limit(None, Some(2_000_000)))),
        ("$3 and 90,000 tokens", Some(limit(Some(3_000_000), Some(90_000)))),
        ("much", None),
        ("$5 and $6", None),
        ("$0", None),
        ("-5", None),
        ("$0.0000001", None),
        ("99999999999999999999", None),
        ("1.5 tokens", None),
        ("5 EUR", None),
    ] {
        assert_eq!(money::parse(text), expected, "{text:?}");
    }
}

#[test]
fn a_deadline_is_a_day_of_the_calendar() {
    let read = |text: &str| moment::parse(text).map(|at| at.map(|at| at.utc().to_string()));
    assert_eq!(read("2027-12-31"), Ok(Some("2028-01-01 00:00 UTC".to_owned())));
    assert_eq!(read("2028-02-29 07:05"), Ok(Some("2028-02-29 07:05 UTC".to_owned())));
    assert_eq!(read("2028-02-29T07:05:59Z"), Ok(Some("2028-02-29 07:05 UTC".to_owned())));
    assert_eq!(read(" `2000-03-01 00:00 UTC` "), Ok(Some("2000-03-01 00:00 UTC".to_owned())));
    assert_eq!(read("9998-12-30 23:59"), Ok(Some("9998-12-30 23:59 UTC".to_owned())));
    assert_eq!(read(""), Ok(None));
    for text in ["soon", "2027-02-29", "2027-13-01", "2027-1-1", "2027-01-01 24:00", "1969-12-31"] {
        assert_eq!(read(text), Err(()), "{text}");
    }
}

fn plan_that_asks(questions: &[&str]) -> Plan {
    let question = |text: &&str| Question { text: (*text).to_owned(), answer: None };
    Plan { questions: questions.iter().map(question).collect(), ..Plan::default() }
}

#[test]
fn what_a_brief_does_not_say_has_to_be_asked() {
    let brief = Brief { unreadable: vec![Part::Budget], ..Brief::default() };
    assert_eq!(brief.missing("cargo test"), [Part::Goal, Part::Budget]);
    let missing = brief.missing("");
    assert_eq!(missing, [Part::Goal, Part::Check, Part::Budget]);
    let none = unasked(&plan_that_asks(&["What is the goal?"]), &missing);
    assert_eq!(none.len(), 3, "{none:?}");
    assert!(none[1].text.contains("begins with `Validation command:`"), "{none:?}");
    let asked = ["**Goal:** what is it? I would say hello.", "validation command: `true`?"];
    let left = unasked(&plan_that_asks(&asked), &missing);
    assert_eq!(left.len(), 1, "{left:?}");
    let whole = Brief { goal: "x".to_owned(), check: "true".to_owned(), ..Brief::default() };
    assert_eq!(whole.missing(""), []);
}

proptest! {
    #[test]
    fn nothing_that_somebody_writes_breaks_the_reading(
        text in "(---\n)?(.|\n){0,200}(\n---)?(.|\n){0,80}",
    ) {
        if let Some(brief) = Brief::parse(&text) {
            let _missing = brief.missing("");
        }
        let _limit = money::parse(&text);
        let _moment = moment::parse(&text);
    }

    #[test]
    fn a_limit_that_is_printed_is_read_as_the_same(
        micros in prop::option::of(1_u64..1_000_000_000_000),
        tokens in prop::option::of(1_u64..u64::MAX),
    ) {
        let limit = limit(micros, tokens);
        prop_assert_eq!(money::parse(&money::print(limit)), Some(limit));
    }

    #[test]
    fn a_moment_that_is_printed_is_read_as_the_same(minute in 0_u64..4_222_000_000) {
        let at = Time(minute * 60_000);
        prop_assert_eq!(moment::parse(&at.utc().to_string()), Ok(Some(at)));
    }
}
