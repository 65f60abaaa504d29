//! What is found by looking, and that no look takes long.

use tempfile::TempDir;

use super::*;

/// A look is always due, and nothing waits.
const NOW: Pace = Pace { rest: 0, round_min: Duration::ZERO, ..CALM };

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

    fn write(&self, path: &str) -> PathBuf {
        let path = self.home.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "text\n").unwrap();
        path
    }
}

/// Looks as if it were `later`, until the round is over.
fn round(scan: &mut Scan, later: Duration) -> BTreeSet<PathBuf> {
    scan.since += later;
    let mut paths = BTreeSet::new();
    loop {
        let mut found = scan.look_when_due(|_| false);
        assert!(!found.is_unsure);
        paths.append(&mut found.paths);
        if scan.round.is_none() {
            return paths;
        }
    }
}

const ISSUE: &str = "forge/local/tally/issues/1/comments/0001.md";
const TASK: &str = "tasks/2026/11/1-login/task.md";

#[test]
fn what_changed_since_the_last_round_is_found_and_nothing_else() {
    let place = Place::new();
    let files = [ISSUE, TASK, "memory/global.md", "soul.md"].map(|path| place.write(path));
    let mut scan = Scan::start(&place.home, Scope::All, NOW);
    assert!(round(&mut scan, Duration::ZERO).is_superset(&BTreeSet::from(files)));
    assert_eq!(round(&mut scan, Duration::from_secs(60)), BTreeSet::new());
}

#[test]
fn beside_the_watches_only_units_are_looked_at() {
    let place = Place::new();
    place.write("forge/local/tally/pulls/2.md");
    place.write("memory/global.md");
    let (comment, page) = (place.write(ISSUE), place.write(TASK));
    let mut scan = Scan::start(&place.home, Scope::Units, NOW);
    let (issue, task) = (comment.ancestors().nth(2).unwrap(), page.parent().unwrap());
    let dirs = [issue, comment.parent().unwrap(), task].map(Path::to_owned);
    let expected = dirs.into_iter().chain([comment.clone(), page.clone()]).collect();
    assert_eq!(round(&mut scan, Duration::ZERO), expected);
    let found = scan.look_when_due(|unit| unit == issue);
    assert_eq!(found.paths, BTreeSet::from([task.to_owned(), page]));
}

#[test]
fn a_slice_is_short_and_the_next_one_goes_on() {
    let place = Place::new();
    for n in 1..=20 {
        place.write(&format!("tasks/2026/11/{n}-x/task.md"));
    }
    let short = Pace { slice: Duration::from_nanos(1), ..NOW };
    let mut scan = Scan::start(&place.home, Scope::Units, short);
    scan.look_when_due(|_| false);
    assert!(scan.round.is_some());
    assert_eq!(round(&mut scan, Duration::ZERO).len(), 40);
    assert!(scan.n_slices >= 20);
}

#[test]
fn a_folder_that_was_moved_there_is_found_with_all_that_is_in_it() {
    let place = Place::new();
    let page = place.write("skills/review/deep/SKILL.md");
    let mut scan = Scan::start(&place.home, Scope::All, NOW);
    // The times of the files are those of before.
    let folder = place.home.root().join("skills/review");
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    fs::File::open(&folder).unwrap().set_modified(old).unwrap();
    let meta = fs::symlink_metadata(&folder).unwrap();
    let mut found = Found::default();
    scan.since += SLACK;
    scan.add(Seen { path: folder.clone(), meta, is_root: false }, &mut found);
    let deep = folder.join("deep");
    assert_eq!(found.paths, BTreeSet::from([folder, deep, page]));
}

#[test]
fn a_clock_that_was_set_back_makes_it_unsure_once() {
    let place = Place::new();
    let mut scan = Scan::start(&place.home, Scope::All, NOW);
    scan.last.0 += Duration::from_secs(3600);
    assert!(scan.look_when_due(|_| false).is_unsure);
    assert!(!scan.look_when_due(|_| false).is_unsure);
}

#[test]
fn the_wait_is_as_long_as_the_look_was_costly_and_has_an_end() {
    let place = Place::new();
    let mut scan = Scan::start(&place.home, Scope::Units, CALM);
    assert_eq!(scan.rest(Duration::from_millis(5)), Duration::from_secs(15));
    // A million units: more than a thirtieth of a per cent, so that people need not wait for hours.
    scan.n_slices = 3600;
    assert_eq!(scan.rest(Duration::from_millis(5)), Duration::from_millis(500));
}
