//! Files that nobody can review: programs, other binary files, what programs have made, and
//! what is very large. Also what became executable, and links.

use super::evidence::Evidence;
use super::language::{file_name, folder};
use super::report::Draft;
use super::scope::LOCKS;
use super::{Change, Content, Side};

/// How many of the first lines may say that a program made the file.
const HEAD_LINES: usize = 12;

/// How much of a head is read, in bytes: the first line of a packed script may be all of it.
const HEAD_BYTES: usize = 4096;

/// From how many bytes in one line on a script is packed.
const PACKED_LINE_BYTES: usize = 2000;

/// What programs begin with, and what they are.
const PROGRAMS: [(&[u8], &str); 9] = [
    (b"\x7fELF", "a program for Linux"),
    (b"MZ", "a program for Windows"),
    (b"\xfe\xed\xfa", "a program for macOS"),
    (b"\xce\xfa\xed\xfe", "a program for macOS"),
    (b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (b"\xca\xfe\xba\xbe", "compiled Java, or a program for macOS"),
    (b"\0asm", "compiled WebAssembly"),
    (b"!<arch>\n", "a library of compiled objects"),
    (b"dex\n", "a program for Android"),
];

/// What archives begin with.
const ARCHIVES: [&[u8]; 6] =
    [b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd"];

/// Folders that programs fill and nobody keeps.
const MADE_FOLDERS: [&str; 12] = [
    ".gradle",
    ".mypy_cache",
    ".next",
    ".nuxt",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".venv",
    "__pycache__",
    "bower_components",
    "coverage",
    "node_modules",
];

/// Endings of what programs leave behind.
const LEFT_OVER: [&str; 14] = [
    ".bak", ".class", ".dll", ".dylib", ".exe", ".log", ".o", ".orig", ".pyc", ".rej", ".so",
    ".swp", ".tmp", ".jar",
];

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if evidence.is_cut {
        let what = "The change is so large that not all of it was looked at.";
        let all = evidence.changes.iter().map(Change::identity);
        drafts.push(Draft::hold(what).holding(all));
    }
    for change in evidence.changes {
        let Some(after) = &change.after else { continue };
        let same = change.before.as_ref().is_some_and(|before| before.id == after.id);
        let draft = if same { None } else { content(change, after, evidence) };
        drafts.extend(draft.into_iter().chain(mode(change, after)));
    }
    drafts
}

/// What is said of what is in a file.
fn content(change: &Change, after: &Side, evidence: &Evidence<'_>) -> Option<Draft> {
    let path = change.shown();
    let limit = evidence.rules.file_bytes_max;
    let grown = after.n_bytes.saturating_sub(change.before.as_ref().map_or(0, |b| b.n_bytes));
    let is_lock = LOCKS.contains(&file_name(&after.path).to_ascii_lowercase().as_str());
    let draft = match &after.content {
        _ if grown > limit && !is_lock => Draft::hold(format!(
            "{path} has {} bytes, which is {grown} more than before, and more than {limit}.",
            after.n_bytes
        )),
        Content::Unread => {
            Draft::hold(format!("{path} has {} bytes and was not looked at.", after.n_bytes))
        }
        Content::Binary { head } => binary(&path, head, after),
        Content::Text(text) => made(change, text, is_lock)?,
    };
    Some(draft.at(change.path()).holding([change.identity()]))
}

fn binary(path: &str, head: &[u8], after: &Side) -> Draft {
    if let Some((_, what)) = PROGRAMS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Draft::hold(format!("{path} is {what}."));
    }
    if ARCHIVES.iter().any(|magic| head.starts_with(magic)) {
        return Draft::hold(format!("{path} is an archive, and what is in it was not looked at."));
    }
    Draft::flag(format!("{path} is binary ({} bytes).", after.n_bytes))
}

/// What is said of a text that a program has made. A lock file always is: what is in it is
/// looked at as what it is, a list of dependencies.
fn made(change: &Change, text: &str, is_lock: bool) -> Option<Draft> {
    let path = change.path();
    let (lower, shown) = (path.to_ascii_lowercase(), change.shown());
    let name = file_name(&lower);
    if change.is_added() && folder(&lower).split('/').any(|part| MADE_FOLDERS.contains(&part)) {
        return Some(Draft::flag(format!("{shown} is in a folder that programs fill.")));
    }
    if change.is_added() && LEFT_OVER.iter().any(|ending| name.ends_with(ending)) {
        return Some(Draft::flag(format!("{shown} looks like something left over.")));
    }
    let head = &text.as_bytes()[..text.len().min(HEAD_BYTES)];
    let head = String::from_utf8_lossy(head);
    let is_marked = head.lines().take(HEAD_LINES).any(|line| {
        let lower = line.to_ascii_lowercase();
        lower.contains("@generated")
            || lower.contains("generated")
                && (lower.contains("do not edit") || lower.contains("don't edit"))
    });
    if is_marked && !is_lock {
        return Some(Draft::flag(format!("{shown} says that a program has made it.")));
    }
    let is_script = [".js", ".css", ".mjs", ".cjs", ".html"].iter().any(|end| name.ends_with(end));
    let is_packed = is_script && change.added().iter().any(|l| l.text.len() > PACKED_LINE_BYTES);
    (is_packed || name.contains(".min."))
        .then(|| Draft::flag(format!("{shown} is packed, so that nobody can read it.")))
}

/// What is said of how a file may be used.
fn mode(change: &Change, after: &Side) -> Option<Draft> {
    let before = change.before.as_ref();
    let was = |is: fn(&Side) -> bool| before.is_some_and(is);
    let path = change.shown();
    let what = if after.is_link() && !was(Side::is_link) {
        format!("{path} is a symbolic link.")
    } else if after.is_program() && !was(Side::is_program) {
        // A new script is a program; one that has no first line saying by what, is odd.
        let is_script = after.text().is_some_and(|text| text.starts_with("#!"));
        if before.is_none() && is_script {
            return None;
        }
        format!("{path} can be executed.")
    } else {
        return None;
    };
    Some(Draft::flag(what).at(change.path()).holding([change.identity()]))
}
