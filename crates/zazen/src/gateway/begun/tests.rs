//! Tests of the notes: what was begun and never ended counts at its worst.

use super::*;

fn most(micros: u64) -> Amount {
    Amount { micros, tokens: 10 }
}

fn line(n: u64, rest: &str) -> String {
    format!(
        "{{\"v\":1,\"n\":{n},\"label\":\"plan\",\"request\":{{\"path\":\"v1/messages\",\
         \"model\":\"claude-opus-4\"}},\"response\":{{\"status\":200}},\"tokens\":{{\"input\":1000000,\"output\":0}}{rest}}}\n"
    )
}

#[test]
fn a_call_that_was_begun_and_is_not_in_the_recording_counts_at_its_worst() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording.jsonl");
    let prices = Prices::builtin();
    assert_eq!(sum_up(&path, &prices).unwrap(), Sum::default());
    let (begun, n_next) = Begun::open(&path).unwrap();
    assert_eq!(n_next, 0);
    begun.note(0, most(7)).unwrap();
    begun.note(1, most(500)).unwrap();
    let usage = r#"{"n_calls":1,"tokens":{"input":5,"output":1},"cost":{"micros":3}}"#;
    let bill = &format!(r#","bill":{{"model":"m","usage":{usage}}}"#);
    fs::write(&path, line(0, bill)).unwrap();

    let sum = sum_up(&path, &prices).unwrap();
    assert_eq!((sum.usage.n_calls, sum.usage.cost), (2, Cost::Unknown { known_micros: 3 }));
    assert_eq!(sum.usage.counted(), Amount { micros: 503, tokens: 16 });
    // Numbers are not used again, and the note stays as long as it is needed.
    let (_, n_next) = Begun::open(&path).unwrap();
    assert_eq!(n_next, 2);
    close(&path).unwrap();
    assert_eq!(sum_up(&path, &prices).unwrap(), sum);
    fs::write(&path, line(0, bill) + &line(1, bill)).unwrap();
    close(&path).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(sum_up(&path, &prices).unwrap().usage.cost, Cost::Micros(6));
}

#[test]
fn a_torn_note_and_a_torn_line_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording.jsonl");
    fs::write(&path, line(0, "") + &line(1, "")[..40]).unwrap();
    fs::write(path.with_extension(ENDING), "{\"n\":1,\"most\":{\"micros\":9,\"tok").unwrap();
    let sum = sum_up(&path, &Prices::builtin()).unwrap();
    // A line without a bill is of an older version, and is priced again.
    assert_eq!(sum.usage.cost, Cost::Micros(15_000_000));
    assert_eq!(Begun::open(&path).unwrap().1, 0);
}

#[test]
fn what_was_refused_for_a_budget_costs_nothing_and_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording.jsonl");
    let refused = r#","refused":{"scope":"repo_day","unit":"money","limit":9,"spent":10}"#;
    fs::write(&path, line(0, refused)).unwrap();
    let sum = sum_up(&path, &Prices::builtin()).unwrap();
    assert_eq!(sum.usage, Usage::default());
    assert_eq!(sum.refused.map(|refused| (refused.limit, refused.spent)), Some((9, 10)));
}

#[test]
fn calls_that_were_not_answered_well_are_counted_and_the_last_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("recording.jsonl");
    let busy = line(0, "").replace("200", "429").replace("429}", r#"429,"retry_after":"30"}"#);
    let broken = line(1, "").replace("200}", r#"200,"error":"overloaded_error"}"#);
    fs::write(&path, broken + &busy + &line(2, "")).unwrap();
    let sum = sum_up(&path, &Prices::builtin()).unwrap();
    assert_eq!(sum.n_failed, 2);
    let last = sum.last_failed.unwrap();
    assert_eq!((last.status, last.retry_after.as_deref()), (429, Some("30")));
}
