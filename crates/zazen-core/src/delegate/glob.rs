//! Patterns of paths: `*` is anything within one part of a path, `**` any number of parts.

/// How many steps one comparison may take. Patterns and paths are short; a pattern that is made
/// to take long fits nothing.
const N_STEPS_MAX: usize = 100_000;

/// Whether a path from the root of a repository fits a pattern. A pattern that ends with `/`
/// is about everything below.
pub fn matches(pattern: &str, path: &str) -> bool {
    let whole = format!("{pattern}**");
    let pattern = if pattern.ends_with('/') { &whole } else { pattern };
    let pattern: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
    let path: Vec<&str> = path.trim_start_matches("./").split('/').collect();
    let mut n_left = N_STEPS_MAX;
    parts_match(&pattern, &path, &mut n_left)
}

fn parts_match(pattern: &[&str], path: &[&str], n_left: &mut usize) -> bool {
    let Some(left) = n_left.checked_sub(1) else { return false };
    *n_left = left;
    match (pattern, path) {
        ([], []) => true,
        (["**"], _) => true,
        (["**", rest @ ..], _) => (0..=path.len()).any(|n| parts_match(rest, &path[n..], n_left)),
        ([part, rest @ ..], [name, names @ ..]) => {
            part_matches(part, name) && parts_match(rest, names, n_left)
        }
        (_, _) => false,
    }
}

/// One part: what stands between its stars has to be there, in this order.
fn part_matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}
