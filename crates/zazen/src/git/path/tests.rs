//! Names that must not come back, and ordinary ones that must.

use super::*;

const LIMITS: PathLimits = PathLimits { path_bytes: 1_000, tree_depth: 50 };

fn path(text: &str) -> Result<(), PathFault> {
    check_path(text.as_bytes(), LIMITS).map(drop)
}

#[test]
fn ordinary_paths_pass() {
    for text in [
        "src/main.rs",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".gitattributes",
        "a b/c:d",
        "größe/名前/🦀.txt",
        "git/mod.rs",
        "x.git/y",
        "...",
        "git~x",
    ] {
        assert_eq!(path(text), Ok(()), "{text}");
    }
}

#[test]
fn every_spelling_of_dot_git_is_refused() {
    for text in [
        ".git",
        ".git/config",
        "a/.git/hooks/x",
        ".GIT/config",
        ".Git",
        "git~1",
        "GIT~1/config",
        "git~2",
        ".git ",
        ".git.",
        ".git . .",
        ".git::$INDEX_ALLOCATION",
        ".git:x",
    ] {
        assert_eq!(path(text), Err(PathFault::DotGit), "{text:?}");
    }
    for text in [".g\u{200c}it", ".git\u{200d}/x", "\u{feff}.git", ".gi\u{206a}t"] {
        assert_eq!(path(text), Err(PathFault::Invisible), "{text:?}");
    }
}

#[test]
fn every_spelling_of_dot_gitmodules_is_refused() {
    for text in [".gitmodules", "a/.GitModules", ".gitmodules ", "gitmod~1", "GI7EBA~9", "gi7e~123"]
    {
        assert_eq!(path(text), Err(PathFault::Submodules), "{text:?}");
    }
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for text in ["../x", "a/../x", "/etc/passwd", "a//b", "./a", "a/", ""] {
        assert_eq!(path(text), Err(PathFault::Dots), "{text:?}");
    }
    assert_eq!(path("a\\..\\b"), Err(PathFault::Separator));
}

#[test]
fn paths_that_cannot_be_read_are_refused() {
    for text in ["a\nb", "a\u{1b}[2Jb", "a\u{7f}", "a\u{202e}txt.exe", "a\u{200b}b", "\u{e0041}"] {
        assert_eq!(path(text), Err(PathFault::Invisible), "{text:?}");
    }
    assert_eq!(check_path(b"a\xffb", LIMITS), Err(PathFault::NotText));
}

#[test]
fn long_and_deep_paths_are_refused() {
    assert_eq!(path(&"a".repeat(255)), Ok(()));
    assert_eq!(path(&"a".repeat(256)), Err(PathFault::TooLong));
    assert_eq!(path(&"a".repeat(1_001)), Err(PathFault::TooLong));
    assert_eq!(path(&["a"; 50].join("/")), Ok(()));
    assert_eq!(path(&["a"; 51].join("/")), Err(PathFault::TooDeep));
}

#[test]
fn links_inside_the_repository_pass() {
    for (path, target) in [
        ("a", "b"),
        ("a", "./b"),
        ("x/y/a", "../../b/c"),
        ("x/a", ".."),
        ("x/a", "../"),
        ("a", "."),
    ] {
        assert_eq!(check_link(path, target.as_bytes(), LIMITS), Ok(()), "{path} -> {target}");
    }
}

#[test]
fn links_that_leave_the_repository_are_refused() {
    use PathFault::{AbsoluteLink, DotGit, LinkOut};
    for (path, target, fault) in [
        ("out", "/etc", AbsoluteLink),
        ("out", "/proc/self/root", AbsoluteLink),
        ("out", "..", LinkOut),
        ("a/out", "../../x", LinkOut),
        ("a/b/c/out", "d/../../x", LinkOut),
        ("a", ".git", DotGit),
        ("x/a", "../.GIT/hooks", DotGit),
        ("a", "", PathFault::Dots),
        ("a", "b\nc", PathFault::Invisible),
    ] {
        assert_eq!(check_link(path, target.as_bytes(), LIMITS), Err(fault), "{path} -> {target}");
    }
}

#[test]
fn what_tells_agents_what_to_do_is_known_by_its_name() {
    for text in [
        "AGENTS.md",
        "a/agents.MD",
        ".claude",
        ".claude/skills/x/SKILL.md",
        "a/.mcp.json",
        ".github/hooks/start.json",
        ".github/skills/x/SKILL.md",
        ".copilot/mcp-config.json",
        ".opencode/plugin/x.js",
    ] {
        assert!(is_agent_config(text.as_bytes()), "{text}");
    }
    for text in ["agents.rs", "claude/x", "docs/agents/readme.md", ".github/workflows/ci.yml"] {
        assert!(!is_agent_config(text.as_bytes()), "{text}");
    }
}
