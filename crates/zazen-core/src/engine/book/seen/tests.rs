//! What counts as read.

use super::*;

#[test]
fn the_last_comment_stands_for_all_before_it_and_a_review_for_itself_only() {
    let mut seen = Seen::default();
    assert!(seen.is_empty());
    for id in [
        CommentId::comment(0),
        CommentId::comment(9),
        CommentId::of(Stream::Event, 40),
        CommentId::of(Stream::Event, 41),
        CommentId::of(Stream::Review, 12),
        CommentId::of(Stream::Review, 10),
    ] {
        assert!(!seen.contains(id), "{id}");
        seen.insert(id);
        assert!(seen.contains(id), "{id}");
    }
    assert!(seen.contains(CommentId::comment(5)));
    assert!(seen.contains(CommentId::of(Stream::Event, 1)));
    assert!(!seen.contains(CommentId::of(Stream::Review, 11)), "it was begun before, and sent now");
    assert!(!seen.contains(CommentId::of(Stream::ReviewComment, 1)));
    assert_eq!(seen.last(Stream::Comment), Some(9));
    assert_eq!(seen.last(Stream::Review), Some(12));
    assert_eq!(seen.last(Stream::Checks), None);
    let json = serde_json::to_string(&seen).unwrap();
    assert_eq!(json, r#"[9,"event/41","review/10","review/12"]"#);
    assert_eq!(serde_json::from_str::<Seen>(&json).unwrap(), seen);
}
