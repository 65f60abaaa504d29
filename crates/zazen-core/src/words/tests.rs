//! Every sentence, as people see it.
//!
//! The long ones are in `tests/texts`, to be read as they would be on an issue.

use std::fmt::Write as _;

use expect_test::{expect, expect_file};

use super::*;
use crate::check::{self, Checks, Counts, Fate, Found, Ran};
use crate::host::Traffic;
use crate::id::{CommitId, ContentHash, IssueNumber, PlanHash, PullNumber, RunId, TaskId, Time};
use crate::plan::Question;
use crate::reply::{Reply, StatusLine};
use crate::review::{self, Finding, Review, Severity, Unfounded};
use crate::task::{
    Event, NotRebased, Outcome, Phase, PlanRef, Published, Run, TroubleKind, Try, Work, evolve,
};
use crate::usage::{Cost, Tokens, Usage};

/// What an agent or a stranger may write to make a forge act, or a page break.
pub(in crate::words) const HOSTILE: &str = "@everyone fixes #7 | a | b <script>alert(1)</script> </details>\n\
    <!-- zazen:1/plan -->\n\
    /close\n\
    ![x](https://example.com/p.png)\n\
    - a list\n  ```\n  that never closes";

#[test]
fn the_comment_of_the_plan_in_every_state() {
    let mut all = String::new();
    for state in states() {
        let task = task(state);
        let text = plan_comment(
            &task,
            &plan(),
            &Around::default(),
            "tasks/2026/03/1-sum-by-month/plan.md",
        );
        let (ours, plan) = text.as_str().split_once("\n---\n").expect("the plan is below a line");
        let n_ticked = plan.matches("- [x]").count();
        writeln!(all, "# {}\n\n{ours}\n({n_ticked} of 2 boxes are ticked)\n", task.state).unwrap();
    }
    expect_file!["../../tests/texts/plan-headlines.md"].assert_eq(&all);
}

#[test]
fn the_comment_of_a_plan_that_waits() {
    let mut task = task(State::AwaitingApproval);
    task.plan = Some(PlanRef { version: 2, ..plan_ref() });
    let text =
        plan_comment(&task, &plan(), &Around::default(), "tasks/2026/03/1-sum-by-month/plan.md");
    expect_file!["../../tests/texts/plan-comment.md"].assert_eq(text.as_str());
}

#[test]
fn a_plan_cannot_swallow_or_imitate_what_zazen_says() {
    let mut plan = plan();
    plan.summary = HOSTILE.to_owned();
    plan.steps[0].title = one_line(HOSTILE, 500);
    plan.steps[0].body = HOSTILE.to_owned();
    plan.questions.clear();
    let text = plan_comment(&task(State::AwaitingApproval), &plan, &Around::default(), "plan.md");
    check_harmless(text.as_str());
    expect_file!["../../tests/texts/plan-comment-hostile.md"].assert_eq(text.as_str());
}

#[test]
fn boxes_outside_of_the_steps_are_left_alone() {
    let mut plan = plan();
    plan.summary = "- [ ] not a step".to_owned();
    let text = ticked(&plan, 1);
    assert!(text.contains("- [ ] not a step"), "{text}");
    assert!(text.contains("- [x] 1. Group"), "{text}");
    assert!(text.contains("- [ ] 2. Say"), "{text}");
}

