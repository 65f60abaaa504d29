//! How texts are named.

use super::*;

#[test]
fn a_comment_is_its_number_and_anything_else_names_its_stream() {
    for (id, json, shown) in [
        (CommentId::comment(7), "7", "7"),
        (CommentId::of(Stream::Event, 3), r#""event/3""#, "event/3"),
        (CommentId::of(Stream::Review, 12), r#""review/12""#, "review/12"),
        (CommentId::of(Stream::ReviewComment, 9), r#""review-comment/9""#, "review-comment/9"),
        (CommentId::of(Stream::Checks, 1), r#""checks/1""#, "checks/1"),
    ] {
        assert_eq!(serde_json::to_string(&id).unwrap(), json);
        assert_eq!(serde_json::from_str::<CommentId>(json).unwrap(), id);
        assert_eq!(id.to_string(), shown);
        assert_eq!(shown.parse(), Ok(id));
    }
}

#[test]
fn what_names_no_text_is_refused() {
    for text in
        ["", "review", "review/", "review/x", "review/+1", "mail/1", "-1", "+1", "review/1/2"]
    {
        assert!(text.parse::<CommentId>().is_err(), "{text}");
    }
    assert!(serde_json::from_str::<CommentId>("-1").is_err());
    assert!(serde_json::from_str::<CommentId>("1.5").is_err());
}
