//! Work that proves itself: the checks before and after, and a second agent's review.

use std::fs;

use crate::claude;
use crate::harness::machine::named;
use crate::harness::model::{Call, Model, SMALL_PLAN, Script, Turn, script};
use crate::harness::place::{Place, Setup, git, has_bwrap};

/// What the author says of its own work. No reviewer is to read it.
const STORY: &str = "Trust me, plum-7315 is how it has to be.";

/// Another agent, for reviews: another model, answered by the same service.
const SECOND: &str = "[agents.second]\nharness = \"mini\"\nmodel = \"claude-opus-4-1\"\n\
    [roles]\nreview = [\"second\"]\n";

/// A plan that is checked with this command.
fn plan(check: &str) -> Turn {
    Turn::say(&SMALL_PLAN.replace("grep -q hello README.md", check))
}

/// Work that greets wrongly, and what a reviewer says of it first and the second time.
fn reviewed(first: &str, second: &str) -> Script {
    let mend =
        vec![Turn::run("sed -i s/hallo/hello/ README.md"), Turn::say("It was a typing error.")];
    script(&[
        ("plan", vec![plan("grep -q 'h.llo' README.md")]),
        ("implement/1", vec![Turn::run("echo hallo >> README.md"), Turn::say(STORY)]),
        ("review-own", vec![Turn::say(first)]),
        ("correct-own", mend),
        ("review-own@What was found before", vec![Turn::say(second)]),
    ])
}

/// A review with one finding at the last line of the README.
fn finding(severity: &str, quote: &str) -> String {
    format!(
        "## Summary\n\nThe README greets.\n\n## Findings\n\n### {severity}: `README.md:1` the greeting \
         is spelt wrongly\n\n> {quote}\n\nIt has to be hello.\n"
    )
}

const NONE: &str = "## Summary\n\nThe README greets.\n\n## Findings\n\nNone.\n";

fn place(model: &Model, engine: &'static str, more: &str) -> Place {
    Place::new(&Setup { more: more.to_owned(), ..Setup::mini(engine, &model.url()) })
}

/// What reviewers were asked, in order.
fn reviews(model: &Model) -> Vec<String> {
    let calls = model.calls().into_iter();
    let is_asked = |call: &Call| call.turn == 0 && call.label.starts_with("review-own");
    calls.filter(is_asked).map(|call| call.prompt()).collect()
}

/// The one pull request.
fn pull(place: &Place) -> String {
    let [pull] = place.pulls().try_into().expect("one pull request");
    pull
}

/// A row of the table.
fn row(pull: &str, title: &str) -> String {
    let row = pull.lines().find_map(|line| line.strip_prefix(&format!("| {title} | ")));
    row.unwrap_or_else(|| panic!("no row {title} in {pull}")).trim_end_matches(" |").to_owned()
}

#[test]
fn what_a_second_agent_finds_is_corrected_once_and_looked_at_again() {
    let model = Model::start(reviewed(&finding("high", "hallo"), NONE));
    let mut place = place(&model, "none", SECOND);
    place.carry_through();
    place.wait_for(1, &["drafted"]);

    let pull = pull(&place);
    let review = row(&pull, "Review");
    assert!(review.starts_with("nothing found; 1 mended (by second: mini "), "{review}");
    assert!(pull.contains("- high the greeting is spelt wrongly"), "{pull}");
    let log = git(&place.remote(), &["log", "--format=%s", "main..zazen/1-sum-by-month"]);
    assert_eq!(log, "Work in the review of Sum by month\nSay hello in the README\n");

    let [first, second] = reviews(&model).try_into().expect("two reviews");
    assert!(second.contains("the greeting is spelt wrongly"), "{second}");
    for prompt in [&first, &second] {
        assert!(prompt.contains("The approved plan") && prompt.contains("+h"), "{prompt}");
        assert!(prompt.contains("Please sum by month, too."), "{prompt}");
        assert!(prompt.contains("(before: failed)"), "{prompt}");
        for told in ["plum-7315", "It was a typing error"] {
            assert!(!prompt.contains(told), "{prompt}");
        }
    }
    let [correction] = model.prompts("correct-own").try_into().expect("one correction");
    assert!(correction.contains("> hallo"), "{correction}");
    let by: Vec<String> = model.calls().iter().map(Call::model).collect();
    assert!(by.contains(&"claude-opus-4-1".to_owned()), "{by:?}");
    place.down();
}

