//! What a person does is told, whichever way it is found.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::home::atomic;

/// How long a test waits for a change. It comes within a second; this is for a busy machine.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(20);

struct Place {
    _dir: TempDir,
    home: Home,
    watch: Watch,
    changes: mpsc::Receiver<Change>,
}

/// Two units of a kind are watched, and the others never looked at while a test runs.
const FEW_UNSEEN: Extent =
    Extent { units_max: 2, pace: Pace { round_min: Duration::from_secs(3600), ..scan::CALM } };

/// Two units of a kind are watched, and the others looked at all the time.
const FEW: Extent = Extent {
    units_max: 2,
    pace: Pace { rest: 10, round_min: Duration::from_millis(20), ..scan::CALM },
};

async fn place(mode: Mode) -> Place {
    place_with(mode, EXTENT, &[]).await
}

/// A place with pages that were there before it was watched, the oldest first.
async fn place_with(mode: Mode, extent: Extent, pages: &[&str]) -> Place {
    let dir = TempDir::new().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let home = Home::create(&root).unwrap();
    for (n, page) in (1..).zip(pages) {
        let page = root.join(page);
        fs::create_dir_all(page.parent().unwrap()).unwrap();
        fs::write(&page, "text\n").unwrap();
        let changed = std::time::UNIX_EPOCH + Duration::from_secs(n);
        for dir in page.ancestors().skip(1).take_while(|dir| *dir != root) {
            fs::File::open(dir).unwrap().set_modified(changed).unwrap();
        }
    }
    let (watch, changes) = start_with(&home, mode, extent).unwrap();
    let mut place = Place { _dir: dir, home, watch, changes };
    assert_eq!(place.next().await, Change::Rescan);
    place
}

impl Place {
    async fn next(&mut self) -> Change {
        tokio::time::timeout(CHANGE_TIMEOUT, self.changes.recv())
            .await
            .expect("a change is told in time")
            .expect("the watch goes on")
    }

    /// Waits until a path is told, and gives all that was told on the way.
    async fn told(&mut self, path: &str) -> BTreeSet<String> {
        let path = self.home.root().join(path);
        let mut told = BTreeSet::new();
        loop {
            let Change::Paths(paths) = self.next().await else { panic!("paths are told") };
            let names = paths.iter().map(|path| path.strip_prefix(self.home.root()).unwrap());
            told.extend(names.map(|name| name.to_str().unwrap().to_owned()));
            if paths.contains(&path) {
                return told;
            }
        }
    }

    fn write(&self, path: &str) {
        let path = self.home.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "text\n").unwrap();
    }
}

async fn edits_are_told(mode: Mode) {
    let mut place = place(mode).await;
    for path in ["missions.md", "memory/global.md", ".zazen/inbox/1.json", "skills/x/SKILL.md"] {
        place.write(path);
        place.told(path).await;
    }
    // As an editor saves: another file takes the place.
    place.write("memory/.global.md.swp");
    fs::rename(place.home.memory_dir().join(".global.md.swp"), place.home.root().join("soul.md"))
        .unwrap();
    place.told("soul.md").await;
    fs::remove_file(place.home.missions_page()).unwrap();
    // Who looks does not know what is not there any more.
    place.told(if mode == Mode::Scan { "" } else { "missions.md" }).await;
}

#[tokio::test]
async fn edits_are_told_by_events() {
    edits_are_told(Mode::Events).await;
}

#[tokio::test]
async fn edits_are_told_by_scans() {
    edits_are_told(Mode::Scan).await;
}

#[tokio::test]
async fn what_the_daemon_keeps_for_itself_is_not_told() {
    let mut place = place(Mode::Events).await;
    for path in [
        ".zazen/runs/1.1/trace.jsonl",
        ".zazen/journal/active.jsonl",
        ".git/index",
        "facts/2026/11/0001.jsonl",
        "tasks/.zazen-tmp-1-1",
        "tasks/page.md~",
    ] {
        place.write(path);
    }
    place.write("soul.md");
    let told = place.told("soul.md").await;
    assert_eq!(told, BTreeSet::from(["soul.md".to_owned()]));
}

