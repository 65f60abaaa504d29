//! The Test Anything Protocol, as `node --test` prints it, and tape, bats and prove do.

use super::{Runner, Sign, sum, test};
use crate::check::compare::numbered;
use crate::check::{Counts, Fate};

/// What is remembered between lines.
#[derive(Debug, Default)]
pub(super) struct Tap {
    /// The tests that are open around what is printed: how deep, their names, and whether
    /// something was printed inside of them.
    open: Vec<(usize, String, bool)>,
    seen: std::collections::BTreeMap<String, u32>,
}

/// How deep tests may be inside of each other. What is deeper has the same names.
const DEPTH_MAX: usize = 40;

impl Tap {
    pub(super) fn read(&mut self, line: &str) -> Vec<(Runner, Sign)> {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if let Some(name) = text.strip_prefix("# Subtest: ") {
            self.open.retain(|(at, _, _)| *at < depth);
            if self.open.len() < DEPTH_MAX {
                self.open.push((depth, name.to_owned(), false));
            }
            return Vec::new();
        }
        if depth == 0 && text.starts_with("# ") {
            return summed(&text[2..]);
        }
        let (rest, is_ok) = match (text.strip_prefix("ok "), text.strip_prefix("not ok ")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return Vec::new(),
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Vec::new();
        }
        self.result(depth, &rest[digits..], is_ok)
    }

    fn result(&mut self, depth: usize, rest: &str, is_ok: bool) -> Vec<(Runner, Sign)> {
        let rest = rest.trim_start().trim_start_matches("- ");
        let (name, directive) = rest.rsplit_once(" # ").unwrap_or((rest, ""));
        let own = self.open.iter().position(|(at, _, _)| *at == depth);
        let has_inner = own.is_some_and(|own| self.open[own].2);
        self.open.retain(|(at, _, _)| *at < depth);
        if let Some(outer) = self.open.last_mut() {
            outer.2 = true;
        }
        if has_inner {
            // It is what holds those inside together.
            return Vec::new();
        }
        let is_skipped = ["skip", "todo"]
            .iter()
            .any(|word| directive.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(word)));
        let fate = match () {
            () if is_skipped => Fate::Skipped,
            () if is_ok => Fate::Passed,
            () => Fate::Failed,
        };
        let outer = self.open.iter().map(|(_, name, _)| name.as_str());
        let whole: Vec<&str> = outer.chain([name]).collect();
        let name = numbered(&mut self.seen, whole.join(" > "));
        test(Runner::Tap, name, fate)
    }
}

/// Reads `# pass 2`, which node and tape print at the end.
pub(super) fn summed(text: &str) -> Vec<(Runner, Sign)> {
    let mut words = text.split_whitespace();
    let (Some(word), Some(n), None) = (words.next(), words.next(), words.next()) else {
        return Vec::new();
    };
    let Ok(n) = n.parse::<u64>() else { return Vec::new() };
    let none = Counts::default();
    let counts = match word {
        "pass" => Counts { n_passed: n, ..none },
        "fail" | "cancelled" => Counts { n_failed: n, ..none },
        "skipped" | "skip" | "todo" => Counts { n_skipped: n, ..none },
        _ => return Vec::new(),
    };
    sum(Runner::Tap, counts)
}
