use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect;

use super::{Role, Roles, Roster};
use crate::id::{AgentName, RepoName};
use crate::task::Phase;

fn name(text: &str) -> AgentName {
    text.parse().unwrap()
}

fn repo(text: &str) -> RepoName {
    text.parse().unwrap()
}

fn roles(lists: &[(Role, &[&str])]) -> Roles {
    let mut roles = Roles::default();
    for (role, names) in lists {
        roles.set(*role, names.iter().map(|text| name(text)).collect());
    }
    roles
}

fn table(roster: &Roster, repos: &[&str]) -> String {
    let mut out = String::new();
    for text in repos {
        writeln!(out, "{text}").unwrap();
        for role in Role::ALL {
            let agents = roster.agents(&repo(text), role);
            let agents: Vec<&str> = agents.iter().map(AgentName::as_str).collect();
            writeln!(out, "    {role}: {}", agents.join(", ")).unwrap();
        }
    }
    out
}

#[test]
fn a_role_has_its_own_list_or_that_of_its_repository_or_the_default() {
    let everywhere = roles(&[
        (Role::Plan, &["deep"]),
        (Role::Implement, &["default", "deep"]),
        (Role::Ask, &["cheap"]),
    ]);
    let engine = roles(&[(Role::Implement, &["local"]), (Role::Ask, &["deep", "cheap"])]);
    let site = roles(&[(Role::Correct, &["cheap"])]);
    let repos = BTreeMap::from([(repo("ada/engine"), engine), (repo("ada/site"), site)]);
    let roster = Roster::new(everywhere, repos);
    expect![[r#"
        ada/engine
            plan: deep
            implement: local
            correct: local
            review: default
            ask: deep, cheap
        ada/site
            plan: deep
            implement: default, deep
            correct: cheap
            review: default
            ask: cheap
        ada/tally
            plan: deep
            implement: default, deep
            correct: default, deep
            review: default
            ask: cheap
    "#]]
    .assert_eq(&table(&roster, &["ada/engine", "ada/site", "ada/tally"]));
}

#[test]
fn every_phase_but_the_checks_has_a_role() {
    assert_eq!(Role::of(Phase::Implement { step: 3 }), Some(Role::Implement));
    assert_eq!(Role::of(Phase::Verify), None);
    assert_eq!(Roster::SOLO, Roster::default());
}

#[test]
fn every_agent_that_may_act_somewhere_is_used() {
    let everywhere =
        Role::ALL.map(|role| (role, &["a", "b"] as &[&str])).into_iter().collect::<Vec<_>>();
    let of_repo = roles(&[(Role::Ask, &["c"])]);
    let (known, gone) = (repo("ada/tally"), repo("ada/gone"));
    let repos = BTreeMap::from([(known.clone(), of_repo.clone()), (gone, of_repo)]);
    let roster = Roster::new(roles(&everywhere), repos);
    let used = |repos: &[&RepoName]| {
        roster.used(repos.iter().copied()).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(used(&[&known]), ["a", "b", "c"]);
    assert_eq!(used(&[]), ["a", "b"]);
    assert_eq!(Roster::SOLO.used([&known]).len(), 1);
}

#[test]
fn a_name_is_plain() {
    for text in ["default", "deep-2", "o3_high", "4"] {
        assert_eq!(name(text).to_string(), text);
    }
    for text in ["", "Deep", "a b", "-a", "../a", "ä", &"a".repeat(41)] {
        assert!(text.parse::<AgentName>().is_err(), "{text:?}");
    }
}
