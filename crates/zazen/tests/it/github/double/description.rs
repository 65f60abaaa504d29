//! GitHub's own description of its API, and what in a request or an answer is not as described.
//!
//! `tests/fixtures/github/openapi.json` is cut from what GitHub publishes (`prune.mjs` beside
//! it). It judges zazen's requests, and just so what the double answers by itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use hyper::Method;
use jsonschema::Validator;
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::Ask;

/// How many faults of one body are told: the first says it, the rest follow from it.
const FAULTS_MAX: usize = 4;

/// Parameters that may go over several parts of a path.
const WIDE: &[&str] = &["path", "ref", "branch", "basehead"];

/// See the module.
#[derive(Debug)]
pub(super) struct Description {
    file: File,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// What a request is, by the description.
#[derive(Debug, Clone)]
pub(super) struct Matched {
    /// `/repos/{owner}/{repo}/issues`
    pub(super) template: String,
    pub(super) parameters: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct File {
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
    schemas: Value,
}

#[derive(Debug, Deserialize)]
struct Operation {
    parameters: Vec<Parameter>,
    #[serde(default)]
    required: bool,
    body: Option<Value>,
    responses: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "in")]
    place: String,
    required: bool,
    schema: Value,
}

impl Matched {
    /// A parameter of the path.
    pub(super) fn text(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A parameter of the path that is a number; 0 is nobody's.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or(0)
    }
}

impl Description {
    /// The description, read once in a process.
    pub(super) fn get() -> &'static Self {
        static DESCRIPTION: OnceLock<Description> = OnceLock::new();
        DESCRIPTION.get_or_init(|| {
            let text = include_str!("../../../fixtures/github/openapi.json");
            let file =
                serde_json::from_str(text).expect("the description is as `prune.mjs` cuts it");
            Self { file, validators: Mutex::new(HashMap::new()) }
        })
    }

    /// Finds what a path is. The one with the most plain words wins.
    pub(super) fn find(&self, path: &str) -> Option<Matched> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let found = self.file.paths.keys().filter_map(|template| {
            let parameters = match_path(template, &parts)?;
            let n_plain = template.split('/').filter(|word| !word.starts_with('{')).count();
            Some((n_plain, template, parameters))
        });
        let (_, template, parameters) = found.max_by_key(|(n_plain, ..)| *n_plain)?;
        Some(Matched { template: template.clone(), parameters })
    }

    /// Says what in a request is not as described.
    pub(super) fn check_request(&self, ask: &Ask, matched: Option<&Matched>) -> Vec<String> {
        let line = format!("{} {}", ask.method, ask.path);
        let Some(operation) = matched.and_then(|matched| self.operation(&ask.method, matched))
        else {
            return vec![format!("{line}: there is nothing like it in the description")];
        };
        let mut faults = check_headers(ask);
        faults.extend(self.check_query(ask, operation));
        faults.extend(self.check_body(ask, operation));
        faults.into_iter().map(|fault| format!("{line}: {fault}")).collect()
    }

    /// Says what in an answer of our own is not as described.
    pub(super) fn check_answer(
        &self,
        method: &Method,
        matched: &Matched,
        status: u16,
        body: &Value,
    ) -> Vec<String> {
        let line = format!("own answer {status} to {method} {}", matched.template);
        let Some(operation) = self.operation(method, matched) else { return Vec::new() };
        match operation.responses.get(&status.to_string()) {
            Some(Value::Bool(_)) => Vec::new(),
            Some(schema) => {
                let faults = self.faults(schema, body);
                faults.into_iter().map(|fault| format!("{line}: {fault}")).collect()
            }
            // What may befall any request is not described with each.
            None if [400, 401, 403, 404, 422].contains(&status) => Vec::new(),
            None => vec![format!("{line}: such a status is not in the description")],
        }
    }

    fn operation(&self, method: &Method, matched: &Matched) -> Option<&Operation> {
        self.file.paths.get(&matched.template)?.get(&method.as_str().to_ascii_lowercase())
    }

    fn check_query(&self, ask: &Ask, operation: &Operation) -> Vec<String> {
        let mut faults = Vec::new();
        let known = || operation.parameters.iter().filter(|p| p.place == "query");
        let given = ask.queries();
        for (name, text) in &given {
            let Some(parameter) = known().find(|p| p.name == *name) else {
                faults.push(format!("it has no parameter `{name}`"));
                continue;
            };
            let value = as_typed(&parameter.schema, text);
            for fault in self.faults(&parameter.schema, &value) {
                faults.push(format!("parameter `{name}`: {fault}"));
            }
        }
        for parameter in known().filter(|p| p.required) {
            if !given.iter().any(|(name, _)| *name == parameter.name) {
                faults.push(format!("parameter `{}` is missing", parameter.name));
            }
        }
        faults
    }

    fn check_body(&self, ask: &Ask, operation: &Operation) -> Vec<String> {
        let Some(schema) = &operation.body else {
            return Vec::new();
        };
        if ask.body.is_empty() {
            return if operation.required { vec!["it has no body".to_owned()] } else { Vec::new() };
        }
        let Ok(body) = serde_json::from_slice::<Value>(&ask.body) else {
            return vec!["its body is no JSON".to_owned()];
        };
        let mut faults = self.faults(schema, &body);
        let closed = ["oneOf", "anyOf", "allOf", "$ref", "additionalProperties"];
        if !closed.iter().any(|word| schema.get(word).is_some()) {
            let names = body.as_object().into_iter().flat_map(|map| map.keys());
            for name in names.filter(|name| schema["properties"].get(name).is_none()) {
                faults.push(format!("its body has a field `{name}` that GitHub does not know"));
            }
        }
        faults
    }

    fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = self.validator(schema);
        let errors = validator.iter_errors(value).take(FAULTS_MAX);
        errors.map(|error| format!("at `{}`: {error}", error.instance_path())).collect()
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let key = schema.to_string();
        let mut validators = self.validators.lock().expect("no test panics with it");
        let made = validators.entry(key).or_insert_with(|| {
            let whole = json!({ "schemas": self.file.schemas, "allOf": [schema] });
            let made = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
            Arc::new(made.build(&whole).expect("the description is JSON Schema"))
        });
        made.clone()
    }
}

