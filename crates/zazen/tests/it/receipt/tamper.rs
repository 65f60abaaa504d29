//! Whatever is changed of a bundle, the link that it belongs to is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use zazen::home::keys::SigningKey;
use zazen_core::receipt::{Envelope, Link, OfRun, Part, Unsigned, Verdict, statement};

use super::{Drafted, broken, check_folder, drafted};

/// A change of some bytes.
type Change = Box<dyn Fn(&[u8]) -> Option<Vec<u8>>>;

#[test]
fn whatever_is_changed_of_a_part_its_link_is_named() {
    let drafted = drafted();
    let (there, keys) = (drafted.unpacked("there"), drafted.keys());
    let checked = check_folder(&there, &keys);
    assert_eq!(checked.report.verdict(), Verdict::Holds, "{:?}", checked.report);
    let mut n_changes = 0;
    for name in files(&there, "") {
        let path = there.join(&name);
        let whole = fs::read(&path).unwrap();
        for (what, change) in changes(&name) {
            let Some(bytes) = change(&whole).filter(|bytes| *bytes != whole) else { continue };
            fs::write(&path, bytes).unwrap();
            let checked = check_folder_or_none(&drafted, &there);
            let found = checked.unwrap_or_else(|| "bundle".to_owned());
            assert!(expected(&name).contains(&found), "{name}, {what}: {found}");
            n_changes += 1;
        }
        // What is not there is not said to hold.
        fs::remove_file(&path).unwrap();
        // A chain only says which line of a recording is another: its head is in the receipt.
        if name != "bundle.json" && !name.ends_with("recording.chain") {
            let verdict = check_folder(&there, &keys).report.verdict();
            assert_ne!(verdict, Verdict::Holds, "{name} is gone");
        }
        fs::write(&path, &whole).unwrap();
    }
    println!("{n_changes} changes");
    assert_eq!(check_folder(&there, &keys).report.verdict(), Verdict::Holds);
    let parts = files(&there, "").join(" ");
    for of in OfRun::ALL {
        assert!(parts.contains(of.file()) || of == OfRun::Egress, "{of:?} is in {parts}");
    }
    let more = ["runs/1.99/spec.json", "review.md", "runs/1.4/recording.jsonl", "notes.txt"];
    for name in more.into_iter().chain(["runs/1.4/commits.json", "runs/1.4/skills.json"]) {
        let path = there.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "{}\n").unwrap();
        assert_eq!(broken(&check_folder(&there, &keys)).as_deref(), Some("bundle"), "{name}");
        fs::remove_file(&path).unwrap();
    }
}

/// The first link that is broken; nothing, where it is not even an unpacked bundle.
fn check_folder_or_none(drafted: &Drafted, there: &Path) -> Option<String> {
    zazen::receipt::Place::unpacked(there).ok()?;
    let checked = check_folder(there, &drafted.keys());
    Some(broken(&checked).unwrap_or_else(|| format!("{:?}", checked.report.verdict())))
}

/// The links that may be named for a change of a file.
fn expected(name: &str) -> Vec<String> {
    match name {
        // A manifest that says that something was taken out leaves that unknown.
        "bundle.json" => vec!["bundle".to_owned(), "Partial".to_owned()],
        "receipt.json" => ["envelope", "signature"].map(str::to_owned).to_vec(),
        "repo.bundle" => vec![Link::Head.to_string()],
        part => vec![Link::of(part.parse::<Part>().unwrap()).to_string()],
    }
}

