//! How reviews are read.

use expect_test::expect;

use super::*;

#[test]
fn the_form_that_agents_are_told_is_a_review_and_is_printed_as_it_was() {
    let review = parse(format_help()).unwrap();
    assert_eq!(print(&review), format_help());
    assert_eq!(review.findings.len(), 2);
    let first = &review.findings[0];
    assert_eq!(first.place, Some(Place { path: "src/sum.rs".to_owned(), line: 12 }));
    assert!(first.suggestion.as_ref().is_some_and(|text| text.contains("u64::from")));
}

#[test]
fn many_ways_to_write_a_finding_are_read() {
    let review = parse(
        "Here is my review.\n\n## Summary\nFine.\n\n## Findings:\n\
         ### 1. [Minor] ./a.rs:3-5 - a name\n\n```rust\n### high: not this\n```\n\
         #### **CRITICAL** — `b/c.rs#L7`: it breaks\n\
         ### Warning: no single place\nwhy\n\
         ### Then a heading of its own\nmore\n",
    )
    .unwrap();
    expect![[r#"
        ## Summary

        Fine.

        ## Findings

        ### high: `b/c.rs:7` it breaks

        ### medium: no single place

        why
        ### Then a heading of its own
        more

        ### low: `a.rs:3` a name

        ```rust
        ### high: not this
        ```
    "#]]
    .assert_eq(&print(&review));
}

#[test]
fn what_is_no_review_is_named() {
    assert_eq!(parse("LGTM"), Err(ParseError::NoSections));
    assert_eq!(parse("## Findings\n\nIt is all wrong."), Err(ParseError::NoFinding));
    assert_eq!(parse("## Summary\n\nGood.\n\n## Findings\n\nNone.").unwrap().findings, []);
}

#[test]
fn a_place_that_is_not_there_is_taken_away_with_its_suggestion() {
    let mut review = parse(format_help()).unwrap();
    review.place(|place| place.path == "README.md");
    assert_eq!(review.findings[0].place, None);
    assert_eq!(review.findings[0].suggestion, None);
    assert!(
        review.findings[0].why.ends_with("(The agent named src/sum.rs:12, which is not there.)")
    );
    assert!(review.findings[1].place.is_some());
}

#[test]
fn a_path_out_of_the_repository_is_no_place() {
    for text in ["/etc/passwd:1", "../a:1", "a//b:1", "a.rs:0", "a.rs", ":1", "a/../b:2"] {
        assert_eq!(place(text), None, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_can_be_read(
        text in "(## Summary|## Findings|### high: |a.rs:1|```|suggestion|[ a\n`#:~-]){0,40}",
    ) {
        if let Ok(review) = parse(&text) {
            let again = parse(&print(&review)).expect("what was printed can be read");
            proptest::prop_assert_eq!(again.findings.len(), review.findings.len());
        }
    }
}
