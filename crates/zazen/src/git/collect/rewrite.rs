//! Puts commits of ours in the place of an agent's.
//!
//! Each keeps its tree and its place in the history. Author, committer, time and
//! signature are ours, and of its message what harms nobody. The same bundle always
//! gives the same commits, so that nothing changes when it is collected again.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use zazen_core::id::CommitId;
use zazen_core::words::agent_commit;

use super::quarantine::Quarantine;
use super::{CollectError, Expect, secrets};
use crate::git::{CommitInfo, Mirror};

/// How much all commits may hold together, without their trees: two hundred messages
/// of the length of a chapter.
const COMMITS_BYTES_MAX: usize = 16 << 20;

/// Writes our commits. Returns the agent's with ours, the oldest first.
///
/// Commits that the mirror had before are people's, or ours already; they stay.
pub(super) async fn rewrite(
    quarantine: &Quarantine,
    mirror: &Mirror,
    commits: &[CommitInfo],
    expect: &Expect,
) -> Result<Vec<(CommitId, CommitId)>, CollectError> {
    let known = known(mirror, commits).await?;
    let news: Vec<&CommitInfo> =
        commits.iter().filter(|commit| !known.contains(commit.id.as_str())).collect();
    let ids = news.iter().map(|commit| commit.id.as_str());
    let texts = quarantine.objects(ids, COMMITS_BYTES_MAX).await?;
    check_secrets(&news, &texts, expect)?;
    let mut ours: BTreeMap<&CommitId, CommitId> = BTreeMap::new();
    let mut rewritten = Vec::new();
    for (commit, text) in news.iter().zip(&texts) {
        let parents: Vec<&CommitId> =
            commit.parents.iter().map(|id| ours.get(id).unwrap_or(id)).collect();
        let id = quarantine.write_commit(print(commit, &parents, message(text), expect)).await?;
        rewritten.push((commit.id.clone(), id.clone()));
        ours.insert(&commit.id, id);
    }
    Ok(rewritten)
}

/// Those of the commits that the mirror had before.
async fn known(mirror: &Mirror, commits: &[CommitInfo]) -> anyhow::Result<BTreeSet<String>> {
    let ids: String = commits.iter().flat_map(|commit| [commit.id.as_str(), "\n"]).collect();
    let call = mirror.git().call("cat-file").arg("--batch-check=%(objectname) %(objecttype)");
    let text = call.stdin(ids).run().await.context("look for commits")?.stdout_text();
    Ok(text.lines().filter_map(|line| line.strip_suffix(" commit")).map(str::to_owned).collect())
}

/// A message is the first thing that is read, and goes wherever the commit goes.
fn check_secrets(
    commits: &[&CommitInfo],
    texts: &[Vec<u8>],
    expect: &Expect,
) -> Result<(), CollectError> {
    let mut found = Vec::new();
    for (commit, text) in commits.iter().zip(texts) {
        if let Some(first) = expect.guards.scanner.find(message(text)).first() {
            found.push(format!("{} in the message of commit {}", first.what, commit.id.short()));
        }
    }
    secrets::refuse(found)
}

/// What follows the head of a commit.
fn message(text: &[u8]) -> &[u8] {
    let end = text.windows(2).position(|two| two == b"\n\n");
    end.map_or(&[], |end| &text[end + 2..])
}

fn print(commit: &CommitInfo, parents: &[&CommitId], message: &[u8], expect: &Expect) -> String {
    let signature = &expect.signature;
    let mut text = format!("tree {}\n", commit.tree);
    for parent in parents {
        text.extend(["parent ", parent.as_str(), "\n"]);
    }
    let who = format!("{} {} +0000", signature.author, signature.time.max(0));
    text.extend(["author ", &who, "\ncommitter ", &who, "\n\n"]);
    text + &agent_commit(&String::from_utf8_lossy(message), &signature.trailers)
}
