//! Tests that are gone, skipped or say less.

use expect_test::expect;

use super::super::GuardName::Tests;
use super::sample::Sample;

const RUST: &str = "\
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
        assert_eq!(add(0, 0), 0);
    }

    #[tokio::test]
    async fn adds_later() {
        let sum = add(2, 2);
        assert_eq!(sum, 4);
    }
}
";

const PYTHON: &str = "\
import pytest


class TestAdd:
    def test_adds(self):
        assert add(1, 2) == 3
        assert add(0, 0) == 0

    @pytest.mark.parametrize(\"a\", [1, 2])
    def test_more(self, a):
        with pytest.raises(ValueError):
            add(a, None)
";

const SCRIPT: &str = "\
describe('add', () => {
  it('adds', () => {
    expect(add(1, 2)).toBe(3);
    expect(add(0, 0)).toBe(0);
  });

  test(\"adds later\", async () => {
    expect(await add(2, 2)).toBe(4);
  });
});
";

const GO: &str = "\
package add

func TestAdd(t *testing.T) {
\tif add(1, 2) != 3 {
\t\tt.Errorf(\"not 3\")
\t}
}

func TestLater(t *testing.T) {
\trequire.Equal(t, 4, add(2, 2))
}
";

const JAVA: &str = "\
class AddTest {
    @Test
    void adds() {
        assertEquals(3, add(1, 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {1})
    public void addsMore(int a) {
        assertThat(add(a, a)).isEqualTo(2 * a);
    }
}
";

const RUBY: &str = "\
describe Add do
  it \"adds\" do
    expect(add(1, 2)).to eq(3)
  end

  def test_later
    assert_equal 4, add(2, 2)
  end
end
";

const ALL: [(&str, &str); 6] = [
    ("src/add.rs", RUST),
    ("tests/test_add.py", PYTHON),
    ("src/add.test.ts", SCRIPT),
    ("add_test.go", GO),
    ("src/test/java/AddTest.java", JAVA),
    ("spec/add_spec.rb", RUBY),
];

fn say(path: &str, before: &str, after: &str) -> String {
    Sample::default().change(path, before, after).say(Tests)
}

/// The text with one part in the place of another, which has to be there.
fn with(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old}");
    text.replacen(old, new, 1)
}

#[test]
fn tests_that_are_gone_are_held_in_every_language() {
    let names = ["adds_later", "test_more", "adds later", "TestLater", "addsMore", "test_later"];
    for ((path, text), name) in ALL.into_iter().zip(names) {
        // Everything after the first test, but for what closes it.
        let marks =
            ["#[tokio", "@pytest", "test(\"", "func TestLater", "@Parameterized", "def test_l"];
        let at = marks.iter().find_map(|mark| text.find(mark)).unwrap();
        let said = say(path, text, &text[..at]);
        assert!(said.starts_with(&format!("hold {path}:")), "{path}: {said}");
        assert!(said.ends_with(&format!("The test `{name}` is gone.\n")), "{path}: {said}");
    }
}

#[test]
fn a_file_of_tests_that_is_gone_is_held_with_their_names() {
    for (path, text) in ALL {
        let said = Sample::default().remove(path, text).say(Tests);
        assert!(said.starts_with(&format!("hold {path}:")), "{said}");
        assert!(said.contains("The tests `") && said.ends_with("are gone.\n"), "{said}");
    }
    let sample = Sample::default().remove("tests/harness.rs", "fn x() {}\n");
    assert_eq!(
        sample.say(Tests),
        "hold tests/harness.rs `tests/harness.rs`, a file of tests, is gone.\n"
    );
    let sample = Sample::default().remove("tests/data.json", "{}\n");
    assert_eq!(
        sample.say(Tests),
        "flag tests/data.json `tests/data.json`, a file of tests, is gone.\n"
    );
}

#[test]
fn a_test_that_moved_or_has_another_name_is_not_gone() {
    for (path, text) in ALL {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let to = format!("{folder}/more/{name}").trim_start_matches('/').to_owned();
        let sample = Sample::default().remove(path, text).add(&to, text);
        assert_eq!(sample.say(Tests), "", "{path}");
        let sample = Sample::default().rename((path, &to), text, text);
        assert_eq!(sample.say(Tests), "", "{path}");
    }
    assert_eq!(say("src/add.rs", RUST, &with(RUST, "fn adds()", "fn sums()")), "");
    let other = with(&with(PYTHON, "test_adds", "test_sums"), "add(0, 0) == 0", "add(0, 0) is 0");
    assert_eq!(say("tests/test_add.py", PYTHON, &other), "");
}

#[test]
fn a_test_that_is_no_test_any_more_is_gone() {
    let cases = [
        (0, "    #[test]\n    fn adds()", "    fn adds()", "adds"),
        (0, "    #[test]\n", "    // #[test]\n", "adds"),
        (1, "def test_adds", "def _test_adds", "test_adds"),
        (1, "    def test_adds", "    def check_adds", "test_adds"),
        (2, "it('adds', ", "ignore('adds', ", "adds"),
        (3, "func TestAdd(", "func testAdd(", "TestAdd"),
        (4, "    @Test\n", "", "adds"),
        (5, "def test_later", "def later", "test_later"),
    ];
    for (n, old, new, name) in cases {
        let (path, text) = ALL[n];
        let said = say(path, text, &with(text, old, new));
        assert!(said.contains(&format!("The test `{name}` is gone.")), "{path}: {said}");
    }
}

#[test]
fn a_test_in_a_comment_or_in_a_string_is_gone() {
    let text =
        with(&with(SCRIPT, "  test(", "  /*\n  test("), "toBe(4);\n  });", "toBe(4);\n  });\n  */");
    assert!(say("src/add.test.ts", SCRIPT, &text).contains("`adds later` is gone"));
    let text = with(PYTHON, "    def test_adds", "    \"\"\"\n    def test_adds");
    let text = with(&text, "== 0\n", "== 0\n    \"\"\"\n");
    assert!(say("tests/test_add.py", PYTHON, &text).contains("`test_adds` is gone"));
}

#[test]
fn what_has_tests_skipped_is_held() {
    let cases = [
        (0, "    #[test]\n", "    #[test]\n    #[ignore]\n"),
        (0, "    #[test]\n", "    #[test]\n    #[ignore = \"slow\"]\n"),
        (0, "#[cfg(test)]", "#[cfg(any())]"),
        (1, "    def test_adds", "    @pytest.mark.skip\n    def test_adds"),
        (1, "    def test_adds", "    @pytest.mark.skip(reason=\"x\")\n    def test_adds"),
        (1, "    def test_adds", "    @pytest.mark.xfail\n    def test_adds"),
        (1, "    def test_adds", "    @unittest.skip(\"x\")\n    def test_adds"),
        (1, "import pytest\n", "import pytest\npytestmark = pytest.mark.skip\n"),
        (1, "self):\n", "self):\n        pytest.skip(\"x\")\n"),
        (1, "self):\n", "self):\n        if True:\n            self.skipTest(\"x\")\n"),
        (2, "  it(", "  it.skip("),
        (2, "  it(", "  xit("),
        (2, "  it(", "  it.only("),
        (2, "describe(", "describe.skip("),
        (2, "describe(", "fdescribe("),
        (2, "test(\"", "test.todo(\""),
        (3, "testing.T) {\n", "testing.T) {\n\tt.Skip(\"flaky\")\n"),
        (3, "package add\n", "//go:build ignore\n\npackage add\n"),
        (4, "    @Test\n", "    @Test\n    @Disabled\n"),
        (4, "class AddTest", "@Ignore(\"x\")\nclass AddTest"),
        (5, "  it \"adds\" do\n", "  it \"adds\" do\n    skip\n"),
        (5, "  it \"adds\"", "  xit \"adds\""),
    ];
    for (n, old, new) in cases {
        let (path, text) = ALL[n];
        let said = say(path, text, &with(text, old, new));
        assert!(said.contains("This line has tests skipped.\n"), "{path} {new}: {said}");
        assert!(said.starts_with("hold "), "{path} {new}: {said}");
        assert_eq!(said.matches("skipped").count(), 1, "{path} {new}: {said}");
    }
}

#[test]
fn a_condition_that_is_named_is_flagged() {
    let cases = [
        (0, "    #[test]\n", "    #[test]\n    #[cfg_attr(windows, ignore)]\n"),
        (
            1,
            "    def test_adds",
            "    @pytest.mark.skipif(sys.platform == \"win32\")\n    def test_adds",
        ),
        (
            1,
            "self):\n",
            "self):\n        if not shutil.which(\"git\"):\n            pytest.skip(\"no git\")\n",
        ),
        (2, "  it(", "  it.skipIf(process.env.CI)("),
        (3, "testing.T) {\n", "testing.T) {\n\tif testing.Short() {\n\t\tt.Skip(\"slow\")\n\t}\n"),
        (4, "    @Test\n", "    @Test\n    @DisabledOnOs(OS.WINDOWS)\n"),
        (5, "  it \"adds\" do\n", "  it \"adds\" do\n    skip \"no\" if windows?\n"),
    ];
    for (n, old, new) in cases {
        let (path, text) = ALL[n];
        let said = say(path, text, &with(text, old, new));
        assert!(said.contains("under some condition"), "{path} {new}: {said}");
        assert!(!said.contains("hold"), "{path} {new}: {said}");
    }
}

#[test]
fn a_new_test_that_is_skipped_takes_nothing_away() {
    let text = with(
        RUST,
        "    #[tokio",
        concat!(
            "    #[test]\n    #[ignore]\n    fn new() {\n        assert!(add(1, 1) ",
            "== 2);\n    }\n\n    #[tokio"
        ),
    );
    assert_eq!(say("src/add.rs", RUST, &text), "flag src/add.rs:16 A new test is skipped.\n");
}

#[test]
fn a_line_that_only_moved_skips_nothing_more() {
    let before = with(RUST, "    #[test]\n", "    #[test]\n    #[ignore]\n");
    let after = with(&before, "    #[test]\n    #[ignore]\n", "    #[ignore]\n    #[test]\n");
    assert_eq!(say("src/add.rs", &before, &after), "");
}

#[test]
fn other_code_skips_what_it_likes() {
    assert_eq!(say("src/reader.py", "a\n", "pytest.skip(\"x\")\n"), "");
    assert_eq!(say("src/list.rb", "a\n", "skip\n"), "");
    assert_eq!(say("src/iter.rs", "let a = b;\n", "let a = b.skip(1);\n"), "");
}

#[test]
fn fewer_assertions_are_flagged_and_none_are_held() {
    let rust = with(RUST, "        assert_eq!(add(0, 0), 0);\n", "");
    assert_eq!(
        say("src/add.rs", RUST, &rust),
        "flag src/add.rs:9-11 The test `adds` has fewer assertions: 2 → 1.\n"
    );
    let none = with(&rust, "        assert_eq!(add(1, 2), 3);\n", "        let _ = add(1, 2);\n");
    assert_eq!(
        say("src/add.rs", RUST, &none),
        "hold src/add.rs:9-11 The test `adds` asserts nothing any more, and had 2 assertions.\n"
    );
    let cases = [
        (1, "        assert add(0, 0) == 0\n", "        # assert add(0, 0) == 0\n", "test_adds"),
        (2, "    expect(add(0, 0)).toBe(0);\n", "", "adds"),
    ];
    for (n, old, new, name) in cases {
        let (path, text) = ALL[n];
        let said = say(path, text, &with(text, old, new));
        assert!(said.contains(&format!("`{name}` has fewer assertions: 2 → 1")), "{path}: {said}");
    }
    let cases = [
        (
            1,
            "        with pytest.raises(ValueError):\n            add(a, None)\n",
            "        add(a, 1)\n",
        ),
        (3, "\trequire.Equal(t, 4, add(2, 2))\n", "\tadd(2, 2)\n"),
        (4, "assertEquals(3, add(1, 2));", "add(1, 2);"),
        (5, "    expect(add(1, 2)).to eq(3)\n", "    add(1, 2)\n"),
    ];
    for (n, old, new) in cases {
        let (path, text) = ALL[n];
        let said = say(path, text, &with(text, old, new));
        assert!(said.contains("asserts nothing any more, and had 1 assertions"), "{path}: {said}");
    }
}

#[test]
fn a_test_that_is_emptied_or_ends_at_once_is_held() {
    let cases = [
        (0, "        let sum = add(2, 2);\n        assert_eq!(sum, 4);\n", "", "nothing in it"),
        (0, "        let sum", "        return;\n        let sum", "ends before"),
        (1, "self):\n", "self):\n        return\n", "ends before"),
        (2, "async () => {\n", "async () => {\n    return;\n", "ends before"),
        (3, "TestLater(t *testing.T) {\n", "TestLater(t *testing.T) {\n\treturn\n", "ends before"),
        (5, "def test_later\n", "def test_later\n    return\n", "ends before"),
    ];
    for (n, old, new, what) in cases {
        let (path, text) = ALL[n];
        let said = say(path, text, &with(text, old, new));
        assert!(said.starts_with("hold ") && said.contains(what), "{path} {new}: {said}");
    }
    let pass = "class TestAdd:\n    def test_adds(self):\n        pass\n";
    assert!(say("tests/test_add.py", PYTHON, pass).contains("`test_adds` has nothing in it"));
}

#[test]
fn an_assertion_of_what_is_always_so_is_none() {
    let cases = [
        (0, "assert_eq!(add(1, 2), 3);", "assert!(true);"),
        (1, "assert add(1, 2) == 3", "assert True"),
        (2, "expect(add(1, 2)).toBe(3);", "expect(true).toBe(true);"),
    ];
    for (n, old, new) in cases {
        let (path, text) = ALL[n];
        let said = say(path, text, &with(text, old, new));
        assert!(said.contains("has fewer assertions: 2 → 1"), "{path}: {said}");
    }
    let more = with(
        PYTHON,
        "        assert add(1, 2) == 3\n",
        "        assert add(1, 2) == 3\n        assert True\n",
    );
    assert!(
        say("tests/test_add.py", PYTHON, &more).contains("asserts something that is always so")
    );
    let more = with(JAVA, "assertEquals(3, add(1, 2));", "assertTrue(true);");
    assert!(say("src/test/java/AddTest.java", JAVA, &more).contains("asserts nothing any more"));
}

#[test]
#[expect(clippy::format_collect, reason = "short lists, in no hurry")]
fn a_test_that_is_much_shorter_is_flagged() {
    let rows: String = (0..20).map(|n| format!("        check({n}, {n});\n")).collect();
    let long = format!(
        "#[test]\nfn rows() {{\n    for row in [\n{rows}    ] {{\n        assert!(row);\n    }}\n}}\n"
    );
    let n = long.lines().count();
    let short: String = long
        .lines()
        .enumerate()
        .filter(|(i, _)| *i < 4 || *i > n - 5)
        .map(|(_, l)| format!("{l}\n"))
        .collect();
    let long = long.replace("check(", "row(");
    let short = short.replace("check(", "row(");
    let said = say("src/a.rs", &long, &short);
    assert!(said.contains("is much shorter"), "{said}");
}

#[test]
fn tests_of_one_name_are_told_apart() {
    let one = "describe('a', () => {\n  it('works', () => {\n    expect(1).toBe(a);\n  });\n});\n";
    let two = format!("{one}{}", one.replace("'a'", "'b'").replace("(a)", "(b)"));
    let said = say("x.test.js", &two, one);
    assert!(said.contains("is gone"), "{said}");
}

#[test]
fn honest_work_on_tests_passes() {
    let added = with(
        RUST,
        "    #[tokio",
        concat!(
            "    #[test]\n    fn adds_nothing() {\n        assert_eq!(add(3, 0), 3)",
            ";\n    }\n\n    #[tokio"
        ),
    );
    assert_eq!(say("src/add.rs", RUST, &added), "");
    let changed =
        with(RUST, "assert_eq!(add(1, 2), 3);", "assert_eq!(add(1, 2), 4, \"by one more\");");
    assert_eq!(say("src/add.rs", RUST, &changed), "");
    let split = concat!(
        "    #[test]\n    #[should_panic(\n        expected = \"x\",\n    )]\n ",
        "   fn panics(\n    ) {\n        assert!(add(1, 1) == 2);\n    }\n\n   ",
        " #[tokio"
    );
    assert_eq!(say("src/add.rs", RUST, &with(RUST, "    #[tokio", split)), "");
}

#[test]
fn snapshots_that_change_or_go_are_flagged() {
    let path = "src/__snapshots__/cart.test.ts.snap";
    expect![[r#"
        flag src/__snapshots__/cart.test.ts.snap:2 The snapshot `src/__snapshots__/cart.test.ts.snap` is another: what tests expect has changed.
    "#]]
    .assert_eq(&say(path, "a\nb\n", "a\nc\n"));
    assert!(Sample::default().remove(path, "a\n").say(Tests).contains("is gone"));
    assert_eq!(Sample::default().add(path, "a\n").say(Tests), "");
    assert_eq!(say("src/snap.rs", "a\n", "b\n"), "");
}

#[test]
#[expect(clippy::similar_names, reason = "they are the two sides of one thing")]
fn another_removed_test_is_another_hold_and_another_line_is_not() {
    let hold = |before: &str, after: &str| {
        Sample::default().change("src/add.rs", before, after).report().hold()
    };
    let start = RUST.find("    #[test]").unwrap();
    let end = RUST.find("    #[tokio").unwrap();
    let gone = format!("{}{}", &RUST[..start], &RUST[end..]);
    let held = hold(RUST, &gone);
    assert!(held.is_some());
    // The same on another line.
    assert_eq!(held, hold(&format!("// x\n{RUST}"), &format!("// x\n{gone}")));
    // One byte of what is gone was another.
    assert_ne!(held, hold(&with(RUST, "add(0, 0), 0", "add(0, 1), 1"), &gone));
}
