//! The repositories that are worked on, and what the model wants done in them.

/// One repository, and one task in it.
pub(super) struct Sample {
    pub(super) language: &'static str,
    pub(super) files: &'static [(&'static str, &'static str)],
    pub(super) check: &'static str,
    /// The commands of each step, one a turn. Their output has times, dates and ids in it.
    pub(super) steps: [&'static [&'static str]; 2],
}

/// What it looks at while it plans.
pub(super) const LOOKS: [&str; 2] =
    ["date; ls -la; git log -1", "cat README.md; mktemp -u; echo $$"];

pub(super) const PYTHON: Sample = Sample {
    language: "Python",
    files: &[
        ("README.md", "# Months\n\nSums numbers.\n"),
        (".gitignore", "__pycache__/\n"),
        ("months.py", "def total(numbers):\n    return sum(numbers)\n"),
        (
            "test_months.py",
            "import unittest\n\nfrom months import total\n\n\nclass Total(unittest.TestCase):\n    \
             def test_total(self):\n        self.assertEqual(total([1, 2]), 3)\n\n\n\
             if __name__ == \"__main__\":\n    unittest.main()\n",
        ),
    ],
    check: "python3 -m unittest -q",
    steps: [
        &[
            "cat >> months.py <<'EOF'\n\n\ndef mean(numbers):\n    \
             return total(numbers) / len(numbers)\nEOF\ngit diff",
            "python3 -m unittest; ls -l months.py",
        ],
        &["echo '`mean` is there, too.' >> README.md; git status; date"],
    ],
};

pub(super) const JAVASCRIPT: Sample = Sample {
    language: "JavaScript",
    files: &[
        ("README.md", "# Months\n\nSums numbers.\n"),
        ("package.json", "{ \"name\": \"months\", \"type\": \"module\" }\n"),
        ("months.js", "export const total = (numbers) => numbers.reduce((a, b) => a + b, 0);\n"),
        (
            "months.test.js",
            "import test from \"node:test\";\nimport assert from \"node:assert\";\n\
             import { total } from \"./months.js\";\n\n\
             test(\"total\", () => assert.equal(total([1, 2]), 3));\n",
        ),
    ],
    check: "node --test",
    steps: [
        &[
            "echo 'export const mean = (numbers) => total(numbers) / numbers.length;' >> months.js",
            "node --test; ls -l months.js",
        ],
        &["echo '`mean` is there, too.' >> README.md; git status; date"],
    ],
};

pub(super) const RUST: Sample = Sample {
    language: "Rust",
    files: &[
        ("README.md", "# Months\n\nSums numbers.\n"),
        (
            "src/lib.rs",
            "pub fn total(numbers: &[f64]) -> f64 {\n    numbers.iter().sum()\n}\n\n\
             #[test]\nfn total_is_the_sum() {\n    assert_eq!(total(&[1.0, 2.0]), 3.0);\n}\n",
        ),
    ],
    check: "rustc --edition 2021 --test src/lib.rs -o /tmp/check && /tmp/check -q",
    steps: [
        &[
            "cat >> src/lib.rs <<'EOF'\n\npub fn mean(numbers: &[f64]) -> f64 {\n    \
             total(numbers) / numbers.len() as f64\n}\nEOF\ngit diff",
            "rustc --edition 2021 --test src/lib.rs -o /tmp/tried && /tmp/tried; ls -l src",
        ],
        &["echo '`mean` is there, too.' >> README.md; git status; date"],
    ],
};
