//! A request that went out, compared with the recorded one.
//!
//! Problem: recorded clients write the same request in many ways. Decision: what an API itself defines to be the same
//! (a text as a string or as one block, absence and `null`, a default said or not) is brought into one form by
//! `wires`, for the recorded request and ours alike; every other difference is told, with its place. Price: a place
//! tells no item of a list from another.

use super::cases::Exchange;
use super::values::plain;
use super::wires;
use crate::support::server::Request;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt;

/// A difference: what it is, and where. Items of lists are `[]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    pub kind: Kind,
    pub path: String,
    /// What was wanted and what came, shortened.
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The recorded request has it, ours has not.
    Missing,
    /// Ours has it, the recorded request has not.
    Extra,
    Changed,
    /// The recorded request says the same in a form that the API takes, too.
    Form,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request: {:?} {}: {}", self.kind, self.path, self.what)
    }
}

/// Members whose values are the caller's own: here `null` is a value, and names are not the API's.
const OPAQUE: [&str; 12] = [
    "args",
    "arguments",
    "input_schema",
    "json_schema",
    "labels",
    "parameters",
    "parametersJsonSchema",
    "response",
    "responseJsonSchema",
    "responseSchema",
    "schema",
    "metadata",
];

pub fn is_opaque(name: &str) -> bool {
    OPAQUE.contains(&name)
}

/// How the request differs from the recorded one.
pub fn differences(exchange: &Exchange, sent: &Request) -> Vec<Difference> {
    let Some(recorded) = &exchange.request else { return Vec::new() };
    let mut found = Found::default();
    let url = recorded["url"].as_str().unwrap_or_default();
    found.compare(&query(url), &query(&sent.path), "?");
    let headers = |name: &str| {
        let sent = sent.header(name).map_or(Value::Null, |value| json!(value));
        (recorded["headers"][name].clone(), sent)
    };
    for name in ["anthropic-version", "anthropic-beta"] {
        let (want, got) = headers(name);
        if !want.is_null() {
            found.compare(&json!({ name: want }), &json!({ name: got }), "header ");
        }
    }
    if recorded["body"].is_object() {
        let got: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        let mut forms = Vec::new();
        let want = wires::normal(exchange, &recorded["body"], &got, &mut forms);
        let got = wires::normal(exchange, &got, &got, &mut Vec::new());
        found.0.extend(forms.into_iter().map(|path| Difference {
            kind: Kind::Form,
            path: path.to_owned(),
            what: String::new(),
        }));
        found.compare(&want, &got, "/");
    }
    found.0.sort();
    found.0
}

/// The query's members, but for keys.
fn query(url: &str) -> Value {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.filter(|(name, _)| *name != "key");
    pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>().into()
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn tell(&mut self, kind: Kind, at: &str, want: &Value, got: &Value) {
        let clip = |value: &Value| value.to_string().chars().take(200).collect::<String>();
        self.0.push(Difference {
            kind,
            path: at.to_owned(),
            what: format!("wanted {}, got {}", clip(want), clip(got)),
        });
    }

    /// Compares two documents; `at` is the place of the members in them.
    fn compare(&mut self, want: &Value, got: &Value, at: &str) {
        match (want, got) {
            (Value::Object(want), Value::Object(got)) => {
                let names: BTreeSet<&String> = want.keys().chain(got.keys()).collect();
                for name in names {
                    let path = format!("{at}{name}");
                    let null = &Value::Null;
                    let (want, got) = (want.get(name).unwrap_or(null), got.get(name).unwrap_or(null));
                    match (want, got) {
                        (Value::Null, Value::Null) => {}
                        (_, Value::Null) => self.tell(Kind::Missing, &path, want, got),
                        (Value::Null, _) => self.tell(Kind::Extra, &path, want, got),
                        _ if is_opaque(name) => self.opaque(want, got, &path),
                        (Value::Object(_), Value::Object(_)) => self.compare(want, got, &(path + "/")),
                        _ => self.compare(want, got, &path),
                    }
                }
            }
            (Value::Array(want), Value::Array(got)) if want.len() == got.len() => {
                for (want, got) in want.iter().zip(got) {
                    let inner = if want.is_object() && got.is_object() { "[]/" } else { "[]" };
                    self.compare(want, got, &format!("{at}{inner}"));
                }
            }
            _ if plain(want) == plain(got) => {}
            _ => self.tell(Kind::Changed, at, want, got),
        }
    }

    fn opaque(&mut self, want: &Value, got: &Value, path: &str) {
        if plain(want) != plain(got) {
            self.tell(Kind::Changed, path, want, got);
        }
    }
}