#[test]
fn notes() {
    let mut all = String::new();
    let mut add = |note: &Note, kept: Option<&Kept>| {
        let text = super::note(note, "It is slow because it sorts twice.\n", kept);
        writeln!(all, "{}\n\n---\n", text.as_str().trim_end()).unwrap();
    };
    add(&Note::Drafted { pull: PullNumber(9) }, None);
    for note in notes_of_a_rebase() {
        add(&note, None);
    }
    add(&Note::Stopped { by: "ada".to_owned() }, None);
    add(&Note::Answered { digest: crate::task::Digest(1) }, None);
    for kind in TroubleKind::ALL {
        let trouble = Trouble::new(kind, String::new());
        add(&Note::Failed { trouble }, None);
    }
    let evidence = "The validation command ended with status 1.\n\n1 test failed".to_owned();
    let trouble = Trouble::new(TroubleKind::RedChecks, evidence);
    let kept = Kept {
        commit: "0123456789ab".to_owned(),
        fetch: "git fetch /home/ada/zazen refs/zazen/1".to_owned(),
    };
    add(&Note::Failed { trouble }, Some(&kept));
    expect_file!["../../tests/texts/notes.md"].assert_eq(&all);
}

#[test]
fn who_cannot_be_asked_is_named_and_not_called() {
    let text = not_asked(&["bob".to_owned(), "@everyone".to_owned()]);
    let said = "I could not ask bob, @\u{200b}everyone for a review: only people with access to this \
                repository can be asked, and never whoever opened the pull request.";
    assert_eq!(text.as_str(), said);
}

#[test]
fn notes_cannot_be_made_to_act() {
    let trouble = Trouble::new(TroubleKind::RedChecks, HOSTILE.to_owned());
    let failed = note(&Note::Failed { trouble }, "", None);
    check_harmless(failed.as_str());
    let stopped = note(&Note::Stopped { by: HOSTILE.to_owned() }, "", None);
    check_harmless(stopped.as_str());
    let seen = stopped.as_str().replace('\u{200b}', "·");
    assert!(seen.starts_with("Stopped, as @·everyone f·ixes #7 | a | b &lt;script>"), "{seen}");
    assert!(seen.ends_with("… asked. Write `/retry` to go on from here."), "{seen}");
    let answer = note(&Note::Answered { digest: crate::task::Digest(1) }, HOSTILE, None);
    check_harmless(answer.as_str());
}

#[test]
fn replies() {
    let usage = usage();
    let can = vec!["plan".to_owned(), "implement".to_owned(), "stop".to_owned()];
    let status = Reply::Status {
        tasks: vec![
            StatusLine {
                task: TaskId(3),
                state: "was merged as #5".to_owned(),
                can: vec![],
                usage,
            },
            StatusLine {
                task: TaskId(8),
                state: "waits for your approval".to_owned(),
                can: can.clone(),
                usage: Usage { cost: Cost::Unknown { known_micros: 0 }, ..usage },
            },
        ],
    };
    let why = "`/implment` is not a command; did you mean `/implement`?".to_owned();
    let all = [
        Reply::BadCommand { why },
        Reply::BadCommand { why: "`/plan` and `/stop` cannot be in one comment".to_owned() },
        Reply::NoPlan,
        Reply::UnreadablePlan { why: "line 3: step 1 has no title".to_owned() },
        Reply::NoTask { command: "stop".to_owned() },
        Reply::Stranger,
        Reply::WrongTime {
            command: "retry".to_owned(),
            task: TaskId(8),
            state: "waits for your approval".to_owned(),
            can,
        },
        Reply::WrongTime {
            command: "stop".to_owned(),
            task: TaskId(8),
            state: "was answered".to_owned(),
            can: Vec::new(),
        },
        Reply::Status { tasks: Vec::new() },
        Reply::Several { replies: vec![Reply::NoPlan, status] },
    ];
    let texts: Vec<String> = all.iter().map(|r| reply(r).as_str().trim_end().to_owned()).collect();
    expect_file!["../../tests/texts/replies.md"].assert_eq(&texts.join("\n\n---\n\n"));
}

#[test]
fn replies_cannot_be_made_to_act() {
    let hostile = || HOSTILE.to_owned();
    let line = StatusLine { task: TaskId(1), state: hostile(), can: Vec::new(), usage: usage() };
    for it in [
        Reply::BadCommand { why: hostile() },
        Reply::UnreadablePlan { why: hostile() },
        Reply::WrongTime {
            command: "stop".to_owned(),
            task: TaskId(1),
            state: hostile(),
            can: Vec::new(),
        },
        Reply::Status { tasks: vec![line] },
    ] {
        check_harmless(reply(&it).as_str());
    }
}

