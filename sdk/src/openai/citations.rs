//! Sources of an answer, in the places where servers name them.
//!
//! Problem: sources come before the text that they support, beside each chunk, or at the very end; OpenAI counts
//! places in characters of the answer, the contract in bytes of a part. Decision: they are collected, and given once,
//! when the text is known.

use serde_json::Value;

use crate::{Citation, Event};

/// The sources of one answer.
#[derive(Debug, Default)]
pub(super) struct Citations {
    /// The text of all text parts.
    text: String,
    /// The text parts, and where in `text` each begins.
    parts: Vec<(u32, usize)>,
    found: Vec<Found>,
    /// The list for the whole answer, which each chunk may repeat.
    listed: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    /// In characters.
    span: Option<(usize, usize)>,
    url: Option<String>,
    title: Option<String>,
    quote: Option<String>,
}

impl Citations {
    /// More text of the answer, and the part that it went to.
    pub(super) fn text(&mut self, text: &str, part: Option<u32>) {
        if let Some(part) = part
            && self.parts.last().is_none_or(|(last, _)| *last != part)
        {
            self.parts.push((part, self.text.len()));
        }
        self.text.push_str(text);
    }

    /// An item of `annotations`.
    pub(super) fn annotation(&mut self, annotation: &Value) {
        let Some(source) = annotation.get("url_citation") else {
            return;
        };
        let place = |name: &str| {
            source.get(name).and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok())
        };
        let span = place("start_index").zip(place("end_index")).filter(|(start, end)| start < end);
        self.found.push(Found { span, ..Found::of(source, "content") });
    }

    /// Perplexity's and xAI's lists of sources.
    pub(super) fn sources(&mut self, urls: Option<Vec<Value>>, results: Option<Vec<Value>>) {
        if let Some(results) = results.filter(|results| !results.is_empty()) {
            self.listed = results.iter().map(|result| Found::of(result, "snippet")).collect();
        } else if let Some(urls) = urls.filter(|urls| !urls.is_empty()) {
            let found = |url: &Value| Found { url: url.as_str().map(str::to_owned), ..Found::of(url, "") };
            self.listed = urls.iter().map(found).collect();
        }
    }

    /// Gives the sources. Without text there is nothing that they could support.
    pub(super) fn finish(&mut self, out: &mut Vec<Event>) {
        let Some(last) = self.parts.last().copied() else {
            return;
        };
        for found in self.found.drain(..).chain(self.listed.drain(..)) {
            let span = found.span.and_then(|span| bytes(&self.text, span));
            let part_at = |place: usize| self.parts.iter().rfind(|(_, start)| *start <= place).copied();
            let (index, begin) = span.and_then(|(start, _)| part_at(start)).unwrap_or(last);
            let span = span.and_then(|(start, end)| {
                Some((u32::try_from(start - begin).ok()?, u32::try_from(end - begin).ok()?))
            });
            out.push(Event::Citation(Citation {
                index,
                span,
                url: found.url,
                title: found.title,
                quote: found.quote,
            }));
        }
    }
}

impl Found {
    fn of(source: &Value, quote: &str) -> Self {
        let text = |name: &str| {
            source.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Self { span: None, url: text("url"), title: text("title"), quote: text(quote) }
    }
}

/// A span in characters as one in bytes; `None` for one that is empty or not in the text.
#[must_use]
pub fn bytes(text: &str, (start, end): (usize, usize)) -> Option<(usize, usize)> {
    let mut places = text.char_indices().map(|(place, _)| place).chain([text.len()]);
    let first = places.nth(start)?;
    Some((first, places.nth(end.checked_sub(start + 1)?)?))
}
