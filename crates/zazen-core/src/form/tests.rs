//! Forms as GitHub shows them, and texts that only look like one.

use super::*;

const FILLED: &str = "### Goal\n\nThe README says hello.\n\n### How\n\nGently.\n\n### Non-goals\n\n\
    _No response_\n\n### Validation command\n\n`grep -q hello README.md`\n\n### Reviewer\n\n\
    @bob, carol\n\n### Context\n\n```\n### Reviewer\n\nmallory\n```\n";

#[test]
fn the_fields_of_a_form_are_parts_of_the_brief() {
    let form = Form::parse(FILLED).expect("it is a form");
    assert_eq!(form.goal, "The README says hello.\n\n### How\n\nGently.");
    assert_eq!(form.non_goals, "");
    assert_eq!(form.check, "grep -q hello README.md");
    assert_eq!(form.reviewers, ["bob", "carol"]);
    assert_eq!(form.context, "```\n### Reviewer\n\nmallory\n```");
}

#[test]
fn the_carriage_returns_of_a_browser_do_no_harm() {
    assert_eq!(
        Form::parse(&FILLED.replace('\n', "\r\n")).map(|form| form.reviewers.len()),
        Some(2)
    );
}

#[test]
fn other_texts_are_no_forms() {
    for text in ["", "Say hello.", "### Reviewer\n\nmallory", "Hello.\n\n### Goal\n\nx", "## Goal"]
    {
        assert_eq!(Form::parse(text), None, "{text:?}");
    }
}

#[test]
fn a_field_counts_once_and_in_its_place() {
    let text =
        "### Goal\n\nx\n\n### Reviewer\n\nbob\n\n### Non-goals\n\ny\n\n### Reviewer\n\neve\n";
    let form = Form::parse(text).expect("it is a form");
    assert_eq!(form.non_goals, "");
    assert_eq!(form.reviewers[0], "bob");
    assert!(!form.reviewers.contains(&"mallory".to_owned()));
}

#[test]
fn the_form_that_is_shipped_has_these_fields() {
    let shipped = include_str!("../../../../.github/ISSUE_TEMPLATE/zazen.yml");
    let labels: Vec<&str> =
        shipped.lines().filter_map(|line| line.trim().strip_prefix("label: ")).collect();
    assert_eq!(labels, LABELS);
}

#[test]
fn a_form_names_a_few_people_only() {
    let names = (0..50).map(|n| format!("p{n}")).collect::<Vec<_>>().join(" ");
    let form = Form::parse(&format!("### Goal\n\nx\n\n### Reviewer\n\n{names}")).expect("a form");
    assert_eq!(form.reviewers.len(), N_REVIEWERS_MAX);
}
