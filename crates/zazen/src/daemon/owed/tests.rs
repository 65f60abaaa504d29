use super::*;

#[test]
fn what_failed_is_owed_later_and_later_until_it_is_done() {
    let mut owed = Owed::default();
    assert_eq!(owed.patience(), Duration::MAX);
    owed.owe(Place::Everywhere);
    let first = owed.patience();
    assert!(first <= SETTLED && owed.due().is_empty());
    owed.owe(Place::Everywhere);
    assert!(owed.patience() > SETTLED);
    for _ in 0..20 {
        owed.owe(Place::Everywhere);
    }
    assert!(owed.patience() <= AGAIN_MAX);
}

#[test]
fn a_look_that_came_too_early_stays_owed() {
    let mut owed = Owed::default();
    owed.look_soon(Place::Issues);
    owed.done(&Place::Issues);
    assert!(owed.patience() <= SETTLED);
}

#[test]
fn what_is_done_when_it_was_due_is_no_longer_owed() {
    let mut owed = Owed::default();
    owed.0.insert(Place::Issues, Debt { due: Instant::now(), wait: SETTLED });
    assert_eq!(owed.due(), [Place::Issues]);
    owed.done(&Place::Issues);
    assert_eq!(owed.patience(), Duration::MAX);
}
