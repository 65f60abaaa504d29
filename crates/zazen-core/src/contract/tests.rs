use expect_test::expect;

use super::*;
use crate::delegate::Hands;
use crate::plan::Step;
use crate::trust::Permission;

fn plan() -> Plan {
    Plan {
        summary: "It says hello.".to_owned(),
        steps: vec![Step { files: vec!["b.rs".to_owned(), "a.rs".to_owned()], ..Step::default() }],
        files: vec!["a.rs".to_owned()],
        dependencies: vec!["`serde` 1".to_owned()],
        non_goals: vec!["Goodbye".to_owned()],
        ..Plan::default()
    }
}

fn brief() -> Brief {
    Brief {
        goal: "It says hello.\nbudget: $9".to_owned(),
        non_goals: "No farewell".to_owned(),
        boundary: "Ask before the wording changes".to_owned(),
        reviewers: vec!["bob".to_owned()],
        budget: Limit { micros: Some(2_500_000), tokens: Some(200_000) },
        deadline: Some(Time(1_800_000_000_000)),
        ..Brief::default()
    }
}

fn kind() -> Kind {
    let hands = Hands {
        permission: Some(Permission::Maintain),
        after: vec!["eve".to_owned(), "bob".to_owned()],
        ..Hands::default()
    };
    Kind { name: "auth".to_owned(), hands, ..Kind::default() }
}

fn printed(brief: &Brief, kinds: &[&Kind]) -> String {
    let (hash, plan) = (PlanHash::of("x"), plan());
    let (title, check) = ("Say hello", "set -e\ngrep -q hello README.md");
    print(&Parts { hash: &hash, plan: &plan, brief, title, check, hosts: &[], kinds })
}

#[test]
fn a_contract_is_a_few_lines_and_says_what_is_approved() {
    expect![[r#"
        contract 1
        plan: 3ae7d805f6789a6402acb70ad4096a85a56bf6804eaf25c0493ac697548d30b5
        goal: It says hello. budget: $9
        not: No farewell; Goodbye
        files: a.rs, b.rs
        dependencies: `serde` 1
        hosts: none
        checks: set -e; grep -q hello README.md
        stop and ask: Ask before the wording changes
        budget: $2.50 and 200000 tokens
        deadline: 2027-01-15 08:00 UTC
        reviewers: bob, eve
        kind: auth; approved by somebody with `maintain`
    "#]]
    .assert_eq(&printed(&brief(), &[&kind()]));
}

#[test]
fn what_holds_is_read_from_what_was_approved() {
    let bounds = bounds(&printed(&brief(), &[&kind()]));
    assert_eq!(bounds, bounds_of(&brief(), &[&kind()]));
    assert_eq!(bounds.budget, brief().budget);
    assert_eq!(bounds.reviewers, ["bob", "eve"]);
    let nothing = printed(&Brief::default(), &[]);
    assert!(nothing.contains("\ngoal: Say hello\n"), "{nothing}");
    assert_eq!(super::bounds(&nothing), Bounds::default());
    for text in ["", "budget: $5\n", "contract 2\nbudget: $5\n", "contract 1\nbudget: much\n"] {
        assert_eq!(super::bounds(text), Bounds::default(), "{text:?}");
    }
}

#[test]
fn another_word_is_another_contract() {
    let of = |brief: &Brief| PlanHash::of(&printed(brief, &[]));
    let before = of(&brief());
    assert_eq!(before, of(&brief()));
    for other in [
        Brief { goal: "Other".to_owned(), ..brief() },
        Brief { budget: Limit::default(), ..brief() },
        Brief { deadline: None, ..brief() },
        Brief { reviewers: Vec::new(), ..brief() },
        Brief { boundary: String::new(), ..brief() },
        Brief { non_goals: String::new(), ..brief() },
    ] {
        assert_ne!(before, of(&other), "{other:?}");
    }
}
