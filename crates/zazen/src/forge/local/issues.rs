//! Issues and their comments.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use zazen_core::id::{CommentId, IssueNumber, RepoName, Stream};
use zazen_core::page::Page;
use zazen_core::text::one_line;
use zazen_core::trust::Permission;

use super::{
    BOT, Local, copies, list, names, new_page, now, numbers, put, read_page, text_of, value,
};
use crate::forge::{Comment, Happened, Issue};
use crate::home::atomic::{self, Stamp};

/// An issue that is to be opened.
#[derive(Debug, Clone)]
pub struct NewIssue<'a> {
    pub title: &'a str,
    pub body: &'a str,
    pub author: &'a str,
    pub labels: &'a [String],
}

/// How long a title may be, in bytes. GitHub takes 256 characters.
const TITLE_BYTES_MAX: usize = 256;

/// How long a text may be, in bytes. GitHub takes 65,536 characters.
const BODY_BYTES_MAX: usize = 256 * 1024;

impl Local {
    /// Opens an issue.
    pub fn open_issue(&self, repo: &RepoName, new: &NewIssue<'_>) -> anyhow::Result<IssueNumber> {
        let title = new.title.trim();
        if title.is_empty() || title.len() > TITLE_BYTES_MAX || title.contains('\n') {
            bail!("a title is one line of at most {TITLE_BYTES_MAX} bytes");
        }
        check_body(new.body)?;
        let held = self.hold(repo)?;
        let number = IssueNumber(self.next_number(repo)?);
        let keys = [("title", title), ("author", new.author), ("at", &now()), ("state", "open")];
        let mut page = new_page(&keys, new.body)?;
        let labels: Vec<&str> = new.labels.iter().map(String::as_str).collect();
        page.set_list("labels", &labels);
        put(&self.issue_dir(repo, number).join("issue.md"), &page.print())?;
        drop(held);
        Ok(number)
    }

    /// Whether there is such an issue: its page, and not only its number.
    pub fn has_issue(&self, repo: &RepoName, number: IssueNumber) -> anyhow::Result<bool> {
        let path = self.issue_dir(repo, number).join("issue.md");
        path.try_exists().with_context(|| format!("look for {}", path.display()))
    }

    /// Reads one issue.
    pub fn issue(&self, repo: &RepoName, number: IssueNumber) -> anyhow::Result<Issue> {
        let path = self.issue_dir(repo, number).join("issue.md");
        if !path.exists() {
            bail!("there is no issue #{number} in {repo}");
        }
        let page = read_page(&path)?;
        let body = text_of(&page);
        let title = Some(value(&page, "title")).filter(|title| !title.trim().is_empty());
        Ok(Issue {
            repo: repo.clone(),
            number,
            title: title.unwrap_or_else(|| first_line(&body)),
            author: self.author(&page),
            body,
            open: value(&page, "state") != "closed",
            labels: list(&page, "labels"),
            at: value(&page, "at"),
            permission: permission(&page),
            is_bot: is_bot(&page),
            is_old: value(&page, "old") == "true",
            proposed: copies::proposed(&page),
        })
    }

    /// The numbers of all issues of a repository, in order.
    pub fn issue_numbers(&self, repo: &RepoName) -> anyhow::Result<Vec<IssueNumber>> {
        let dir = self.repo_dir(repo).join("issues");
        let found = numbers(&dir)?.into_iter();
        // A number whose page was never finished is no issue.
        Ok(found
            .filter(|n| dir.join(n.to_string()).join("issue.md").exists())
            .map(IssueNumber)
            .collect())
    }

    /// All comments of an issue, in order.
    pub fn comments(&self, repo: &RepoName, issue: IssueNumber) -> anyhow::Result<Vec<Comment>> {
        self.comments_after(repo, issue, CommentId::comment(0))
    }

    /// The comments of an issue that come after `seen`, in order.
    pub fn comments_after(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        seen: CommentId,
    ) -> anyhow::Result<Vec<Comment>> {
        let dir = self.comments_dir(repo, issue);
        comment_numbers(&dir)?
            .into_iter()
            .filter(|n| *n > seen.n)
            .map(|n| self.read_comment(&dir.join(file_name(n)), CommentId::comment(n)))
            .collect()
    }

