//! The small repositories that are worked on, in three languages, each with its own tests.

use super::compiler;
use crate::harness::model::{SMALL_PLAN, Turn};

/// A file: its path, and what is in it.
pub(super) type File = (&'static str, &'static str);

/// One repository.
pub(super) struct Sample {
    pub(super) files: &'static [File],
    /// Its tests' command.
    check: &'static str,
    /// The file that is to be changed.
    source: &'static str,
    /// Where its tests are.
    tests: &'static str,
}

impl Sample {
    /// The plan for one more function: the source, its tests and the README.
    pub(super) fn plan(&self) -> Turn {
        let check = self.check.replace("rustc ", &format!("{} ", compiler::path().display()));
        let files = format!("- `README.md`\n- `{}`\n- `{}`", self.source, self.tests);
        let plan = SMALL_PLAN
            .replace("- `README.md`", &files)
            .replace("grep -q hello README.md", &check)
            .replace("Say hello in the README", "Add `mean` beside `total`")
            .replace("The README says hello.", "The mean of numbers, too.");
        Turn::say(&plan)
    }
}

pub(super) const RUST: Sample = Sample {
    files: &[
        ("README.md", "# Months\n\nSums numbers.\n"),
        ("docs/usage.md", "# Usage\n\nCall `total`.\n"),
        (
            "src/lib.rs",
            "//! Sums.\n\n/// The sum.\npub fn total(numbers: &[f64]) -> f64 {\n    \
             numbers.iter().sum()\n}\n",
        ),
        (
            "tests/total.rs",
            "#[test]\nfn total_is_the_sum() {\n    \
             assert_eq!(months::total(&[1.0, 2.0]), 3.0);\n}\n",
        ),
    ],
    check: "out=$(mktemp -d); rustc --edition 2021 --crate-type rlib --crate-name months \
            src/lib.rs --out-dir \"$out\" && rustc --edition 2021 --test tests/total.rs \
            --extern months=\"$out/libmonths.rlib\" -o \"$out/check\" && \"$out/check\"",
    source: "src/lib.rs",
    tests: "tests/total.rs",
};

pub(super) const PYTHON: Sample = Sample {
    files: &[
        ("README.md", "# Months\n\nSums numbers.\n"),
        (".gitignore", "__pycache__/\n"),
        ("months.py", "def total(numbers):\n    return sum(numbers)\n"),
        (
            "test_months.py",
            "import unittest\n\nimport months\n\n\nclass Months(unittest.TestCase):\n    \
             def test_total(self):\n        self.assertEqual(months.total([1, 2]), 3)\n\n    \
             def test_nothing(self):\n        self.assertEqual(months.total([]), 0)\n",
        ),
    ],
    check: "/usr/bin/python3 -m unittest -v",
    source: "months.py",
    tests: "test_months.py",
};

pub(super) const JAVASCRIPT: Sample = Sample {
    files: &[
        ("README.md", "# Months\n\nSums numbers.\n"),
        ("package.json", "{\n  \"name\": \"months\",\n  \"type\": \"module\"\n}\n"),
        ("months.js", "export const total = (numbers) => numbers.reduce((a, b) => a + b, 0);\n"),
        (
            "months.test.js",
            "import test from \"node:test\";\nimport assert from \"node:assert\";\n\
             import * as months from \"./months.js\";\n\n\
             test(\"total\", () => assert.equal(months.total([1, 2]), 3));\n",
        ),
    ],
    check: "node --test --test-reporter=tap",
    source: "months.js",
    tests: "months.test.js",
};