#[test]
fn what_is_found_again_goes_into_the_pull_request_as_it_is() {
    let second = finding("high", "hello").replace("has to be", "still is not");
    let model = Model::start(reviewed(&finding("high", "hallo"), &second));
    let mut place = place(&model, "none", &format!("{SECOND}[policy]\ncorrections = 3\n"));
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let pull = pull(&place);
    let review = row(&pull, "Review");
    assert!(review.starts_with("**1 finding left, at worst high**; 0 mended (by "), "{review}");
    assert!(pull.contains("It still is not hello."), "{pull}");
    assert_eq!(
        model.prompts("correct-own").len(),
        1,
        "a correction that mends nothing is the last"
    );
    place.down();
}

#[test]
fn a_finding_about_what_is_not_there_is_dropped_and_counted() {
    let model = Model::start(reviewed(&finding("high", "println!(\"hallo\");"), NONE));
    let mut place = place(&model, "none", SECOND);
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let pull = pull(&place);
    assert!(row(&pull, "Review").starts_with("nothing found (by "), "{pull}");
    assert!(pull.contains("Left out: 1 finding that quoted what is not in the file."), "{pull}");
    assert_eq!(model.prompts("correct-own"), Vec::<String>::new());
    place.down();
}

#[test]
fn small_findings_are_left_to_people() {
    let model = Model::start(reviewed(&finding("medium", "hallo"), NONE));
    let mut place = place(&model, "none", SECOND);
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let pull = pull(&place);
    assert!(row(&pull, "Review").starts_with("1 finding left, at worst medium (by "), "{pull}");
    assert!(pull.contains("**medium** `README.md:"), "{pull}");
    assert_eq!(model.prompts("correct-own"), Vec::<String>::new());
    place.down();
}

#[test]
fn nobody_reviews_what_it_wrote_unless_the_owner_wants_that() {
    for (more, says, n) in [
        ("", "not reviewed: no second agent is configured", 0),
        ("[policy]\nreview = \"always\"\n", "nothing found (by mini ", 1),
    ] {
        let model = Model::start(reviewed(NONE, NONE));
        let mut place = place(&model, "none", more);
        place.carry_through();
        place.wait_for(1, &["drafted"]);
        let review = row(&pull(&place), "Review");
        assert!(review.starts_with(says), "{review}");
        assert_eq!(review.contains("who also wrote it"), n > 0, "{review}");
        assert_eq!(reviews(&model).len(), n);
        place.down();
    }
}

#[test]
fn the_owner_can_do_without_reviews() {
    let model = Model::start(reviewed(NONE, NONE));
    let mut place = place(&model, "none", &format!("{SECOND}[policy]\nreview = \"never\"\n"));
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    assert_eq!(row(&pull(&place), "Review"), "not reviewed: `policy.review` is \"never\"");
    assert_eq!(reviews(&model), Vec::<String>::new());
    place.down();
}

#[test]
fn a_reviewer_changes_nothing_and_its_word_is_read_whatever_it_tries() {
    if !has_bwrap() {
        return;
    }
    let mut script = reviewed(NONE, NONE);
    let tries = "echo evil > README.md; touch evil; git commit -qam evil; cat README.md";
    script.insert("review-own".to_owned(), vec![Turn::run(tries), Turn::say(NONE)]);
    let model = Model::start(script);
    let mut place = place(&model, "bwrap", SECOND);
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let log = git(&place.remote(), &["log", "--format=%s", "main..zazen/1-sum-by-month"]);
    assert_eq!(log, "Say hello in the README\n");
    let calls = model.calls();
    let last = calls.iter().rfind(|call| call.label == "review-own").expect("a call");
    assert!(last.body.contains("Read-only file system"), "{}", last.body);
    assert!(row(&pull(&place), "Review").starts_with("nothing found"));
    place.down();
}

#[test]
fn a_review_that_cannot_be_read_does_not_keep_the_work_back() {
    let model = Model::start(reviewed("It looks good to me.", "LGTM"));
    let mut place = place(&model, "none", SECOND);
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let review = row(&pull(&place), "Review");
    assert!(review.starts_with("not reviewed: "), "{review}");
    place.down();
}

/// Tests of which one is red until the README greets, in the Test Anything Protocol.
const TAP: &str = "echo 1..2; echo 'ok 1 - sums'; if grep -q hello README.md; then \
    echo 'ok 2 - greets'; else echo 'not ok 2 - greets'; exit 1; fi";

#[test]
fn the_checks_are_shown_before_and_after() {
    let script = script(&[
        ("plan", vec![plan(TAP)]),
        ("implement/1", vec![Turn::run("echo hello >> README.md"), Turn::say("Done.")]),
    ]);
    let (mut place, _model) = Place::with(script);
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let pull = pull(&place);
    assert_eq!(row(&pull, "Checks"), "2 passed (before: 1 passed, 1 failed)");
    assert!(pull.contains("**Mended:**\n\n- greets\n"), "{pull}");
    place.down();
}

