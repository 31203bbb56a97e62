//! The `mcpServers` file that many programs read: `{"mcpServers": {"NAME": {"command": …, "args": […], "env": {…}}}}`, or
//! with `url` and `headers`.
//!
//! It is shared with other programs, so what they add to it is let be, and an entry that can't be used costs its own
//! server only. Values may name variables of the environment (`${TOKEN}`, `${HOST:-localhost}`), so that keys need not
//! stand there.

use super::config::{Given, ServerConfig, ServerTable, Way, way};
use crate::config::without_text;
use crate::secrets::Secret;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    mcp_servers: Map<String, Value>,
}

/// A server as it is written there.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: Option<String>,
    command: Option<String>,
    args: Option<Vec<Secret>>,
    env: Option<BTreeMap<String, Secret>>,
    cwd: Option<PathBuf>,
    url: Option<String>,
    headers: Option<BTreeMap<String, Secret>>,
    #[serde(default)]
    disabled: bool,
}

/// The servers of a file. The error says what is wrong with it, and nothing of its text.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, ServerConfig>, String> {
    let document: Document = serde_json::from_str(text).map_err(|error| without_text(&error.to_string()))?;
    Ok(document.mcp_servers.into_iter().map(|(name, entry)| (name, server(entry))).collect())
}

fn server(entry: Value) -> ServerConfig {
    let off = entry.get("disabled").and_then(Value::as_bool).unwrap_or(false);
    let (way, disabled) = match serde_json::from_value::<Entry>(entry) {
        Ok(entry) => (entry.way(), off),
        Err(error) => (Err(without_text(&error.to_string())), off),
    };
    ServerConfig { way: way.unwrap_or_else(Way::Wrong), timeout: None, start_timeout: None, disabled }
}

impl Entry {
    fn way(self) -> Result<Way, String> {
        // The transport before streamable HTTP; its URLs are of no use for that.
        if self.kind.as_deref() == Some("sse") {
            return Err("its `type` is `sse`, a transport that has been replaced: many such servers have another URL for \
                        streamable HTTP (`type`: `http`)"
                .to_owned());
        }
        let given = |values: BTreeMap<String, Secret>| {
            values.into_iter().map(|(name, value)| (name, text(value))).collect::<BTreeMap<_, _>>()
        };
        // Some programs write empty ones for what does not apply.
        let program = self.command.is_some();
        let table = ServerTable {
            command: self.command,
            args: self.args.filter(|args| program || !args.is_empty()),
            env: self.env.filter(|env| program || !env.is_empty()).map(given),
            cwd: self.cwd,
            url: self.url,
            headers: self.headers.filter(|headers| !program || !headers.is_empty()).map(given),
            disabled: self.disabled,
            ..ServerTable::default()
        };
        way(table, text)
    }
}

/// A value, which may name variables.
fn text(value: Secret) -> Given {
    if value.expose().contains("${") { Given::Template(value) } else { Given::Plain(value) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_other_programs_write_is_read() {
        let file = json!({"inputs": [], "mcpServers": {
            "files": {"command": "npx", "args": ["-y", "it", "${HOME}"], "env": {"A": "b"}, "alwaysAllow": ["x"]},
            "web": {"type": "http", "url": "https://x.test/mcp", "headers": {"Authorization": "Bearer ${T}"}, "env": {}},
            "off": {"command": "x", "disabled": true},
            "old": {"type": "sse", "url": "https://x.test/sse"},
            "none": {"command": 5},
            "both": {"command": "x", "url": "https://x.test"},
        }});
        let servers = parse(&file.to_string()).unwrap();
        let Way::Program(files) = &servers["files"].way else { panic!("no program") };
        assert!(matches!(&files.arguments[..], [Given::Plain(_), Given::Plain(_), Given::Template(_)]));
        let Way::Url(web) = &servers["web"].way else { panic!("no url") };
        assert!(matches!(&web.headers["Authorization"], Given::Template(_)));
        assert!(servers["off"].disabled && !servers["files"].disabled);
        for (name, word) in [("old", "`sse`"), ("none", "expected a string"), ("both", "either")] {
            assert!(matches!(&servers[name].way, Way::Wrong(what) if what.contains(word)), "{name}");
        }
    }

    #[test]
    fn nothing_of_the_text_is_told() {
        for text in [
            r#"{"mcpServers": "hunter2"}"#,
            r#"{"mcpServers": {"a": {"command": "x", "env": {"A": "hunter2}}}"#,
            r#"{"servers": {"hunter2": 1}}"#,
        ] {
            let told = parse(text).unwrap_err();
            assert!(!told.contains("hunter2"), "{told}");
        }
        let servers = parse(r#"{"mcpServers": {"a": {"command": "x", "env": "hunter2"}}}"#).unwrap();
        assert!(!format!("{servers:?}").contains("hunter2"), "{servers:?}");
    }
}
