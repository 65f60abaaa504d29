//! The only code that writes to a forge.
//!
//! What it is asked for is a state, not an act: each of its functions looks first
//! and does what is missing, so that it can be asked again after any interruption.

use zazen_core::id::{CommentId, CommitId, IssueNumber, PullNumber, RepoName};

use super::github::GitHub;
use super::local::Local;
use super::{NewPart, NewPull, NewReview};

/// See the module.
#[derive(Debug)]
pub struct Publisher {
    pages: Local,
    github: Option<GitHub>,
}

impl Publisher {
    /// Writes to the forge of each repository. `pages` are those of the home.
    pub fn new(pages: Local, github: Option<GitHub>) -> Self {
        Self { pages, github }
    }

    /// Sees to it that zazen's comment with this key exists and shows `body`.
    pub async fn show(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        (key, body): (&str, &str),
    ) -> anyhow::Result<()> {
        match self.github(repo) {
            Some(github) => github.show(repo, issue, (key, body)).await,
            None => self.pages.show(repo, issue, (key, body)).map(drop),
        }
    }

    /// Puts a reaction on a text, once.
    pub async fn react(
        &self,
        repo: &RepoName,
        (issue, comment): (IssueNumber, CommentId),
        reaction: &str,
    ) -> anyhow::Result<()> {
        match self.github(repo) {
            Some(github) => github.react(repo, (issue, comment), reaction).await,
            None => self.pages.react(repo, (issue, comment), reaction),
        }
    }

    /// Sees to it that there is a draft pull request for this branch at this commit.
    pub async fn open_pull(
        &self,
        repo: &RepoName,
        new: &NewPull<'_>,
    ) -> anyhow::Result<PullNumber> {
        match self.github(repo) {
            Some(github) => github.open_pull(repo, new).await,
            None => self.pages.open_pull(repo, new),
        }
    }

    /// Sees to it that there is an issue for a step of a plan, and says which it is.
    pub async fn open_part(
        &self,
        repo: &RepoName,
        new: &NewPart<'_>,
    ) -> anyhow::Result<IssueNumber> {
        match self.github(repo) {
            Some(github) => github.open_part(repo, new).await,
            None => self.pages.open_part(repo, new),
        }
    }

    /// Asks people for a review, each once, where a forge has that. Says who cannot be asked.
    pub async fn ask_reviewers(
        &self,
        repo: &RepoName,
        pull: PullNumber,
        logins: &[String],
    ) -> anyhow::Result<Vec<String>> {
        match self.github(repo) {
            Some(github) => github.ask_reviewers(repo, pull, logins).await,
            None => Ok(Vec::new()),
        }
    }

    /// Brings an open pull request up to date: its last commit, and what it says.
    pub async fn update_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
        (head, body): (&str, &str),
    ) -> anyhow::Result<()> {
        match self.github(repo) {
            Some(github) => github.update_pull(repo, number, (head, body)).await,
            None => self.pages.update_pull(repo, number, (head, body)),
        }
    }

    /// Sees to it that a text has our answer with this key, where it stands: in its thread,
    /// where the forge has threads.
    pub async fn answer(
        &self,
        repo: &RepoName,
        (on, text): (IssueNumber, CommentId),
        (key, body): (&str, &str),
    ) -> anyhow::Result<()> {
        match self.github(repo) {
            Some(github) => github.answer(repo, (on, text), (key, body)).await,
            None => self.pages.show(repo, on, (key, body)).map(drop),
        }
    }

    /// Sees to it that our review with this key is on the pull request. It approves nothing.
    pub async fn review(
        &self,
        repo: &RepoName,
        (key, new): (&str, &NewReview<'_>),
    ) -> anyhow::Result<()> {
        match self.github(repo) {
            Some(github) => github.review(repo, (key, new)).await,
            None => self.pages.show(repo, IssueNumber(new.at.pull.0), (key, new.whole)).map(drop),
        }
    }

    /// The last commit of a pull request by now, where a forge knows better than its page.
    pub async fn head_of(
        &self,
        repo: &RepoName,
        pull: PullNumber,
    ) -> anyhow::Result<Option<CommitId>> {
        match self.github(repo) {
            Some(github) => Ok(Some(github.client().pull(repo, pull).await?.head)),
            None => Ok(None),
        }
    }

    /// Whether texts can stand beside lines in this repository.
    pub fn has_asides(&self, repo: &RepoName) -> bool {
        self.github(repo).is_some()
    }

    /// Sees to it that the commit carries the result of the validation command, where a
    /// forge has a place for that. `id` names what was run.
    pub async fn report(
        &self,
        repo: &RepoName,
        head: &CommitId,
        (id, title, summary): (&str, &str, &str),
    ) -> anyhow::Result<()> {
        match self.github(repo) {
            Some(github) => github.report(repo, head, (id, title, summary)).await,
            // The page of the pull request has it.
            None => Ok(()),
        }
    }

    fn github(&self, repo: &RepoName) -> Option<&GitHub> {
        self.github.as_ref().filter(|github| github.has(repo))
    }
}
