//! What an answer is grounded on, as citations for display
//! (<https://ai.google.dev/gemini-api/docs/google-search>), and whole as details. Nothing of it goes back.

use aimu_sdk::{Citation, Detail, Event};
use serde_json::{Map, Value};

/// A text part that citations can point into.
pub(crate) struct Place<'a> {
    /// Its index.
    pub(crate) index: u32,
    /// All of its text.
    pub(crate) text: &'a str,
}

/// The events of the grounding that a candidate's members tell of.
pub(crate) fn events(told: &Map<String, Value>, places: &[Place<'_>], out: &mut Vec<Event>) {
    let last = places.last().map(|place| place.index);
    for (name, kind) in [("groundingMetadata", "grounding"), ("urlContextMetadata", "url-context")] {
        if let Some(data) = told.get(name) {
            out.push(Event::Detail(Detail { index: last, kind: kind.into(), data: data.to_string() }));
        }
    }
    if let Some(grounding) = told.get("groundingMetadata") {
        grounded(grounding, places, out);
    }
    if let Some(metadata) = told.get("citationMetadata") {
        recited(metadata, places, out);
    }
}

/// Chunks are the sources, supports say which spans stand on which. A source without a span is of the whole text.
fn grounded(grounding: &Value, places: &[Place<'_>], out: &mut Vec<Event>) {
    let list =
        |name: &str| grounding.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let chunks = list("groundingChunks");
    let mut used = vec![false; chunks.len()];
    for support in list("groundingSupports") {
        let segment = support.get("segment").unwrap_or(&Value::Null);
        let Some((index, span)) = find(segment, places) else { continue };
        let of = support.get("groundingChunkIndices").and_then(Value::as_array);
        for number in of.into_iter().flatten().filter_map(Value::as_u64) {
            let Ok(number) = usize::try_from(number) else { continue };
            let (Some(chunk), Some(used)) = (chunks.get(number), used.get_mut(number)) else { continue };
            *used = true;
            out.push(Event::Citation(citation(chunk, index, span)));
        }
    }
    let Some(last) = places.last() else { return };
    for (chunk, _) in chunks.iter().zip(used).filter(|(_, used)| !used) {
        out.push(Event::Citation(citation(chunk, last.index, None)));
    }
}

/// A source: `web`, `retrievedContext`, `maps` or `image`.
fn citation(chunk: &Value, index: u32, span: Option<(u32, u32)>) -> Citation {
    let source = chunk.as_object().and_then(|chunk| chunk.values().next()).unwrap_or(&Value::Null);
    let text = |name: &str| source.get(name).and_then(Value::as_str).map(str::to_owned);
    Citation {
        index,
        span,
        url: text("uri").or_else(|| text("sourceUri")),
        title: text("title").or_else(|| text("documentName")),
        quote: text("text"),
    }
}

/// Recitations: sources that the model may have learned a span from. The Gemini API and Vertex AI name the list
/// differently.
fn recited(metadata: &Value, places: &[Place<'_>], out: &mut Vec<Event>) {
    let list = metadata.get("citationSources").or_else(|| metadata.get("citations"));
    for source in list.and_then(Value::as_array).into_iter().flatten() {
        let Some((index, span)) = find(source, places) else { continue };
        let text = |name: &str| source.get(name).and_then(Value::as_str).map(str::to_owned);
        out.push(Event::Citation(Citation {
            index,
            span,
            url: text("uri"),
            title: text("title"),
            quote: None,
        }));
    }
}

/// The part of a segment and its place there. The offsets count bytes of the whole answer's text or of one of its
/// parts, and in a stream the parts are not those of the wire: the segment's own text decides, where it has one.
fn find(segment: &Value, places: &[Place<'_>]) -> Option<(u32, Option<(u32, u32)>)> {
    let offset = |name: &str| segment.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (start, end) = (offset("startIndex").unwrap_or(0), offset("endIndex"));
    let span = |from: usize, to: usize| Some((u32::try_from(from).ok()?, u32::try_from(to).ok()?));
    let Some(quote) = segment.get("text").and_then(Value::as_str).filter(|quote| !quote.is_empty()) else {
        let mut before = 0;
        for place in places {
            let here = before..before + place.text.len();
            if let Some(end) = end.filter(|end| here.contains(&start) && *end <= here.end) {
                let (start, end) = (start - before, end - before);
                let exact = place.text.is_char_boundary(start) && place.text.is_char_boundary(end);
                return Some((place.index, exact.then(|| span(start, end)).flatten()));
            }
            before = here.end;
        }
        return places.last().map(|place| (place.index, None));
    };
    let exact = |place: &&Place<'_>| place.text.get(start..).is_some_and(|rest| rest.starts_with(quote));
    if let Some(place) = places.iter().find(exact) {
        return Some((place.index, span(start, start + quote.len())));
    }
    let found = places.iter().find_map(|place| Some((place.index, place.text.find(quote)?)));
    match found {
        Some((index, at)) => Some((index, span(at, at + quote.len()))),
        // It may lie across parts.
        None => places.last().map(|place| (place.index, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Part, span and address.
    type Cited = (u32, Option<(u32, u32)>, Option<String>);

    fn cited(told: &Value, texts: &[&str]) -> Vec<Cited> {
        let places: Vec<Place<'_>> =
            texts.iter().zip(0..).map(|(text, index)| Place { index, text }).collect();
        let mut out = Vec::new();
        events(told.as_object().unwrap_or(&Map::new()), &places, &mut out);
        out.into_iter()
            .filter_map(|event| match event {
                Event::Citation(citation) => Some((citation.index, citation.span, citation.url)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn spans_are_bytes_of_the_right_part() {
        let web = |url: &str| json!({"web": {"uri": url, "title": "t"}});
        let told = json!({"groundingMetadata": {
            "groundingChunks": [web("a"), web("b"), web("c")],
            "groundingSupports": [
                {"segment": {"startIndex": 4, "endIndex": 7, "text": "lo!"}, "groundingChunkIndices": [0, 9]},
                {"segment": {"endIndex": 5, "text": "again"}, "groundingChunkIndices": [0, 1]},
            ],
        }});
        let url = |url: &str| Some(url.to_owned());
        assert_eq!(
            cited(&told, &["hél", "say again", "Hello"]),
            [
                (2, None, url("a")),
                (1, Some((4, 9)), url("a")),
                (1, Some((4, 9)), url("b")),
                (2, None, url("c"))
            ]
        );
        assert_eq!(cited(&told, &["hélo!lo!"]).first(), Some(&(0, Some((3, 6)), url("a"))));
        assert_eq!(cited(&told, &[]), []);
        let recited = json!({"citationMetadata": {"citationSources": [
            {"startIndex": 3, "endIndex": 5, "uri": "u"}, {"startIndex": 1, "endIndex": 99, "uri": "v"},
        ]}});
        assert_eq!(cited(&recited, &["abc", "def"]), [(1, Some((0, 2)), url("u")), (1, None, url("v"))]);
    }
}
