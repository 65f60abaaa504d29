//! Cursors: what is new, what is not, and what is left of a bad file.

use tempfile::TempDir;

use super::*;

const NOW: Time = Time(1_800_000_000_000);
const DAY: u64 = 24 * 60 * 60 * 1000;

fn item(number: u64, seconds_ago: u64) -> ChangedItem {
    let updated_at = Time(NOW.0 - seconds_ago * 1000);
    ChangedItem { number: IssueNumber(number), updated_at }
}

fn repo() -> RepoName {
    "ada/tally".parse().unwrap()
}

#[test]
fn an_item_is_new_once_in_each_of_its_states() {
    let mut cursor = Cursor::lost(NOW);
    let items = [item(1, 100), item(2, 50)];
    assert_eq!(cursor.unseen(&items), [IssueNumber(1), IssueNumber(2)]);
    cursor.advance(&items, None, NOW);
    assert_eq!(cursor.unseen(&items), []);
    assert_eq!(cursor.unseen(&[item(2, 50), item(1, 20)]), [IssueNumber(1)]);
    assert_eq!(cursor.since(), Time(NOW.0 - 50_000 - OVERLAP_MS));
}

#[test]
fn what_changed_a_moment_ago_is_looked_at_once_more() {
    let mut cursor = Cursor::lost(NOW);
    cursor.advance(&[item(1, 2)], None, NOW);
    assert_eq!(cursor.unseen(&[item(1, 2)]), [IssueNumber(1)]);
    cursor.advance(&[item(1, 2)], None, NOW.plus_seconds(20));
    assert_eq!(cursor.unseen(&[item(1, 2)]), []);
}

#[test]
fn an_etag_is_kept_as_long_as_the_question_is_the_same() {
    let mut cursor = Cursor::lost(NOW);
    cursor.advance(&[item(1, 60)], Some("\"a\"".to_owned()), NOW);
    assert_eq!(cursor.etag(), None);
    cursor.advance(&[item(1, 60)], Some("\"b\"".to_owned()), NOW);
    assert_eq!(cursor.etag(), Some("\"b\""));
}

#[test]
fn a_time_that_is_to_come_hides_nothing() {
    let mut cursor = Cursor::lost(NOW);
    let later = ChangedItem { number: IssueNumber(1), updated_at: Time(NOW.0 + DAY) };
    cursor.advance(&[later], None, NOW);
    assert!(cursor.since() < NOW);
}

#[test]
fn what_was_seen_is_forgotten_once_it_cannot_come_again() {
    let mut cursor = Cursor::lost(NOW);
    let items: Vec<_> = (0..1000).map(|n| item(n, 86_400 - n * 60)).collect();
    cursor.advance(&items, None, NOW);
    assert!(cursor.seen.len() <= 3, "{}", cursor.seen.len());
}

#[test]
fn a_cursor_is_found_again_and_one_that_is_lost_looks_back_three_days() {
    let dir = TempDir::new().unwrap();
    let mut cursor = Cursor::lost(NOW);
    cursor.advance(&[item(1, 60)], None, NOW);
    cursor.write(dir.path(), &repo()).unwrap();
    assert_eq!(Cursor::read(dir.path(), &repo(), NOW), cursor);
    let other = "ada/other".parse().unwrap();
    let lost = Cursor::read(dir.path(), &other, NOW);
    assert_eq!(lost.since(), Time(NOW.0 - 3 * DAY - OVERLAP_MS));
    let file = dir.path().join("ada/tally.json");
    for bad in ["", "{}", "{\"v\":1", r#"{"v":2,"reached":1,"seen":{},"etag":null}"#] {
        fs::write(&file, bad).unwrap();
        assert_eq!(Cursor::read(dir.path(), &repo(), NOW), lost);
    }
}
