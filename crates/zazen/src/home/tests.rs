//! Where things are, and what makes a folder a home.

use tempfile::TempDir;

use super::*;

#[test]
fn a_created_folder_is_a_home_once_it_is_configured() {
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("deep/home");
    let home = Home::create(&root).unwrap();
    let err = Home::open(&root).unwrap_err();
    assert!(err.to_string().contains("there is no `zazen.toml` in it"), "{err}");
    fs::write(home.config_page(), "").unwrap();
    assert_eq!(Home::open(&root).unwrap(), home);
    assert_eq!(Home::find(&home.tasks_dir()).unwrap(), home);
    assert!(matches!(Home::find(dir.path()), Err(NotAHome::NotFound { .. })));
    assert_eq!(fs::read_to_string(root.join(".gitignore")).unwrap(), "/.zazen/\n");
    assert_eq!(fs::read_to_string(root.join(".git/HEAD")).unwrap(), "ref: refs/heads/main\n");
}

#[test]
fn creating_a_home_again_changes_nothing_that_is_there() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(".gitignore"), "*.swp").unwrap();
    let home = Home::create(dir.path()).unwrap();
    fs::write(home.soul_page(), "Be brief.\n").unwrap();
    Home::create(dir.path()).unwrap();
    assert_eq!(fs::read_to_string(home.soul_page()).unwrap(), "Be brief.\n");
    assert_eq!(fs::read_to_string(dir.path().join(".gitignore")).unwrap(), "*.swp\n/.zazen/\n");
}

#[test]
fn what_is_not_in_git_is_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let dir = TempDir::new().unwrap();
    let home = Home::create(dir.path()).unwrap();
    for dir in [home.dot_dir(), home.runs_dir(), home.inbox_dir()] {
        assert_eq!(fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn a_task_has_its_folder_below_the_month_it_was_opened_in() {
    let home = Home::at("/home");
    let opened = Time(1_794_500_000_000);
    let check = |slug: &str, expected: &str| {
        let dir = home.task_dir(TaskId(12), slug, opened);
        assert_eq!(dir.to_str().unwrap(), format!("/home/tasks/2026/11/{expected}"));
    };
    check("login-page", "12-login-page");
    check("Login page: fails!", "12-login-page-fails");
    check("../../etc/passwd", "12-etc-passwd");
    check("日本", "12");
    check(&"x".repeat(300), &format!("12-{}", "x".repeat(48)));
}

#[test]
fn run_and_page_paths_are_named_after_what_they_hold() {
    let home = Home::at("/home");
    let run = RunId { task: TaskId(12), n: 3 };
    assert_eq!(home.run_dir(run), Path::new("/home/.zazen/runs/12.3"));
    let date = jiff::civil::date(2026, 11, 21);
    assert_eq!(home.journal_page(date), Path::new("/home/journal/2026-11-21.md"));
    let repo: RepoName = "ada/shop".parse().unwrap();
    assert_eq!(home.forge_dir(&repo), Path::new("/home/forge/ada/shop"));
    assert_eq!(Home::plan_page(Path::new("/t")), Path::new("/t/plan.md"));
}
