//! `Gemfile`, `*.gemspec` and `Gemfile.lock`.

use super::{List, host_of};

pub(super) fn read(name: &str, text: &str) -> List {
    if name == "gemfile.lock" { locked(text) } else { asked(text) }
}

/// Reads lines like `gem "rails", "~> 7.1", git: "…"` and `s.add_dependency "rack", ">= 2"`.
fn asked(text: &str) -> List {
    let mut list = List::default();
    for line in text.lines() {
        let line = line.trim();
        let Some((call, _)) = line.split_once(['"', '\'']) else { continue };
        let call = call.trim_end_matches(['(', ' ']);
        let verb = call.rsplit(['.', ' ']).next().unwrap_or_default();
        let is_dependency = verb == "gem" && call == "gem"
            || ["add_dependency", "add_development_dependency", "add_runtime_dependency"]
                .contains(&verb);
        if !is_dependency {
            continue;
        }
        let quoted: Vec<&str> = line.split(['"', '\'']).skip(1).step_by(2).collect();
        let Some((name, rest)) = quoted.split_first() else { continue };
        let is_elsewhere = ["git:", "github:", "path:", "source:", ":git =>", ":path =>", "gist:"]
            .iter()
            .any(|key| line.contains(key));
        if is_elsewhere {
            list.add_from(*name, "", rest.join(" "));
        } else {
            list.add(*name, rest.join(", "));
        }
    }
    list
}

/// Reads the entries of `specs:`, like `    rails (7.1.2)`, and where each part comes from.
fn locked(text: &str) -> List {
    let mut list = List::default();
    let (mut part, mut remote) = ("", "");
    for line in text.lines() {
        if !line.starts_with(' ') {
            (part, remote) = (line.trim(), "");
        } else if let Some(of) = line.trim().strip_prefix("remote: ") {
            remote = of;
        } else if let Some(entry) = line.strip_prefix("    ").filter(|e| !e.starts_with(' '))
            && let Some((name, version)) = entry.split_once(" (")
            && part != "PATH"
        {
            let is_usual =
                part == "GEM" && remote.starts_with("https:") && host_of(remote) == "rubygems.org";
            let place = if is_usual { "" } else { remote };
            list.add_from(name, version.trim_end_matches(')'), place);
        }
    }
    list
}
