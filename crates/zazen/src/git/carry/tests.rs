//! Tests of carrying commits in a file.

use super::*;
use crate::git::tests::{Place, git};

struct Scene {
    place: Place,
    base: CommitId,
    head: CommitId,
    file: PathBuf,
}

async fn scene() -> Scene {
    let place = Place::new();
    let base = place.head();
    place.commit("src/login.rs", "fn login() {}\n", "one");
    let head = place.commit("src/main.rs", "fn main() { login() }\n", "two");
    let mirror = place.mirror().await;
    let file = place.path("repo.bundle");
    carry(&mirror, (&base, &head), &BTreeSet::new(), &file).await.unwrap();
    Scene { place, base, head, file }
}

#[tokio::test]
async fn what_is_carried_is_there_with_both_trees_and_nothing_older() {
    let scene = scene().await;
    let range = (&scene.base, &scene.head);
    let carried = Carried::unpack(&scene.file, range).await.unwrap();
    for commit in [&scene.base, &scene.head] {
        let tree = git(&scene.place.person(), &["rev-parse", &format!("{commit}^{{tree}}")]);
        assert_eq!(carried.tree_of(commit).await.unwrap().unwrap().as_str(), tree);
    }
    assert!(carried.builds_on(&scene.head, &scene.base).await.unwrap());
    assert!(!carried.builds_on(&scene.base, &scene.head).await.unwrap());
    assert_eq!(carried.damage(range).await.unwrap(), None);
    let older = git(&scene.place.person(), &["rev-parse", &format!("{}~1", scene.base)]);
    assert_eq!(carried.tree_of(&older.parse().unwrap()).await.unwrap(), None);
    // All files of the base are there, those too that nobody changed.
    let listed =
        git(carried.dir().unwrap(), &["ls-tree", "-r", "--name-only", scene.base.as_str()]);
    assert_eq!(listed, "README.md\nsrc/main.rs");
    let text = git(carried.dir().unwrap(), &["show", &format!("{}:README.md", scene.base)]);
    assert_eq!(text, "# Engine");
}

/// What a run left that was thrown away, say.
#[tokio::test]
async fn commits_beside_the_history_are_carried_if_they_build_on_the_base() {
    let Scene { place, base, head, file } = scene().await;
    let person = place.person();
    git(&person, &["checkout", "-q", "-b", "other", base.as_str()]);
    let beside = place.commit("src/other.rs", "fn other() {}\n", "three");
    git(&person, &["checkout", "-q", "-b", "older", &format!("{base}~1")]);
    let older = place.commit("src/older.rs", "fn older() {}\n", "four");
    let mirror = place.mirror().await;
    let nowhere: CommitId = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
    let others = BTreeSet::from([base.clone(), beside.clone(), older.clone(), nowhere]);
    carry(&mirror, (&base, &head), &others, &file).await.unwrap();
    let carried = Carried::unpack(&file, (&base, &head)).await.unwrap();
    assert_eq!(carried.damage((&base, &head)).await.unwrap(), None);
    assert!(carried.builds_on(&beside, &base).await.unwrap());
    let tree = git(&person, &["rev-parse", &format!("{beside}^{{tree}}")]);
    assert_eq!(carried.tree_of(&beside).await.unwrap().unwrap().as_str(), tree);
    assert_eq!(carried.tree_of(&older).await.unwrap(), None);
}

#[tokio::test]
async fn whoever_has_the_repository_can_fetch_from_the_file() {
    let scene = scene().await;
    let other = scene.place.path("other");
    let from = scene.place.person();
    git(&scene.place.path(""), &["clone", "-q", from.to_str().unwrap(), other.to_str().unwrap()]);
    git(&other, &["reset", "-q", "--hard", scene.base.as_str()]);
    git(&other, &["fetch", "-q", scene.file.to_str().unwrap(), RESULT_REF]);
    assert_eq!(git(&other, &["rev-parse", "FETCH_HEAD"]), scene.head.as_str());
}

/// Every byte is one of the lines before the pack, or guarded by the pack's own sum.
#[tokio::test]
async fn no_byte_of_the_file_can_be_another() {
    let scene = scene().await;
    let whole = fs::read(&scene.file).unwrap();
    let step = (whole.len() / 60).max(1);
    for at in (0..whole.len()).step_by(step).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&scene.file, bytes).unwrap();
        let unpacked = Carried::unpack(&scene.file, (&scene.base, &scene.head)).await;
        assert!(matches!(unpacked, Err(CarryError::Broken(_))), "byte {at}: {unpacked:?}");
    }
    for wrong in [&whole[..whole.len() - 1], &[whole.as_slice(), b"x"].concat(), b""] {
        fs::write(&scene.file, wrong).unwrap();
        let unpacked = Carried::unpack(&scene.file, (&scene.base, &scene.head)).await;
        assert!(matches!(unpacked, Err(CarryError::Broken(_))), "{unpacked:?}");
    }
}
