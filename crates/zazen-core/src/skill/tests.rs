use expect_test::{Expect, expect};

use super::{Choice, SkillName, parse};

/// What a page in the folder `release` says, or what is wrong with it.
fn check(text: &str, expected: &Expect) {
    let said = match parse("release", text) {
        Ok(skill) => format!("{}: {}", skill.name, skill.description),
        Err(err) => err.to_string(),
    };
    expected.assert_eq(&said);
}

#[test]
fn a_skill_has_a_name_and_a_description() {
    check(
        "---\nname: release\ndescription: How to cut a release. Use it for tags.\n---\n# Release\n",
        &expect!["release: How to cut a release. Use it for tags."],
    );
}

#[test]
fn what_others_write_into_front_matter_is_passed_over() {
    check(
        "---\nname: \"release\"\nlicense: MIT\nmetadata:\n  author: ada\n\
         allowed-tools: Bash(git:*) Read\ndescription: 'Cut it.'\n---\n",
        &expect!["release: Cut it."],
    );
}

#[test]
fn a_description_of_several_lines_is_one() {
    let all = "release: How to cut a release. Use it for tags.";
    for written in [
        ">\n  How to cut a release.\n  Use it for tags.",
        ">-\n  How to cut a release.\n\n  Use it for tags.",
        "|\n  How to cut a release.\n  Use it for tags.",
        "How to cut a\n  release. Use it for tags.",
        "\n  How to cut a release.\n  Use it for tags.",
    ] {
        let text = format!("---\ndescription: {written}\nname: release\n---\n");
        let skill = parse("release", &text).unwrap();
        assert_eq!(format!("{}: {}", skill.name, skill.description), all, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_what_would_be_right() {
    check(
        "# Release\n",
        &expect![[
            r#"line 1: there is no `name`; a skill begins with front matter: a line `---`, then `name: release` and `description: what it teaches, and when to use it`, then a line `---`"#
        ]],
    );
    check(
        "---\nname: release\n---\n",
        &expect![[
            r#"line 1: there is no `description`; a skill begins with front matter: a line `---`, then `name: release` and `description: what it teaches, and when to use it`, then a line `---`"#
        ]],
    );
    check(
        "---\n# ours\nname: Release_1\ndescription: x\n---\n",
        &expect![[
            r#"line 3: `Release_1` is not the name of a skill: small letters, digits and single hyphens between them, at most 64"#
        ]],
    );
    check(
        "---\ndescription: x\nname: deploy\n---\n",
        &expect!["line 3: `name` is `deploy`, and the folder is called `release`; name both alike"],
    );
    check(
        "---\nname: release\ndescription:\n---\n",
        &expect!["line 3: `description` is empty; say what the skill teaches, and when to use it"],
    );
    check(
        &format!("---\nname: release\ndescription: {}\n---\n", "x".repeat(1025)),
        &expect![[
            r#"line 3: `description` has 1025 characters; 1024 is the most, as every agent reads it; move the rest below the front matter"#
        ]],
    );
    check(
        "---\nname: release\n",
        &expect!["line 1: the front matter that begins here has no end; add a line `---`"],
    );
}

#[test]
fn escapes_in_a_description_do_nothing() {
    let text = "---\nname: release\ndescription: a\u{1b}[31m\u{202e}b\n---\n";
    let skill = parse("release", text).unwrap();
    assert!(!skill.description.contains(['\u{1b}', '\u{202e}']), "{skill:?}");
}

#[test]
fn a_name_is_a_folder_below_and_nothing_else() {
    for good in ["a", "a1", "pdf-tools", &"x".repeat(64)] {
        assert_eq!(good.parse::<SkillName>().unwrap().as_str(), good);
    }
    let long = "x".repeat(65);
    for bad in ["", "-a", "a-", "a--b", "A", "a_b", "a/b", "..", "a.b", "a b", "ä", long.as_str()]
    {
        assert!(bad.parse::<SkillName>().is_err(), "{bad}");
    }
}

#[test]
fn a_repository_takes_all_skills_or_those_that_it_names() {
    let name = |text: &str| text.parse::<SkillName>().unwrap();
    assert!(Choice::All.takes(&name("release")));
    let only = Choice::Only([name("release")].into());
    assert!(only.takes(&name("release")));
    assert!(!only.takes(&name("deploy")));
    assert!(!Choice::Only([].into()).takes(&name("release")));
}
