//! What a person does is told, whichever way it is found.

use tempfile::TempDir;

use super::*;

/// How long a test waits for a change. It comes within a second; this is for a busy machine.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(20);

struct Place {
    _dir: TempDir,
    home: Home,
    watch: Watch,
    changes: mpsc::Receiver<Change>,
}

async fn place(mode: Mode) -> Place {
    let dir = TempDir::new().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let home = Home::create(&root).unwrap();
    let (watch, changes) = start(&home, mode).unwrap();
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
    place.told("missions.md").await;
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
        shared.add(|pending| pending.add_paths(vec![path]));
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
    place.watch.shared.add(|pending| pending.add_paths(paths));
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
