//! Commits as git keeps them: a head of lines, an empty line, the message.
//!
//! They are copied as bytes, since a message may be in any encoding.

use zazen_core::id::CommitId;

use crate::git::TreeId;

/// The same commit with another tree and another parent. Its author, its dates and its
/// message stay; who put it there is the committer. A signature would no longer be true.
pub(super) fn moved(
    text: &[u8],
    tree: &TreeId,
    parent: &CommitId,
    committer: &str,
) -> Option<Vec<u8>> {
    let end = text.windows(2).position(|two| two == b"\n\n")?;
    let (head, message) = (&text[..end], &text[end..]);
    let mut moved = format!("tree {tree}\nparent {parent}\n").into_bytes();
    for line in head.split(|&b| b == b'\n') {
        if line.starts_with(b"author ") || line.starts_with(b"encoding ") {
            moved.extend_from_slice(line);
            moved.push(b'\n');
        } else if let Some(was) = line.strip_prefix(b"committer ") {
            let time = was.iter().rposition(|&b| b == b'>')? + 1;
            moved.extend_from_slice(format!("committer {committer}").as_bytes());
            moved.extend_from_slice(&was[time..]);
            moved.push(b'\n');
        }
    }
    // The empty line is still one line end too much.
    moved.pop();
    moved.extend_from_slice(message);
    Some(moved)
}

/// A commit that is only there to be merged with.
pub(super) fn stand_in(tree: &TreeId, parent: &CommitId, committer: &str) -> String {
    format!(
        "tree {tree}\nparent {parent}\nauthor {committer} 0 +0000\n\
         committer {committer} 0 +0000\n\nstand-in\n"
    )
}