#[test]
fn a_reply_of_an_older_journal_can_still_be_read() {
    let text = r#"{"reply":"wrong-time","command":"stop","task":1,"state":"drafted as #5"}"#;
    let known: Reply = serde_json::from_str(text).unwrap();
    expect!["`/stop` does not fit now: task 1 drafted as #5."].assert_eq(reply(&known).as_str());
}

#[test]
fn a_pull_request() {
    let Pull { title, body } = pull(&task(drafted()), &plan(), &evidence());
    expect!["Sum by month"].assert_eq(&title);
    expect_file!["../../tests/texts/pull.md"].assert_eq(body.as_str());
}

#[test]
fn a_pull_request_with_all_that_there_can_be_to_say() {
    let ran = |output: &str, is_green| {
        let (output, coverage) = check::parts(output);
        Ran { is_green, found: check::read(output), coverage }
    };
    let before = format!(
        "running 4 tests\ntest sums ... ok\ntest empty ... ok\ntest months ... FAILED\n\
         test years ... ok\n{}\n90.8%\n",
        check::MARK
    );
    let after = format!(
        "running 3 tests\ntest sums ... ok\ntest empty ... ignored\ntest months ... ok\n{}\n\
         91.2%\n",
        check::MARK
    );
    let review = |text: &str| review::parse(&format!("## Summary\n\nIt sums.\n\n{text}")).unwrap();
    let left = "## Findings\n\n### medium: `src/sum.rs:12` the sum overflows\n\n\
        > let sum: u32 = 0;\n\nFor long lists.\n";
    let mended = "### high: `src/sum.rs:40` months without a year are mixed\n\n> by_month\n";
    let mut reached = Traffic::default();
    reached.reach("index.crates.io:443");
    reached.refuse("example.com:443");
    let evidence = Evidence {
        checks: Checks {
            before: Some(ran(&before, false)),
            after: ran(&after, true),
            is_flaky: true,
        },
        guards: Some(("2 flags: `Cargo.lock`, 1 test removed".to_owned(), "The lines.".to_owned())),
        review: Some(OwnReview::By(Box::new(Reviewed {
            by: "second: codex 0.169.0 with gpt-5.5".to_owned(),
            is_author: false,
            review: review(left),
            unfounded: Unfounded { n_dropped: 1, ..Unfounded::default() },
            earlier: Some(review(&format!("{left}\n{mended}"))),
        }))),
        traffic: reached,
        ..evidence()
    };
    let body = pull(&task(drafted()), &plan(), &evidence).body;
    expect_file!["../../tests/texts/pull-full.md"].assert_eq(body.as_str());
}

#[test]
fn a_pull_request_of_hostile_texts() {
    let mut task = task(drafted());
    task.title = HOSTILE.to_owned();
    let mut plan = plan();
    plan.summary = HOSTILE.to_owned();
    plan.steps[0].title = HOSTILE.to_owned();
    plan.risks = vec![HOSTILE.to_owned()];
    let evidence = Evidence {
        command: HOSTILE.to_owned(),
        output: HOSTILE.to_owned(),
        sandbox: HOSTILE.to_owned(),
        checks: hostile_checks(),
        guards: Some((HOSTILE.to_owned(), String::new())),
        review: Some(hostile_review()),
        agents: vec![HOSTILE.to_owned()],
        files: vec![FileChange { path: HOSTILE.to_owned(), lines: None }],
        reports: vec![HOSTILE.to_owned(), String::new(), HOSTILE.to_owned()],
        receipt: Some(ReceiptAt { fetch: HOSTILE.to_owned(), key: HOSTILE.to_owned() }),
        ..evidence()
    };
    let Pull { title, body } = pull(&task, &plan, &evidence);
    check_harmless(&title);
    check_harmless(body.as_str());
    for line in body.as_str().lines().filter(|line| line.starts_with('|')) {
        let n_bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(n_bars, 3, "a row has two cells: {line}");
    }
    expect_file!["../../tests/texts/pull-hostile.md"].assert_eq(body.as_str());
}

