//! Tests of who goes first.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::{JoinSet, yield_now};

use super::*;

const OF: Account = Account::Installation(1);

fn queues() -> Queues {
    Queues::new(Limits::AsTold, Time(0))
}

#[tokio::test]
async fn publishing_goes_before_what_has_waited_longer() {
    let queues = queues();
    let first = queues.turn(OF, Kind::Act, Rank::Ordinary).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut set = JoinSet::new();
    for (n, rank) in [(1, Rank::Ordinary), (2, Rank::Ordinary), (3, Rank::Publish)] {
        let (mine, order) = (queues.clone(), order.clone());
        set.spawn(async move {
            let _turn = mine.turn(OF, Kind::Act, rank).await.unwrap();
            order.lock().unwrap().push(n);
        });
        while queues.of(OF).lock().writes.len() < n {
            yield_now().await;
        }
    }
    let waits = queues.waits();
    assert_eq!((waits.len(), waits[0].n_waiting), (1, 3));
    assert_eq!(waits[0].whose, "installation 1");
    let _look = queues.turn(OF, Kind::Look, Rank::Ordinary).await.unwrap();
    drop(first);
    while set.join_next().await.is_some() {}
    assert_eq!(*order.lock().unwrap(), [3, 1, 2]);
    assert!(queues.waits().is_empty());
}

#[tokio::test]
async fn only_one_writes_at_a_time_for_an_installation() {
    let queues = queues();
    let at_once = Arc::new(AtomicUsize::new(0));
    let mut set = JoinSet::new();
    for _ in 0..20 {
        let (queues, at_once) = (queues.clone(), at_once.clone());
        set.spawn(async move {
            let _turn = queues.turn(OF, Kind::Act, Rank::Ordinary).await.unwrap();
            assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0);
            yield_now().await;
            at_once.fetch_sub(1, Ordering::SeqCst);
        });
    }
    while let Some(done) = set.join_next().await {
        done.unwrap();
    }
    let _of_another = queues.turn(Account::Installation(2), Kind::Act, Rank::Ordinary).await;
}

#[tokio::test]
async fn who_does_not_wait_any_more_holds_nobody_up() {
    let queues = queues();
    let first = queues.turn(OF, Kind::Act, Rank::Ordinary).await.unwrap();
    let mut set = JoinSet::new();
    let others = queues.clone();
    set.spawn(async move { drop(others.turn(OF, Kind::Act, Rank::Publish).await) });
    while queues.of(OF).lock().writes.is_empty() {
        yield_now().await;
    }
    set.shutdown().await;
    drop(first);
    queues.turn(OF, Kind::Act, Rank::Ordinary).await.unwrap();
}

#[tokio::test]
async fn a_long_wait_is_the_callers_and_so_is_a_full_queue() {
    let queues = queues();
    let turn = queues.turn(OF, Kind::Act, Rank::Ordinary).await.unwrap();
    let places: Vec<Turn> = (0..WRITES_WAITING_MAX)
        .map(|_| queues.place(OF, Kind::Act, Rank::Ordinary).unwrap())
        .collect();
    let full = queues.turn(OF, Kind::Act, Rank::Publish).await;
    assert!(matches!(full, Err(CallError::Limited { .. })));
    drop(places);
    let heard = Heard { is_refused: true, wait: Some(600_000), hour: None };
    let until = turn.hear(heard).unwrap();
    assert!(until.0 >= 600_000);
    drop(turn);
    for kind in [Kind::Act, Kind::Look] {
        let limited = queues.turn(OF, kind, Rank::Publish).await;
        assert!(matches!(limited, Err(CallError::Limited { until: at }) if at.0 + 5 >= until.0));
    }
    let waits = queues.waits();
    assert_eq!((waits[0].n_waiting, waits[0].why), (0, Why::Told));
}