#[tokio::test]
async fn files_in_new_folders_are_told() {
    let mut place = place(Mode::Events).await;
    place.write("tasks/2026/12/1-login/task.md");
    place.told("tasks/2026/12/1-login/task.md").await;
    // It is watched from then on.
    place.write("tasks/2026/12/1-login/plan.md");
    place.told("tasks/2026/12/1-login/plan.md").await;
    // Also a folder that is watched from the root, and came back.
    fs::remove_dir_all(place.home.skills_dir()).unwrap();
    place.told("skills").await;
    place.write("skills/review/SKILL.md");
    place.told("skills/review/SKILL.md").await;
    place.write("skills/review/more.md");
    place.told("skills/review/more.md").await;
}

#[tokio::test]
async fn a_folder_that_was_moved_in_is_told_with_its_files() {
    let mut place = place(Mode::Events).await;
    place.write(".zazen/work/1-login/task.md");
    fs::rename(place.home.work_dir().join("1-login"), place.home.tasks_dir().join("1-login"))
        .unwrap();
    place.told("tasks/1-login/task.md").await;
}

#[tokio::test]
async fn changes_that_nobody_takes_end_in_one_rescan() {
    let mut place = place(Mode::Events).await;
    let shared = Arc::clone(&place.watch.shared);
    // More than fit, each told on its own.
    for n in 0..CHANGES_MAX + 3 {
        let path = place.home.root().join(format!("page-{n}.md"));
        shared.add(|pending| pending.add_paths(vec![path], true));
        while !shared.lock().paths.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let mut n_told = 0;
    while let Change::Paths(_) = place.next().await {
        n_told += 1;
    }
    assert!(n_told <= CHANGES_MAX);
}

#[tokio::test]
async fn too_many_paths_are_a_rescan() {
    let mut place = place(Mode::Events).await;
    let paths = (0..=PATHS_MAX).map(|n| place.home.root().join(n.to_string())).collect();
    place.watch.shared.add(|pending| pending.add_paths(paths, true));
    assert_eq!(place.next().await, Change::Rescan);
}

#[tokio::test]
async fn a_watch_that_the_kernel_refuses_becomes_a_scan() {
    let mut place = place(Mode::Events).await;
    let err = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
    place.watch.shared.take(place.home.root(), Err(err));
    assert_eq!(place.next().await, Change::Rescan);
    place.write("soul.md");
    place.told("soul.md").await;
}

#[tokio::test]
async fn the_thread_ends_with_the_watch() {
    for mode in [Mode::Events, Mode::Scan] {
        let Place { watch, mut changes, _dir, .. } = place(mode).await;
        drop(watch);
        assert_eq!(changes.recv().await, None);
    }
}

/// Four issues, of which two are watched.
const ISSUES: [&str; 4] = [
    "forge/local/tally/issues/1/comments/0001.md",
    "forge/local/tally/issues/2/comments/0001.md",
    "forge/local/tally/issues/3/comments/0001.md",
    "forge/local/tally/issues/4/comments/0001.md",
];

/// Three tasks, of which two are watched.
const TASKS: [&str; 3] =
    ["tasks/2026/10/1-login/task.md", "tasks/2026/11/2-sum/task.md", "tasks/2026/11/3-say/task.md"];

impl Place {
    fn write_unseen(&self, path: &str) {
        self.write(path);
        let path = self.home.root().join(path);
        let unit = layout::unit_of(self.home.root(), &path).unwrap().1;
        atomic::touch_dir(unit).unwrap();
    }
}

#[tokio::test]
async fn a_touched_folder_is_told_with_its_files_though_it_is_not_watched_itself() {
    let mut place = place_with(Mode::Events, FEW_UNSEEN, &ISSUES).await;
    let comment = "forge/local/tally/issues/1/comments/0002.md";
    place.write_unseen(comment);
    place.told(comment).await;
    // It is watched from then on, its folders and all.
    let comment = "forge/local/tally/issues/1/comments/0003.md";
    place.write(comment);
    place.told(comment).await;
    let page = "forge/local/tally/issues/1/issue.md";
    place.write(page);
    place.told(page).await;
}

#[tokio::test]
async fn of_many_units_those_that_changed_last_are_watched() {
    let mut place =
        place_with(Mode::Events, FEW_UNSEEN, &[ISSUES.as_slice(), &TASKS].concat()).await;
    for path in [ISSUES[0], ISSUES[1], TASKS[0]] {
        place.write(path);
    }
    for path in [ISSUES[2], ISSUES[3], TASKS[1], TASKS[2]] {
        place.write(path);
        assert_eq!(place.told(path).await, BTreeSet::from([path.to_owned()]));
    }
}

#[tokio::test]
async fn units_that_are_not_watched_are_looked_at() {
    let mut place = place_with(Mode::Events, FEW, &[ISSUES.as_slice(), &TASKS].concat()).await;
    for path in [ISSUES[0], ISSUES[1], TASKS[0], "forge/local/tally/issues/1/comments/mine.md"] {
        place.write(path);
        place.told(path).await;
    }
}

#[tokio::test]
async fn a_unit_that_gave_way_is_found_again_and_again() {
    let mut place = place_with(Mode::Events, FEW, &[]).await;
    for _ in 0..3 {
        for path in ISSUES {
            place.write(path);
            place.told(path).await;
        }
    }
}

#[tokio::test]
async fn what_was_removed_from_an_unwatched_unit_is_told_as_its_folder() {
    let mut place = place_with(Mode::Events, FEW, &TASKS).await;
    fs::remove_file(place.home.root().join(TASKS[0])).unwrap();
    place.told("tasks/2026/10/1-login").await;
}

#[tokio::test]
async fn a_new_month_is_watched_with_its_tasks_though_many_are_watched_already() {
    let mut place = place_with(Mode::Events, FEW_UNSEEN, &TASKS).await;
    for path in ["tasks/2026/12/4-now/task.md", "tasks/2027/01/5-next/task.md"] {
        place.write(path);
        place.told(path).await;
        place.write(path);
        place.told(path).await;
    }
}

#[tokio::test]
async fn a_folder_that_took_the_place_of_another_is_watched() {
    let mut place = place_with(Mode::Events, FEW_UNSEEN, &TASKS).await;
    let dir = place.home.root().join("tasks/2026/11");
    fs::rename(&dir, place.home.work_dir().join("11")).unwrap();
    place.told("tasks/2026/11").await;
    place.write(TASKS[2]);
    place.told(TASKS[2]).await;
    place.write(TASKS[2]);
    assert_eq!(place.told(TASKS[2]).await, BTreeSet::from([TASKS[2].to_owned()]));
    // What was moved away is nothing to the watch any more.
    fs::write(place.home.work_dir().join("11/2-sum/task.md"), "text\n").unwrap();
    place.write(TASKS[2]);
    assert_eq!(place.told(TASKS[2]).await, BTreeSet::from([TASKS[2].to_owned()]));
}

#[tokio::test]
async fn when_the_kernel_lost_events_everything_is_watched_anew() {
    let mut place = place_with(Mode::Events, FEW_UNSEEN, &ISSUES).await;
    // As if nothing had been told of it.
    place.watch.shared.add_doubt(Doubt::Lost);
    assert_eq!(place.next().await, Change::Rescan);
    place.write(ISSUES[3]);
    assert_eq!(place.told(ISSUES[3]).await, BTreeSet::from([ISSUES[3].to_owned()]));
}
