//! Refs as git writes them, read without it.

use super::*;
use crate::git::tests::{Place, git};

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect()
}

#[test]
fn refs_are_read_loose_and_packed_alike() {
    let place = Place::new();
    let head = place.head().to_string();
    git(&place.person(), &["branch", "topic/a"]);
    let refs = Refs::of(&place.person().join(".git")).unwrap();
    let all = map(&[("main", &head), ("topic/a", &head)]);
    assert_eq!(refs.below("refs/heads/").unwrap(), all);

    git(&place.person(), &["pack-refs", "--all"]);
    assert_eq!(refs.below("refs/heads/").unwrap(), all);
    assert_eq!(refs.get("refs/heads/topic/a"), Some(Some(head)));
    assert_eq!(refs.get("refs/heads/topic"), Some(None));
    assert_eq!(refs.symbolic("HEAD").as_deref(), Some("refs/heads/main"));
}

#[test]
fn a_loose_ref_goes_before_a_packed_one() {
    let place = Place::new();
    git(&place.person(), &["pack-refs", "--all"]);
    let newer = place.commit("a", "a\n", "third").to_string();
    let refs = Refs::of(&place.person().join(".git")).unwrap();
    assert_eq!(refs.get("refs/heads/main"), Some(Some(newer.clone())));
    assert_eq!(refs.below("refs/heads/").unwrap(), map(&[("main", &newer)]));
}

#[test]
fn what_is_no_ref_is_left_to_git() {
    let place = Place::new();
    let refs = Refs::of(&place.person().join(".git")).unwrap();
    for name in ["HEAD", "refs/heads/../../HEAD", "refs//heads", "config", "refs/heads/"] {
        assert_eq!(refs.get(name), None, "{name}");
    }
    std::fs::write(place.person().join(".git/refs/heads/odd"), "ref: refs/heads/main\n").unwrap();
    assert_eq!(refs.get("refs/heads/odd"), None);
    assert_eq!(refs.below("refs/heads/"), None);
}
