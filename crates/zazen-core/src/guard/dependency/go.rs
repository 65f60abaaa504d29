//! `go.mod` and `go.sum`.

use super::{CHECKSUM, List};

pub(super) fn read(name: &str, text: &str) -> List {
    if name == "go.sum" { locked(text) } else { asked(text) }
}

/// Reads lines like `require example.com/m v1.2.3 // indirect`, alone or in a block.
fn asked(text: &str) -> List {
    let mut list = List::default();
    let mut block = "";
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line == ")" {
            block = "";
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [verb, "("] = words[..] {
            block = verb;
            continue;
        }
        let (verb, rest) = match words.split_first() {
            Some((verb, rest)) if block.is_empty() => (*verb, rest),
            _ => (block, &words[..]),
        };
        match (verb, rest) {
            ("require" | "tool", [name]) => list.add(*name, ""),
            ("require", [name, version, ..]) => list.add(*name, *version),
            ("replace", [name, rest @ ..]) => {
                let to = rest.iter().skip_while(|word| **word != "=>").skip(1);
                let to: Vec<&str> = to.copied().collect();
                list.add_from(*name, "", format!("replaced by {}", to.join(" ")));
            }
            _ => {}
        }
    }
    list
}

/// Reads lines like `example.com/m v1.2.3 h1:…=`. Those of a `go.mod` alone bring no code.
fn locked(text: &str) -> List {
    let mut list = List::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version), Some(hash)) = (words.next(), words.next(), words.next())
            && !version.ends_with("/go.mod")
        {
            list.add_from(name, version, format!("{CHECKSUM}{hash}"));
        }
    }
    list
}