fn check_headers(ask: &Ask) -> Vec<String> {
    let mut faults = Vec::new();
    if ask.header("user-agent").is_none_or(str::is_empty) {
        faults.push("GitHub refuses a request without a `User-Agent`".to_owned());
    }
    if !ask.body.is_empty() && !ask.header("content-type").is_some_and(|t| t.contains("json")) {
        faults.push("its body is JSON, and its `Content-Type` does not say so".to_owned());
    }
    faults
}

fn match_path(template: &str, parts: &[&str]) -> Option<BTreeMap<String, String>> {
    let words: Vec<&str> = template.strip_prefix('/')?.split('/').collect();
    let mut found = BTreeMap::new();
    let mut at = 0;
    for (i, word) in words.iter().enumerate() {
        let name = word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let left = words.len() - i - 1;
        let Some(name) = name else {
            (parts.get(at) == Some(word)).then_some(())?;
            at += 1;
            continue;
        };
        let n = if WIDE.contains(&name) { parts.len().checked_sub(at + left)? } else { 1 };
        let value = parts.get(at..at + n).filter(|value| !value.is_empty())?.join("/");
        found.insert(name.to_owned(), decoded(&value));
        at += n;
    }
    (at == parts.len() && found.values().all(|value| !value.is_empty())).then_some(found)
}

/// Resolves the `%XX` of a path.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = hex.filter(|_| first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text of the query as the value that its schema is about.
fn as_typed(schema: &Value, text: &str) -> Value {
    let whole: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    match schema["type"].as_str() {
        Some("integer" | "number") if whole.is_number() => whole,
        Some("boolean") if whole.is_boolean() => whole,
        _ => Value::from(text),
    }
}
