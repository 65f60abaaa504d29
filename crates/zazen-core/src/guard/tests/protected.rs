//! Files that are always held.

use super::super::GuardName::Protected;
use super::super::Verdict;
use super::sample::Sample;

#[test]
fn files_of_builds_agents_reviews_and_machines_are_held() {
    for path in [
        ".github/workflows/ci.yml",
        ".github/actions/setup/action.yml",
        "deep/.gitlab-ci.yml",
        ".circleci/config.yml",
        "Jenkinsfile",
        "CODEOWNERS",
        ".github/CODEOWNERS",
        ".github/dependabot.yml",
        "AGENTS.md",
        "web/CLAUDE.md",
        ".claude/settings.json",
        ".github/copilot-instructions.md",
        ".cursor/rules/x.mdc",
        ".gitattributes",
        ".husky/pre-commit",
        "sub/.vscode/tasks.json",
        ".cargo/config.toml",
        ".npmrc",
    ] {
        let sample = Sample::default().change(path, "a\n", "b\n");
        assert_eq!(sample.report().verdict(Protected), Verdict::Hold, "{path}");
        let said = sample.say(Protected);
        assert!(said.starts_with(&format!("hold {path}:1 `{path}` ")), "{said}");
    }
}

#[test]
fn other_files_are_not() {
    for path in [
        "src/workflows/ci.rs",
        "docs/github/workflows.md",
        "githubx/workflows/ci.yml",
        "x.github/workflows/ci.yml",
        "src/agents.rs",
        ".github/ISSUE_TEMPLATE.md",
        "my-codeowners.rs",
        "src/cargo/config.toml",
    ] {
        assert_eq!(Sample::default().add(path, "x\n").say(Protected), "", "{path}");
    }
}

#[test]
fn what_is_removed_or_moved_away_is_held_too() {
    let sample = Sample::default().remove(".github/workflows/ci.yml", "a\n");
    assert!(sample.say(Protected).starts_with("hold "));
    let moved = (".github/workflows/ci.yml", "old/ci.yml");
    let sample = Sample::default().rename(moved, "a\n", "a\n");
    assert!(sample.say(Protected).starts_with("hold old/ci.yml "));
}

#[test]
fn the_plan_does_not_change_that() {
    let sample = Sample::planned(&[".github/workflows/ci.yml"]);
    let sample = sample.change(".github/workflows/ci.yml", "a\n", "b\n");
    assert_eq!(sample.report().verdict(Protected), Verdict::Hold);
}

#[test]
fn the_owners_list_counts() {
    let mut sample = Sample::default().add("db/migrations/0001.sql", "x\n").add("db/x.sql", "x\n");
    assert_eq!(sample.say(Protected), "");
    sample.rules.protected.push("db/migrations/".parse().unwrap());
    assert_eq!(
        sample.say(Protected),
        "hold db/migrations/0001.sql:1 `db/migrations/0001.sql` is on the owner's list of \
         protected files.\n"
    );
}

#[test]
fn an_approval_is_for_what_is_in_the_file() {
    let of = |after: &str| {
        Sample::default().change(".github/workflows/ci.yml", "a\n", after).report().hold()
    };
    assert_eq!(of("b\n"), of("b\n"));
    assert_ne!(of("b\n"), of("c\n"));
    // Only the first lines are quoted; the others are held as well.
    let long = |last: &str| format!("{}{last}", "b\n".repeat(100));
    assert_ne!(of(&long("x\n")), of(&long("y\n")));
}
