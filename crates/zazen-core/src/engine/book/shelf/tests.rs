use super::*;
use crate::id::{
    AgentName, CommentId, CommitId, ContentHash, IssueNumber, PlanHash, PullNumber, RunId, Time,
};
use crate::task::{
    Before, Checks, Digest, Examined, IssueEnd, Kind, Known, Note, OwnReview, Passed, Pause, Phase,
    PlanRef, Proof, Rounds, Run, Slot, State, TakenOver, TextRef, Trouble, TroubleKind, Try, Waits,
    Why, Work,
};
use crate::usage::{Amount, Cost, Tokens, Usage};

fn commit(digit: &str) -> CommitId {
    digit.repeat(40).parse().expect("forty digits are a commit")
}

/// A task with something in every field, so that none can be lost unseen.
fn full(state: State) -> Task {
    let plan = PlanRef {
        hash: PlanHash::of("a plan"),
        version: 2,
        n_steps: 3,
        n_questions: 1,
        contract: None,
    };
    Task {
        id: TaskId(7),
        kind: Kind::Change,
        repo: "ada/tally".parse().expect("this is a repository"),
        issue: IssueNumber(41),
        title: "Überträge ☃ stimmen".to_owned(),
        opened: Time(1),
        changed: Time(u64::MAX),
        request: "soon".to_owned(),
        state,
        base: Some(commit("0")),
        n_runs: 9,
        run: None,
        usage: Usage {
            n_calls: 3,
            tokens: Tokens { input: 1, output: 2, cache_read: 3, cache_write: 4 },
            cost: Cost::Unknown { known_micros: 5 },
            assumed: Amount { micros: 6, tokens: 7 },
        },
        plan: Some(plan),
        shown: vec![(Slot::Plan, Digest(1)), (Slot::Note(1), Digest(2))],
        notes: vec![Note::Drafted { pull: PullNumber(3) }],
        to_acknowledge: vec![TextRef { on: IssueNumber(2), id: CommentId::comment(8) }],
        to_answer: Vec::new(),
        alone: true,
        to_tell: Vec::new(),
        told: None,
        review: None,
        passed: Vec::new(),
        by_hand: false,
    }
}

fn proof() -> Proof {
    let run = RunId { task: TaskId(2), n: 4 };
    let review = OwnReview { run, n_findings: 2, n_blocking: 1 };
    Proof {
        n_red: 1,
        green: Some(run),
        before: Some(Before { run, result: Checks::Red }),
        examined: Some(Examined {
            report: ContentHash::of(b"a report"),
            n_flagged: 1,
            hold: Some(ContentHash::of(b"what is held")),
            reviewers: vec![AgentName::default()],
        }),
        released: vec![ContentHash::of(b"what was held")],
        review: Some(review),
        earlier: Some(review),
        n_sent_back: 1,
        unreviewed: Some(TroubleKind::Crash),
    }
}

fn failed_at_work() -> State {
    let work = Work {
        plan: PlanRef {
            hash: PlanHash::of("x"),
            version: 1,
            n_steps: 1,
            n_questions: 0,
            contract: None,
        },
        answers: "yes".to_owned(),
        n_done: 1,
        head: Some(commit("a")),
        n_corrections: 1,
        attempt: Try {
            waits: Some(Waits { n: 2, since: Time(3), forced: true, n_put_off: 1 }),
            ..Try::default()
        },
        proof: Box::new(proof()),
        rework: None,
    };
    let trouble = Trouble::new(TroubleKind::RedChecks, "1 failed".to_owned());
    State::Failed { trouble, back: Box::new(State::Verifying(work)) }
}

#[test]
fn a_task_at_rest_is_packed_and_comes_back_whole() {
    let drafted =
        State::Drafted { pull: PullNumber(3), head: commit("f"), rounds: Rounds::default() };
    for state in [drafted, failed_at_work(), State::AwaitingApproval] {
        let task = full(state);
        let held = Held::of(task.clone());
        assert!(matches!(held, Held::Packed(_)), "{} is kept unpacked", task.state);
        assert_eq!(*held.task(), task);
    }
}

#[test]
fn a_task_that_is_worked_on_is_kept_as_it_is() {
    let task = full(State::Planning(Try::default()));
    let held = Held::of(task.clone());
    assert!(matches!(held, Held::Unpacked(_)));
    assert_eq!(*held.task(), task);
}

#[test]
fn a_packed_task_is_small() {
    let drafted =
        State::Drafted { pull: PullNumber(3), head: commit("f"), rounds: Rounds::default() };
    let Held::Packed(bytes) = Held::of(full(drafted)) else { panic!("it is at rest") };
    assert!(bytes.len() < 350, "{} bytes", bytes.len());
}

#[test]
fn a_snapshot_brings_both_forms_back() {
    for state in [failed_at_work(), State::Planning(Try::default())] {
        let held = Held::of(full(state));
        let text = serde_json::to_string(&held).expect("it can be written");
        assert!(serde_json::from_str::<Held>(&text).expect("it can be read") == held, "{text}");
    }
}

#[test]
fn bytes_that_are_no_task_are_refused() {
    let Held::Packed(bytes) = Held::of(full(failed_at_work())) else { panic!("it is at rest") };
    for text in ["", "xy", "00", &hex::encode(&bytes[..bytes.len() - 1])] {
        let text = serde_json::to_string(text).expect("a text can be written");
        assert!(serde_json::from_str::<Held>(&text).is_err(), "{text}");
    }
}

/// A task that was stopped or failed still has its run until that has ended.
fn run() -> Run {
    Run {
        id: RunId { task: TaskId(7), n: 9 },
        phase: Phase::Correct,
        from: commit("a"),
        begun: Time(9),
        agent: Some(AgentName::default()),
    }
}

/// A snapshot of another layout must not be read: one that is not refused would be another task.
#[test]
fn the_bytes_of_a_task_are_those_of_this_layout() {
    let drafted =
        State::Drafted { pull: PullNumber(3), head: commit("f"), rounds: Rounds::default() };
    // The last of each list stands for all before it: one that is put in between moves it.
    let ended = Note::IssueEnded { how: IssueEnd::Locked, by: "ada".to_owned() };
    let mut all = Vec::new();
    let troubles = TroubleKind::ALL.map(|kind| {
        let trouble = Trouble::new(kind, String::new());
        State::Failed { trouble, back: Box::new(State::AwaitingApproval) }
    });
    let (why, known) = (Why::Login, Known::Tried);
    let pause = Pause { why, until: Some(Time(1)), known, resumes: false };
    let parked = State::Parked { pause, back: Box::new(failed_at_work()) };
    for state in troubles.into_iter().chain([drafted, failed_at_work(), parked]) {
        let passed = vec![Passed {
            agent: AgentName::default(),
            why: Why::Quota,
            until: Some(Time(4)),
            known: Known::Reported,
            n: 5,
        }];
        let taken = Some(TakenOver { by: AgentName::default(), run: run().id });
        let waits = Note::Waits { n: 6, pause: None, passed: passed.clone(), taken };
        let (kind, notes, run) = (Kind::Review, vec![waits, ended.clone()], Some(run()));
        let task = Task { kind, run, notes, passed, ..full(state) };
        all.extend(borsh::to_vec(&task).expect("memory takes all"));
    }
    let digest = Digest::of(&hex::encode(all)).0;
    assert_eq!(
        (LAYOUT, digest),
        (12, 2_532_289_996),
        "the bytes have changed: raise `LAYOUT`, and write the new pair here"
    );
}
