//! Files that are changed to and fro.
//!
//! Read from what an editing tool is given: a file with an old and a new text, or with
//! its whole content. Tools that are given something else are not looked into.

use std::collections::BTreeMap;

use serde_json::Value;

use super::seen::Mark;

/// What was done to each file, as far as it matters.
#[derive(Debug, Clone, Default)]
pub(super) struct Edits {
    files: BTreeMap<Mark, File>,
}

#[derive(Debug, Clone, Default)]
struct File {
    /// What the whole file was last, where it was written as a whole.
    content: Option<Mark>,
    /// The two texts that it was last changed between, from and to.
    last: Option<(Mark, Mark)>,
    /// How often in a row a change undid the one before.
    n: u32,
}

/// How many files are remembered. Those that are forgotten begin anew.
const FILES_MAX: usize = 256;

/// What tools call the file.
const PATHS: [&str; 4] = ["file_path", "filePath", "path", "notebook_path"];

/// What they call the text before and the text after.
const BEFORE_AND_AFTER: [(&str, &str); 3] =
    [("old_string", "new_string"), ("oldString", "newString"), ("old_str", "new_str")];

/// What they call the whole content.
const CONTENTS: [&str; 2] = ["content", "file_text"];

impl Edits {
    /// Notes a call. Says which file it changes, and how often that went to and fro by now.
    pub(super) fn note(&mut self, input: &str) -> Option<(String, u32)> {
        let input: Value = serde_json::from_str(input).ok()?;
        let text = |name: &str| input.get(name).and_then(Value::as_str);
        let path = PATHS.iter().find_map(|name| text(name))?;
        let key = Mark::of(&[path]);
        if self.files.len() >= FILES_MAX && !self.files.contains_key(&key) {
            self.files.pop_first();
        }
        let file = self.files.entry(key).or_default();
        let change = BEFORE_AND_AFTER
            .iter()
            .find_map(|(before, after)| Some((text(before)?, text(after)?)))
            .map(|(before, after)| (Mark::of(&[before]), Mark::of(&[after])));
        let change = match (change, CONTENTS.iter().find_map(|name| text(name))) {
            (Some(change), _) => change,
            (None, Some(content)) => {
                let after = Mark::of(&[content]);
                let before = file.content.replace(after)?;
                (before, after)
            }
            (None, None) => return None,
        };
        let is_undone = file.last == Some((change.1, change.0));
        file.n = if is_undone { file.n.saturating_add(1) } else { 0 };
        file.last = Some(change);
        Some((path.to_owned(), file.n))
    }
}
