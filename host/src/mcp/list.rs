//! The tools that a server lists: page by page, each for itself, and no more of them than anybody could use.

use super::failure::{of_request, short};
use crate::model::{Failure, FailureKind, Result, ToolDefinition};
use crate::schema;
use crate::tools::full_name;
use rmcp::model::{ClientRequest, CustomResult, ListToolsRequest, PaginatedRequestParams, ServerResult};
use rmcp::{Peer, RoleClient};
use serde_json::Value;
use std::collections::BTreeSet;

/// Tools of one server. The largest have some hundred.
const MOST: usize = 1_000;

/// Pages of its list.
const PAGES: usize = 100;

/// Bytes of what they say of themselves, together.
const MOST_BYTES: usize = 8 << 20;

/// What a server offers.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) tools: Vec<Listed>,
    /// What is wrong with others, which are left out.
    pub(super) problems: Vec<String>,
    bytes: usize,
}

/// A tool of a server.
pub(super) struct Listed {
    /// Its name at the server.
    pub(super) name: String,
    pub(super) definition: ToolDefinition,
}

/// Asks a server what it offers. Asked anew each time, so that a list which has changed is never an old one.
pub(super) async fn list(server: &str, peer: &Peer<RoleClient>) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut names = BTreeSet::new();
    let mut cursor = None;
    for _ in 0..PAGES {
        let page = PaginatedRequestParams::default().with_cursor(cursor.take());
        let request = ClientRequest::ListToolsRequest(ListToolsRequest::with_param(page));
        let (tools, next) = page_of(peer.send_request(request).await.map_err(of_request)?)?;
        for tool in tools {
            if !listing.add(server, tool, &mut names) {
                listing
                    .problems
                    .push(format!("it lists more than {MOST} tools, or 8 MiB of them; the rest is left out"));
                return Ok(listing);
            }
        }
        match next {
            Some(next) if !next.is_empty() => cursor = Some(next),
            _ => return Ok(listing),
        }
    }
    listing.problems.push(format!("its list has more than {PAGES} pages; the rest is left out"));
    Ok(listing)
}

/// The tools of a page, as they are written, and where the next one is.
fn page_of(result: ServerResult) -> Result<(Vec<Value>, Option<String>)> {
    let wrong = || Failure::new(FailureKind::Protocol, "it answered with something that is no list of tools");
    match result {
        ServerResult::ListToolsResult(list) => {
            let tools =
                list.tools.into_iter().map(serde_json::to_value).collect::<std::result::Result<_, _>>();
            Ok((tools.map_err(|_| wrong())?, list.next_cursor))
        }
        // One tool that is none makes the whole no list for the library; the others are tools all the same.
        ServerResult::CustomResult(CustomResult(Value::Object(mut page))) => {
            let next = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
            match page.remove("tools") {
                Some(Value::Array(tools)) => Ok((tools, next)),
                _ => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

impl Listing {
    /// Adds a tool, or says what is wrong with it; false where there is no more room.
    fn add(&mut self, server: &str, tool: Value, names: &mut BTreeSet<String>) -> bool {
        self.bytes += tool.to_string().len();
        if self.tools.len() + self.problems.len() >= MOST || self.bytes > MOST_BYTES {
            return false;
        }
        let Some(name) = tool.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            self.problems.push("it lists a tool without a name, which is left out".to_owned());
            return true;
        };
        let left_out = |what: &str| format!("its tool `{}` {what}, and is left out", short(name));
        let text = |key| tool.get(key).and_then(Value::as_str).unwrap_or_default();
        let parameters = match tool.get("inputSchema") {
            Some(schema @ Value::Object(_)) => schema.clone(),
            _ => {
                self.problems.push(left_out("has no JSON Schema of its arguments"));
                return true;
            }
        };
        if let Err(what) = schema::validator(&parameters) {
            self.problems.push(left_out(&format!("has a schema that {what}")));
            return true;
        }
        if !names.insert(name.to_owned()) {
            self.problems.push(left_out("is listed twice; the first one counts, the later one is not taken"));
            return true;
        }
        let description = match text("description") {
            "" => text("title"),
            description => description,
        };
        let definition = ToolDefinition {
            name: full_name(server, name),
            description: description.to_owned(),
            parameters,
            strict: None,
            cache_here: false,
            extra: None,
        };
        self.tools.push(Listed { name: name.to_owned(), definition });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tool_that_is_none_costs_itself_alone() {
        let (mut listing, mut names) = (Listing::default(), BTreeSet::new());
        for tool in [
            json!({"name": "good", "title": "Good", "inputSchema": {"type": "object"}}),
            json!({"name": "none", "inputSchema": "string"}),
            json!({"name": "odd", "inputSchema": {"type": 5}}),
            json!({"name": "far", "inputSchema": {"$ref": "https://x.test/schema.json"}}),
            json!({"name": "good", "description": "other", "inputSchema": {}}),
            json!({"inputSchema": {}}),
            json!("text"),
        ] {
            assert!(listing.add("s", tool, &mut names));
        }
        let names: Vec<_> = listing.tools.iter().map(|tool| (&*tool.name, &*tool.definition.name)).collect();
        assert_eq!(names, [("good", "s__good")]);
        assert_eq!(listing.tools[0].definition.description, "Good");
        for (problem, word) in listing.problems.iter().zip([
            "no JSON Schema",
            "`odd`",
            "`far`",
            "twice",
            "without a name",
            "without",
        ]) {
            assert!(problem.contains(word), "{problem}");
        }
        assert_eq!(listing.problems.len(), 6);
    }

    #[test]
    fn a_list_is_bounded() {
        let (mut listing, mut names) = (Listing::default(), BTreeSet::new());
        let tool = |n: usize| json!({"name": format!("t{n}"), "description": "x".repeat(1 << 20), "inputSchema": {}});
        assert_eq!((0..).take_while(|n| listing.add("s", tool(*n), &mut names)).count(), 7);
        let (mut listing, mut names) = (Listing::default(), BTreeSet::new());
        let tool = |n: usize| json!({"name": format!("t{n}"), "inputSchema": {}});
        assert_eq!((0..).take_while(|n| listing.add("s", tool(*n), &mut names)).count(), MOST);
    }
}
