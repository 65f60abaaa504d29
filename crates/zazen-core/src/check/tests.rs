//! How outputs are read, compared and cut. The outputs are those of real runners.

use std::fmt::Write as _;

use expect_test::expect;

use super::*;

macro_rules! output {
    ($name:literal) => {
        include_str!(concat!("../../tests/outputs/", $name, ".txt"))
    };
}

fn told(output: &str) -> String {
    let Some(found) = read(output) else { return "nothing".to_owned() };
    let Counts { n_passed, n_failed, n_skipped } = found.counts;
    let all = if found.is_complete { "all named" } else { "not all named" };
    let mut told = format!("{n_passed} passed, {n_failed} failed, {n_skipped} skipped, {all}\n");
    for (name, fate) in &found.tests {
        let flaky = if found.flaky.contains(name) { ", flaky" } else { "" };
        writeln!(told, "{fate:?}{flaky}: {name}").unwrap();
    }
    told
}

#[test]
fn cargo_test_is_read() {
    expect![[r#"
        2 passed, 1 failed, 1 skipped, all named
        Passed: sums (doc) src/lib.rs - add (line 3)
        Passed: sums tests::adds_two
        Skipped: sums tests::is_later
        Failed: sums tests::is_red
    "#]]
    .assert_eq(&told(output!("cargo")));
}

#[test]
fn nextest_is_read_and_not_what_it_captured() {
    expect![[r#"
        1 passed, 1 failed, 0 skipped, all named
        Passed: sums tests::adds_two
        Failed: sums tests::is_red
    "#]]
    .assert_eq(&told(output!("nextest")));
}

#[test]
fn a_test_that_nextest_tried_again_is_flaky() {
    let output = "    Starting 2 tests across 1 binary\n  \
        TRY 1 FAIL [   0.008s] (1/2) sums tests::sometimes\n  \
        TRY 2 PASS [   0.008s] (1/2) sums tests::sometimes\n        \
        PASS [   0.008s] (2/2) sums tests::adds_two\n────────────\n     \
        Summary [   0.186s] 2 tests run: 2 passed (1 flaky), 0 skipped\n   \
        FLAKY 2/3 [   0.008s] (1/2) sums tests::sometimes\n";
    expect![[r#"
        2 passed, 0 failed, 0 skipped, all named
        Passed: sums tests::adds_two
        Passed, flaky: sums tests::sometimes
    "#]]
    .assert_eq(&told(output));
}

#[test]
fn unittest_is_read() {
    expect![[r#"
        1 passed, 2 failed, 1 skipped, not all named
        Failed: tests.test_sum.Sums.test_boom
        Failed: tests.test_sum.Sums.test_red
    "#]]
    .assert_eq(&told(output!("unittest")));
    expect![[r#"
        1 passed, 2 failed, 1 skipped, all named
        Failed: tests.test_sum.Sums.test_boom
        Skipped: tests.test_sum.Sums.test_later
        Failed: tests.test_sum.Sums.test_red
        Passed: tests.test_sum.Sums.test_two
    "#]]
    .assert_eq(&told(output!("unittest-v")));
}

#[test]
fn pytest_is_read() {
    expect![[r#"
        1 passed, 2 failed, 1 skipped, not all named
        Failed: tests/test_sum.py::Sums::test_boom
        Failed: tests/test_sum.py::Sums::test_red
    "#]]
    .assert_eq(&told(output!("pytest-q")));
    assert_eq!(told(output!("pytest-q")), told(output!("pytest")));
    expect![[r#"
        1 passed, 2 failed, 1 skipped, all named
        Failed: tests/test_sum.py::Sums::test_boom
        Skipped: tests/test_sum.py::Sums::test_later
        Failed: tests/test_sum.py::Sums::test_red
        Passed: tests/test_sum.py::Sums::test_two
    "#]]
    .assert_eq(&told(output!("pytest-v")));
}

#[test]
fn the_tests_of_node_are_read_in_both_forms() {
    expect![[r#"
        2 passed, 2 failed, 1 skipped, all named
        Passed: adds
        Failed: is red
        Skipped: later
        Failed: outer > inner breaks
        Passed: outer > inner works
    "#]]
    .assert_eq(&told(output!("node-tap")));
    assert_eq!(told(output!("node-tap")), told(output!("node-spec")));
}

#[test]
fn jest_vitest_and_mocha_are_read() {
    expect![[r#"
        2 passed, 1 failed, 1 skipped, all named
        Failed: j.test.js > outer > inner breaks
        Passed: j.test.js > outer > inner works
        Skipped: j.test.js > outer > later
        Passed: j.test.js > top
    "#]]
    .assert_eq(&told(output!("jest")));
    expect![[r#"
        2 passed, 1 failed, 1 skipped, all named
        Failed: j.test.js > inner breaks
        Passed: j.test.js > inner works
        Skipped: j.test.js > later
        Passed: j.test.js > top
    "#]]
    .assert_eq(&told(output!("vitest")));
    expect![[r#"
        2 passed, 1 failed, 1 skipped, all named
        Failed: j.test.js > outer > inner breaks
        Passed: j.test.js > outer > inner works
        Skipped: j.test.js > outer > later
        Passed: j.test.js > top
    "#]]
    .assert_eq(&told(output!("vitest-v")));
    expect![[r#"
        1 passed, 1 failed, 1 skipped, not all named
        Failed: outer > inner breaks
        Passed: outer > inner works
    "#]]
    .assert_eq(&told(output!("mocha")));
}

#[test]
fn go_is_read_with_its_packages() {
    let verbose = "=== RUN   TestSum\n--- PASS: TestSum (0.00s)\n=== RUN   TestRed\n    \
        sum_test.go:9: got 2\n--- FAIL: TestRed (0.00s)\nFAIL\nFAIL\texample.com/sum\t0.002s\n\
        ok  \texample.com/other\t0.001s\n?   \texample.com/none\t[no test files]\nFAIL\n";
    expect![[r#"
        2 passed, 1 failed, 0 skipped, all named
        Passed: example.com/other
        Failed: example.com/sum TestRed
        Passed: example.com/sum TestSum
    "#]]
    .assert_eq(&told(verbose));
    let short = "--- FAIL: TestRed (0.00s)\n    sum_test.go:9: got 2\nFAIL\n\
        FAIL\texample.com/sum\t0.002s\nok  \texample.com/other\t(cached)\nFAIL\n";
    expect![[r#"
        1 passed, 1 failed, 0 skipped, not all named
        Passed: example.com/other
        Failed: example.com/sum TestRed
    "#]]
    .assert_eq(&told(short));
}

#[test]
fn maven_and_gradle_are_read() {
    let maven = "[INFO] Running SumTest\n\
        [ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 1, Time elapsed: 0.05 s <<< FAILURE! \
        -- in SumTest\n\
        [ERROR] SumTest.isRed -- Time elapsed: 0.004 s <<< FAILURE!\n[INFO] Results:\n\
        [ERROR] Failures: \n[ERROR]   SumTest.isRed:3 expected: <3> but was: <2>\n\
        [ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 1\n";
    expect![[r#"
        1 passed, 1 failed, 1 skipped, not all named
        Failed: SumTest.isRed
    "#]]
    .assert_eq(&told(maven));
    let gradle = "> Task :test FAILED\n\nSumTest > addsTwo() PASSED\n\nSumTest > isRed() FAILED\n    \
        org.opentest4j.AssertionFailedError at SumTest.java:3\n\n2 tests completed, 1 failed\n";
    expect![[r#"
        1 passed, 1 failed, 0 skipped, all named
        Passed: SumTest > addsTwo()
        Failed: SumTest > isRed()
    "#]]
    .assert_eq(&told(gradle));
}

#[test]
fn rspec_and_minitest_are_read() {
    let rspec = "..F*\n\nFailed examples:\n\nrspec ./spec/sum_spec.rb:5 # Sum adds two numbers\n\n\
        4 examples, 1 failure, 1 pending\n";
    expect![[r#"
        2 passed, 1 failed, 1 skipped, not all named
        Failed: spec/sum_spec.rb Sum adds two numbers
    "#]]
    .assert_eq(&told(rspec));
    let minitest = "Run options: --seed 1\n\n  1) Failure:\nSumTest#test_red [test/sum_test.rb:7]:\n\
        Expected: 3\n  Actual: 2\n\n3 runs, 3 assertions, 1 failures, 0 errors, 1 skips\n";
    expect![[r#"
        1 passed, 1 failed, 1 skipped, not all named
        Failed: SumTest#test_red
    "#]]
    .assert_eq(&told(minitest));
}

#[test]
fn an_output_that_is_not_known_is_not_guessed_at() {
    for output in ["", "ok", "all 12 tests passed", "test a ... ok", "error: it broke\n1) first"] {
        assert_eq!(told(output).lines().next(), Some("nothing"), "{output}");
    }
}

#[test]
fn two_runners_in_one_output_are_added_up() {
    let both = format!("{}{}", output!("cargo"), output!("jest"));
    let counts = read(&both).unwrap().counts;
    assert_eq!(counts, Counts { n_passed: 4, n_failed: 2, n_skipped: 2 });
}

#[test]
fn tests_of_one_name_are_told_apart() {
    let output = "PASS ./a.test.js\n  ✓ works\n  ✓ works\n\nTests:  2 passed, 2 total\n";
    assert_eq!(read(output).unwrap().tests.len(), 2);
    assert!(read(output).unwrap().is_complete);
}

fn libtest(tests: &[(&str, &str)]) -> Found {
    let mut output = format!("running {} tests\n", tests.len());
    for (name, fate) in tests {
        writeln!(output, "test {name} ... {fate}").unwrap();
    }
    read(&output).unwrap()
}

#[test]
fn what_a_change_broke_is_told_from_what_was_broken_before() {
    let before = libtest(&[
        ("same", "ok"),
        ("old", "FAILED"),
        ("mended", "FAILED"),
        ("broken", "ok"),
        ("removed", "ok"),
        ("silenced", "ok"),
        ("removed_too", "FAILED"),
    ]);
    let after = libtest(&[
        ("same", "ok"),
        ("old", "FAILED"),
        ("mended", "ok"),
        ("broken", "FAILED"),
        ("silenced", "ignored"),
        ("fresh", "ok"),
    ]);
    expect![[r#"
        Compared {
            broken: [
                "broken",
            ],
            still: [
                "old",
            ],
            mended: [
                "mended",
            ],
            removed: [
                "removed",
                "removed_too",
            ],
            added: [
                "fresh",
            ],
            skipped: [
                "silenced",
            ],
            n_dropped: 1,
        }
    "#]]
    .assert_debug_eq(&Compared::new(&before, &after));
}

#[test]
fn a_failure_that_is_not_named_any_more_is_mended_unless_tests_are_gone() {
    let before = read(output!("pytest-q")).unwrap();
    let green = read("....  [100%]\n3 passed, 1 skipped in 0.05s\n").unwrap();
    let compared = Compared::new(&before, &green);
    assert_eq!(compared.mended.len(), 2);
    let fewer = read(".  [100%]\n1 passed, 1 skipped in 0.05s\n").unwrap();
    let compared = Compared::new(&before, &fewer);
    assert_eq!((compared.mended.len(), compared.n_dropped), (0, 2));
    let compared = Compared::new(&green, &before);
    assert_eq!(compared.broken.len(), 2);
}

#[test]
fn progress_and_passing_tests_are_cut_and_failures_stay() {
    let mut output =
        String::from("   Compiling sums v0.1.0\n\u{1b}[1mrunning 400 tests\u{1b}[0m\n");
    for n in 0..400 {
        let fate = if n == 200 { "FAILED" } else { "ok" };
        writeln!(output, "test tests::number_{n} ... {fate}").unwrap();
    }
    output.push_str("\nfailures:\n\n---- tests::number_200 stdout ----\n");
    output.push_str(&"the same warning\n".repeat(30));
    output.push_str("assertion failed: it is 200\n\ntest result: FAILED. 399 passed; 1 failed\n");
    expect![[r#"
        running 400 tests
        [… 200 that passed …]
        test tests::number_200 ... FAILED
        [… 199 that passed …]

        failures:

        ---- tests::number_200 stdout ----
        the same warning
        the same warning
        [… 28 more lines like this …]
        assertion failed: it is 200

        test result: FAILED. 399 passed; 1 failed
    "#]]
    .assert_eq(&trim(&output, 4000));
}

#[test]
fn of_a_long_output_the_failure_in_the_middle_stays() {
    let mut output = String::new();
    for n in 0..2000 {
        writeln!(output, "step {n} is done").unwrap();
        if n == 777 {
            output.push_str(
                "Traceback (most recent call last):\n  File \"x.py\", line 1\nKeyError: 'x'\n",
            );
        }
    }
    let cut = trim(&output, 6000);
    assert!(cut.contains("KeyError: 'x'"), "{cut}");
    assert!(cut.starts_with("step 0 is done\n") && cut.ends_with("step 1999 is done\n"), "{cut}");
    assert!(cut.contains("lines …]") && cut.lines().count() < 80, "{cut}");
}

#[test]
fn a_short_output_stays_as_it_is_but_for_what_cannot_be_seen() {
    for output in [output!("pytest"), output!("unittest"), output!("node-tap")] {
        assert_eq!(trim(output, 100_000).trim_end(), output.trim_end());
    }
    let cut = trim(output!("vitest"), 100_000);
    assert!(!cut.contains('\u{1b}') && cut.contains("× inner breaks"), "{cut}");
}

#[test]
fn coverage_is_the_last_percentage_or_the_sums_of_lcov() {
    let read = |text: &str| Coverage::read(text).map(|coverage| coverage.to_string());
    let says = |text: &str| Some(text.to_owned());
    assert_eq!(read(output!("pytest-v").split("short test").next().unwrap()), says("91.0 %"));
    assert_eq!(read("coverage: 82.35% of statements\nok"), says("82.3 %"));
    assert_eq!(read("Lines : 7.5% ( 3/40 )\nall 12 done"), says("7.5 %"));
    assert_eq!(read("LF:40\nLH:30\nend_of_record\nLF:60\nLH:60\n"), says("90.0 %"));
    assert_eq!(read("no number %"), None);
    assert_eq!(read("999%"), None);
    assert_eq!(read("LF:1\nLH:2\n"), None);
}

#[test]
fn an_output_is_taken_apart_at_the_last_mark() {
    let output = format!("ok\n{MARK}\nforged 100%\n\n{MARK}\nTOTAL 12 91%\n");
    let (checks, coverage) = parts(&output);
    assert_eq!(coverage.unwrap().to_string(), "91.0 %");
    assert!(checks.ends_with("forged 100%"));
    assert_eq!(parts("ok 100%"), ("ok 100%", None));
    assert_eq!(parts(&format!("not {MARK}\n50%")).1, None);
}

#[test]
fn the_script_that_measures_ends_as_the_checks_did() {
    let script = script("make test # all", ("make cover", "a'b/lcov.info"));
    expect![[r#"
        (
        make test # all
        ) 2>&1
        zazen_status=$?
        echo
        echo '[zazen: coverage]'
        (
        make cover
        ) </dev/null 2>&1
        echo
        ( while IFS= read -r zazen_line; do case $zazen_line in LF:*|LH:*) echo "$zazen_line";; esac; done <'a'\''b/lcov.info' )
        exit "$zazen_status"
    "#]].assert_eq(&script);
}

proptest::proptest! {
    #[test]
    fn any_text_can_be_read_cut_and_compared(
        lines in proptest::collection::vec(line(), 0..60),
        bytes_max in 0_usize..2000,
    ) {
        let output = lines.join("\n");
        let found = read(&output);
        assert!(trim(&output, bytes_max).len() <= bytes_max);
        let half = read(&lines[lines.len() / 2..].join("\n"));
        if let (Some(found), Some(half)) = (found, half) {
            let compared = Compared::new(&found, &half);
            let n_before = compared.still.len() + compared.mended.len() + compared.removed.len();
            assert!(n_before <= found.tests.len());
        }
        let _ = parts(&output);
    }
}

/// Lines of runners, whole, cut, and put together wrongly.
fn line() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let all = [
        output!("cargo"),
        output!("nextest"),
        output!("unittest-v"),
        output!("pytest-v"),
        output!("node-tap"),
        output!("node-spec"),
        output!("jest"),
        output!("vitest"),
        output!("mocha"),
    ]
    .join("\n");
    let lines: Vec<String> = all.lines().map(str::to_owned).collect();
    (proptest::sample::select(lines), 0_usize..60, "\\PC{0,8}").prop_map(|(line, at, mess)| {
        let head: String = line.chars().take(at).collect();
        let tail: String = line.chars().skip(at).collect();
        format!("{head}{mess}{tail}")
    })
}