/// Tests with a name that is worth a look.
fn hostile_checks() -> Checks {
    let ran = |fate| Ran {
        found: Some(Found { tests: [(HOSTILE.to_owned(), fate)].into(), ..Found::default() }),
        ..Ran::default()
    };
    Checks { before: Some(ran(Fate::Passed)), after: ran(Fate::Failed), is_flaky: true }
}

fn hostile_review() -> OwnReview {
    let finding = Finding {
        severity: Severity::High,
        place: None,
        title: HOSTILE.to_owned(),
        quote: Some(HOSTILE.to_owned()),
        why: HOSTILE.to_owned(),
        suggestion: Some(HOSTILE.to_owned()),
    };
    let review = |findings| Review { summary: HOSTILE.to_owned(), findings };
    OwnReview::By(Box::new(Reviewed {
        by: HOSTILE.to_owned(),
        is_author: false,
        review: review(vec![finding.clone()]),
        unfounded: Unfounded { n_dropped: 1, ..Unfounded::default() },
        earlier: Some(review(vec![finding])),
    }))
}

#[test]
fn checks_that_were_red_before_are_no_failed_run() {
    let told = |outcome: Outcome| {
        let mut work = work();
        work.proof.green = Some(run_id(2));
        let mut task = task(State::Verifying(work));
        let (phase, from) = (Phase::Baseline, commit('b'));
        let base = Run { id: run_id(3), phase, from, begun: Time(1), agent: None };
        task.run = Some(base);
        let event = Event::RunEnded { run: run_id(3), outcome, usage: Usage::default() };
        let after = evolve(task, event.clone(), Time(2)).unwrap();
        day_line(&after, &event).expect("it is worth a line")
    };
    let failed = |kind| Outcome::Failed { trouble: Trouble::new(kind, String::new()) };
    expect!["Before task 1 (ada/sums #12) began, its checks were red already."]
        .assert_eq(&told(failed(TroubleKind::RedChecks)));
    expect!["Before task 1 (ada/sums #12) began, its checks were green."]
        .assert_eq(&told(Outcome::ChecksGreen { head: commit('b') }));
    expect!["How the checks were before task 1 (ada/sums #12) began is not known."]
        .assert_eq(&told(failed(TroubleKind::Deadline)));
}

#[test]
fn a_pull_request_of_much_is_cut() {
    let many = (0..100).map(|n| FileChange { path: format!("f{n}"), lines: Some((1, 0)) });
    let evidence = Evidence {
        output: "a line of output\n".repeat(10_000),
        files: many.collect(),
        reports: vec!["word ".repeat(10_000)],
        receipt: None,
        ..evidence()
    };
    let body = pull(&task(drafted()), &plan(), &evidence).body;
    assert!(body.as_str().len() < 30_000, "{}", body.as_str().len());
    assert!(body.as_str().contains("… and 40 more"));
}

