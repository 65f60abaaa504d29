//! The list of skills, for agents whose harness does not look for them by itself.

use std::fmt::Write as _;

use crate::skill::{SKILL_PAGE, Skill};
use crate::text::one_line;

/// The skills that a prompt names, and where their folders are.
#[derive(Debug, Clone, Default)]
pub struct Skills {
    /// As the agent sees it: `~/.agents/skills`.
    pub folder: String,
    pub all: Vec<Skill>,
}

/// How much of one description stands in the list. The whole of it is in the page.
const DESCRIPTION_CHARS_MAX: usize = 400;

/// Adds the list, if there is anything to list.
pub(super) fn list(prompt: &mut String, skills: &Skills) {
    if skills.all.is_empty() {
        return;
    }
    let folder = &skills.folder;
    let _infallible = write!(
        prompt,
        "\nThe owner of this place has written down how some things are done here, each in a \
         folder below `{folder}`. When the work touches what one of them is about, read its \
         `{folder}/<name>/{SKILL_PAGE}` first, and do it that way:\n\n"
    );
    for Skill { name, description } in &skills.all {
        let description = one_line(description, DESCRIPTION_CHARS_MAX);
        let _infallible = writeln!(prompt, "- `{name}`: {description}");
    }
}
