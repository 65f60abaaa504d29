//! The only code that writes to a forge.
//!
//! What it is asked for is a state, not an act: each of its functions looks first
//! and does what is missing, so that it can be asked again after any interruption.

use zazen_core::id::{CommentId, IssueNumber, PullNumber, RepoName};

use super::NewPull;
use super::local::Local;

/// See the module.
#[derive(Debug)]
pub struct Publisher {
    pages: Local,
}

impl Publisher {
    /// Writes to the forge of each repository. `pages` are those of the home.
    pub fn new(pages: Local) -> Self {
        Self { pages }
    }

    /// Sees to it that zazen's comment with this key exists and shows `body`.
    pub async fn show(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        (key, body): (&str, &str),
    ) -> anyhow::Result<()> {
        self.pages.show(repo, issue, (key, body))?;
        Ok(())
    }

    /// Puts a reaction on a text, once.
    pub async fn react(
        &self,
        repo: &RepoName,
        (issue, comment): (IssueNumber, CommentId),
        reaction: &str,
    ) -> anyhow::Result<()> {
        self.pages.react(repo, (issue, comment), reaction)
    }

    /// Sees to it that there is a draft pull request for this branch at this commit.
    pub async fn open_pull(
        &self,
        repo: &RepoName,
        new: &NewPull<'_>,
    ) -> anyhow::Result<PullNumber> {
        self.pages.open_pull(repo, new)
    }
}
