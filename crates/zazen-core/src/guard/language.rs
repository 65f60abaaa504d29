//! Which language a file is in, what is a comment in it, and which files are tests.
//!
//! Told by names and, for comments, line by line. This is no parser: where a line can be
//! read in two ways, it is taken for code, so that no guard passes it over.

/// A language, as far as guards know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Language {
    Rust,
    Python,
    /// JavaScript and TypeScript.
    Script,
    Go,
    /// Java, Kotlin and Scala.
    Java,
    Ruby,
    /// C, C++, C#, Swift and others whose comments are C's.
    C,
    /// Shells, Perl and others whose comments begin with `#`.
    Hash,
}

impl Language {
    /// The language of a file, by its name.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = file_name(path);
        let (_, ending) = name.rsplit_once('.').unwrap_or(("", name));
        Some(match ending.to_ascii_lowercase().as_str() {
            "rs" => Self::Rust,
            "py" | "pyi" | "pyx" => Self::Python,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => {
                Self::Script
            }
            "go" => Self::Go,
            "java" | "kt" | "kts" | "scala" | "groovy" => Self::Java,
            "rb" | "rake" => Self::Ruby,
            "c" | "h" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "cs" | "swift" | "m" | "mm"
            | "php" | "dart" | "proto" | "zig" => Self::C,
            "sh" | "bash" | "zsh" | "pl" | "pm" | "r" | "tcl" | "ex" | "exs" | "nix" => Self::Hash,
            _ => return None,
        })
    }

    /// Whether comments begin with `#`, and not with two slashes.
    fn has_hash(self) -> bool {
        matches!(self, Self::Python | Self::Ruby | Self::Hash)
    }
}

/// Whether a file is source code in a language that is known.
pub fn is_source(path: &str) -> bool {
    Language::of(path).is_some()
}

/// The name of the file, without its folders.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Its folder, without the last slash; empty at the top.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The name of the file without its last ending.
pub(super) fn stem(path: &str) -> &str {
    let name = file_name(path);
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// Whether a file holds tests, by where it is and what it is called.
pub(super) fn is_test_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let in_folder = folder(&lower).split('/').any(|part| {
        matches!(part, "test" | "tests" | "spec" | "specs" | "__tests__" | "testing" | "e2e")
    });
    let (name, stem) = (file_name(&lower), stem(&lower));
    in_folder
        || name == "conftest.py"
        || stem == "tests"
        || stem == "test"
        || stem.starts_with("test_")
        || ["_test", "_tests", "_spec", ".test", ".spec", "-test", "-spec"]
            .iter()
            .any(|end| stem.ends_with(end))
        // `FooTest.java`, by its capital.
        || [("Test.java"), ("Tests.java"), ("Test.kt"), ("Spec.scala"), ("Test.scala"), ("IT.java")]
            .iter()
            .any(|end| file_name(path).ends_with(end))
}

/// Whether a file is a snapshot: what a test compares its result with.
pub(super) fn is_snapshot_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let in_folder = folder(&lower).split('/').any(|part| {
        matches!(part, "__snapshots__" | "snapshots" | "__image_snapshots__" | "golden" | "goldens")
    });
    let name = file_name(&lower);
    in_folder
        || [".snap", ".ambr", ".golden", ".approved.txt", ".approved.json", ".stdout", ".stderr"]
            .iter()
            .any(|end| name.ends_with(end))
            && !name.starts_with('.')
}

/// Says of each line, in order, whether it is code: neither blank nor a comment.
///
/// Comments of documentation count as code, as they are text that people read.
#[derive(Debug)]
pub(super) struct Code {
    language: Option<Language>,
    in_block: bool,
}

impl Code {
    pub(super) fn of(path: &str) -> Self {
        Self { language: Language::of(path), in_block: false }
    }

    /// Takes the next line: what of it is code, without comments; nothing, if none is.
    pub(super) fn line<'l>(&mut self, line: &'l str) -> Option<&'l str> {
        let line = line.trim();
        if line.is_empty() {
            return None;
        }
        let Some(language) = self.language else { return Some(line) };
        if language.has_hash() {
            // A line that begins with `#!` says what runs the file.
            let is_comment = line.starts_with('#') && !line.starts_with("#!");
            return (!is_comment).then(|| before(line, " #"));
        }
        if self.in_block {
            let (_, after) = line.split_once("*/")?;
            self.in_block = false;
            return self.line(after);
        }
        let is_doc = ["///", "//!", "/**", "/*!", "//go:", "// +build"]
            .iter()
            .any(|mark| line.starts_with(mark))
            && !line.starts_with("////");
        if line.starts_with("//") && !is_doc {
            return None;
        }
        if let Some(rest) = line.strip_prefix("/*").filter(|_| !is_doc) {
            self.in_block = true;
            return self.line(rest);
        }
        Some(if is_doc { line } else { before(line, "//") })
    }
}

/// What stands before a mark, where no quotation is open there: a mark in a string is none.
fn before<'l>(line: &'l str, mark: &str) -> &'l str {
    let at = line.match_indices(mark).map(|(at, _)| at).find(|at| {
        let head = &line[..*at];
        let is_even = |quote: char| head.matches(quote).count().is_multiple_of(2);
        is_even('"') && is_even('\'') && is_even('`') && !head.ends_with(':')
    });
    at.map_or(line, |at| line[..at].trim_end())
}
