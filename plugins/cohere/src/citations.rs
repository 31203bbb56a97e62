//! What an answer stands on, for display (<https://docs.cohere.com/docs/rag-citations>). The API counts places in
//! characters of a block's text, the contract in bytes of a part's; one citation may have several sources.

use aimu_sdk::openai::bytes_of_chars;
use aimu_sdk::{Citation, Event};
use serde_json::Value;

/// What a part is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Thinking,
    Plan,
}

/// A part that citations can point into.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    /// The number of its block.
    pub(crate) number: u64,
    /// The part's index.
    pub(crate) index: u32,
    /// All of its text.
    pub(crate) text: String,
}

/// The citations as events.
pub(crate) fn events(citations: &[Value], places: &[&Place], out: &mut Vec<Event>) {
    for citation in citations {
        let Some((index, span)) = find(citation, places) else { continue };
        let sources =
            citation.get("sources").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if sources.is_empty() {
            out.push(Event::Citation(Citation { index, span, url: None, title: None, quote: None }));
        }
        out.extend(sources.iter().map(|source| Event::Citation(of_source(source, index, span))));
    }
}

/// A document that was given, or what a tool returned.
fn of_source(source: &Value, index: u32, span: Option<(u32, u32)>) -> Citation {
    let data = source.get("document").or_else(|| source.get("tool_output")).unwrap_or(&Value::Null);
    let text = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| data.get(*name)?.as_str())
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let id = source.get("id").and_then(Value::as_str).map(str::to_owned);
    let whole = || data.as_object().filter(|members| !members.is_empty()).map(|_| data.to_string());
    Citation {
        index,
        span,
        url: text(&["url"]),
        title: text(&["title", "name"]).or(id),
        quote: text(&["text", "snippet", "content"]).or_else(whole),
    }
}

/// The part of a citation and its place there. Where the characters at the place are not those that it quotes, the
/// quote decides.
fn find(citation: &Value, places: &[&Place]) -> Option<(u32, Option<(u32, u32)>)> {
    let kind = match citation.get("type").and_then(Value::as_str) {
        Some("THINKING_CONTENT") => Kind::Thinking,
        Some("PLAN") => Kind::Plan,
        _ => Kind::Text,
    };
    let count = |name: &str| citation.get(name).and_then(Value::as_u64);
    let of_kind = || places.iter().filter(|place| place.kind == kind);
    let number = count("content_index");
    let place = of_kind()
        .find(|place| number == Some(place.number))
        .or_else(|| of_kind().next())
        .or_else(|| places.first())?;
    let quote = citation.get("text").and_then(Value::as_str).unwrap_or_default();
    let character = |name: &str| count(name).and_then(|n| usize::try_from(n).ok());
    let told = character("start").zip(character("end")).and_then(|span| bytes_of_chars(&place.text, span));
    let fits = told.filter(|(start, end)| quote.is_empty() || place.text.get(*start..*end) == Some(quote));
    let quoted = || {
        let start = (!quote.is_empty()).then(|| place.text.find(quote)).flatten()?;
        Some((start, start + quote.len()))
    };
    let span = fits.or_else(quoted).or(told);
    let span = span.and_then(|(start, end)| Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?)));
    Some((place.index, span))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn cited(citations: &Value, places: &[&Place]) -> Vec<Citation> {
        let mut out = Vec::new();
        events(citations.as_array().unwrap(), places, &mut out);
        out.into_iter()
            .map(|event| match event {
                Event::Citation(citation) => citation,
                other => unreachable!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn spans_are_bytes_of_the_right_part() {
        let place = |kind, number, index, text: &str| Place { kind, number, index, text: text.into() };
        let thought = place(Kind::Thinking, 0, 0, "hm, sunny");
        let text = place(Kind::Text, 1, 1, "Zürich: sunny, 22°C.");
        let plan = place(Kind::Plan, 0, 2, "look");
        let places = [&thought, &text, &plan];
        let citations = json!([
            {"start": 8, "end": 13, "text": "sunny", "type": "TEXT_CONTENT", "sources": [
                {"type": "tool", "id": "w:0", "tool_output": {"sky": "sunny"}},
                {"type": "document", "id": "d", "document": {"id": "d", "title": "T", "url": "u", "text": "q"}},
            ]},
            {"start": 15, "end": 19, "text": "22°C", "content_index": 1, "sources": []},
            {"start": 0, "end": 2, "text": "sunny", "content_index": 0, "type": "THINKING_CONTENT"},
            {"start": 0, "end": 4, "type": "PLAN"},
            {"start": 90, "end": 95, "text": "nowhere"},
        ]);
        let got = cited(&citations, &places);
        let spans: Vec<_> = got.iter().map(|citation| (citation.index, citation.span)).collect();
        assert_eq!(
            spans,
            [
                (1, Some((9, 14))),
                (1, Some((9, 14))),
                (1, Some((16, 21))),
                (0, Some((4, 9))),
                (2, Some((0, 4))),
                (1, None)
            ]
        );
        let said = |citation: &Citation| {
            [&citation.url, &citation.title, &citation.quote].map(|text| text.clone().unwrap_or_default())
        };
        assert_eq!(said(&got[0]), ["", "w:0", r#"{"sky":"sunny"}"#]);
        assert_eq!(said(&got[1]), ["u", "T", "q"]);
        assert_eq!(cited(&citations, &[]), []);
    }
}
