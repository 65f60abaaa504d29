//! What each command does where a task stands.

use std::fmt::Write as _;

use expect_test::{Expect, expect, expect_file};

use super::*;
use crate::delegate::Need;
use crate::engine::Unfit;
use crate::id::{ContentHash, PlanHash, PullNumber, RunId, Stream, Time};
use crate::task::{ContractRef, Examined, Outcome, Phase, Trouble, TroubleKind};
use crate::usage::Usage;

/// How far the task of issue 12 has come when the comment is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Nothing,
    Received,
    Planning,
    AwaitingApproval,
    Revising,
    Queued,
    Implementing,
    Verifying,
    Correcting,
    Held,
    Publishing,
    Drafted,
    Merged,
    Closed,
    Stopped,
    Failed,
}

#[test]
fn every_command_in_every_state() {
    let mut table = String::from("# What a command does where a task stands\n");
    let commands = [
        "/plan smaller",
        "/implement yes",
        "/approve",
        "/approve 0123456789ab",
        "/approve {held}",
        "/fix the names",
        "/review",
        "/remember that sums are in cents",
        "/stop",
        "/retry look",
        "/ask why?",
        "/status",
    ];
    for command in commands {
        writeln!(table, "\n## `{command}`\n").unwrap();
        let mut stand = Some(Stand::Nothing);
        while let Some(at) = stand {
            let fact = read(&book(at), &command.replace("{held}", hash().short()));
            writeln!(table, "- {at:?}: {}", in_words(&fact)).unwrap();
            stand = at.next();
        }
    }
    expect_file!["../../tests/texts/commands.md"].assert_eq(&table);
}

