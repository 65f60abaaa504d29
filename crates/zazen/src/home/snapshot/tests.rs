//! A snapshot is good or it is none.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::*;

type State = BTreeMap<String, u32>;

fn temp_home() -> (TempDir, Home) {
    let dir = TempDir::new().unwrap();
    let home = Home::at(dir.path());
    fs::create_dir_all(home.dot_dir()).unwrap();
    (dir, home)
}

fn state() -> State {
    (0..5).map(|n| (format!("task {n}"), n)).collect()
}

#[test]
fn what_was_written_is_read() {
    let (_dir, home) = temp_home();
    assert_eq!(read::<State>(&home, 3), Found::Absent);
    let position = Position { seq: 9, offset: 777, ..Position::START };
    write(&home, 3, position, &state()).unwrap();
    assert_eq!(read::<State>(&home, 3), Found::Good { position, state: state() });
    assert!(matches!(read::<State>(&home, 4), Found::Unusable { .. }));
    assert!(matches!(read::<Vec<u32>>(&home, 3), Found::Unusable { .. }));
}

#[test]
fn any_damage_makes_it_unusable() {
    let (_dir, home) = temp_home();
    write(&home, 1, Position::START, &state()).unwrap();
    let bytes = fs::read(home.snapshot_file()).unwrap();
    let good = read::<State>(&home, 1);
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(home.snapshot_file(), &damaged).unwrap();
        let found = read::<State>(&home, 1);
        assert!(matches!(found, Found::Unusable { .. }), "byte {at}: {found:?}");
    }
    for n_bytes in 0..bytes.len() {
        fs::write(home.snapshot_file(), &bytes[..n_bytes]).unwrap();
        assert!(matches!(read::<State>(&home, 1), Found::Unusable { .. }));
    }
    fs::write(home.snapshot_file(), &bytes).unwrap();
    assert_eq!(read::<State>(&home, 1), good);
}
