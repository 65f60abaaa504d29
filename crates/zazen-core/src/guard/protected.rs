//! Files that decide what is run, by whom, and who has to agree: always held.
//!
//! The plan may name them; what is in them is still for a person to see.

use super::evidence::Evidence;
use super::language::{file_name, folder};
use super::report::Draft;

/// Whether a file tells coding agents what to do, or has programs of them start something.
///
/// They read such files in every folder, and not all of them mind the case.
pub fn is_agent_config(path: &[u8]) -> bool {
    let path = String::from_utf8_lossy(path).to_lowercase();
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", &path));
    AGENT_FILES.contains(&name)
        || AGENT_FILE_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || folders.split('/').any(|folder| AGENT_FOLDERS.contains(&folder))
        // One that takes the place of a folder.
        || AGENT_FOLDERS.contains(&name)
        || GITHUB_AGENT_PATHS.iter().any(|beginning| path.starts_with(beginning))
}

const AGENT_FILES: [&str; 14] = [
    "agents.md",
    "agents.override.md",
    "claude.md",
    "claude.local.md",
    "gemini.md",
    "qwen.md",
    "copilot-instructions.md",
    ".mcp.json",
    "mcp.json",
    "opencode.json",
    "opencode.jsonc",
    ".goosehints",
    ".clinerules",
    ".roomodes",
];

const AGENT_FILE_BEGINNINGS: [&str; 4] = [".aider", ".cursorrules", ".windsurfrules", ".roorules"];

const AGENT_FOLDERS: [&str; 17] = [
    ".agents",
    ".amp",
    ".claude",
    ".claude-plugin",
    ".codex",
    ".continue",
    ".copilot",
    ".crush",
    ".cursor",
    ".gemini",
    ".junie",
    ".kiro",
    ".opencode",
    ".qwen",
    ".roo",
    ".windsurf",
    ".zed",
];

const GITHUB_AGENT_PATHS: [&str; 7] = [
    ".github/agents/",
    ".github/chatmodes/",
    ".github/copilot",
    ".github/hooks/",
    ".github/instructions/",
    ".github/prompts/",
    ".github/skills/",
];

/// Files that builds on a server are described by.
const BUILD_FILES: [&str; 15] = [
    ".appveyor.yml",
    ".cirrus.yml",
    ".drone.yml",
    ".gitlab-ci.yml",
    ".travis.yml",
    ".woodpecker.yaml",
    ".woodpecker.yml",
    "appveyor.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "circle.yml",
    "cloudbuild.yaml",
    "cloudbuild.yml",
    "jenkinsfile",
    "wercker.yml",
];

/// Folders of such files.
const BUILD_FOLDERS: [&str; 11] = [
    ".buildkite",
    ".circleci",
    ".forgejo",
    ".gitea",
    ".github/actions",
    ".github/workflows",
    ".gitlab",
    ".gitlab-ci",
    ".semaphore",
    ".tekton",
    ".woodpecker",
];

/// Files that say who has to agree, and what programs propose.
const REVIEW_FILES: [&str; 8] = [
    ".mergify.yml",
    ".renovaterc",
    ".renovaterc.json",
    "codeowners",
    "dependabot.yaml",
    "dependabot.yml",
    "renovate.json",
    "renovate.json5",
];

/// Files and folders that have something run on the machine of whoever opens the project,
/// or say where packages come from.
const LOCAL_FILES: [&str; 15] = [
    ".envrc",
    ".gitattributes",
    ".gitmodules",
    ".npmrc",
    ".pnpmfile.cjs",
    ".pre-commit-config.yaml",
    ".pypirc",
    ".yarnrc",
    ".yarnrc.yml",
    "lefthook.yaml",
    "lefthook.yml",
    "pip.conf",
    "rust-toolchain",
    "rust-toolchain.toml",
    "settings.gradle.lockfile",
];

const LOCAL_FOLDERS: [&str; 7] =
    [".cargo", ".devcontainer", ".githooks", ".husky", ".idea", ".vscode", ".yarn"];

pub(super) fn look(evidence: &Evidence<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for change in evidence.changes {
        let why = change.paths().find_map(|path| {
            let owners = || evidence.rules.protected.iter().any(|glob| glob.matches(path));
            why(path).or_else(|| owners().then_some("is on the owner's list of protected files"))
        });
        if let Some(why) = why {
            let what = format!("{} {why}.", change.shown());
            let lines = change.added();
            let mut draft = Draft::hold(what).at(change.path());
            if let (Some(first), Some(last)) = (lines.first(), lines.last()) {
                let text: Vec<&str> = lines.iter().take(LINES_MAX).map(|line| line.text).collect();
                draft = draft.lines(first.n, last.n).quoting(text.join("\n"));
            }
            drafts.push(draft.holding([change.identity()]));
        }
    }
    drafts
}

/// How many lines are quoted.
const LINES_MAX: usize = 12;

/// Why a path is protected, as the end of a sentence.
fn why(path: &str) -> Option<&'static str> {
    let lower = path.to_lowercase();
    let (name, folder) = (file_name(&lower), folder(&lower));
    let is_in = |folders: &[&str]| {
        folders.iter().any(|each| {
            folder == *each || folder.strip_prefix(each).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    let is_below = |folders: &[&str]| folder.split('/').any(|part| folders.contains(&part));
    if BUILD_FILES.contains(&name) || is_in(&BUILD_FOLDERS) {
        Some("says what is run on the servers that build the project")
    } else if is_agent_config(path.as_bytes()) {
        Some("tells coding agents what to do")
    } else if REVIEW_FILES.contains(&name) {
        Some("says who has to agree to a change, or what programs may propose")
    } else if LOCAL_FILES.contains(&name) || is_below(&LOCAL_FOLDERS) {
        Some("can have something run where the project is checked out, or says where it comes from")
    } else {
        None
    }
}
