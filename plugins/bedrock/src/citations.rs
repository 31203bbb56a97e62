//! Citations for display (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html>). What the
//! provider needs back is in the part's replay.

use aimu_sdk::{Citation, Event};
use serde_json::Value;

/// The event of a citation. It is of the whole block: the API cuts the text so that it is.
pub(crate) fn event(index: u32, citation: &Value) -> Event {
    let text = |name: &str| citation.get(name).and_then(Value::as_str);
    let source = text("source");
    let link = |text: &&str| text.starts_with("http://") || text.starts_with("https://");
    let web = citation.pointer("/location/web/url").and_then(Value::as_str);
    let quotes: Vec<&str> = citation
        .get("sourceContent")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|piece| piece.get("text").and_then(Value::as_str))
        .collect();
    Event::Citation(Citation {
        index,
        span: None,
        url: web.or(source.filter(link)).map(str::to_owned),
        title: text("title").or(source).map(str::to_owned),
        quote: (!quotes.is_empty()).then(|| quotes.join(" ")),
    })
}
