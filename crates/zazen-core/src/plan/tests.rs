use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::id::IssueNumber;

/// Shows a plan in its canonical form, which has to be read back as the same.
#[track_caller]
fn check(text: &str, expected: &Expect) {
    let plan = parse(text).unwrap_or_else(|err| panic!("{err}\n\n{text}"));
    let printed = print(&plan);
    expected.assert_eq(&printed);
    assert_eq!(parse(&printed).unwrap(), plan);
}

#[track_caller]
fn check_problems(text: &str, expected: &Expect) {
    expected.assert_eq(&parse(text).unwrap_err().to_string());
}

/// A plan as an agent may well write it.
const OTHER_WORDS: &str = "Sure! Here is the plan.\r
\r
```markdown\r
# Plan: sessions\r
\r
Use sessions for **login**.\r
\r
### Phases:\r
1. Add the table\r
   - with an index\r
2. [x] Use it\r
   ```rust\r
   fn login() {}\r
   ```\r
\r
### Affected files\r
* `src/a.rs` (new)\r
* src/b.rs: the route\r
\r
### New dependencies\r
- `cookie` 0.18, to read cookies\r
\r
### Background\r
Ignored.\r
\r
### Tests\r
```\r
cargo test -p login\r
```\r
\r
### Risks\r
n/a\r
\r
---\r
\r
### Questions\r
1. Which store?\r
   - Postgres\r
   - Redis\r
   **Answer:** Postgres,\r
   as before\r
2. How long?\r
\r
### Out of scope\r
Single sign-on\r
```\r
\r
Tell me what you think!";

/// A plan of which only the given section matters.
fn with(section: &str) -> String {
    let rest = "## Summary\ns\n## Steps\n1. a\n## Validation\n`true`\n";
    let heading = section.lines().next().unwrap_or_default();
    match rest.find(heading) {
        Some(at) => {
            let after = rest[at + 3..].find("## ").map_or("", |end| &rest[at + 3 + end..]);
            format!("{}{section}\n{after}", &rest[..at])
        }
        None => format!("{rest}{section}\n"),
    }
}

fn read(section: &str) -> Plan {
    let plan = parse(&with(section)).unwrap();
    assert_eq!(parse(&print(&plan)).unwrap(), plan);
    plan
}

#[test]
fn the_form_that_agents_are_told_is_a_plan() {
    let plan = parse(format_help()).unwrap();
    assert_eq!(print(&plan), format_help());
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(plan.steps[0].files, ["src/login.rs", "src/session.rs"]);
    assert_eq!(plan.validation.as_deref(), Some("cargo test"));
    assert_eq!(plan.questions[0].answer, None);
    assert!(plan.dependencies.is_empty());
}

