//! What is held, and what gives way.

use std::collections::BTreeSet;

use tempfile::TempDir;

use super::*;

struct Place {
    _dir: TempDir,
    home: Home,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let home = Home::create(&dir.path().canonicalize().unwrap()).unwrap();
        Self { _dir: dir, home }
    }

    fn issue(&self, n: u64) -> PathBuf {
        let issue = self.home.root().join(format!("forge/local/tally/issues/{n}"));
        fs::create_dir_all(issue.join("comments")).unwrap();
        issue
    }

    fn hot(&self, units_max: usize) -> Hot {
        let watcher = notify::recommended_watcher(|_| ()).unwrap();
        Hot::start(&self.home, watcher, units_max).unwrap()
    }
}

fn issues(hot: &Hot) -> BTreeSet<u64> {
    assert_eq!(hot.issues.by_path.len(), hot.issues.by_use.len());
    let name = |unit: &PathBuf| unit.file_name()?.to_str()?.parse().ok();
    hot.issues.by_path.keys().filter_map(name).collect()
}

#[test]
fn nothing_is_held_for_a_unit_that_is_not_watched() {
    let place = Place::new();
    let all: Vec<PathBuf> = (1..=50).map(|n| place.issue(n)).collect();
    let mut hot = place.hot(3);
    assert!(hot.has_cold());
    for unit in &all {
        assert_eq!(hot.take(unit, false).unwrap().as_ref(), Some(unit));
        assert!(hot.contains(unit));
        assert_eq!(hot.issues.len(), 3);
    }
    assert_eq!(issues(&hot), BTreeSet::from([48, 49, 50]));
    // The kernel does not watch the others either.
    let watches_again = |n: usize, hot: &mut Hot| hot.watcher.unwatch(&all[n - 1]).is_ok();
    assert!(!watches_again(47, &mut hot) && watches_again(48, &mut hot));
}

#[test]
fn all_are_watched_while_there_are_few() {
    let place = Place::new();
    let first = place.issue(1);
    let mut hot = place.hot(2);
    assert!(hot.contains(&first) && !hot.has_cold());
    assert_eq!(hot.take(&place.issue(2), true).unwrap(), Some(place.issue(2)));
    assert!(!hot.has_cold());
}

#[test]
fn the_unit_that_was_used_least_recently_gives_way() {
    let place = Place::new();
    let [one, two, three] = [1, 2, 3].map(|n| place.issue(n));
    let mut hot = place.hot(2);
    for unit in [&one, &two] {
        hot.take(unit, true).unwrap();
    }
    // A page in it is used.
    assert_eq!(hot.take(&one.join("issue.md"), false).unwrap(), None);
    hot.take(&three, true).unwrap();
    assert_eq!(issues(&hot), BTreeSet::from([1, 3]));
}

#[test]
fn a_new_folder_in_a_unit_is_watched_with_it() {
    let place = Place::new();
    let unit = place.home.root().join("forge/local/tally/issues/7");
    fs::create_dir_all(&unit).unwrap();
    let mut hot = place.hot(2);
    assert_eq!(hot.issues.by_path[&unit].folders.len(), 1);
    place.issue(7);
    let comments = unit.join("comments");
    assert_eq!(hot.take(&comments, true).unwrap(), Some(comments.clone()));
    assert_eq!(hot.issues.by_path[&unit].folders, [unit, comments]);
}

#[test]
fn a_unit_with_very_many_folders_stays_unwatched() {
    let place = Place::new();
    let unit = place.issue(1);
    for n in 0..FOLDERS_PER_UNIT_MAX {
        fs::create_dir(unit.join(n.to_string())).unwrap();
    }
    let hot = place.hot(2);
    assert!(!hot.contains(&unit) && hot.has_cold());
}

#[test]
fn with_too_few_watches_some_units_are_left_and_the_newest_stay() {
    let place = Place::new();
    let all: Vec<PathBuf> = (1..=20).map(|n| place.issue(n)).collect();
    let mut hot = place.hot(64);
    assert!(!hot.has_cold());
    for unit in &all {
        hot.take(unit, false).unwrap();
    }
    assert!(hot.give_way());
    assert!(hot.has_cold());
    assert_eq!(issues(&hot), (4..=20).collect());
    hot.take(&all[0], false).unwrap();
    assert_eq!(issues(&hot), (5..=20).chain([1]).collect());
    while hot.give_way() {}
    assert_eq!(hot.issues.len(), 0);
    // There is always a try for the one that changed last.
    hot.take(&all[0], false).unwrap();
    assert_eq!(issues(&hot), BTreeSet::from([1]));
}
