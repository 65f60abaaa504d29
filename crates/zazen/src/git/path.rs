//! Which paths and symbolic links may come back from an agent.
//!
//! Pure checks on names. The rules are stricter than git's own: a path that
//! any file system we know could take for `.git`, or that a person could not
//! read for what it is, is refused on every system. See `collect` for what
//! they are applied to.

pub(super) use zazen_core::guard::is_agent_config;

/// What is wrong with a path or with the target of a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    #[error("is not UTF-8")]
    NotText,
    #[error("holds a control character, or one that cannot be seen")]
    Invisible,
    #[error("is longer than the limit")]
    TooLong,
    #[error("is nested deeper than the limit")]
    TooDeep,
    #[error("holds `.`, `..` or an empty part")]
    Dots,
    #[error("is, or could be taken for, `.git`")]
    DotGit,
    #[error("is, or could be taken for, `.gitmodules`")]
    Submodules,
    #[error("holds a backslash or a colon that other systems take for a separator")]
    Separator,
    #[error("is a symbolic link to an absolute path")]
    AbsoluteLink,
    #[error("is a symbolic link that leaves the repository")]
    LinkOut,
}

/// How large a path may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathLimits {
    /// The bytes of the whole path.
    pub(super) path_bytes: usize,
    /// The number of its parts.
    pub(super) tree_depth: usize,
}

/// How long one part of a path may be: what file systems allow.
const PART_BYTES_MAX: usize = 255;

/// Checks the path of a file that a commit adds or changes.
pub(super) fn check_path(path: &[u8], limits: PathLimits) -> Result<&str, PathFault> {
    let path = check_text(path, limits)?;
    for part in path.split('/') {
        check_part(part)?;
        if is_dot_git(part) {
            return Err(PathFault::DotGit);
        }
        if is_dot_gitmodules(part) {
            return Err(PathFault::Submodules);
        }
    }
    Ok(path)
}

/// Checks where the symbolic link at `path` points.
///
/// A target is `../` any number of times, never above the top, and then plain
/// names. A `..` after a name could leave through another link, so it is
/// refused even where it would not.
pub(super) fn check_link(path: &str, target: &[u8], limits: PathLimits) -> Result<(), PathFault> {
    let target = check_text(target, limits)?;
    if target.starts_with('/') {
        return Err(PathFault::AbsoluteLink);
    }
    let mut n_above = path.split('/').count() - 1;
    let mut has_name = false;
    for part in target.strip_suffix('/').unwrap_or(target).split('/') {
        match part {
            "." if !has_name => {}
            ".." if has_name => return Err(PathFault::LinkOut),
            ".." => n_above = n_above.checked_sub(1).ok_or(PathFault::LinkOut)?,
            _ => {
                has_name = true;
                check_part(part)?;
                if is_dot_git(part) {
                    return Err(PathFault::DotGit);
                }
            }
        }
    }
    Ok(())
}

fn check_text(bytes: &[u8], limits: PathLimits) -> Result<&str, PathFault> {
    if bytes.len() > limits.path_bytes {
        return Err(PathFault::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PathFault::NotText)?;
    if text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(PathFault::Invisible);
    }
    if text.split('/').count() > limits.tree_depth {
        return Err(PathFault::TooDeep);
    }
    Ok(text)
}

fn check_part(part: &str) -> Result<(), PathFault> {
    if part.len() > PART_BYTES_MAX {
        return Err(PathFault::TooLong);
    }
    if matches!(part, "" | "." | "..") {
        return Err(PathFault::Dots);
    }
    // `.git:x` and `a\..\b` mean something else on NTFS. A lone colon is common
    // in the names of test fixtures and harmless there, so only those that
    // stand behind a `.git` are refused, by `is_dot_git`.
    if part.contains('\\') {
        return Err(PathFault::Separator);
    }
    Ok(())
}

/// Whether some file system takes this name for `.git`.
///
/// That is: in any case; with trailing dots and spaces, or a stream behind a
/// colon (NTFS); as the short name `git~1` (NTFS); with characters in between
/// that HFS+ leaves out, which [`check_path`] refuses before.
fn is_dot_git(part: &str) -> bool {
    let name = ntfs_name(part);
    name == ".git" || is_short_name(&name, "git")
}

fn is_dot_gitmodules(part: &str) -> bool {
    let name = ntfs_name(part);
    name == ".gitmodules"
        || is_short_name(&name, "gitmod")
        // The hashed short names of `.gitmodules`, always eight letters, as git knows them.
        || (name.len() == 8 && (1..=6).any(|n| is_short_name(&name, &"gi7eba"[..n])))
}

/// The name as NTFS folds it: lower case, no stream, no trailing dots or spaces.
fn ntfs_name(part: &str) -> String {
    let part = part.split(':').next().unwrap_or_default();
    part.trim_end_matches(['.', ' ']).to_lowercase()
}

/// Whether a name is `<stem>~<digits>`.
fn is_short_name(name: &str, stem: &str) -> bool {
    name.strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix('~'))
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// Characters without a shape, or that turn the direction of the text.
///
/// HFS+ leaves most of them out when it compares names; the others can make a
/// path read as another one.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
