//! All guards together: verdicts, settings, digests.

use super::super::report::hash;
use super::super::{Finding, GuardName, Level, Report, Setting, Verdict};
use super::sample::Sample;
use crate::id::ContentHash;

/// A change that several guards have something to say about.
fn suspicious() -> Sample {
    Sample::planned(&["src/add.rs"])
        .change("src/add.rs", "a\n", "b\n")
        .change(".github/workflows/ci.yml", "a\n", "b\n")
        .change("Cargo.toml", "[dependencies]\n", "[dependencies]\nx = \"1\"\n")
        .remove("tests/test_add.py", "def test_add():\n    assert add(1, 2) == 3\n")
        .binary("logo.png", b"\x89PNG\0")
}

#[test]
fn each_guard_has_a_verdict() {
    let report = suspicious().report();
    let verdicts: Vec<String> = GuardName::ALL
        .iter()
        .map(|guard| format!("{} {:?}", guard.word(), report.verdict(*guard)))
        .collect();
    assert_eq!(
        verdicts.join(", "),
        "scope Hold, dependencies Hold, protected Hold, tests Hold, checks Pass, secrets Pass, \
         files Flag, licence Pass, claims Pass, empty Pass"
    );
}

#[test]
fn good_work_passes_every_guard() {
    let report = Sample::planned(&["src/add.rs"])
        .change("src/add.rs", "fn a() {}\n", "fn a() {\n    b();\n}\n")
        .add("tests/add.rs", "#[test]\nfn adds() {\n    assert_eq!(a(), 1);\n}\n")
        .says("I changed `src/add.rs` and added a test. All tests pass.")
        .ran("cargo test", true)
        .report();
    assert_eq!(report, Report::default());
    assert_eq!(report.hold(), None);
    assert!(GuardName::ALL.iter().all(|guard| report.verdict(*guard) == Verdict::Pass));
}

#[test]
fn the_owner_decides_what_becomes_of_findings() {
    let with = |guard: GuardName, setting: Setting| {
        let mut sample = suspicious();
        sample.rules.settings.insert(guard, setting);
        sample.report()
    };
    let report = with(GuardName::Protected, Setting::Off);
    assert_eq!(report.verdict(GuardName::Protected), Verdict::Pass);
    assert_eq!(report.off, [GuardName::Protected]);
    assert_eq!(
        with(GuardName::Protected, Setting::Flag).verdict(GuardName::Protected),
        Verdict::Flag
    );
    assert_eq!(with(GuardName::Files, Setting::Hold).verdict(GuardName::Files), Verdict::Hold);
    assert_eq!(with(GuardName::Files, Setting::Own).verdict(GuardName::Files), Verdict::Flag);
}

#[test]
fn what_is_held_twice_has_one_digest_and_a_byte_changes_it() {
    let held = suspicious().report().hold();
    assert!(held.is_some());
    assert_eq!(held, suspicious().report().hold());
    // What is only flagged may change.
    let mut sample = suspicious();
    sample = sample.binary("other.png", b"\x89PNG\0\0");
    sample.contract.as_mut().unwrap().files.push("other.png".to_owned());
    assert_eq!(held, sample.report().hold());
    let mut sample = suspicious();
    sample.changes[1].after.as_mut().unwrap().id = "0".repeat(40);
    assert_ne!(held, sample.report().hold());
    // Fewer holds are another approval, too.
    let mut sample = suspicious();
    sample.changes.remove(1);
    assert_ne!(held, sample.report().hold());
}

#[test]
fn every_part_of_what_is_held_counts() {
    let finding = |guard, path: Option<&str>, what: &str, content: &str| Finding {
        guard,
        level: Level::Hold,
        path: path.map(str::to_owned),
        lines: Some((1, 2)),
        what: what.to_owned(),
        excerpt: "x".to_owned(),
        content: hash([content]),
    };
    let hold = |findings: Vec<Finding>| Report { findings, off: Vec::new() }.hold().unwrap();
    let one = || finding(GuardName::Scope, Some("a"), "b", "c");
    let base = hold(vec![one()]);
    for other in [
        finding(GuardName::Tests, Some("a"), "b", "c"),
        finding(GuardName::Scope, Some("x"), "b", "c"),
        finding(GuardName::Scope, None, "b", "c"),
        finding(GuardName::Scope, Some("a"), "x", "c"),
        finding(GuardName::Scope, Some("a"), "b", "x"),
    ] {
        assert_ne!(base, hold(vec![other.clone()]));
        assert_eq!(hold(vec![one(), other.clone()]), hold(vec![other, one()]));
    }
    let moved = Finding { lines: Some((7, 9)), excerpt: String::new(), ..one() };
    assert_eq!(base, hold(vec![moved]));
    assert_eq!(
        Report { findings: vec![Finding { level: Level::Flag, ..one() }], off: vec![] }.hold(),
        None
    );
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let report = suspicious().report();
    let json = report.to_json();
    assert_eq!(Report::from_json(&json).unwrap(), report);
    assert_eq!(Report::from_json(&json).unwrap().to_json(), json);
    assert_eq!(report.hash(), ContentHash::of(json.as_bytes()));
    assert_eq!(report.n_flags(), 3);
    assert_eq!(report.held().count(), report.findings.len() - 3);
}

#[test]
fn too_many_findings_are_summed_up_and_all_of_them_are_held() {
    let many = |n: usize, last: &str| {
        let sample = (0..n).fold(Sample::default(), |sample, n| {
            sample.add(&format!(".github/workflows/{n:02}.yml"), "x\n")
        });
        sample.add(".github/workflows/last.yml", last).report()
    };
    let report = many(29, "x\n");
    assert_eq!(report.findings.len(), 30);
    let report = many(31, "x\n");
    assert_eq!(report.findings.len(), 31);
    let last = report.findings.last().unwrap();
    assert_eq!((last.what.as_str(), last.level), ("There are 2 more of these.", Level::Hold));
    assert_ne!(report.hold(), many(31, "y\n").hold());
}

#[test]
fn what_is_held_is_told_before_what_is_flagged() {
    let mut sample = Sample::planned(&["src/a.rs"]);
    sample = (0..10).fold(sample, |sample, n| sample.add(&format!("src/b{n}.rs"), "x\n"));
    sample = sample.add("deploy/x.yml", "x\n");
    let report =
        (0..6).fold(sample, |s, n| s.change(&format!("src/a.rs/{n}"), "a\n", "b\n")).report();
    let levels: Vec<Level> = report.of(GuardName::Scope).map(|finding| finding.level).collect();
    assert_eq!(levels[0], Level::Hold);
    assert!(levels[1..].iter().all(|level| *level == Level::Flag));
}

#[test]
fn where_a_part_ends_counts() {
    assert_eq!(hash(["ab", "c"]), hash(["ab", "c"]));
    assert_ne!(hash(["ab", "c"]), hash(["a", "bc"]));
    assert_ne!(hash(["ab"]), hash(["ab", ""]));
}

#[test]
fn guards_are_found_by_their_words() {
    for guard in GuardName::ALL {
        assert_eq!(GuardName::from_word(guard.word()), Some(guard));
    }
    assert_eq!(GuardName::from_word("scopes"), None);
}
