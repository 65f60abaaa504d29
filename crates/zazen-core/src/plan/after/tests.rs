use crate::plan::{Plan, parse, print};

fn steps(text: &str) -> String {
    format!("## Summary\ns\n## Steps\n{text}\n## Validation\n`true`\n")
}

#[track_caller]
fn read(text: &str) -> Plan {
    let plan = parse(&steps(text)).unwrap_or_else(|err| panic!("{err}\n{text}"));
    assert_eq!(parse(&print(&plan)), Ok(plan.clone()), "{}", print(&plan));
    plan
}

/// What step 3 comes after, with this line in it.
#[track_caller]
fn third(line: &str) -> Vec<u32> {
    read(&format!("1. a\n2. b\n3. c\n   {line}\n")).comes_after(3)
}

#[track_caller]
fn problem(text: &str) -> String {
    parse(&steps(text)).unwrap_err().to_string()
}

#[test]
fn a_step_comes_after_the_one_before_it_unless_it_says_otherwise() {
    let plan = read("1. a\n2. b\n3. c\n  After: 1\n4. d\n  After: nothing\n5. e\n  After: 3, 2");
    let all: Vec<Vec<u32>> = (1..=5).map(|n| plan.comes_after(n)).collect();
    assert_eq!(all, [vec![], vec![1], vec![1], vec![], vec![2, 3]]);
}

#[test]
fn steps_are_named_in_many_ways() {
    for line in
        ["After: 1, 2", "after: 2,1", "After: steps 1 and 2.", "- After: #1 & #2", "After: 2 1 2"]
    {
        assert_eq!(third(line), [1, 2], "{line}");
    }
    assert_eq!(third("After: 1\n   After: step 2"), [1, 2]);
    for line in ["After: nothing", "After: None.", "After:", "After: n/a"] {
        assert_eq!(third(line), [0_u32; 0], "{line}");
    }
}

#[test]
fn a_sentence_that_begins_so_stays_a_sentence() {
    for line in ["After: the migration, run it", "After: nothing else does", "Afterwards: 1"] {
        let plan = read(&format!("1. a\n2. b\n  {line}"));
        assert_eq!(plan.steps[1].body, line);
        assert_eq!(plan.comes_after(2), [1]);
    }
    let code = read("1. a\n2. b\n  ```\n  After: 9\n  ```");
    assert_eq!(code.steps[1].body, "```\nAfter: 9\n```");
}

#[test]
fn a_step_comes_only_after_steps_before_it() {
    assert_eq!(
        problem("1. a\n2. b\n   After: 3\n3. c"),
        "line 6: step 2 cannot come after step 3: name steps before it by their numbers, as in \
         `After: 1, 2`, or write `After: nothing`"
    );
    assert_eq!(
        problem("1. a\n   After: 1\n2. b"),
        "line 5: step 1 cannot come after step 1: the first step comes after nothing; leave that \
         line out"
    );
    for wrong in ["0", "2", "9", "1, 7", "1 (the parser)", "99999999999", "1-2"] {
        let said = problem(&format!("1. a\n2. b\n   After: {wrong}"));
        assert!(said.starts_with("line 6: "), "{wrong}: {said}");
    }
}
