//! What two requests of the same agent may differ in, and still ask for the same.
//!
//! A harness that is started again with the same prompt on the same files writes another
//! date, another id of a session, and how long a command took this time. [`like`] takes
//! these out of a request by a short list, [`RULES`] and [`FIELDS`], which
//! `docs/replay.md` prints. It is for finding the answer to a request, and for saying where
//! two requests differ; nothing is ever sent or kept in this form.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;
use serde_json::{Map, Value};

/// One thing that varies from run to run, in any text of a request.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What it is, for people.
    pub what: &'static str,
    /// What stands in its place.
    pub becomes: &'static str,
    pattern: &'static str,
}

/// A field of a request's first level that says who asks, and not what.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    /// What it holds, for people.
    pub what: &'static str,
}

/// The paths that one run had for itself, with the words that stand in their place.
#[derive(Debug, Clone, Default)]
pub struct Places(Vec<(String, &'static str)>);

/// Where two requests differ first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The place in the request, as a JSON pointer.
    pub at: String,
    /// What was there, from a little before the difference on.
    pub was: String,
    /// What is there.
    pub is: String,
}

const HASH: &str = "‹hash›";
const TEMPORARY: &str = "‹temporary›";

/// Where the workspace and the private home of a run stand.
pub const WORKSPACE: &str = "‹workspace›";
pub const HOME: &str = "‹home›";

/// What varies. Of two that begin at the same place the first counts.
pub const RULES: [Rule; 14] = [
    Rule {
        what: "the line in which Claude Code says which build asks",
        becomes: "‹billing›",
        pattern: r"x-anthropic-billing-header:[^\n]*",
    },
    Rule {
        what: "ids: UUIDs",
        becomes: "‹uuid›",
        pattern: r"(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    },
    Rule {
        what: "dates like 2026-12-01, with a time or without",
        becomes: "‹date›",
        pattern: concat!(
            r"\b\d{4}[-/]\d{2}[-/]\d{2}",
            r"(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?:Z| ?[+-]\d{2}:?\d{2})?)?"
        ),
    },
    Rule {
        what: "dates in words, as `date`, `git log`, `ls -l` and mail write them",
        becomes: "‹date›",
        pattern: concat!(
            r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?(?:\d{1,2} +)?",
            r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*",
            r"(?: +\d{4}| +\d{1,2}(?:, +\d{4})?)",
            r"(?: +\d{1,2}:\d{2}(?::\d{2})?)?(?: +(?:AM|PM))?(?: +[A-Z]{3,4})?(?: +\d{4})?",
            r"(?: +\d{2}:\d{2}:\d{2})?(?: +[+-]\d{4})?"
        ),
    },
    Rule {
        what: "times of day like 11:16:52",
        becomes: "‹time›",
        pattern: r"\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b",
    },
    Rule {
        what: "how long something took: 12 ms, 0.31s, 3 seconds, 0m0.004s",
        becomes: "‹duration›",
        pattern: concat!(
            r"\b(?:\d+m)?\d+(?:\.\d+)?",
            r"(?: ?(?:ns|µs|us|ms|s)\b| (?:milli|micro|nano)?seconds?\b)"
        ),
    },
    Rule {
        what: "seconds or milliseconds since 1970",
        becomes: "‹time›",
        pattern: r"\b1[6-9]\d{8}(?:\d{3})?\b",
    },
    Rule {
        what: "names of commits and other hashes: 64, 40 or 7 to 12 hexadecimal digits",
        becomes: HASH,
        pattern: r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{7,12})\b",
    },
    Rule {
        what: "files in folders for what is temporary",
        becomes: TEMPORARY,
        pattern: r"/(?:var/)?tmp/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*",
    },
    Rule {
        what: "ports of this machine",
        becomes: "‹port›",
        pattern: r"\b(?:127\.0\.0\.1|localhost):\d{2,5}\b",
    },
    Rule {
        what: "numbers of processes",
        becomes: "‹process›",
        pattern: r"\b(?i:pid|process)[ :=#]{1,2}\d+\b",
    },
    Rule {
        what: "the version of the kernel",
        becomes: "‹kernel›",
        pattern: r"\bLinux \d[0-9A-Za-z.+_-]*",
    },
    Rule {
        what: "the names that Codex gives to pieces of output",
        becomes: "‹chunk›",
        pattern: r"\bChunk ID: [0-9a-f]+",
    },
    Rule {
        what: "how long Codex waited for a command",
        becomes: "‹duration›",
        pattern: r"\bWall time: [0-9.]+",
    },
];

/// Fields that are left out.
pub const FIELDS: [Field; 5] = [
    Field { name: "metadata", what: "Claude Code: the ids of installation and session" },
    Field { name: "client_metadata", what: "Codex: the ids of installation and turn" },
    Field { name: "prompt_cache_key", what: "Codex: the id of the session" },
    Field { name: "safety_identifier", what: "who asks" },
    Field { name: "user", what: "who asks" },
];

/// How much of a text is shown where it differs, in characters.
const SHOWN_CHARS_MAX: usize = 120;

/// How much of that stands before the difference.
const SHOWN_BEFORE: usize = 30;

static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let alternatives: Vec<String> =
        RULES.iter().map(|rule| format!("({})", rule.pattern)).collect();
    // Of ASCII alone, which is faster by far where a text has other letters, too.
    let pattern = alternatives.join("|").replace(r"\b", r"(?-u:\b)").replace(r"\d", "[0-9]");
    Regex::new(&pattern).expect("the rules are written here, and tested")
});

