//! Pull requests: one page each, with the description and the evidence.

use anyhow::Context as _;
use zazen_core::id::{PullNumber, RepoName};

use super::{BOT, Local, new_page, now, numbers, put, read_page, value};
use crate::forge::{NewPull, Pull, PullState};
use crate::home::atomic::{self, Stamp};

impl Local {
    /// Sees to it that there is a draft pull request for this branch at this commit.
    pub fn open_pull(&self, repo: &RepoName, new: &NewPull<'_>) -> anyhow::Result<PullNumber> {
        let held = self.hold(repo)?;
        let there = self
            .pulls(repo)?
            .into_iter()
            .find(|pull| pull.branch == new.branch && pull.state == PullState::Open);
        if let Some(pull) = there {
            return Ok(pull.number);
        }
        let number = PullNumber(self.next_number(repo)?);
        let keys = [
            ("title", new.title),
            ("author", BOT),
            ("at", &now()),
            ("state", "open"),
            ("draft", "true"),
            ("branch", new.branch),
            ("base", new.base),
            ("head", new.head),
            ("issue", &new.issue.to_string()),
        ];
        put(&self.pull_path(repo, number), &new_page(&keys, new.body)?.print())?;
        drop(held);
        Ok(number)
    }

    /// Sees to it that a pull request says that it is at this commit, with this description.
    pub fn update_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
        (head, body): (&str, &str),
    ) -> anyhow::Result<()> {
        let path = self.pull_path(repo, number);
        let seen = Stamp::of(&path).with_context(|| format!("look at {}", path.display()))?;
        let mut page = read_page(&path)?;
        page.set("head", head);
        page.set_body(&format!("\n{}\n", body.trim_end()));
        // Somebody may be merging it right now. Then it is tried again.
        Ok(atomic::replace_if_unchanged(&path, seen, page.print().as_bytes())?)
    }

    /// Reads one pull request.
    pub fn pull(&self, repo: &RepoName, number: PullNumber) -> anyhow::Result<Pull> {
        let page = read_page(&self.pull_path(repo, number))
            .with_context(|| format!("there is no pull request #{number} in {repo}"))?;
        Ok(Pull {
            number,
            title: value(&page, "title"),
            branch: value(&page, "branch"),
            base: value(&page, "base"),
            state: match value(&page, "state").as_str() {
                "merged" => PullState::Merged,
                "closed" => PullState::Closed,
                _ => PullState::Open,
            },
            draft: value(&page, "draft") == "true",
            body: page.body().trim().to_owned(),
            head: value(&page, "head"),
        })
    }

    /// All pull requests of a repository, in order.
    pub fn pulls(&self, repo: &RepoName) -> anyhow::Result<Vec<Pull>> {
        numbers(&self.repo_dir(repo).join("pulls"))?
            .into_iter()
            .map(PullNumber)
            .filter(|n| self.pull_path(repo, *n).exists())
            .map(|n| self.pull(repo, n))
            .collect()
    }

    /// Where the page of a pull request is.
    pub fn pull_path(&self, repo: &RepoName, number: PullNumber) -> std::path::PathBuf {
        self.repo_dir(repo).join("pulls").join(format!("{number}.md"))
    }
}
