//! What people ask for without writing a command.
//!
//! A label, an assignment, a request for a review, a review that asks for changes: each is
//! turned into the command that it means, by the person who did it. Whether that person may
//! is decided where all commands are.

use zazen_core::command::Name;
use zazen_core::id::{CommentId, Stream};
use zazen_core::intake::Implied;

use super::client::{Actor, Item, ItemEvent, Review, ReviewComment, Text};
use super::copy::Found;
use crate::forge::Happened;

/// The labels that are commands, with the word that each means.
pub(super) const LABELS: [(&str, Name); 2] =
    [("zazen:plan", Name::Plan), ("zazen:implement", Name::Implement)];

/// Whether something on an issue may mean a command, so that its events are worth a call.
pub(super) fn may_be(item: &Item, me: &Actor) -> bool {
    // Who is asked for a review is said by the events alone.
    item.is_pull
        || item.labels.iter().any(|label| LABELS.iter().any(|(name, _)| label == name))
        || item.assignees.iter().any(|assignee| assignee.is(me))
}

/// The text of an issue itself.
pub(super) fn of_item(item: &Item) -> Text {
    Text {
        id: 0,
        author: item.author.clone(),
        body: item.body.clone(),
        association: item.association.clone(),
        created: item.created,
        updated: item.updated,
    }
}

/// What an event means for zazen, if anything.
pub(super) fn of_event(event: &ItemEvent, me: &Actor) -> Option<Found> {
    let is_me = event.whom.as_ref().is_some_and(|whom| whom.is(me));
    let happened = Happened::from_word(&event.event);
    let implied = match event.event.as_str() {
        "labeled" => {
            let label = event.label.as_deref()?;
            Some(LABELS.iter().find(|(name, _)| *name == label)?.1)
        }
        "assigned" if is_me => Some(Name::Plan),
        "review_requested" if is_me => Some(Name::Review),
        _ if happened.is_some() => None,
        _ => return None,
    };
    let text = Text {
        id: event.id,
        author: event.by.clone(),
        body: String::new(),
        association: String::new(),
        created: event.created,
        updated: event.created,
    };
    let implied = implied.map(Implied::Command);
    Some(Found { id: CommentId::of(Stream::Event, event.id), text, implied, happened })
}

/// A review with the comments on lines that came with it.
pub(super) fn of_review(review: &Review, lines: &[ReviewComment]) -> Text {
    let mut body = review.body.clone();
    for line in lines.iter().filter(|line| line.review == Some(review.id)) {
        body.push_str("\n\n");
        body.push_str(&of_line(line).body);
    }
    Text {
        id: review.id,
        author: review.author.clone(),
        body,
        association: review.association.clone(),
        created: review.submitted,
        updated: review.submitted,
    }
}

/// A comment on a line, with its place.
pub(super) fn of_line(line: &ReviewComment) -> Text {
    let at = line.line.map(|n| format!(":{n}")).unwrap_or_default();
    Text {
        id: line.id,
        author: line.author.clone(),
        body: format!("{}\n\n(on `{}{at}`)", line.body, line.path.replace('`', "'")),
        association: line.association.clone(),
        created: line.created,
        updated: line.updated,
    }
}
