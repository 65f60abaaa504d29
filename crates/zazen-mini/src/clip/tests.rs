//! What is kept and what is cut.

use super::Clip;

fn clip(bytes_max: usize, pieces: &[&str]) -> (String, u64) {
    let mut clip = Clip::new(bytes_max);
    for piece in pieces {
        clip.push(piece.as_bytes());
    }
    clip.into_text()
}

#[test]
fn a_text_that_fits_is_kept_whole() {
    assert_eq!(clip(10, &["abc", "", "defghij"]), ("abcdefghij".into(), 0));
}

#[test]
fn a_character_across_the_middle_is_kept_whole() {
    assert_eq!(clip(4, &["aéb"]), ("aéb".into(), 0));
}

#[test]
fn a_long_text_keeps_its_head_and_its_tail() {
    let (text, n_cut) = clip(4, &["ab", "cdef", "ghij"]);
    assert_eq!((text.as_str(), n_cut), ("ab\n[... 6 bytes cut ...]\nij", 6));
}

#[test]
fn nothing_at_all_may_be_kept() {
    let (text, n_cut) = clip(0, &["abc"]);
    assert_eq!((text.as_str(), n_cut), ("\n[... 3 bytes cut ...]\n", 3));
}
