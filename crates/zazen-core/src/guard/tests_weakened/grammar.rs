//! How each language writes tests, skips them and asserts.
//!
//! Facts about test frameworks, as of 2026, as patterns over single lines of code.

use std::sync::LazyLock;

use super::super::language::{Language, is_test_path};
use super::super::pattern::Pattern;

/// How tests are written in one language.
#[derive(Debug)]
pub(super) struct Grammar {
    language: Language,
    /// What stands above a test and makes it one.
    mark: Option<Pattern>,
    /// What stands above any function.
    above: Option<Pattern>,
    /// The heading of a test; its first group is the name.
    heading: Option<Pattern>,
    /// The heading of any function, where a mark makes it a test.
    function: Option<Pattern>,
    /// What has a test skipped, always.
    skip: Pattern,
    /// What has a test skipped under a condition that it names.
    maybe: Pattern,
    assertion: Pattern,
    trivial: Pattern,
    pub(super) has_long_strings: bool,
}

/// What ends a test without anything done.
static ENDS: LazyLock<Pattern> = LazyLock::new(|| {
    Pattern::new(r"^return(?:\s+(?:nil|None|null|undefined|Ok\(\(\)\)|true|0))?;?$")
});

/// The grammar of a language, where its tests are known.
pub(super) fn of(language: Language) -> Option<&'static Grammar> {
    static ALL: LazyLock<[Grammar; 6]> =
        LazyLock::new(|| [rust(), python(), script(), go(), java(), ruby()]);
    ALL.iter().find(|grammar| grammar.language == language)
}

impl Grammar {
    /// Whether a file may have tests. In Rust they stand in any.
    pub(super) fn is_for(&self, path: &str) -> bool {
        self.language == Language::Rust || is_test_path(path)
    }

    /// Whether a line stands above a function, and if so, whether it makes that a test.
    pub(super) fn mark(&self, line: &str) -> Option<bool> {
        let is_test = self.mark.as_ref().is_some_and(|mark| mark.is_match(line));
        let is_above = is_test || self.above.as_ref().is_some_and(|above| above.is_match(line));
        is_above.then_some(is_test)
    }

    /// Whether a line that stands above a function has nothing of it.
    pub(super) fn is_mark_alone(&self, line: &str) -> bool {
        !self.function.as_ref().is_some_and(|function| function.is_match(line))
    }

    /// The name of the test that a line begins.
    pub(super) fn heading(&self, line: &str, is_marked: bool) -> Option<String> {
        let function = self.function.as_ref().filter(|_| is_marked);
        let own = self.heading.as_ref().and_then(|heading| heading.group(line));
        own.or_else(|| function?.group(line)).map(str::to_owned)
    }

    pub(super) fn is_function(&self, line: &str) -> bool {
        self.function.as_ref().is_some_and(|function| function.is_match(line))
    }

    /// Whether a line has a test skipped, and if so, whether for sure.
    pub(super) fn skips(&self, line: &str) -> Option<bool> {
        let line = line.trim();
        if self.maybe.is_match(line) {
            return Some(false);
        }
        self.skip.is_match(line).then_some(true)
    }

    pub(super) fn asserts(&self, line: &str) -> bool {
        self.assertion.is_match(line)
    }

    pub(super) fn is_trivial(&self, line: &str) -> bool {
        self.trivial.is_match(line)
    }

    #[expect(clippy::unused_self, reason = "a rule like those beside it")]
    pub(super) fn ends(&self, line: &str) -> bool {
        ENDS.is_match(line)
    }
}

