//! Who may review what.

use super::*;

fn names(text: &str) -> Vec<AgentName> {
    text.split_whitespace().map(|name| name.parse().unwrap()).collect()
}

/// Whom `authors` leave, of these candidates. Agents are called `HARNESS-MODEL`.
fn who(wanted: Reviewers, candidates: &str, authors: &str) -> String {
    let all = names("claude-opus claude-sonnet claude- codex-gpt codex- mini-opus");
    let made = all.into_iter().map(|name| {
        let (harness, model) = name.as_str().split_once('-').unwrap();
        let made = Made { harness: harness.to_owned(), model: model.to_owned() };
        (name, made)
    });
    let authors = names(authors).into_iter().collect();
    let found = reviewers(wanted, &names(candidates), &authors, &made.collect());
    let found: Vec<&str> = found.iter().map(AgentName::as_str).collect();
    found.join(" ")
}

#[test]
fn a_reviewer_has_another_harness_or_another_model() {
    use Reviewers::WhenAnother as Another;
    assert_eq!(who(Another, "claude-opus codex-gpt", "claude-opus"), "codex-gpt");
    assert_eq!(who(Another, "claude-opus", "claude-opus"), "");
    assert_eq!(who(Another, "claude-sonnet", "claude-opus"), "claude-sonnet");
    assert_eq!(who(Another, "mini-opus", "claude-opus"), "mini-opus");
    assert_eq!(who(Another, "codex-gpt claude-sonnet", "claude-opus codex-gpt"), "claude-sonnet");
}

#[test]
fn a_model_that_is_not_named_may_be_the_same() {
    let found = who(Reviewers::WhenAnother, "claude- codex-gpt", "claude-opus");
    assert_eq!(found, "codex-gpt");
    assert_eq!(who(Reviewers::WhenAnother, "claude-", "claude-"), "");
}

#[test]
fn the_author_reviews_only_where_the_owner_wants_that() {
    assert_eq!(who(Reviewers::Always, "claude-opus", "claude-opus"), "claude-opus");
    assert_eq!(who(Reviewers::Always, "claude-opus codex-gpt", "claude-opus"), "codex-gpt");
    assert_eq!(who(Reviewers::Never, "codex-gpt", "claude-opus"), "");
}

#[test]
fn of_agents_that_are_gone_only_the_name_is_compared() {
    assert_eq!(who(Reviewers::WhenAnother, "codex-gpt", "gone-1"), "codex-gpt");
    assert_eq!(who(Reviewers::WhenAnother, "gone-1", "claude-opus"), "");
}
