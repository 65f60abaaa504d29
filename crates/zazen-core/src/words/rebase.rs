//! What people are told of a branch that was, or was not, put onto its base.

use std::fmt::Write as _;

use super::{block, line, n_of};
use crate::id::{CommitId, PullNumber};
use crate::task::NotRebased;

/// The branch is on its base.
pub(super) fn done(pull: PullNumber, (head, onto): (&CommitId, &CommitId)) -> String {
    format!(
        "#{pull} builds on `{}` now, and is at `{}`. The checks passed on exactly that commit.",
        onto.short(),
        head.short()
    )
}

/// The branch stays as it is.
pub(super) fn refused(why: &NotRebased) -> String {
    match why {
        NotRebased::OnTop { base } => {
            format!("The branch builds on `{}` already: there is nothing to do.", base.short())
        }
        NotRebased::NothingLeft { base } => format!(
            "Nothing was changed: `{}` has all of this already, so that nothing would be left \
             of the pull request. It can be closed.",
            base.short()
        ),
        NotRebased::Conflict { commit, paths, n_paths } => {
            conflict(commit, paths, usize::try_from(*n_paths).unwrap_or(usize::MAX))
        }
        NotRebased::Foreign { head } => format!(
            "Nothing was changed: the branch has commits of somebody else (`{}`), and I never \
             rewrite those. Rebase it by hand, or have me go on with `/fix`.",
            head.short()
        ),
        NotRebased::Other { evidence } => {
            let evidence = block(evidence.trim());
            format!("Nothing was changed: the branch could not be put on its base.\n\n{evidence}")
        }
    }
}

fn conflict(commit: &CommitId, paths: &[String], n_paths: usize) -> String {
    let mut text = format!(
        "Nothing was changed: commit `{}` does not fit on the base as it is now. In conflict:\n\n",
        commit.short()
    );
    for path in paths {
        text.push_str("- `");
        text.push_str(&line(path).replace('`', "'"));
        text.push_str("`\n");
    }
    let n_more = n_paths.saturating_sub(paths.len());
    if n_more > 0 {
        let _infallible = writeln!(text, "- and {}", n_of(n_more as u64, "more path"));
    }
    text.push_str(
        "\nWrite `/fix` and say how the change should be made there, or rebase the branch by hand.",
    );
    text
}