fn rust() -> Grammar {
    Grammar {
        language: Language::Rust,
        mark: Some(Pattern::new(concat!(
            r"#\[\s*(?:[\w:]+::)?(?:test|rstest|test_case|case|wasm_bindgen_test",
            r"|quickcheck|proptest|bench)\b",
        ))),
        above: Some(Pattern::new(r"^#\[")),
        heading: None,
        function: Some(Pattern::new(
            r"^(?:#\[.*\]\s*)?(?:pub(?:\([^)]*\))?\s+)?(?:(?:async|unsafe|const)\s+)*fn\s+(\w+)",
        )),
        skip: Pattern::new(concat!(
            r#"^#!?\[\s*(?:ignore\b|cfg\(\s*(?:any\(\s*\)|FALSE|false"#,
            r#"|not\(\s*(?:all\(\s*\)|test)\s*\)|feature\s*=\s*"(?:disabled|never|off"#,
            r#"|broken)[^"]*")\s*\))"#,
        )),
        maybe: Pattern::new(r"^#\[\s*cfg_attr\(.*\bignore\b"),
        assertion: Pattern::new(concat!(
            r"\b(?:\w*assert\w*!|panic!|expect!|expect_file!|unreachable!|check\w*\(",
            r"|assert_\w+\(|unwrap_err\(|expect_err\()|\.assert\w*\(",
        )),
        trivial: Pattern::new(concat!(
            r"\bassert!\(\s*true\s*[,)]|\bassert_eq!\(\s*(?:true\s*,\s*true|1\s*,\s*1",
            r"|\(\)\s*,\s*\(\))\s*[,)]",
        )),
        has_long_strings: false,
    }
}

fn python() -> Grammar {
    Grammar {
        language: Language::Python,
        mark: None,
        above: Some(Pattern::new(r"^@\w")),
        heading: Some(Pattern::new(r"^(?:async\s+)?def\s+(test\w*)\s*\(")),
        function: Some(Pattern::new(r"^(?:(?:async\s+)?def|class)\s+(\w+)")),
        skip: Pattern::new(concat!(
            r"\bpytest\.mark\.(?:skip|xfail)\b(?:$|[^i])|\bunittest\.(?:skip\b",
            r"|expectedFailure)|^@(?:skip|expectedFailure|xfail)\b|\bpytest\.(?:skip",
            r"|xfail)\(|\bself\.skipTest\(|\braise\s+(?:unittest\.)?SkipTest",
            r"|^__test__\s*=\s*False|\bcollect_ignore",
        )),
        maybe: Pattern::new(concat!(
            r"\b(?:skipif|skipIf|skip_if|skipUnless|skip_unless|importorskip)\b",
            r"|\bxfail\([^)]*condition",
        )),
        assertion: Pattern::new(concat!(
            r"^assert\b|\.assert\w*\(|\bpytest\.(?:raises|warns|fail|approx)\b",
            r"|\bself\.fail\w*\(|\bassert_\w+\(|\bassertRaises|^(?:with\s+)?raises\(",
        )),
        trivial: Pattern::new(concat!(
            r"^assert\s+(?:True|1|1\s*==\s*1|True\s+is\s+True|not\s+False)\s*(?:,|$)",
            r"|\.assertTrue\(\s*True\s*[,)]|\.assertEqual\(\s*(?:1\s*,\s*1",
            r"|True\s*,\s*True)\s*[,)]",
        )),
        has_long_strings: true,
    }
}

fn script() -> Grammar {
    Grammar {
        language: Language::Script,
        mark: None,
        above: None,
        heading: Some(Pattern::new(concat!(
            r#"^(?:await\s+)?(?:x|f)?(?:it|test|specify"#,
            r#"|Deno\.test)(?:\.\w+(?:\([^"'`]*\))?)*\s*(?:\("#,
            r#"|\.each.*\)\s*\()\s*["'`]([^"'`]+)["'`]"#,
        ))),
        function: None,
        skip: Pattern::new(concat!(
            r"\b(?:it|test|describe|context|suite|specify|t)\.(?:skip|only|todo|fixme",
            r"|fails|failing)\b(?:$|[^I])|^(?:x|f)(?:it|describe|test|context",
            r"|specify)\s*[(.]|\bthis\.skip\(\)|\bt\.skip\(|\b(?:it|test",
            r"|describe)\(.*\{\s*skip:\s*true",
        )),
        maybe: Pattern::new(r"\.(?:skipIf|runIf)\("),
        assertion: Pattern::new(concat!(
            r"\bexpect\w*\(|\bassert\w*[.(]|\bshould\b|\bt\.(?:is|not|deepEqual|equal|ok",
            r"|true|false|throws|same|match|snapshot)\w*\(|\bcy\.|\bstrictEqual\(",
            r"|\bdeepEqual\(",
        )),
        trivial: Pattern::new(concat!(
            r"\bexpect\(\s*(?:true|1)\s*\)\.(?:toBe|toEqual|toBeTruthy)\(\s*(?:true",
            r"|1)?\s*\)|\bassert(?:\.ok|\.equal|\.strictEqual)?\(\s*(?:true",
            r"|1)\s*(?:,\s*(?:true|1)\s*)?\)",
        )),
        has_long_strings: false,
    }
}