    /// The numbers of the texts in a stream, in order.
    pub fn text_ids(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        stream: Stream,
    ) -> anyhow::Result<Vec<CommentId>> {
        let path = self.text_path(repo, (issue, CommentId::of(stream, 1)));
        let found = numbers(path.parent().unwrap_or(&path))?.into_iter();
        Ok(found.map(|n| CommentId::of(stream, n)).collect())
    }

    /// One text on an issue.
    pub fn text(&self, repo: &RepoName, at: (IssueNumber, CommentId)) -> anyhow::Result<Comment> {
        self.read_comment(&self.text_path(repo, at), at.1)
    }

    /// Adds a comment of a person.
    pub fn comment(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        (author, body): (&str, &str),
    ) -> anyhow::Result<CommentId> {
        if author == BOT {
            bail!("`{BOT}` is the name that zazen signs with; set another `name` in zazen.toml");
        }
        if body.trim().is_empty() {
            bail!("a comment has a text");
        }
        check_body(body)?;
        self.issue(repo, issue)?;
        let held = self.hold(repo)?;
        let id = self.add(repo, issue, (author, None), body)?;
        drop(held);
        // An issue that nobody touched for long is not watched itself. Without this, the
        // comment would be found later.
        if let Err(err) = atomic::touch_dir(&self.issue_dir(repo, issue)) {
            tracing::debug!("the issue's folder was not touched: {err}");
        }
        Ok(id)
    }

    /// Sees to it that zazen's comment with this key exists and shows `body`.
    pub fn show(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        (key, body): (&str, &str),
    ) -> anyhow::Result<CommentId> {
        let held = self.hold(repo)?;
        let mine = self
            .comments(repo, issue)?
            .into_iter()
            .find(|comment| comment.author == BOT && comment.key.as_deref() == Some(key));
        let id = match mine {
            None => self.add(repo, issue, (BOT, Some(key)), body)?,
            Some(comment) => {
                if comment.body.trim() != body.trim() {
                    let path = self.comments_dir(repo, issue).join(file_name(comment.id.n));
                    let keys = [
                        ("author", BOT),
                        ("at", comment.at.as_str()),
                        ("edited", &now()),
                        ("key", key),
                    ];
                    put(&path, &new_page(&keys, body)?.print())?;
                }
                comment.id
            }
        };
        drop(held);
        Ok(id)
    }

    /// Puts a reaction on a comment, once. Comment 0 is the issue itself.
    pub fn react(
        &self,
        repo: &RepoName,
        (issue, comment): (IssueNumber, CommentId),
        reaction: &str,
    ) -> anyhow::Result<()> {
        let path = self.text_path(repo, (issue, comment));
        let seen = Stamp::of(&path).with_context(|| format!("look at {}", path.display()))?;
        let mut page = read_page(&path)?;
        let mut reactions = list(&page, "reactions");
        if reactions.iter().any(|r| r == reaction) {
            return Ok(());
        }
        reactions.push(reaction.to_owned());
        let reactions: Vec<&str> = reactions.iter().map(String::as_str).collect();
        page.set_list("reactions", &reactions);
        // Its author may be writing in it right now. Then it is tried again.
        Ok(atomic::replace_if_unchanged(&path, seen, page.print().as_bytes())?)
    }

