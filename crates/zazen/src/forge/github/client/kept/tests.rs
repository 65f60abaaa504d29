//! Tests of what is kept.

use super::*;

fn url(n: usize) -> Url {
    format!("https://api.github.com/{n}").parse().unwrap()
}

fn copy(n_bytes: usize) -> Copy {
    Copy { etag: "\"e\"".to_owned(), body: Bytes::from(vec![0; n_bytes]), next: None }
}

#[test]
fn an_answer_is_kept_for_the_token_that_asked() {
    let kept = Kept::default();
    kept.put(1, &url(0), copy(5));
    assert_eq!(kept.get(1, &url(0)), Some(copy(5)));
    assert_eq!(kept.get(2, &url(0)), None);
    kept.forget(1);
    assert_eq!(kept.get(1, &url(0)), None);
    assert_eq!(kept.lock().n_bytes, 0);
}

#[test]
fn what_was_not_asked_for_longest_makes_room() {
    let kept = Kept::default();
    let n_fit = BYTES_MAX / COPY_BYTES_MAX;
    for n in 0..n_fit {
        kept.put(1, &url(n), copy(COPY_BYTES_MAX));
    }
    assert!(kept.get(1, &url(0)).is_some());
    kept.put(1, &url(n_fit), copy(1));
    assert!(kept.get(1, &url(0)).is_some() && kept.get(1, &url(1)).is_none());
    kept.put(1, &url(n_fit + 1), copy(COPY_BYTES_MAX + 1));
    assert!(kept.get(1, &url(n_fit + 1)).is_none());
    for n in 0..2 * COPIES_MAX {
        kept.put(2, &url(n), copy(0));
    }
    let all = kept.lock();
    assert!(all.copies.len() <= COPIES_MAX && all.n_bytes <= BYTES_MAX);
}