fn files(dir: &Path, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir.join(prefix)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            names.extend(files(dir, &format!("{name}/")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "names of files of programs that mind the case"
)]
fn changes(name: &str) -> Vec<(String, Change)> {
    let mut changes: Vec<(String, Change)> = Vec::new();
    for tenths in 0..=10 {
        changes.push((
            format!("a byte at {tenths} tenths"),
            Box::new(move |bytes| {
                let mut bytes = bytes.to_vec();
                let last = bytes.len().checked_sub(1)?;
                bytes[last * tenths / 10] ^= 1;
                Some(bytes)
            }),
        ));
    }
    changes.push(("a byte more".to_owned(), Box::new(|bytes| Some([bytes, b" "].concat()))));
    changes.push((
        "a byte less".to_owned(),
        Box::new(|bytes| Some(bytes[..bytes.len().checked_sub(1)?].to_vec())),
    ));
    if name.ends_with(".jsonl") || name.ends_with(".chain") {
        changes.extend(line_changes());
    }
    changes
}

/// Lines dropped, doubled, and in another order.
fn line_changes() -> Vec<(String, Change)> {
    let by_lines = |what: &str, change: fn(&mut Vec<&[u8]>)| -> (String, Change) {
        let changed = move |bytes: &[u8]| {
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
            if lines.len() < 2 {
                return None;
            }
            change(&mut lines);
            Some(lines.concat())
        };
        (what.to_owned(), Box::new(changed))
    };
    vec![
        by_lines("the first line dropped", |lines| {
            lines.remove(0);
        }),
        by_lines("the last line dropped", |lines| lines.truncate(lines.len() - 1)),
        by_lines("a line doubled", |lines| lines.insert(1, lines[0])),
        by_lines("two lines swapped", |lines| lines.swap(0, 1)),
    ]
}

#[test]
fn the_first_bad_line_of_a_recording_is_told() {
    let drafted = drafted();
    let there = drafted.unpacked("there");
    let path = there.join("runs/1.2/recording.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    assert!(lines.len() >= 3, "{}", lines.len());
    let said = |text: String| {
        fs::write(&path, text).unwrap();
        let checked = check_folder(&there, &drafted.keys());
        format!("{:?}", checked.report.first_broken().expect("something is broken").outcome)
    };
    let changed = whole.replacen("\"n\":1,", "\"n\":7,", 1);
    assert!(said(changed).contains("line 2 is not the one that was recorded"));
    let moved = [lines[0], lines[2], lines[1]].concat() + &lines[3..].concat();
    assert!(said(moved).contains("line 2 is the one that was recorded as line 3"));
    assert!(said(lines[..2].concat()).contains("it ends before line 3"));
    let added = format!("{whole}{}", lines[0]);
    let n = lines.len() + 1;
    assert!(said(added).contains(&format!("line {n} was not recorded")));
}

/// What only the signer says: nothing beside a receipt could tell otherwise.
const SAID_BY_THE_SIGNER: [&str; 13] = [
    "/baseline/command",
    "/checks/command",
    "/guards/held",
    "/guards/n_flags",
    "/guards/released_by",
    "/issue/number",
    "/plan/approved_by",
    "/plan/version",
    "/review/n_blocking",
    "/review/n_findings",
    "/review/run",
    "/task",
    "/zazen",
];

/// A receipt that lies is found out even where the liar has the key, but for what only the
/// signer can know.
#[test]
fn every_field_that_can_be_compared_is_compared() {
    let drafted = drafted();
    let there = drafted.unpacked("there");
    let path = there.join("receipt.json");
    let key = SigningKey::of(&drafted.home()).unwrap();
    let envelope = Envelope::parse(&fs::read(&path).unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(envelope.unsigned.payload()).unwrap();
    let mut leaves = Vec::new();
    collect(&statement["predicate"], String::new(), &mut leaves);
    assert!(leaves.len() > 60, "{leaves:?}");
    let mut unseen = BTreeSet::new();
    for leaf in leaves {
        let mut changed = statement.clone();
        let value = changed["predicate"].pointer_mut(&leaf).unwrap();
        *value = another(value);
        let signed = key.sign(Unsigned::new(statement::canonical(&changed))).unwrap();
        fs::write(&path, signed.print()).unwrap();
        match broken(&check_folder(&there, &drafted.keys())) {
            Some(link) => assert_ne!(link, "signature", "{leaf}"),
            None => drop(unseen.insert(leaf)),
        }
        // The same by somebody else's key, and by no key at all.
        let unsigned = Envelope { key: envelope.key, ..signed };
        let forged = Envelope { signature: envelope.signature, ..unsigned };
        fs::write(&path, forged.print()).unwrap();
        assert_eq!(broken(&check_folder(&there, &drafted.keys())).as_deref(), Some("signature"));
    }
    let is_allowed = |leaf: &String| {
        let is_run = leaf.starts_with("/runs/");
        SAID_BY_THE_SIGNER.contains(&leaf.as_str())
            || is_run && (leaf.ends_with("/phase") || leaf.ends_with("/n_unrecorded"))
    };
    unseen.retain(|leaf| !is_allowed(leaf));
    assert_eq!(unseen, BTreeSet::new());
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are alike here")]
fn collect(value: &Value, at: String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(value, format!("{at}/{key}"), leaves);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                collect(value, format!("{at}/{index}"), leaves);
            }
        }
        _ => leaves.push(at),
    }
}

/// Another value of the same kind, as far as it stays a value of that kind.
fn another(value: &Value) -> Value {
    match value {
        Value::Number(n) => Value::from(n.as_i64().unwrap_or(0) + 1),
        Value::Bool(it) => Value::from(!it),
        Value::String(text) => {
            let last = text.chars().last().unwrap_or('x');
            let other = if last == '1' { '2' } else { '1' };
            let mut text = text.clone();
            text.pop();
            text.push(other);
            Value::from(text)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => Value::from(1),
    }
}

/// Bytes all over the file: each is found out, whatever it is part of.
#[test]
fn no_byte_of_a_bundle_can_be_another() {
    let drafted = drafted();
    let keys = drafted.keys();
    let whole = fs::read(&drafted.bundle).unwrap();
    let there = drafted.place.home().with_file_name("changed.tar");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let step = whole.len() / 150;
    for at in (0..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&there, bytes).unwrap();
        let Ok((_dir, files)) = zazen::receipt::bundle::open(&there) else { continue };
        let checked = runtime.block_on(zazen::receipt::check::check(&files, &keys));
        assert_ne!(checked.report.verdict(), Verdict::Holds, "byte {at} of {}", whole.len());
    }
}