    /// Takes up the comments that people put there by hand, and says how many.
    ///
    /// A file with any other name than zazen's numbers is given the next number.
    /// `is_settled` says whether a file was left alone for long enough to be whole.
    pub fn adopt(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        is_settled: &dyn Fn(&Path) -> bool,
    ) -> anyhow::Result<usize> {
        let dir = self.comments_dir(repo, issue);
        let Ok(entries) = fs::read_dir(&dir) else { return Ok(0) };
        let mut strays: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_stray(path) && is_settled(path))
            .collect();
        if strays.is_empty() {
            return Ok(0);
        }
        strays.sort();
        let held = self.hold(repo)?;
        for path in &strays {
            let n = comment_numbers(&dir)?.last().map_or(1, |last| last + 1);
            fs::rename(path, dir.join(file_name(n)))
                .with_context(|| format!("rename {}", path.display()))?;
        }
        drop(held);
        Ok(strays.len())
    }

    /// Whether a person is writing a comment by hand that has no number yet.
    pub fn has_stray(&self, repo: &RepoName, issue: IssueNumber) -> bool {
        let Ok(entries) = fs::read_dir(self.comments_dir(repo, issue)) else { return false };
        entries.filter_map(Result::ok).any(|entry| is_stray(&entry.path()))
    }

    /// Where an issue's text is (comment 0), or a comment on it.
    pub fn text_path(
        &self,
        repo: &RepoName,
        (issue, comment): (IssueNumber, CommentId),
    ) -> PathBuf {
        match comment {
            CommentId { stream: Stream::Comment, n: 0 } => {
                self.issue_dir(repo, issue).join("issue.md")
            }
            CommentId { stream: Stream::Comment, n } => {
                self.comments_dir(repo, issue).join(file_name(n))
            }
            // `events/7.md`, `reviews/12.md`, `review-comments/9.md`, `checks/1.md`.
            CommentId { stream, n } => {
                let plural = if stream == Stream::Checks { "" } else { "s" };
                let dir = self.issue_dir(repo, issue).join(format!("{stream}{plural}"));
                dir.join(format!("{n}.md"))
            }
        }
    }

    /// Call it only while the numbers are held.
    fn add(
        &self,
        repo: &RepoName,
        issue: IssueNumber,
        (author, key): (&str, Option<&str>),
        body: &str,
    ) -> anyhow::Result<CommentId> {
        let dir = self.comments_dir(repo, issue);
        let n = comment_numbers(&dir)?.last().map_or(1, |last| last + 1);
        let at = now();
        let mut keys = vec![("author", author), ("at", at.as_str())];
        keys.extend(key.map(|key| ("key", key)));
        put(&dir.join(file_name(n)), &new_page(&keys, body)?.print())?;
        Ok(CommentId::comment(n))
    }

    fn read_comment(&self, path: &Path, id: CommentId) -> anyhow::Result<Comment> {
        let page = read_page(path)?;
        Ok(Comment {
            id,
            author: self.author(&page),
            body: text_of(&page),
            at: value(&page, "at"),
            permission: permission(&page),
            is_bot: is_bot(&page),
            key: page.get("key").map(|key| key.to_string()),
            is_old: value(&page, "old") == "true",
            implied: copies::implied(&page),
            happened: Happened::from_word(&value(&page, "happened")),
            reactions: list(&page, "reactions"),
        })
    }

    /// Who wrote a page. A file that a person put there by hand does not say.
    fn author(&self, page: &Page) -> String {
        let author = Some(value(page, "author")).filter(|author| !author.is_empty());
        author.unwrap_or_else(|| self.person.clone())
    }

    fn comments_dir(&self, repo: &RepoName, issue: IssueNumber) -> PathBuf {
        self.issue_dir(repo, issue).join("comments")
    }
}

/// What a copy says that its author may do. What cannot be read is no permission.
fn permission(page: &Page) -> Option<Permission> {
    let said = page.get("permission")?.to_string();
    Some(said.parse().unwrap_or(Permission::None))
}

/// Whether a copy says that a program wrote it.
fn is_bot(page: &Page) -> bool {
    value(page, "bot") == "true"
}

/// The title of an issue that has none: the first line of its text.
fn first_line(body: &str) -> String {
    let line = body.lines().next().unwrap_or_default().trim_start_matches('#');
    one_line(line.trim(), TITLE_BYTES_MAX)
}

fn file_name(n: u64) -> String {
    format!("{n:04}.md")
}

/// A Markdown file that is not one of the numbered ones. Editors' own files are not Markdown.
fn is_stray(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".md") && !name.starts_with('.') && number_of(&name).is_none()
}

/// The number in a comment's name. `7.md` is not how zazen writes it, so it is no number.
fn number_of(name: &str) -> Option<u64> {
    let n = name.strip_suffix(".md")?.parse().ok()?;
    (file_name(n) == name).then_some(n)
}

/// The numbers of the comments in a folder, in order.
fn comment_numbers(dir: &Path) -> anyhow::Result<Vec<u64>> {
    let mut found: Vec<u64> = names(dir)?.iter().filter_map(|name| number_of(name)).collect();
    found.sort_unstable();
    Ok(found)
}

fn check_body(body: &str) -> anyhow::Result<()> {
    if body.len() > BODY_BYTES_MAX {
        bail!("the text is longer than {BODY_BYTES_MAX} bytes");
    }
    Ok(())
}
