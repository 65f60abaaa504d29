//! The statement: an in-toto Statement, version 1, about one commit of a repository.
//!
//! It is printed in one way only: keys sorted, no spaces, whole numbers. What is not
//! printed like that is not read, so that two statements that say the same are the same
//! bytes, and no reader can find something else in them than another.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{RUNS_MAX, Receipt, VERSION};
use crate::id::CommitId;

/// A text is not a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("it is not a statement that this zazen knows: {0}")]
    Json(String),
    #[error("it is a statement of another kind: `{0}`")]
    Kind(String),
    #[error("the receipt has version {0}, this zazen reads {VERSION}")]
    Version(u32),
    #[error("the receipt has more than {RUNS_MAX} runs")]
    TooManyRuns,
    #[error("its subject is not the commit that the receipt is about")]
    Subject,
    #[error("it is not written as zazen writes statements")]
    NotCanonical,
}

/// What kind of statement it is.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What the predicate is: described in `docs/formats/receipt.md`.
pub const PREDICATE_TYPE: &str = "urn:zazen:receipt:v1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Receipt,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: Digests,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digests {
    #[serde(rename = "gitCommit")]
    git_commit: CommitId,
    #[serde(rename = "gitTree")]
    git_tree: CommitId,
}

/// Prints the statement that carries a receipt.
pub fn print(receipt: &Receipt) -> String {
    let statement = Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: vec![subject(receipt)],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: receipt.clone(),
    };
    canonical(&serde_json::to_value(&statement).expect("a receipt is numbers, texts and maps"))
}

/// Reads a statement back.
pub fn parse(text: &[u8]) -> Result<Receipt, ParseError> {
    check_version(text)?;
    let statement: Statement =
        serde_json::from_slice(text).map_err(|err| ParseError::Json(err.to_string()))?;
    let other = [(&statement.kind, STATEMENT_TYPE), (&statement.predicate_type, PREDICATE_TYPE)]
        .into_iter()
        .find(|(found, expected)| found != expected);
    if let Some((found, _)) = other {
        return Err(ParseError::Kind(super::name(found)));
    }
    let receipt = statement.predicate;
    if receipt.runs.len() > RUNS_MAX {
        return Err(ParseError::TooManyRuns);
    }
    if statement.subject != [subject(&receipt)] {
        return Err(ParseError::Subject);
    }
    if print(&receipt).as_bytes() == text { Ok(receipt) } else { Err(ParseError::NotCanonical) }
}

/// A newer receipt has keys that are not known here; that it is newer is what matters.
fn check_version(text: &[u8]) -> Result<(), ParseError> {
    #[derive(Deserialize)]
    struct Newer {
        predicate: Version,
    }

    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }

    let newer: Newer =
        serde_json::from_slice(text).map_err(|err| ParseError::Json(err.to_string()))?;
    if newer.predicate.v == VERSION { Ok(()) } else { Err(ParseError::Version(newer.predicate.v)) }
}

fn subject(receipt: &Receipt) -> Subject {
    Subject {
        name: receipt.issue.repo.to_string(),
        digest: Digests {
            git_commit: receipt.head.commit.clone(),
            git_tree: receipt.head.tree.clone(),
        },
    }
}

/// Prints JSON in the one way: keys sorted, nothing between.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    add(value, &mut text);
    text
}

fn add(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                add(value, text);
            }
            text.push('}');
        }
        Value::Array(list) => {
            text.push('[');
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                add(value, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}