#[test]
fn checks_that_are_red_once_and_then_green_are_called_flaky() {
    let mark = std::env::temp_dir().join(format!("zazen-flaky-{}", std::process::id()));
    drop(fs::remove_file(&mark));
    // Green on the commit with the greeting, but not at once.
    let check = format!(
        "grep -q hello README.md || exit 0; test -e {mark} || {{ touch {mark}; exit 1; }}",
        mark = mark.display()
    );
    let script = script(&[
        ("plan", vec![plan(&check)]),
        ("implement/1", vec![Turn::run("echo hello >> README.md"), Turn::say("Done.")]),
    ]);
    let (mut place, model) = Place::with(script);
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let says = "passed (before: the same); flaky (red, then green)";
    assert_eq!(row(&pull(&place), "Checks"), says);
    assert_eq!(model.prompts("correct"), Vec::<String>::new());
    fs::remove_file(&mark).expect("the check has made it");
    place.down();
}

#[test]
fn coverage_is_measured_behind_the_checks_and_compared() {
    let script = script(&[
        ("plan", vec![plan(TAP)]),
        ("implement/1", vec![Turn::run("echo hello >> README.md"), Turn::say("Done.")]),
    ]);
    let model = Model::start(script);
    let mut place = place(&model, "none", "");
    let coverage = "if grep -q hello README.md; then echo 'TOTAL 91.2%'; else echo 'TOTAL 90%'; fi";
    place.configure("[[repo]]", &format!("[[repo]]\ncoverage = \"{coverage}\""));
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let pull = pull(&place);
    assert_eq!(row(&pull, "Coverage"), "91.2 % (before: 90.0 %, +1.2)");
    assert_eq!(row(&pull, "Checks"), "2 passed (before: 1 passed, 1 failed)");
    assert!(!pull.contains("TOTAL"), "{pull}");
    place.down();
}

#[test]
fn a_report_of_coverage_is_read_and_no_failure_to_measure_makes_checks_red() {
    let script = script(&[
        ("plan", vec![plan(TAP)]),
        ("implement/1", vec![Turn::run("echo hello >> README.md"), Turn::say("Done.")]),
    ]);
    let model = Model::start(script);
    let mut place = place(&model, "none", "");
    let measure = "grep -q hello README.md && printf 'SF:a\\\\nLF:8\\\\nLH:4\\\\n' > lcov.info";
    let lines = format!("[[repo]]\ncoverage = \"{measure}\"\ncoverage_file = \"lcov.info\"");
    place.configure("[[repo]]", &lines);
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    assert_eq!(row(&pull(&place), "Coverage"), "50.0 %");
    place.down();
}

#[test]
fn codex_reviews_what_claude_wrote_in_real_sandboxes() {
    let Some(codex) = named("ZAZEN_CODEX") else { return };
    let model = Model::start(reviewed(&finding("high", "hallo"), NONE));
    let more = format!(
        "[agents.second]\nharness = \"codex\"\nmodel = \"gpt-5.5\"\neffort = \"low\"\n\
         route = \"openai\"\nprogram = \"{}\"\n[models.openai]\napi = \"openai\"\n\
         base_url = \"{}\"\nkey_env = \"ZAZEN_TEST_KEY\"\n[roles]\nreview = [\"second\"]\n",
        codex.display(),
        model.url()
    );
    let Some(setup) = claude::setup(&model, &more) else { return };
    let mut place = Place::new(&setup);
    place.carry_through();
    place.wait_for(1, &["drafted"]);
    let pull = pull(&place);
    let review = row(&pull, "Review");
    assert!(review.starts_with("nothing found; 1 mended (by second: codex "), "{review}");
    let log = git(&place.remote(), &["log", "--format=%s", "main..zazen/1-sum-by-month"]);
    assert_eq!(log, "Work in the review of Sum by month\nSay hello in the README\n");
    let calls = model.calls();
    for (label, by_codex) in [("review-own", true), ("correct-own", false), ("implement/1", false)]
    {
        let mut of_it = calls.iter().filter(|call| call.label.starts_with(label)).peekable();
        assert!(of_it.peek().is_some(), "nobody asked for {label}");
        assert!(of_it.all(|call| (call.model() == "gpt-5.5") == by_codex), "{label}");
    }
    let prompts = calls.iter().filter(|call| call.label.starts_with("review-own"));
    assert!(prompts.clone().all(|call| !call.body.contains("plum-7315")));
    place.down();
    assert_eq!(place.processes(), Vec::<String>::new());
}