#[test]
fn a_plan_in_other_words_is_read() {
    check(
        OTHER_WORDS,
        &expect![[r#"
            # Plan: sessions

            ## Summary

            Use sessions for **login**.

            ## Steps

            - [ ] 1. Add the table
              - with an index
            - [ ] 2. Use it
              ```rust
              fn login() {}
              ```

            ## Files

            - `src/a.rs`
            - `src/b.rs`

            ## Dependencies

            - `cookie` 0.18, to read cookies

            ## Validation

            ```sh
            cargo test -p login
            ```

            ## Risks

            None.

            ## Open questions

            - Which store? - Postgres - Redis
              Answer: Postgres, as before
            - How long?
              Answer:

            ## Non-goals

            - Single sign-on
        "#]],
    );
}

#[test]
fn steps_are_read_however_they_are_marked() {
    let titles = |section: &str| -> Vec<String> {
        read(section).steps.into_iter().map(|step| step.title).collect()
    };
    assert_eq!(titles("## Steps\n- [ ] 1. a\n- [x] 2) b"), ["a", "b"]);
    assert_eq!(titles("## Steps\n* [ ] a\n* [X] b"), ["a", "b"]);
    assert_eq!(titles("## Steps\n1. [ ] a\n2. b"), ["a", "b"]);
    assert_eq!(titles("## Steps\n- a\n  - not b\n- c"), ["a", "c"]);
    assert_eq!(titles("## Steps\n\n 1. a\n  - not b\n 2. c"), ["a", "c"]);
    assert_eq!(titles("## Steps\nFirst:\n1. a\n- not b\n2. c"), ["a", "c"]);
    assert_eq!(titles("## Steps\n### Step 1: a\n- b\n#### Files\nx\n### 2. c"), ["a", "c"]);
    assert_eq!(titles("## Steps\n- [ ] 1. [ ] 2. a"), ["[ ] 2. a"]);
    assert_eq!(titles("## Steps\n- [ ] 1. a\n  ```\n- [ ] 2. not b\n  ```"), ["a"]);
}

#[test]
fn a_step_has_a_body_and_files() {
    let step =
        read("## Steps\n1. a\n\n\tone\n\n\t  two\n\tFiles: `x.rs`, y.rs\n\n").steps.remove(0);
    assert_eq!(step.body, "one\n\n  two");
    assert_eq!(step.files, ["x.rs", "y.rs"]);
}

#[test]
fn what_is_none_is_left_out() {
    for none in ["None", "none.", "- n/a", "-", "* None", "No new dependencies.", "_None_", "—", ""]
    {
        assert_eq!(read(&format!("## Dependencies\n{none}")).dependencies, [""; 0], "{none}");
    }
    assert_eq!(read("## Risks\n- None of it is tested").risks, ["None of it is tested"]);
}

#[test]
fn the_validation_is_one_command() {
    let command = |section: &str| read(section).validation.unwrap();
    assert_eq!(command("## Validation\n`cargo test`"), "cargo test");
    assert_eq!(command("## Validation\ncargo test"), "cargo test");
    assert_eq!(command("## Validation\nRun `cargo test` twice."), "cargo test");
    assert_eq!(command("## Validation\n- `a --check`\n- `b`"), "a --check && b");
    assert_eq!(command("## Validation\nRun:\n```sh\na\n  b\n```\n```\nc\n```"), "a\n  b");
    assert_eq!(command("## Validation\n````\na\n```\n````"), "a\n```");
    assert_eq!(command("## Validation\n### Command\n`a`\n## Tests\nWe test it."), "a");
    let text = "## Tests\nWe test it.\n## Summary\ns\n## Steps\n1. a\n## Validation\n`b`";
    assert_eq!(parse(text).unwrap().validation.as_deref(), Some("b"));
}

#[test]
fn the_paths_are_found_in_what_is_written() {
    let files =
        read("## Files\n- `src/a.rs` — new\n  - **src/b.rs**, too\n- New: `c d.rs`\n").files;
    assert_eq!(files, ["src/a.rs", "src/b.rs", "c d.rs"]);
    assert_eq!(read("## Files\n```\na.rs\nb.rs\n```").files, ["a.rs", "b.rs"]);
    assert_eq!(name_of("`serde` 1, for the config"), "serde");
    assert_eq!(name_of("serde: for the config"), "serde");
}

#[test]
fn a_plan_wrapped_in_a_fence_may_hold_fences() {
    let plan = with("## Validation\n```\na\n```\n## Risks\n- r\n");
    for text in [
        format!("Here:\n```markdown\n{plan}```\nand\n```sh\nls\n```\n"),
        format!("````md\n{plan}````"),
        format!("```\n{plan}\n```"),
        format!("~~~ Markdown\n{plan}"),
        format!("Talk.\n```sh\nls\n```\n{plan}"),
    ] {
        let err = parse(&text).err();
        if text.starts_with("~~~") {
            // A wrapper that is cut off still wraps.
            assert_eq!(err, None);
        }
        let plan = parse(&text).unwrap_or_else(|err| panic!("{err}\n{text}"));
        assert_eq!(plan.validation.as_deref(), Some("a"), "{text}");
        assert_eq!(plan.risks, ["r"], "{text}");
    }
}

#[test]
fn a_heading_that_says_plan_is_the_steps_if_nothing_else_is() {
    let text = "# Plan\n1. a\n# Summary\ns\n# Validation\n`true`\n";
    assert_eq!(parse(text).unwrap().steps[0].title, "a");
    assert_eq!(parse(text).unwrap().title, None);
}

#[test]
fn all_problems_are_named_at_once() {
    check_problems(
        "I think we should do it.",
        &expect![[r#"
            there is no `## Steps` section; write each step as `- [ ] 1. title`
            there is no `## Summary` section; say what will be different afterwards
            there is no `## Validation` section; give the one command that checks the work"#]],
    );
    check_problems(
        "## Summary\n\n## Steps\n1. a\n2.\n\u{1b}[31m\n## Steps\n## Validation\nNone\n\
         ## Risks\n```\n",
        &expect![[r#"
            line 1: the `## Summary` section is empty; say what will be different afterwards
            line 5: step 2 has no title
            line 6: there is a control character or a hidden character; take it out
            line 7: there is a second `## Steps` section (the first is in line 3); make one of the two
            line 8: the `## Validation` section is empty; give the one command that checks the work
            line 11: the code fence is never closed; add a line `````"#]],
    );
    let steps: String = (1..=31).map(|i| format!("{i}. step\n")).collect::<Vec<_>>().concat();
    check_problems(
        &with(&format!("## Steps\n{steps}")),
        &expect![
            "line 3: there are 31 steps, and at most 30 are allowed; join those that belong together"
        ],
    );
    check_problems(
        &"x".repeat(PLAN_BYTES_MAX + 1),
        &expect!["the plan has 49153 bytes, and at most 49152 are allowed; make it shorter"],
    );
    let many = parse(&"\u{202e}a\n".repeat(100)).unwrap_err().to_string();
    assert!(many.ends_with("and 83 more"), "{many}");
}

#[test]
fn a_person_may_answer_in_the_text() {
    let text = with("## Open questions\n\n- Which?\n  Answer:\n- Why?\n  A: because\n- What?");
    let text = text.replace("Answer:", "Answer: the first");
    let plan = parse(&text).unwrap();
    let answers: Vec<Option<&str>> = plan.questions.iter().map(|q| q.answer.as_deref()).collect();
    assert_eq!(answers, [Some("the first"), Some("because"), None]);
}

#[test]
fn a_bomb_takes_no_longer_than_its_length() {
    for piece in
        ["a\n", "- ", "- a\n", "> ", "`", "```\n", "# a\n", "1. a\n", "[", "A: b\n", "#", "\t"]
    {
        let bomb = piece.repeat(PLAN_BYTES_MAX / 4 / piece.len());
        let text = format!("## Summary\n{bomb}\n## Steps\n{bomb}\n## Open questions\n- q\n{bomb}");
        assert!(parse(&text).is_err());
    }
}

/// What may stand in a section.
const CONTENT: [&str; 55] = [
    "",
    "text",
    "  text",
    "    text",
    "- item",
    "  - item",
    "* [ ] item",
    "- [ ] 1. title",
    "1. title",
    "2) [x] title",
    "- [ ] [ ] x",
    "- 1. x",
    "1. 2. x",
    "-",
    "None",
    "- none",
    "- no files",
    "```\n- a\n\n  # b\n```",
    "  ```sh\n\tx\n  ```",
    "~~~\n```\n~~~",
    "````\n```\n````",
    "```\nNone\n```",
    "Files: `a`, b",
    "  Files: c d",
    "- Files:",
    "Answer: yes",
    "  A: no",
    "  - **Answer:** maybe",
    "- A: x",
    "**A**: **b**",
    "`code`",
    "- `code`",
    "- `a b` `c`",
    "run `x` now",
    "- `",
    "- **x.rs**,",
    "---",
    "* * *",
    "    # x",
    "  ## Steps",
    "\ttab",
    "- - x",
    "#### sub",
    "none x y z v w",
    "- # x",
    "\u{e9} `",
    "- ```sh `x`",
    "+ a: `b",
    "- > q",
    "###### x",
    "- \u{a0}x",
    "A:",
    "After: nothing",
    "  After: the others",
    "- After:",
];

/// What may stand between sections, or break one.
const BREAKS: [&str; 22] = [
    "# Title",
    "# Plan",
    "## Steps",
    "## Files",
    "## Dependencies",
    "## Tests",
    "## Validation",
    "## Risks",
    "## Open questions",
    "## Non-goals",
    "## Other",
    "##",
    "### Step 1: x",
    "### 2.",
    "## 1. Summary:",
    "```",
    "~~~",
    "```markdown",
    "- ```",
    "1.",
    "After: 1",
    "2. b\nAfter: 1, 2",
];

fn lines_of(pieces: Vec<&'static str>) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..8).prop_map(|lines| lines.join("\n"))
}

fn content() -> impl Strategy<Value = String> {
    lines_of(CONTENT.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(1000)))]

    #[test]
    fn what_is_read_is_printed_and_read_again(
        parts in prop::array::uniform7(content()), heading in "(### Step 1: x\n)?",
    ) {
        let [summary, steps, validation, files, risks, questions, other] = parts;
        let text = format!(
            "# T\n## Summary\nS\n{summary}\n## Steps\n{heading}1. a\n{steps}\n## Validation\n{validation}\n\
             `v`\n## Files\n{files}\n## Risks\n{risks}\n## Open questions\n{questions}\n\
             ## Dependencies\n{other}"
        );
        let plan = parse(&text).map_err(|err| TestCaseError::fail(format!("{err}\n{text}")))?;
        let printed = print(&plan);
        prop_assert_eq!(parse(&printed), Ok(plan.clone()), "{}", printed);
        for n in 1..=u32::try_from(plan.steps.len()).unwrap() {
            let part = part(&plan, n, IssueNumber(7)).unwrap();
            prop_assert_eq!(parse(&print(&part)), Ok(part), "step {} of {}", n, printed);
        }
    }

    #[test]
    fn lines_in_any_order_are_read_stably(
        text in lines_of([CONTENT.as_slice(), BREAKS.as_slice()].concat()),
        end in lines_of(BREAKS.to_vec()),
    ) {
        let text = format!("## Summary\ns\n## Steps\n1. a\n{text}\n## Checks\n`v`\n{end}");
        if let Ok(plan) = parse(&text) {
            prop_assert_eq!(parse(&print(&plan)), Ok(plan));
        }
    }

    #[test]
    fn any_text_can_be_read(text in any::<String>()) {
        if let Err(err) = parse(&text) {
            prop_assert!(!err.to_string().is_empty());
        }
    }
}
