//! Two who want the same home.

use tempfile::TempDir;

use super::*;

fn temp_home() -> (TempDir, Home) {
    let dir = TempDir::new().unwrap();
    let home = Home::at(dir.path());
    std::fs::create_dir_all(home.dot_dir()).unwrap();
    (dir, home)
}

#[test]
fn the_second_is_told_who_was_first() {
    let (_dir, home) = temp_home();
    let lock = Lock::take(&home).unwrap();
    let before = std::fs::read(home.lock_file()).unwrap();
    let err = Lock::take(&home).unwrap_err();
    let said = err.to_string();
    assert!(said.contains(&format!("another zazen (process {}, since 2", std::process::id())));
    assert!(said.ends_with(&format!("runs in `{}`; stop that one first", home.root().display())));
    let LockError::Held(Held { holder: Some(holder), .. }) = err else { panic!("{said}") };
    assert_eq!((holder.pid, holder.boot), (std::process::id(), BootId::read()));
    assert_eq!(std::fs::read(home.lock_file()).unwrap(), before, "nothing is written");
    drop(lock);
    let _lock = Lock::take(&home).unwrap();
}

#[test]
fn whatever_the_file_says_a_lock_that_nobody_holds_is_free() {
    let (_dir, home) = temp_home();
    std::fs::write(home.lock_file(), "x".repeat(5000)).unwrap();
    let lock = Lock::take(&home).unwrap();
    assert!(std::fs::metadata(home.lock_file()).unwrap().len() < 200);
    std::fs::write(home.lock_file(), "not json").unwrap();
    let said = Lock::take(&home).unwrap_err().to_string();
    assert!(said.starts_with("take the home's lock: another zazen runs in"), "{said}");
    drop(lock);
}

#[test]
fn a_home_that_is_not_there_is_not_locked() {
    let err = Lock::take(&Home::at("/nonexistent")).unwrap_err();
    assert!(matches!(err, LockError::Failed { .. }));
}