#[test]
fn a_command_may_say_that_its_task_is_not_to_go_on_by_itself_after_waits() {
    let mut text = String::new();
    for (stand, command) in [
        (Stand::Nothing, "/plan --no-resume keep it small"),
        (Stand::AwaitingApproval, "/implement --no-resume"),
        (Stand::AwaitingApproval, "/implement yes --no-resume"),
        (Stand::Failed, "/retry --resume look"),
        (Stand::Nothing, "/ask --no-resume"),
        (Stand::Nothing, "/ask --no-resume why?"),
        (Stand::Drafted, "/fix --no-resume\nthe names"),
        (Stand::Implementing, "/stop --no-resume"),
        (Stand::Merged, "/retry --no-resume"),
    ] {
        let fact = read(&book(stand), command);
        writeln!(text, "{command:?}: {}", in_words(&fact)).unwrap();
    }
    expect![[r#"
        "/plan --no-resume keep it small": task 1 is opened, a Change with the request "keep it small"; comment 99 is taken; task 1: resumes false
        "/implement --no-resume": task 1: the plan is approved with ""; comment 99 is taken; task 1: resumes false
        "/implement yes --no-resume": task 1: the plan is approved with "yes --no-resume"; comment 99 is taken
        "/retry --resume look": task 1: try again with "look"; comment 99 is taken; task 1: resumes true
        "/ask --no-resume": task 1 is opened, a Question with the request "--no-resume"; comment 99 is taken
        "/ask --no-resume why?": task 1 is opened, a Question with the request "why?"; comment 99 is taken; task 1: resumes false
        "/fix --no-resume\nthe names": task 1: fix "the names"; comment 99 is taken; task 1: resumes false
        "/stop --no-resume": task 1: ada says stop; comment 99 is taken
        "/retry --no-resume": reply: `/retry` does not fit now: task 1 was merged as #5. You can write `/plan`.
    "#]].assert_eq(&text);
}

#[test]
fn what_asks_for_nothing_changes_nothing_and_is_read_once() {
    let mut book = book(Stand::AwaitingApproval);
    let fact = read(&book, "I think that `/plan` is near.\n\n> /stop\n");
    assert_eq!(fact.changes, []);
    book.take_in(fact.clone(), Time(99)).unwrap();
    assert_eq!(book.take_in(fact, Time(99)), Err(Unfit::Repeated));
}

#[test]
fn what_is_no_command_is_for_the_agent_at_work() {
    let said = |stand, comment: Comment<'_>| {
        let trust = Trust::new(["ada".to_owned()].into(), false);
        let rules = Rules { trust, ..Rules::default() };
        let fact = super::comment(&book(stand), &rules, &comment, &PlanOnDisk::AsKnown);
        let [Change::Task { event, .. }] = &fact.changes[..] else { return false };
        matches!(event, Event::Said { by, .. } if by == "ada")
    };
    let text = || comment_12("Please round to cents.");
    assert!(said(Stand::Planning, text()));
    assert!(said(Stand::Implementing, text()));
    assert!(!said(Stand::Verifying, text()), "checks have no agent");
    assert!(!said(Stand::AwaitingApproval, text()), "nobody is at work");
    assert!(!said(Stand::Planning, comment_12(" ")));
    assert!(!said(Stand::Planning, comment_12("/stop")), "a command is one");
    assert!(!said(Stand::Planning, Comment { author: "mallory", ..text() }), "a stranger");
    assert!(!said(Stand::Planning, Comment { is_bot: true, ..text() }), "a program");
}

#[test]
fn what_is_said_waits_until_it_is_known_whom_it_reached() {
    let mut book = book(Stand::Implementing);
    let fact = read(&book, "Please round to cents.");
    book.take_in(fact, Time(99)).unwrap();
    let task = book.task(TaskId(1)).unwrap().into_owned();
    let [saying] = task.to_tell.as_slice() else { panic!("{:?}", task.to_tell) };
    let text = saying.text;
    let told = Event::Told { text, reached: crate::task::Reached::AtWork };
    book.take_in(Fact::of(TaskId(1), told.clone()), Time(100)).unwrap();
    let task = book.task(TaskId(1)).unwrap().into_owned();
    assert_eq!(task.to_tell, []);
    assert!(task.to_acknowledge.contains(&text), "its author sees a sign");
    assert_eq!(task.told, Some(("ada".to_owned(), crate::task::Reached::AtWork)));
    book.take_in(Fact::of(TaskId(1), told), Time(101)).unwrap();
    assert_eq!(book.task(TaskId(1)).unwrap().to_acknowledge, task.to_acknowledge, "once");
}

#[test]
fn a_strangers_commands_start_nothing_and_are_answered_once() {
    let trust = Trust::new(["grace".to_owned()].into(), false);
    let rules = Rules { trust, ..Rules::default() };
    let mut book = Book::default();
    let first = super::comment(&book, &rules, &comment_12("/plan"), &PlanOnDisk::AsKnown);
    let [Change::ReplyDue { reply: Reply::Stranger, .. }] = &first.changes[..] else {
        panic!("it led to {first:?}");
    };
    book.take_in(first, Time(1)).unwrap();
    let again = Comment { id: CommentId::comment(100), ..comment_12("/ask why?") };
    let again = super::comment(&book, &rules, &again, &PlanOnDisk::AsKnown);
    assert_eq!(again.changes, []);
    let grace = Comment { author: "grace", id: CommentId::comment(101), ..comment_12("/plan") };
    let taken = super::comment(&book, &rules, &grace, &PlanOnDisk::AsKnown);
    assert!(matches!(taken.changes[..], [Change::Opened(_), ..]), "it led to {taken:?}");
}

#[test]
fn the_text_of_the_issue_is_comment_0() {
    let mut book = Book::default();
    let issue =
        Comment { id: CommentId::comment(0), text: "Sums are slow.\n\n/plan", ..comment_12("") };
    let fact = super::comment(&book, &Rules::default(), &issue, &PlanOnDisk::AsKnown);
    check(
        &fact,
        expect![[r#"
        task 1 is opened, a Change with the request ""
        comment 0 is taken"#]],
    );
    book.take_in(fact.clone(), Time(1)).unwrap();
    assert_eq!(book.take_in(fact, Time(1)), Err(Unfit::Repeated));
    assert!(book.issue(&repo(), IssueNumber(12)).seen.contains(CommentId::comment(0)));
}

#[test]
fn two_tasks_of_one_comment_have_numbers_of_their_own() {
    let fact = read(&book(Stand::Nothing), "/plan use a map\n/ask how large is it?");
    check(
        &fact,
        expect![[r#"
        task 1 is opened, a Change with the request "use a map"
        comment 99 is taken
        task 2 is opened, a Question with the request "how large is it?"
        comment 99 is taken"#]],
    );
    let mut book = book(Stand::Nothing);
    book.take_in(fact, Time(1)).unwrap();
    let issue = book.issue(&repo(), IssueNumber(12));
    assert_eq!(issue.task, Some(TaskId(1)), "commands are for the change");
}

#[test]
fn stop_and_retry_reach_a_question_where_there_is_nothing_else_for_them() {
    let mut book = book(Stand::Drafted);
    book.take_in(read(&book, "/ask how large is it?"), Time(50)).unwrap();
    let stop = Comment { id: CommentId::comment(100), ..comment_12("/stop") };
    let fact = super::comment(&book, &Rules::default(), &stop, &PlanOnDisk::AsKnown);
    check(
        &fact,
        expect![[r#"
        task 2: ada says stop
        comment 100 is taken"#]],
    );
    book.take_in(fact, Time(51)).unwrap();
    let retry = Comment { id: CommentId::comment(101), ..comment_12("/retry\n/status") };
    check(
        &super::comment(&book, &Rules::default(), &retry, &PlanOnDisk::AsKnown),
        expect![[r#"
            task 2: try again with ""
            comment 101 is taken
            reply: - Task 1 is a draft, #5 (0 tokens, cost $0). You can write `/plan`, `/fix` or `/rebase`.
            - Task 2 was stopped by ada (0 tokens, cost $0). You can write `/retry`."#]],
    );
}

#[test]
fn a_comment_has_one_reply() {
    let fact = read(&book(Stand::Nothing), "/implement\n/status");
    check(
        &fact,
        expect![[r#"
        reply: There is no plan to carry out yet. Write `/plan` to have one written; when it is here, `/implement` approves it.

        Nothing was asked for on this issue yet. Write `/plan` to begin."#]],
    );
}

#[test]
fn a_command_that_is_misspelled_does_nothing() {
    check(
        &read(&book(Stand::Planning), "/stpo"),
        expect!["reply: Nothing was done: `/stpo` is not a command; did you mean `/stop`?"],
    );
    check(
        &read(&book(Stand::Planning), "/plan\n/stop"),
        expect!["reply: Nothing was done: `/plan` and `/stop` cannot be in one comment."],
    );
    check(
        &read(&book(Stand::Planning), "/ask"),
        expect!["reply: Nothing was done: `/ask` needs a question after it."],
    );
}

#[test]
fn a_plan_that_cannot_be_read_is_not_approved() {
    let book = book(Stand::AwaitingApproval);
    let on_disk = PlanOnDisk::Unreadable { why: "there is no `## Steps` section".to_owned() };
    let fact = super::comment(&book, &Rules::default(), &comment_12("/implement"), &on_disk);
    check(
        &fact,
        expect![[r#"
        reply: Nothing was started: the plan was edited, and cannot be read now. Mend it, then write `/implement` again.

        ```text
        there is no `## Steps` section
        ```
    "#]],
    );
}

#[test]
fn an_approval_is_bound_to_the_plan_that_is_known_now() {
    let fact = read(&book(Stand::AwaitingApproval), "/implement use a map\nand no new crate");
    let [Change::Task { event: Event::PlanApproved { by, hash, answers, .. }, .. }, _] =
        &fact.changes[..]
    else {
        panic!("{fact:?}")
    };
    assert_eq!((by.as_str(), hash), ("ada", &plan().hash));
    assert_eq!(answers, "use a map\nand no new crate");
}

#[test]
fn work_of_a_kind_is_approved_by_who_may_with_the_contract_that_was_shown() {
    let need = Need { kind: "auth".to_owned(), permission: None, people: vec!["eve".to_owned()] };
    let contract = ContractRef { hash: PlanHash::of("a contract"), needs: vec![need] };
    let plan = PlanRef { version: 2, contract: Some(Box::new(contract.clone())), ..plan() };
    let mut book = book(Stand::AwaitingApproval);
    book.take_in(Fact::of(TaskId(1), Event::PlanEdited { plan }), Time(60)).unwrap();
    let fact = read(&book, "/implement");
    check(
        &fact,
        expect![
            "reply: Nothing was approved: this is work of the kind *auth*, and `eve` has to \
             approve it."
        ],
    );
    let eve = Comment { author: "eve", ..comment_12("/implement") };
    let fact = super::comment(&book, &Rules::default(), &eve, &PlanOnDisk::AsKnown);
    let [Change::Task { event: Event::PlanApproved { contract: approved, .. }, .. }, _] =
        &fact.changes[..]
    else {
        panic!("{fact:?}")
    };
    assert_eq!(approved.as_ref(), Some(&contract.hash));
    book.take_in(fact, Time(70)).unwrap();
    assert!(matches!(book.task(TaskId(1)).unwrap().state, State::Queued(_)));
}

#[test]
fn an_approval_of_another_contract_is_refused() {
    let contract = ContractRef { hash: PlanHash::of("a contract"), needs: Vec::new() };
    let plan = PlanRef { contract: Some(Box::new(contract)), ..plan() };
    let mut book = book(Stand::AwaitingApproval);
    book.take_in(Fact::of(TaskId(1), Event::PlanEdited { plan: plan.clone() }), Time(60)).unwrap();
    let task = book.task(TaskId(1)).unwrap().into_owned();
    let approve = |contract| {
        let (by, hash, answers) = ("ada".to_owned(), plan.hash.clone(), String::new());
        evolve(task.clone(), Event::PlanApproved { by, hash, answers, contract }, Time(70))
    };
    assert!(approve(Some(PlanHash::of("another"))).is_err());
    assert!(approve(Some(PlanHash::of("a contract"))).is_ok());
    assert!(approve(None).is_ok(), "records of before have none");
}

#[test]
fn requests_of_the_command_line() {
    let stop = Request::Stop { task: TaskId(1), by: "ada".to_owned() };
    let mut book = book(Stand::Planning);
    let fact = request(&book, "17", &stop).unwrap();
    check(&fact, expect!["task 1: ada says stop"]);
    book.take_in(fact.clone(), Time(50)).unwrap();
    assert_eq!(book.take_in(fact, Time(50)), Err(Unfit::Repeated));
    assert!(book.was_taken(&Cause::Request { id: "17".to_owned() }));

    expect!["task 1 is stopped by ada"].assert_eq(&request(&book, "18", &stop).unwrap_err());
    let nobody = Request::Stop { task: TaskId(7), by: "ada".to_owned() };
    expect!["there is no task 7"].assert_eq(&request(&book, "19", &nobody).unwrap_err());

    let retry = Request::Retry {
        task: TaskId(1),
        by: "ada".to_owned(),
        remarks: "slowly".to_owned(),
        resumes: Some(false),
    };
    check(
        &request(&book, "20", &retry).unwrap(),
        expect![[r#"
        task 1: try again with "slowly"
        task 1: resumes false"#]],
    );
}

#[test]
fn the_command_line_releases_what_is_held_back_and_nothing_else() {
    let book = book(Stand::Held);
    let ask = |hold: &str| Request::Release {
        task: TaskId(1),
        by: "ada".to_owned(),
        hold: hold.to_owned(),
    };
    let fact = request(&book, "1", &ask(hash().short())).unwrap();
    check(&fact, expect!["task 1: ada releases 4cca48057f7f"]);
    let why = request(&book, "2", &ask("4cca")).unwrap_err();
    expect!["task 1 holds `4cca48057f7f` back, and not `4cca`"].assert_eq(&why);
    let why = request(&super::tests::book(Stand::Verifying), "3", &ask("4cca")).unwrap_err();
    expect!["task 1 holds nothing back"].assert_eq(&why);
}

#[test]
fn a_request_is_written_as_it_was_before() {
    let text = r#"{"ask":"retry","task":3,"by":"ada","remarks":"slowly"}"#;
    let request: Request = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&request).unwrap(), text);
}

#[expect(clippy::needless_pass_by_value, reason = "an `Expect` is written in place")]
#[track_caller]
fn check(fact: &Fact, expected: Expect) {
    let lines: Vec<String> = fact.changes.iter().map(change_in_words).collect();
    expected.assert_eq(&lines.join("\n"));
}

fn in_words(fact: &Fact) -> String {
    fact.changes.iter().map(change_in_words).collect::<Vec<_>>().join("; ")
}

fn change_in_words(change: &Change) -> String {
    match change {
        Change::Opened(Opened { id, kind, request, .. }) => {
            format!("task {id} is opened, a {kind:?} with the request {request:?}")
        }
        Change::Task { task, event } => match event {
            Event::PlanApproved { answers, .. } => {
                format!("task {task}: the plan is approved with {answers:?}")
            }
            Event::SplitApproved { remarks, .. } => {
                format!("task {task}: the plan is to be split with {remarks:?}")
            }
            Event::PlanSentBack { remarks, .. } => {
                format!("task {task}: the plan is sent back with {remarks:?}")
            }
            Event::StopAsked { by } => format!("task {task}: {by} says stop"),
            Event::RetryAsked { remarks, .. } => format!("task {task}: try again with {remarks:?}"),
            Event::CommandTaken { comment, on: None } => format!("comment {comment} is taken"),
            Event::CommandTaken { comment, on: Some(on) } => {
                format!("comment {comment} on #{on} is taken")
            }
            Event::FixAsked { ask, .. } => format!("task {task}: fix {:?}", ask.remarks),
            Event::RebaseAsked { by } => format!("task {task}: {by} says rebase"),
            Event::ChecksFailed { evidence, .. } => format!("task {task}: red, {evidence:?}"),
            Event::ResumingSet { resumes } => format!("task {task}: resumes {resumes}"),
            Event::Released { by, hold } => {
                format!("task {task}: {by} releases {}", hold.short())
            }
            event @ (Event::PlanEdited { .. }
            | Event::Examined { .. }
            | Event::Sealed { .. }
            | Event::Forked { .. }
            | Event::PartOpened { .. }
            | Event::WaitWaived { .. }
            | Event::BaseFound { .. }
            | Event::RunBegun { .. }
            | Event::RunEnded { .. }
            | Event::Blocked { .. }
            | Event::Shown { .. }
            | Event::Acknowledged { .. }
            | Event::PullReopened { .. }
            | Event::PullReady { .. }
            | Event::BaseChanged { .. }
            | Event::BranchDeleted { .. }
            | Event::HeadMoved { .. }
            | Event::PullUpdated { .. }
            | Event::Rebased { .. }
            | Event::NotRebased { .. }
            | Event::ThreadAnswered { .. }
            | Event::IssueEnded { .. }
            | Event::ReviewPosted
            | Event::Said { .. }
            | Event::Told { .. }
            | Event::Pushed { .. }
            | Event::PullOpened { .. }
            | Event::PullMerged
            | Event::PutOff { .. }
            | Event::Resumed { .. }
            | Event::PullClosed) => format!("{event:?}"),
        },
        Change::ReplyDue { reply, .. } => format!("reply: {}", crate::words::reply(reply).as_str()),
        Change::Replied { .. } => "replied".to_owned(),
    }
}

fn read(book: &Book, text: &str) -> Fact {
    super::comment(book, &Rules::default(), &comment_12(text), &PlanOnDisk::AsKnown)
}

/// A comment on issue 12 that was not read.
fn comment_12(text: &str) -> Comment<'_> {
    static REPO: std::sync::LazyLock<RepoName> = std::sync::LazyLock::new(repo);
    Comment {
        repo: &REPO,
        issue: IssueNumber(12),
        title: "Sum by month",
        id: CommentId::comment(99),
        author: "ada",
        permission: None,
        is_bot: false,
        bots: &["zazen"],
        implied: None,
        pull: None,
        text,
    }
}

impl Stand {
    fn next(self) -> Option<Self> {
        Some(match self {
            Self::Nothing => Self::Received,
            Self::Received => Self::Planning,
            Self::Planning => Self::AwaitingApproval,
            Self::AwaitingApproval => Self::Revising,
            Self::Revising => Self::Queued,
            Self::Queued => Self::Implementing,
            Self::Implementing => Self::Verifying,
            Self::Verifying => Self::Correcting,
            Self::Correcting => Self::Held,
            Self::Held => Self::Publishing,
            Self::Publishing => Self::Drafted,
            Self::Drafted => Self::Merged,
            Self::Merged => Self::Closed,
            Self::Closed => Self::Stopped,
            Self::Stopped => Self::Failed,
            Self::Failed => return None,
        })
    }
}

/// A book in which task 1 of issue 12 stands there.
fn book(stand: Stand) -> Book {
    let mut book = Book::default();
    let at = Time(1);
    let opened = Opened {
        id: TaskId(1),
        kind: Kind::Change,
        repo: repo(),
        issue: IssueNumber(12),
        title: "Sum by month".to_owned(),
        request: String::new(),
        by: "ada".to_owned(),
        review: None,
        plan: None,
    };
    if stand == Stand::Nothing {
        return book;
    }
    book.take_in(Fact { cause: None, changes: vec![Change::Opened(opened)] }, at).unwrap();
    let mut tell = |event| book.take_in(Fact::of(TaskId(1), event), at).map(drop).unwrap();
    for event in events_to(stand) {
        tell(event);
    }
    book
}

fn events_to(stand: Stand) -> Vec<Event> {
    let by = || "ada".to_owned();
    let none = String::new;
    let run = |n| RunId { task: TaskId(1), n };
    let begun = |n, phase| Event::RunBegun {
        run: run(n),
        phase,
        from: commit('b'),
        agent: None,
        passed: Vec::new(),
    };
    let ended = |n, outcome| Event::RunEnded { run: run(n), outcome, usage: Usage::default() };
    let trouble = |kind| Trouble::new(kind, none());
    let verify = |n| Event::RunBegun {
        run: run(n),
        phase: Phase::Verify,
        from: commit('c'),
        agent: None,
        passed: Vec::new(),
    };
    let path = [
        (Stand::Planning, begun(1, Phase::Plan)),
        (Stand::AwaitingApproval, ended(1, Outcome::Planned { plan: plan() })),
        (
            Stand::Queued,
            Event::PlanApproved { by: by(), hash: plan().hash, answers: none(), contract: None },
        ),
        (Stand::Implementing, begun(2, Phase::Implement { step: 1 })),
        (Stand::Verifying, ended(2, Outcome::StepDone { head: commit('c'), n_commits: 1 })),
        (Stand::Verifying, verify(3)),
        (Stand::Publishing, ended(3, Outcome::ChecksGreen { head: commit('c') })),
        (Stand::Publishing, Event::Examined { head: commit('c'), examined: examined() }),
        (Stand::Publishing, Event::Sealed { head: commit('c'), receipt: hash() }),
        (Stand::Publishing, Event::Pushed { head: commit('c') }),
        (Stand::Drafted, Event::PullOpened { pull: PullNumber(5) }),
    ];
    let upto = |last: Stand| {
        let end = path.iter().rposition(|(stand, _)| *stand == last).map_or(0, |i| i + 1);
        path[..end].iter().map(|(_, event)| event.clone()).collect::<Vec<_>>()
    };
    let (last, then) = match stand {
        Stand::Revising => {
            (Stand::AwaitingApproval, vec![Event::PlanSentBack { by: by(), remarks: none() }])
        }
        Stand::Correcting => {
            let red = || Outcome::Failed { trouble: trouble(TroubleKind::RedChecks) };
            (Stand::Verifying, vec![ended(3, red()), verify(4), ended(4, red())])
        }
        Stand::Held => {
            let examined = Examined { hold: Some(hash()), ..examined() };
            let green = ended(3, Outcome::ChecksGreen { head: commit('c') });
            (Stand::Verifying, vec![green, Event::Examined { head: commit('c'), examined }])
        }
        Stand::Merged => (Stand::Drafted, vec![Event::PullMerged]),
        Stand::Closed => (Stand::Drafted, vec![Event::PullClosed]),
        Stand::Stopped => (Stand::Implementing, vec![Event::StopAsked { by: by() }]),
        Stand::Failed => {
            let trouble = trouble(TroubleKind::NeedsLogin);
            (Stand::Planning, vec![ended(1, Outcome::Failed { trouble })])
        }
        Stand::Nothing
        | Stand::Received
        | Stand::Planning
        | Stand::AwaitingApproval
        | Stand::Queued
        | Stand::Implementing
        | Stand::Verifying
        | Stand::Publishing
        | Stand::Drafted => (stand, Vec::new()),
    };
    upto(last).into_iter().chain(then).collect()
}

fn plan() -> PlanRef {
    PlanRef {
        hash: PlanHash::of("the plan"),
        version: 1,
        n_steps: 1,
        n_questions: 0,
        contract: None,
    }
}

fn examined() -> Examined {
    Examined { report: hash(), n_flagged: 0, hold: None, reviewers: Vec::new() }
}

fn hash() -> ContentHash {
    ContentHash::of(b"something")
}

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

fn repo() -> RepoName {
    "ada/sums".parse().unwrap()
}

#[test]
fn a_pull_request_is_reviewed_once_at_each_of_its_commits() {
    let at = |digit| Some(PullHead { pull: PullNumber(12), head: commit(digit) });
    let mut book = book(Stand::Nothing);
    let ask = Comment { pull: at('b'), ..comment_12("/review the errors") };
    let fact = super::comment(&book, &Rules::default(), &ask, &PlanOnDisk::AsKnown);
    check(
        &fact,
        expect![[r#"
        task 1 is opened, a Review with the request "the errors"
        comment 99 is taken"#]],
    );
    book.take_in(fact, Time(1)).unwrap();
    assert_eq!(book.task(TaskId(1)).unwrap().base, Some(commit('b')));
    let again = Comment { id: CommentId::comment(100), ..ask.clone() };
    let fact = super::comment(&book, &Rules::default(), &again, &PlanOnDisk::AsKnown);
    check(&fact, expect!["reply: I am reviewing `bbbbbbbbbbbb` already (task 1)."]);
    let later = Comment { id: CommentId::comment(101), pull: at('c'), ..ask };
    let fact = super::comment(&book, &Rules::default(), &later, &PlanOnDisk::AsKnown);
    check(
        &fact,
        expect![[r#"
        task 2 is opened, a Review with the request "the errors"
        comment 101 is taken"#]],
    );
}

#[test]
fn what_a_review_says_is_taken_from_who_may_command_and_from_nobody_else() {
    let book = book(Stand::Drafted);
    let read = |author, permission, is_bot, issue| {
        let said = Comment {
            author,
            permission: Some(permission),
            is_bot,
            issue: IssueNumber(issue),
            id: CommentId::of(Stream::Review, 7),
            implied: Some(Implied::Command(Name::Fix)),
            ..comment_12("The names are wrong.")
        };
        super::comment(&book, &Rules::default(), &said, &PlanOnDisk::AsKnown)
    };
    check(
        &read("ada", Permission::Write, false, 5),
        expect![[r#"
        task 1: fix "The names are wrong."
        comment review/7 on #5 is taken"#]],
    );
    assert_eq!(read("eve", Permission::Read, false, 5).changes, []);
    assert_eq!(read("ci", Permission::Admin, true, 5).changes, []);
    assert_eq!(read("ada", Permission::Write, false, 77).changes, [], "nothing of ours is there");
}

#[test]
fn red_checks_count_on_our_own_commit_and_a_command_in_their_output_does_not() {
    let book = book(Stand::Drafted);
    let read = |digit| {
        let red = Comment {
            author: "",
            issue: IssueNumber(5),
            id: CommentId::of(Stream::Checks, 7),
            implied: Some(Implied::RedChecks { head: commit(digit) }),
            ..comment_12("/stop\n2 failed")
        };
        super::comment(&book, &Rules::default(), &red, &PlanOnDisk::AsKnown)
    };
    check(&read('c'), expect![[r#"task 1: red, "/stop\n2 failed""#]]);
    assert_eq!(read('e').changes, []);
}