impl Places {
    /// The places of a run, the longest path first: one may be below another.
    pub fn new(paths: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let mut places: Vec<_> = paths.into_iter().filter(|(path, _)| path.len() > 1).collect();
        places.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(places)
    }

    fn over(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, word) in &self.0 {
            if text.contains(path.as_str()) {
                text = text.replace(path.as_str(), word);
            }
        }
        text
    }
}

/// The request without what varies from run to run.
pub fn like(body: &Value, places: &Places) -> Value {
    let Value::Object(fields) = body else { return inner(body, places) };
    let is_kept = |name: &str| FIELDS.iter().all(|field| field.name != name);
    let fields = fields.iter().filter(|(name, _)| is_kept(name));
    Value::Object(fields.map(|(name, value)| (name.clone(), inner(value, places))).collect())
}

fn inner(value: &Value, places: &Places) -> Value {
    match value {
        Value::String(text) => Value::String(text_like(text, places)),
        Value::Array(items) => Value::Array(items.iter().map(|it| inner(it, places)).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), inner(value, places)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => scalar.clone(),
    }
}

/// One text without what varies.
pub fn text_like(text: &str, places: &Places) -> String {
    let text = places.over(text);
    let mut like = String::with_capacity(text.len());
    let mut end = 0;
    for found in PATTERN.captures_iter(&text) {
        let n = (1..=RULES.len()).find(|n| found.get(*n).is_some());
        let (Some(whole), Some(n)) = (found.get(0), n) else { continue };
        let before = text[..whole.start()].bytes().next_back();
        let rule = &RULES[n - 1];
        let is_meant = match rule.becomes {
            HASH => is_hash(whole.as_str()),
            // `src/tmp/file` is a file of the repository.
            TEMPORARY => before.is_none_or(|b| !b.is_ascii_alphanumeric()),
            _ => true,
        };
        like.push_str(&text[end..whole.start()]);
        like.push_str(if is_meant { rule.becomes } else { whole.as_str() });
        end = whole.end();
    }
    like.push_str(&text[end..]);
    like
}

/// A word of seven letters from a to f is no hash, nor is a number.
fn is_hash(word: &str) -> bool {
    word.len() >= 40
        || word.bytes().any(|b| b.is_ascii_digit()) && word.bytes().any(|b| b.is_ascii_lowercase())
}

/// Where two requests differ first, in the order in which they are read.
pub fn first_difference(was: &Value, is: &Value) -> Option<Difference> {
    let mut at = String::new();
    differ(&mut at, was, is)
}

fn differ(at: &mut String, was: &Value, is: &Value) -> Option<Difference> {
    match (was, is) {
        (Value::Object(before), Value::Object(after)) => {
            let names =
                before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let pair = (before.get(name), after.get(name));
                step(at, &name.replace('~', "~0").replace('/', "~1"), pair)
            })
        }
        (Value::Array(before), Value::Array(after)) => (0..before.len().max(after.len()))
            .find_map(|n| step(at, &n.to_string(), (before.get(n), after.get(n)))),
        (was, is) if was == is => None,
        (Value::String(was), Value::String(is)) => {
            let (was, is) = excerpts(was, is);
            Some(Difference { at: at.clone(), was, is })
        }
        (was, is) => Some(Difference { at: at.clone(), was: short(was), is: short(is) }),
    }
}

fn step(at: &mut String, name: &str, pair: (Option<&Value>, Option<&Value>)) -> Option<Difference> {
    let n_bytes = at.len();
    at.push('/');
    at.push_str(name);
    let found = match pair {
        (Some(was), Some(is)) => differ(at, was, is),
        (was, is) => {
            let said = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), short);
            Some(Difference { at: at.clone(), was: said(was), is: said(is) })
        }
    };
    at.truncate(n_bytes);
    found
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(SHOWN_CHARS_MAX).collect()
}

/// Both texts, from a little before their first difference on.
fn excerpts(was: &str, is: &str) -> (String, String) {
    let n_same = was.chars().zip(is.chars()).take_while(|(a, b)| a == b).count();
    let from = n_same.saturating_sub(SHOWN_BEFORE);
    let cut = |text: &str| text.chars().skip(from).take(SHOWN_CHARS_MAX).collect();
    (cut(was), cut(is))
}

#[cfg(test)]
mod tests;
