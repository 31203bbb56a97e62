//! Citations for display (<https://platform.claude.com/docs/en/build-with-claude/citations>). What the provider needs
//! back is in the part's replay.

use aimu_sdk::{Citation, Event};
use serde_json::Value;

/// The event of a citation. It is of the whole text block: the API cuts the text so that it is.
pub(crate) fn event(index: u32, citation: &Value) -> Event {
    let text = |name: &str| citation.get(name).and_then(Value::as_str);
    let source = text("source");
    let link = |text: &&str| text.starts_with("http://") || text.starts_with("https://");
    Event::Citation(Citation {
        index,
        span: None,
        url: text("url").or(source.filter(link)).map(str::to_owned),
        title: text("title").or(text("document_title")).or(source).map(str::to_owned),
        quote: text("cited_text").map(str::to_owned),
    })
}
