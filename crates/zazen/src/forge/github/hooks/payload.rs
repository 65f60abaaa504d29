//! A payload, reduced to what it hints at.
//!
//! Only a handful of fields are looked at, each by itself: GitHub adds fields,
//! leaves some out and makes others null, even in its own examples. What is not
//! there, or is not what it should be, gives no hint, and nothing else happens.
//! A text of a person is never taken from here.

use serde::Deserialize;
use serde_json::value::RawValue;
use zazen_core::id::{IssueNumber, RepoName};

use super::table::{Gives, gives};
use crate::forge::github::hint::Hint;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reduced {
    /// These places are to be looked at.
    Hints { action: Option<String>, hints: Vec<Hint> },
    /// Nothing is done, for this reason.
    Ignored(&'static str),
}

/// The body is no JSON object: the webhook is set up in another way, or it is not GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnObject;

/// The parts of a payload that are looked at, each not parsed yet.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    repository: Option<&'a RawValue>,
    issue: Option<&'a RawValue>,
    pull_request: Option<&'a RawValue>,
    check_run: Option<&'a RawValue>,
    check_suite: Option<&'a RawValue>,
    workflow_run: Option<&'a RawValue>,
    sha: Option<&'a RawValue>,
    #[serde(rename = "ref")]
    reference: Option<&'a RawValue>,
    ref_type: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named {
    full_name: String,
}

#[derive(Deserialize)]
struct Numbered {
    number: u64,
}

#[derive(Deserialize)]
struct Headed {
    head_sha: String,
}

/// Why an event of a row that gives something gives nothing.
const NO_SUBJECT: &str = "its payload does not say what it is about";
const NOT_OURS: &str = "the repository is not one of those in zazen.toml";
const A_TAG: &str = "it is about a tag";

/// How long an action is that GitHub could have named.
const ACTION_BYTES_MAX: usize = 64;

/// How long the name of a branch may be that git can keep.
const BRANCH_BYTES_MAX: usize = 255;

/// Reduces the payload of an event to what is to be looked at.
///
/// Of the repositories, only those in `repos` count, and they are called as they are
/// there: GitHub does not distinguish upper and lower case.
pub fn reduce(event: &str, body: &[u8], repos: &[RepoName]) -> Result<Reduced, NotAnObject> {
    let payload: Payload<'_> = serde_json::from_slice(body).map_err(|_| NotAnObject)?;
    let action: Option<String> =
        payload.action.and_then(parsed).filter(|action: &String| is_action(action));
    let found = match gives(event, action.as_deref()) {
        Gives::Nothing(why) => Err(why),
        Gives::Installation => Ok(Hint::Installation),
        Gives::Item => payload.repo(repos).and_then(|repo| payload.item(repo)),
        Gives::Checks => payload.repo(repos).and_then(|repo| payload.checks(repo)),
        Gives::Branch => payload.repo(repos).and_then(|repo| payload.branch(repo)),
    };
    Ok(match found {
        Ok(hint) => Reduced::Hints { action, hints: vec![hint] },
        Err(why) => Reduced::Ignored(why),
    })
}

impl Payload<'_> {
    fn repo(&self, repos: &[RepoName]) -> Result<RepoName, &'static str> {
        let named: Named = self.repository.and_then(parsed).ok_or(NO_SUBJECT)?;
        let is_it = |repo: &&RepoName| repo.as_str().eq_ignore_ascii_case(&named.full_name);
        repos.iter().find(is_it).cloned().ok_or(NOT_OURS)
    }

    fn item(&self, repo: RepoName) -> Result<Hint, &'static str> {
        let numbered: Option<Numbered> =
            self.issue.and_then(parsed).or_else(|| self.pull_request.and_then(parsed));
        let number = numbered.filter(|found| found.number > 0).ok_or(NO_SUBJECT)?.number;
        Ok(Hint::Item { repo, number: IssueNumber(number) })
    }

    fn checks(&self, repo: RepoName) -> Result<Hint, &'static str> {
        let headed = [self.check_run, self.check_suite, self.workflow_run].into_iter().flatten();
        let mut heads = headed.filter_map(parsed::<Headed>).map(|found| found.head_sha);
        let head = heads.next().or_else(|| self.sha.and_then(parsed)).ok_or(NO_SUBJECT)?;
        let head = head.parse().map_err(|_| NO_SUBJECT)?;
        Ok(Hint::Checks { repo, head })
    }

    /// The branch of a `push`, which gives a whole name, or of a `delete`, which does not.
    fn branch(&self, repo: RepoName) -> Result<Hint, &'static str> {
        let reference: String = self.reference.and_then(parsed).ok_or(NO_SUBJECT)?;
        let kind: Option<String> = self.ref_type.and_then(parsed);
        let branch = match (kind.as_deref(), reference.strip_prefix("refs/heads/")) {
            (None, Some(branch)) => branch,
            (Some("branch"), None) => reference.as_str(),
            (Some("tag"), _) => return Err(A_TAG),
            (None, None) if reference.starts_with("refs/tags/") => return Err(A_TAG),
            _ => return Err(NO_SUBJECT),
        };
        let is_odd = |c: char| c.is_control() || c.is_whitespace();
        if branch.is_empty() || branch.len() > BRANCH_BYTES_MAX || branch.contains(is_odd) {
            return Err(NO_SUBJECT);
        }
        Ok(Hint::Branch { repo, branch: branch.to_owned() })
    }
}

/// A part of the payload, if it is what it should be.
fn parsed<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn is_action(action: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    (1..=ACTION_BYTES_MAX).contains(&action.len()) && action.bytes().all(is_plain)
}
