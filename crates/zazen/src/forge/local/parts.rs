//! Issues of zazen's own: one for each step of a plan that is split.

use std::fs;

use anyhow::Context as _;
use zazen_core::id::{CommentId, IssueNumber, RepoName};
use zazen_core::page::Page;

use super::{BOT, Local, new_page, now, put, value};
use crate::forge::NewPart;

impl Local {
    /// Sees to it that zazen's issue with this key exists, and says which it is.
    pub fn open_part(&self, repo: &RepoName, new: &NewPart<'_>) -> anyhow::Result<IssueNumber> {
        let held = self.hold(repo)?;
        if let Some(there) = self.own_issue(repo, (new.of, new.key))? {
            return Ok(there);
        }
        let number = IssueNumber(self.next_number(repo)?);
        self.keep_own_issue((repo, number), new)?;
        drop(held);
        Ok(number)
    }

    /// zazen's issue with this key. It is younger than the one whose plan is split.
    pub fn own_issue(
        &self,
        repo: &RepoName,
        (of, key): (IssueNumber, &str),
    ) -> anyhow::Result<Option<IssueNumber>> {
        let numbers = self.issue_numbers(repo)?.into_iter().rev();
        for number in numbers.take_while(|number| *number > of) {
            let path = self.text_path(repo, (number, CommentId::ISSUE));
            let text =
                fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            if !text.contains(key) {
                continue;
            }
            let page = Page::parse(&text).with_context(|| format!("read {}", path.display()))?;
            if value(&page, "author") == BOT && value(&page, "key") == key {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Keeps the page of an issue of our own, unless it is there.
    pub fn keep_own_issue(
        &self,
        (repo, number): (&RepoName, IssueNumber),
        new: &NewPart<'_>,
    ) -> anyhow::Result<()> {
        let path = self.text_path(repo, (number, CommentId::ISSUE));
        let keys = [
            ("title", new.title),
            ("author", BOT),
            ("at", &now()),
            ("state", "open"),
            ("key", new.key),
        ];
        put(&path, &new_page(&keys, new.body)?.print())
    }
}
