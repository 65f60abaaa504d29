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

/// A file with the line of the form's first finding at its place, and none of the other's.
fn sum_rs() -> String {
    format!("{}    let sum: u32 = values.iter().sum();\n", "// a line\n".repeat(11))
}

#[test]
fn a_quoted_line_is_looked_up_and_what_quotes_nothing_that_is_there_is_left_out() {
    let mut review = parse(format_help()).unwrap();
    let text = sum_rs();
    let file = |path: &str| Some(if path == "src/sum.rs" { text.as_str() } else { "# Tally\n" });
    let unfounded = review.check(Quotes::Needed, file);
    assert_eq!(unfounded, Unfounded { n_dropped: 1, ..Unfounded::default() });
    assert_eq!(review.findings.len(), 1);
    assert_eq!(review.findings[0].place.as_ref().unwrap().to_string(), "src/sum.rs:12");
    assert!(review.findings[0].suggestion.is_some());
}

#[test]
fn a_finding_goes_to_the_line_that_it_quotes() {
    let mut review = parse(format_help()).unwrap();
    let text = format!("\n\n\n{}", sum_rs());
    let unfounded = review.check(Quotes::Needed, |_| Some(&text));
    assert_eq!(unfounded.n_moved, 1);
    assert_eq!(review.findings[0].place.as_ref().unwrap().to_string(), "src/sum.rs:15");
}

#[test]
fn a_place_that_is_not_there_or_not_quoted_is_taken_away_with_its_suggestion() {
    let text = sum_rs();
    for (quotes, line, said) in [
        (Quotes::Welcome, 13, "(The agent named src/sum.rs:13, which is not there.)"),
        (Quotes::Needed, 13, "(The agent named src/sum.rs:13, which is not there.)"),
        (Quotes::Needed, 12, "(The agent named src/sum.rs:12, and did not quote that line.)"),
    ] {
        let form = format_help().replace("> let sum: u32 = values.iter().sum();", "");
        let mut review = parse(&form).unwrap();
        review.findings[0].place.as_mut().unwrap().line = line;
        let unfounded = review.check(quotes, |path| Some(&*text).filter(|_| path != "README.md"));
        assert_eq!(unfounded, Unfounded { n_unplaced: 1, n_dropped: 1, ..Unfounded::default() });
        let finding = &review.findings[0];
        assert_eq!((&finding.place, &finding.suggestion), (&None, &None));
        assert!(finding.why.ends_with(said), "{}", finding.why);
    }
}

#[test]
fn a_quotation_may_be_code_or_a_part_of_the_line_and_is_not_taken_for_any_line() {
    let read = |quote: &str| {
        let form = format!("## Findings\n### low: a.rs:1 title\n\n{quote}\nwhy\n");
        let mut review = parse(&form).unwrap();
        let text = "fn one() {}\n\nfn two(values: &[u32]) -> u32 {\n";
        review.check(Quotes::Needed, |_| Some(text));
        review.findings.first().map(|f| (f.place.as_ref().unwrap().line, f.why.clone()))
    };
    let at = |line| Some((line, "why".to_owned()));
    assert_eq!(read("> `fn one() {}`"), at(1));
    assert_eq!(read("> fn  two(values: &[u32])"), at(3));
    assert_eq!(read(">fn two(values: ..."), at(3));
    assert_eq!(read("> fn two"), None);
    assert_eq!(read("> fn three() {}"), None);
}

#[test]
fn what_blocks_is_high_and_medium_where_the_owner_says_so() {
    let form = "## Findings\n### high: a\n### medium: b\n### medium: c\n### low: d\n";
    let review = parse(form).unwrap();
    assert_eq!(review.n_blocking(Blocks::High), 1);
    assert_eq!(review.n_blocking(Blocks::Medium), 3);
}

fn found(findings: &[&str]) -> Review {
    let form: Vec<String> = findings.iter().map(|title| format!("### high: {title}\n")).collect();
    let form = form.concat();
    parse(&format!("## Findings\nNone\n{form}")).unwrap()
}

fn progress(earlier: &[&str], later: &[&str]) -> (usize, usize, usize, bool) {
    let progress = Progress::new(&found(earlier), &found(later));
    let Progress { fixed, still, new } = &progress;
    (fixed.len(), still.len(), new.len(), progress.converges())
}

#[test]
fn two_reviews_are_compared_by_file_and_words_and_not_by_line() {
    let first = ["`a.rs:3` the sum overflows for long lists", "`b.rs:1` no test for empty input"];
    assert_eq!(progress(&first, &[]), (2, 0, 0, true));
    assert_eq!(
        progress(&first, &["a.rs:90 The sum still overflows for long lists."]),
        (1, 1, 0, true)
    );
    assert_eq!(progress(&first, &first), (0, 2, 0, false));
    assert_eq!(
        progress(&first[..1], &["c.rs:3 the sum overflows for long lists"]),
        (1, 0, 1, false)
    );
    assert_eq!(progress(&first[..1], &["the sum overflows for long lists"]), (0, 1, 0, false));
    assert_eq!(progress(&first[..1], &["a.rs:3 a name"]), (1, 0, 1, false));
}

#[test]
fn a_correction_that_takes_back_another_is_seen() {
    let diff = |path: &str, removed: &str, added: &str| {
        format!(
            "diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,2 +1,2 @@\n \
             fn a() {{\n-{removed}\n+{added}\n"
        )
    };
    let there = diff("src/a.rs", "    x + 1", "    x + 2");
    let back = diff("src/a.rs", "    x + 2", "    x + 1");
    assert!(undoes(&there, &back));
    assert!(!undoes(&there, &there));
    assert!(!undoes(&there, &diff("src/b.rs", "    x + 2", "    x + 1")));
    assert!(!undoes(&there, &diff("src/a.rs", "    x + 2", "    x + 3")));
    assert!(!undoes("", "") && !undoes(&there, ""));
    assert!(!undoes(&diff("a", "}", "{"), &diff("a", "{", "}")));
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