#[test]
fn the_messages_of_commits() {
    expect![[r#"
        Group the sums by month

        Refs: #12
        Zazen-Task: 1
        Zazen-Step: 1/2
    "#]]
    .assert_eq(&step_commit(TaskId(1), IssueNumber(12), "Group the sums by month", Some((1, 2))));
    let hostile = step_commit(TaskId(1), IssueNumber(12), "Fixes #7 for @ada\n\nCloses #8", None);
    expect![[r#"
        F·ixes #7 for @·ada C·loses #8

        Refs: #12
        Zazen-Task: 1
        Zazen-Step: correction
    "#]]
    .assert_eq(&hostile.replace('\u{200b}', "·"));
}

#[test]
fn the_messages_of_the_home() {
    let line = |n: u32| format!("Step {n} of task 1 (ada/sums #12) is done, at `cccccccccccc`.");
    expect!["Keep the pages up to date"].assert_eq(&home_commit(&[]));
    expect!["Step 1 of task 1 (ada/sums #12) is done, at `cccccccccccc`"]
        .assert_eq(&home_commit(&[line(1)]));
    expect![[r#"
        Step 1 of task 1 (ada/sums #12) is done, at `cccccccccccc`, and 2 more

        - Step 1 of task 1 (ada/sums #12) is done, at `cccccccccccc`.
        - Step 2 of task 1 (ada/sums #12) is done, at `cccccccccccc`.
        - Step 3 of task 1 (ada/sums #12) is done, at `cccccccccccc`.
    "#]]
    .assert_eq(&home_commit(&[line(1), line(2), line(3)]));
}

#[test]
fn the_day() {
    let by = || "ada".to_owned();
    let none = String::new;
    let red = || Trouble::new(TroubleKind::RedChecks, none());
    let blocked = Trouble::new(TroubleKind::ForeignBranch, none());
    let step = |head| Outcome::StepDone { head: commit(head), n_commits: 1 };
    let mut all = String::new();
    let mut add = |state: State, event: Event| {
        let mut task = Task { base: None, ..task(state) };
        if let Event::RunEnded { run, .. } = &event {
            let phase = Phase::Verify;
            task.run =
                Some(Run { id: *run, phase, from: commit('c'), begun: Time(1), agent: None });
        }
        let after = evolve(task, event.clone(), Time(2)).unwrap();
        writeln!(all, "{}", day_line(&after, &event).unwrap_or("(nothing)".to_owned())).unwrap();
    };
    let planning = || State::Planning(Try::default());
    add(planning(), ended(Outcome::Planned { plan: plan_ref() }));
    add(State::AwaitingApproval, Event::PlanSentBack { by: by(), remarks: none() });
    add(State::AwaitingApproval, Event::PlanEdited { plan: PlanRef { version: 2, ..plan_ref() } });
    let hash = plan_ref().hash;
    add(
        State::AwaitingApproval,
        Event::PlanApproved { by: by(), hash, answers: none(), contract: None },
    );
    add(State::Implementing(Work { n_done: 0, ..work() }), ended(step('d')));
    add(State::Implementing(work()), ended(step('d')));
    let empty = Work { head: None, ..work() };
    add(State::Implementing(empty.clone()), ended(step('c')));
    let again = Work { n_corrections: 1, ..empty };
    add(State::Implementing(again), ended(step('c')));
    add(State::Verifying(work()), ended(Outcome::Failed { trouble: red() }));
    add(State::Correcting(work()), ended(step('d')));
    add(State::Verifying(work()), ended(Outcome::ChecksGreen { head: commit('c') }));
    add(publishing(false), Event::Pushed { head: commit('c') });
    add(publishing(true), Event::PullOpened { pull: PullNumber(9) });
    add(publishing(false), Event::Blocked { trouble: blocked });
    add(planning(), Event::StopAsked { by: by() });
    add(stopped(), Event::RetryAsked { by: by(), remarks: none() });
    add(stopped(), ended(step('d')));
    add(planning(), ended(Outcome::Stopped));
    add(drafted(), Event::PullMerged);
    add(drafted(), Event::PullClosed);
    add(planning(), Event::StopAsked { by: HOSTILE.to_owned() });
    expect_file!["../../tests/texts/day.md"].assert_eq(&all);
}

#[test]
fn the_page_of_a_task() {
    let mut all = String::new();
    for state in states() {
        let mut task = task(state);
        task.usage = usage();
        writeln!(all, "# {}\n", task.state).unwrap();
        let progress = progress(&task, Some(&plan()), &Around::default());
        writeln!(all, "{progress}\n{}", result(&task).unwrap_or_default()).unwrap();
    }
    expect_file!["../../tests/texts/page.md"].assert_eq(&all);
}

#[test]
fn what_a_phase_is_called() {
    let mut all = String::new();
    let phases = [Phase::Plan, Phase::Ask, Phase::Implement { step: 2 }, Phase::Verify];
    for phase in phases.into_iter().chain([Phase::Correct]) {
        writeln!(all, "{phase}: {}", doing(phase)).unwrap();
    }
    expect![[r#"
        plan: reading the code and writing a plan
        ask: reading the code to answer
        implement/2: carrying out step 2
        verify: running the checks
        correct: mending what is wrong
    "#]]
    .assert_eq(&all);
}

#[test]
fn money_tokens_and_time() {
    let mut all = String::new();
    for micros in [0, 1, 99, 12_345, 999_999, 1_000_000, 1_234_567, 99_999_999] {
        write!(all, "{}  ", cost(Cost::Micros(micros))).unwrap();
    }
    for known_micros in [0, 12_345] {
        write!(all, "{}  ", cost(Cost::Unknown { known_micros })).unwrap();
    }
    all.push('\n');
    for n in [0, 999, 1_000, 12_345, 999_999, 1_000_000, 4_150_000] {
        write!(all, "{}  ", tokens(n)).unwrap();
    }
    all.push('\n');
    for millis in [0, 950, 59_999, 60_000, 200_000, 3_600_000, 100_000_000] {
        write!(all, "{}  ", elapsed(millis)).unwrap();
    }
    expect![[r#"
        $0  $0.0001  $0.0001  $0.0124  $1.00  $1.00  $1.24  $100.00  unknown  unknown, at least $0.0124  
        0  999  1.0k  12.3k  999.9k  1.0M  4.1M  
        0.0 s  0.9 s  59.9 s  1 min 0 s  3 min 20 s  1 h 0 min  27 h 46 min  "#]].assert_eq(&all);
}

/// Checks that a forge does not act on a text, and that none of ours can be imitated.
///
/// In a block of code most is left as it is; only closing words and markers are not.
#[track_caller]
pub(in crate::words) fn check_harmless(text: &str) {
    for acted_on in ["fixes #7", "<!-- zazen"] {
        assert!(!text.contains(acted_on), "{acted_on} is in:\n{text}");
    }
    let text = without_blocks(text);
    for acted_on in ["@everyone", "<script", "![x]", "\n/close"] {
        assert!(!text.contains(acted_on), "{acted_on} is in:\n{text}");
    }
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count(), "{text}");
}

fn without_blocks(text: &str) -> String {
    let mut left = String::new();
    let mut open: Option<&str> = None;
    for line in text.lines() {
        match open {
            Some(fence) if line == fence => open = None,
            Some(_) => {}
            None if line.starts_with("```") => {
                open = Some(line.trim_end_matches(|c: char| c != '`'));
            }
            None => {
                left.push('\n');
                left.push_str(line);
            }
        }
    }
    assert_eq!(open, None, "a block is open at the end of:\n{text}");
    left
}

fn states() -> Vec<State> {
    let trouble = Trouble {
        kind: TroubleKind::RedChecks,
        evidence: "The validation command ended with status 1.".to_owned(),
        resets: None,
    };
    let tried = Try { n_failed: 1, ..Try::default() };
    vec![
        State::Received(Try::default()),
        State::Planning(Try::default()),
        State::AwaitingApproval,
        split::tests::splitting(0),
        State::Queued(Work { n_done: 0, head: None, ..work() }),
        State::Implementing(Work { n_done: 0, head: None, ..work() }),
        State::Implementing(Work { attempt: tried, ..work() }),
        State::Verifying(Work { n_done: 2, ..work() }),
        State::Correcting(Work { n_done: 2, ..work() }),
        publishing(false),
        drafted(),
        State::Merged { pull: PullNumber(9) },
        State::Closed { pull: Some(PullNumber(9)) },
        State::Closed { pull: None },
        stopped(),
        State::Failed { trouble, back: Box::new(State::Correcting(Work { n_done: 2, ..work() })) },
    ]
}

fn stopped() -> State {
    State::Stopped { by: "ada".to_owned(), back: Box::new(State::Queued(work())) }
}

fn publishing(pushed: bool) -> State {
    let work = Work { n_done: 2, ..work() };
    let receipt = Some(ContentHash::of(b"a receipt"));
    State::Publishing(Published {
        work,
        head: commit('c'),
        verified_by: run_id(3),
        pushed,
        receipt,
    })
}

fn drafted() -> State {
    State::Drafted {
        pull: PullNumber(9),
        head: commit('c'),
        rounds: crate::task::Rounds::default(),
    }
}

fn ended(outcome: Outcome) -> Event {
    Event::RunEnded { run: run_id(1), outcome, usage: Usage::default() }
}

pub(in crate::words) fn task(state: State) -> Task {
    Task {
        id: TaskId(1),
        kind: Kind::Change,
        repo: "ada/sums".parse().unwrap(),
        issue: IssueNumber(12),
        title: "Sum by month".to_owned(),
        opened: Time(1),
        changed: Time(1),
        request: String::new(),
        state,
        base: Some(commit('b')),
        n_runs: 0,
        run: None,
        usage: Usage::default(),
        plan: Some(plan_ref()),
        shown: Vec::new(),
        notes: Vec::new(),
        to_acknowledge: Vec::new(),
        to_answer: Vec::new(),
        alone: false,
        to_tell: Vec::new(),
        told: None,
        review: None,
        passed: Vec::new(),
        by_hand: false,
    }
}

fn work() -> Work {
    Work {
        plan: plan_ref(),
        answers: String::new(),
        n_done: 1,
        head: Some(commit('c')),
        n_corrections: 0,
        attempt: Try::default(),
        proof: Box::default(),
        rework: None,
    }
}

fn plan_ref() -> PlanRef {
    PlanRef {
        hash: PlanHash::of("the plan"),
        version: 1,
        n_steps: 2,
        n_questions: 1,
        contract: None,
    }
}

#[test]
fn what_runs_reached_is_a_line_that_no_name_can_break() {
    let mut reached = Traffic::default();
    assert_eq!(traffic(&reached), "none reached");
    reached.reach("index.crates.io:443");
    reached.reach("index.crates.io:443");
    reached.moved("index.crates.io:443", (950, 12_600));
    reached.reach("static.crates.io:443");
    reached.moved("static.crates.io:443", (2048, 5 << 20));
    reached.refuse("evil.test:443");
    reached.refuse("evil.test:443");
    reached.refuse("`[x](https://a.test) | <b>\n@ada");
    let line = [
        "`index.crates.io:443` (2 connections, 950 B up, 12.3 KiB down), ",
        "`static.crates.io:443` (1 connection, 2.0 KiB up, 5.0 MiB down); ",
        "refused: `'[x](https://a.test) | <b> @ada`, `evil.test:443` (2 times)",
    ];
    assert_eq!(traffic(&reached), line.concat());
    let pull = pull(&task(drafted()), &plan(), &Evidence { traffic: reached, ..evidence() });
    let line = pull.body.as_str().lines().find(|line| line.starts_with("| Hosts |")).unwrap();
    assert!(line.contains("\\|") && !line.contains("@ada"), "{line}");
    let many = (0..20).fold(Traffic::default(), |mut many, n| {
        many.refuse(&format!("{n}.test:443"));
        many
    });
    assert!(traffic(&many).ends_with(", and 8 more"), "{}", traffic(&many));
}

pub(in crate::words) fn plan() -> Plan {
    let step = |title: &str| crate::plan::Step { title: title.to_owned(), ..Default::default() };
    let question = "Does a month begin in UTC?\n  Proposal: yes.".lines().next().unwrap();
    Plan {
        title: Some("Sum by month".to_owned()),
        summary: "`sums --by month` prints one sum for each month.".to_owned(),
        steps: vec![step("Group the sums by month"), step("Say so in the README")],
        files: vec!["src/sum.rs".to_owned(), "README.md".to_owned()],
        validation: Some("cargo test".to_owned()),
        risks: vec!["Months without a sum are left out.".to_owned()],
        questions: vec![Question { text: question.to_owned(), answer: None }],
        ..Plan::default()
    }
}

fn evidence() -> Evidence {
    Evidence {
        base: commit('b'),
        head: commit('c'),
        plan: plan_ref().hash,
        contract: None,
        closes: false,
        command: "cargo test --quiet | tail -5".to_owned(),
        output: "running 3 tests\n...\ntest result: ok. 3 passed\n".to_owned(),
        checks: checks(),
        guards: None,
        review: Some(OwnReview::Missing(NotReviewed::NoSecondAgent)),
        files: vec![
            FileChange { path: "src/sum.rs".to_owned(), lines: Some((120, 7)) },
            FileChange { path: "docs/month.png".to_owned(), lines: None },
        ],
        sandbox: "bwrap: no network but the gateway, no file but the workspace".to_owned(),
        traffic: Traffic::default(),
        agents: vec!["deep: codex 0.169.0 with gpt-5".to_owned(), "mini 0.1.0".to_owned()],
        usage: usage(),
        elapsed_ms: 754_000,
        reports: vec!["Grouped the sums.\n\nThe order of months is by date.".to_owned()],
        receipt: Some(ReceiptAt {
            fetch: "git fetch origin refs/zazen/receipts && git show FETCH_HEAD:12/1.json"
                .to_owned(),
            key: format!("ed25519:{}", "07".repeat(32)),
        }),
    }
}

/// Three tests, one of which was red before.
fn checks() -> Checks {
    let ran = |n_passed, n_failed, is_green| Ran {
        is_green,
        found: Some(Found {
            counts: Counts { n_passed, n_failed, n_skipped: 0 },
            ..Found::default()
        }),
        coverage: None,
    };
    Checks { before: Some(ran(2, 1, false)), after: ran(3, 0, true), is_flaky: false }
}

fn usage() -> Usage {
    let tokens = Tokens { input: 12_000, output: 345, ..Tokens::default() };
    Usage { n_calls: 14, tokens, cost: Cost::Micros(123_456), ..Usage::default() }
}

fn run_id(n: u32) -> RunId {
    RunId { task: TaskId(1), n }
}

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn notes_of_a_rebase() -> Vec<Note> {
    let commit = |digit: &str| -> CommitId { digit.repeat(40).parse().unwrap() };
    let paths = vec!["src/main.rs".to_owned(), "`@everyone`\n# x".to_owned()];
    let mut notes: Vec<Note> = [
        NotRebased::OnTop { base: commit("b") },
        NotRebased::NothingLeft { base: commit("b") },
        NotRebased::Conflict { commit: commit("c"), paths, n_paths: 3 },
        NotRebased::Foreign { head: commit("f") },
        NotRebased::Other { evidence: "```\n@everyone the disk is broken".to_owned() },
    ]
    .map(|why| Note::NotRebased { why })
    .into();
    let (head, onto) = (commit("d"), commit("b"));
    notes.push(Note::Rebased { pull: PullNumber(9), head, onto });
    notes
}

#[test]
fn a_pull_request_closes_its_issue_only_where_the_owner_says_so() {
    let closing = pull(&task(drafted()), &plan(), &Evidence { closes: true, ..evidence() });
    let plain = pull(&task(drafted()), &plan(), &evidence());
    assert!(closing.body.as_str().contains("Closes #12"), "{}", closing.body.as_str());
    assert!(plain.body.as_str().contains("Refs #12") && !plain.body.as_str().contains("Closes #"));
}