fn go() -> Grammar {
    Grammar {
        language: Language::Go,
        mark: None,
        above: None,
        heading: Some(Pattern::new(r"^func\s+((?:Test|Fuzz|Example|Benchmark)\w*)\s*\(")),
        function: Some(Pattern::new(r"^func\s+(?:\([^)]*\)\s*)?(\w+)")),
        skip: Pattern::new(
            r"\b[tbf]\.(?:Skip|Skipf|SkipNow)\(|^//go:build\s+ignore|^//\s*\+build\s+ignore",
        ),
        maybe: Pattern::new(r"\btesting\.Short\(\)"),
        assertion: Pattern::new(concat!(
            r"\b[tbf]\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\b(?:require|assert",
            r"|is|qt|check)\.\w+\(|\bcmp\.Diff\(|\b(?:assert|expect|must|check)\w*\(",
        )),
        trivial: Pattern::new(r"\b(?:assert|require)\.True\(\s*\w+\s*,\s*true\s*[,)]"),
        has_long_strings: false,
    }
}

fn java() -> Grammar {
    Grammar {
        language: Language::Java,
        mark: Some(Pattern::new(
            r"^@(?:\w+\.)*(?:Test|ParameterizedTest|RepeatedTest|TestFactory|Property)\b",
        )),
        above: Some(Pattern::new(r"^@\w")),
        heading: Some(Pattern::new(r"^(?:public\s+)?void\s+(test\w*)\s*\(")),
        function: Some(Pattern::new(concat!(
            r"^(?:@.*\s)?(?:(?:public|private|protected|static|final|suspend|internal",
            r"|override)\s+)*(?:void|fun|[\w<>]+)\s+(\w+|`[^`]+`)\s*\(",
        ))),
        skip: Pattern::new(concat!(
            r"^@(?:\w+\.)*(?:Disabled|Ignore|Ignored)\b(?:$|[^IFO])",
            r"|\bassumeTrue\(\s*false|\bassumeFalse\(\s*true|\bthrow\s+new\s+SkipException",
        )),
        maybe: Pattern::new(
            r"^@(?:Disabled|Enabled)(?:If|On|For)\w*|\bassume(?:True|False|That)\(",
        ),
        assertion: Pattern::new(
            r"\b(?:assert\w*|verify\w*|expect\w*|fail)\s*[({]|\bshould\w*|\.andExpect\(",
        ),
        trivial: Pattern::new(
            r"\bassertTrue\(\s*true\s*[,)]|\bassertEquals\(\s*(?:1\s*,\s*1|true\s*,\s*true)\s*[,)]",
        ),
        has_long_strings: false,
    }
}

fn ruby() -> Grammar {
    Grammar {
        language: Language::Ruby,
        mark: None,
        above: None,
        heading: Some(Pattern::new(concat!(
            r#"^(?:x|f|p)?(?:it|test|specify|scenario|example"#,
            r#"|should)\s*\(?\s*["']([^"']+)["']|^def\s+(test_\w+)"#,
        ))),
        function: None,
        skip: Pattern::new(concat!(
            r#"^(?:skip|pending)\b|^(?:x|f)(?:it|describe|context|specify|scenario)\b"#,
            r#"|,\s*(?:skip|pending|:skip|:pending|focus|:focus)(?::|\s*=>|\s+do|,|\))"#,
        )),
        maybe: Pattern::new(r"^(?:skip|pending)\b.*\b(?:if|unless)\b"),
        assertion: Pattern::new(concat!(
            r"^(?:assert|refute|flunk)\w*\b|\bexpect\s*[({]|\.(?:should|must_|wont_)\w*",
            r"|\bis_expected\b|\braise_error\b",
        )),
        trivial: Pattern::new(
            r"^assert\s*\(?\s*true\b|\bexpect\(\s*true\s*\)\.to\s+(?:be|eq)\W*\s*\(?true",
        ),
        has_long_strings: false,
    }
}
