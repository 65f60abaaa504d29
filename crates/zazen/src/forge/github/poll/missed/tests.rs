use super::is_news;

#[test]
fn only_a_delivery_that_failed_since_the_list_was_read_is_news() {
    // The first list is of what every repository is asked about anyway.
    assert!(!is_news(None, Some(7)));
    assert!(!is_news(Some(7), Some(7)));
    assert!(is_news(Some(7), Some(9)));
    assert!(is_news(Some(0), Some(1)), "the list was empty before");
    // GitHub forgets them after some days.
    assert!(!is_news(Some(7), None));
}
