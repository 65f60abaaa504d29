//! Tests of the pace, with moments as numbers.

use super::*;

const HOUR_LEFT: u64 = 30 * 60_000;

fn github() -> Pace {
    Pace::new(Limits::Github)
}

/// When the next write of a rank may begin.
fn next(pace: &Pace, rank: Rank, now: u64) -> u64 {
    pace.ready_at(Kind::Act, rank, now).0.max(now)
}

/// Writes as fast as it may until `end`, and counts.
fn write_until(pace: &mut Pace, rank: Rank, (mut now, end): (u64, u64)) -> usize {
    let mut n = 0;
    loop {
        now = next(pace, rank, now);
        if now >= end {
            return n;
        }
        pace.begin(Kind::Act, now);
        n += 1;
    }
}

#[test]
fn writes_keep_a_second_between_them_counted_from_the_end() {
    let mut pace = github();
    assert_eq!(next(&pace, Rank::Ordinary, 5), 5);
    pace.begin(Kind::Act, 5);
    pace.end_write(700);
    assert_eq!(pace.ready_at(Kind::Act, Rank::Publish, 700), (1_700, Why::Spacing));
    assert!(pace.ready_at(Kind::Look, Rank::Ordinary, 700).0 <= 700, "looks are not held up");
}

#[test]
fn publishing_has_a_part_of_each_minute_and_hour_for_itself() {
    let mut pace = github();
    // A minute of sixty writes a second apart is also the ordinary share of a minute.
    assert_eq!(write_until(&mut pace, Rank::Ordinary, (0, HOUR)), 400);
    assert!(next(&pace, Rank::Ordinary, HOUR - 1) >= HOUR);
    assert_eq!(next(&pace, Rank::Publish, HOUR - 1), HOUR - 1);
    assert_eq!(write_until(&mut pace, Rank::Publish, (HOUR - 200_000, HOUR)), 100);
    assert!(next(&pace, Rank::Publish, HOUR - 1) >= HOUR);
    assert_eq!(next(&pace, Rank::Ordinary, 2 * HOUR), 2 * HOUR);
}

#[test]
fn no_minute_has_more_points_than_github_gives() {
    let mut pace = github();
    let (mut now, mut begun) = (0, Vec::new());
    while now < 3 * MINUTE {
        if next(&pace, Rank::Publish, now) <= now {
            pace.begin(Kind::Act, now);
            begun.push((now, 5));
        }
        let (at, _) = pace.ready_at(Kind::Look, Rank::Ordinary, now);
        if at <= now {
            pace.begin(Kind::Look, now);
            begun.push((now, 1));
        } else {
            now += 25;
        }
    }
    for from in (0..2 * MINUTE).step_by(1_000) {
        let within = begun.iter().filter(|(at, _)| (from..from + MINUTE).contains(at));
        let points: u32 = within.map(|(_, points)| points).sum();
        assert!(points <= 900, "{points} from {from}");
    }
}

#[test]
fn a_wait_that_is_told_holds_for_everything() {
    let mut pace = Pace::new(Limits::AsTold);
    let heard = Heard { is_refused: true, wait: Some(90_000), hour: None };
    assert_eq!(pace.hear(heard, 1_000), Some(91_000));
    for kind in [Kind::Look, Kind::Act] {
        assert_eq!(pace.ready_at(kind, Rank::Publish, 2_000), (91_000, Why::Told));
    }
    let forever = Heard { wait: Some(u64::MAX / 2), ..heard };
    assert_eq!(pace.hear(forever, 1_000), Some(1_000 + WAIT_MAX));
}

#[test]
fn without_a_word_the_wait_is_a_minute_and_doubles_until_something_succeeds() {
    let mut pace = github();
    let refused = Heard { is_refused: true, ..Heard::default() };
    assert_eq!(pace.hear(refused, 0), Some(60_000));
    assert_eq!(pace.hear(refused, 60_000), Some(180_000));
    assert_eq!(pace.hear(refused, 180_000), Some(420_000));
    assert_eq!(pace.hear(Heard::default(), 420_000), None);
    assert_eq!(pace.hear(refused, 420_000), Some(480_000));
}

#[test]
fn the_end_of_an_hours_calls_is_kept_for_publishing() {
    let mut pace = Pace::new(Limits::AsTold);
    pace.hear(Heard { hour: Some((5_000, 100, HOUR_LEFT)), ..Heard::default() }, 0);
    assert_eq!(pace.ready_at(Kind::Look, Rank::Ordinary, 0), (HOUR_LEFT, Why::Told));
    assert!(pace.ready_at(Kind::Act, Rank::Publish, 0).0 == 0);
    let over = Heard { is_refused: true, hour: Some((5_000, 0, HOUR_LEFT)), wait: None };
    assert_eq!(pace.hear(over, 0), Some(HOUR_LEFT));
    assert_eq!(pace.ready_at(Kind::Look, Rank::Ordinary, HOUR_LEFT).0, HOUR_LEFT);
}
