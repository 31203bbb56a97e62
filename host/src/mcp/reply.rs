//! What a tool of a server answers, in the host's own form.

use crate::attachment::sniff::media_type;
use crate::model::{Media, MediaKind, MediaSource, ToolOutput};
use crate::openai::data_url::{decode_base64, kind_of_type};
use crate::tools::ToolReply;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

/// The answer of a call. `hide` blanks what nobody may be shown.
pub(super) fn reply(result: CallToolResult, hide: &dyn Fn(&str) -> String) -> ToolReply {
    let structured = result.structured_content.map(|value| hidden(value, hide));
    let mut output: Vec<ToolOutput> = result.content.into_iter().map(|block| piece(block, hide)).collect();
    // Most servers say the same as text, for those who do not know of structured content.
    let says = |piece: &ToolOutput, value: &Value| match piece {
        ToolOutput::Text(text) => serde_json::from_str::<Value>(text).is_ok_and(|said| said == *value),
        _ => false,
    };
    if let Some(value) = structured.filter(|value| !output.iter().any(|piece| says(piece, value))) {
        output.push(ToolOutput::Json(value));
    }
    ToolReply { output, is_error: result.is_error.unwrap_or(false) }
}

fn piece(block: ContentBlock, hide: &dyn Fn(&str) -> String) -> ToolOutput {
    match block {
        ContentBlock::Text(text) => ToolOutput::Text(hide(&text.text)),
        ContentBlock::Image(image) => media(&image.data, &image.mime_type, "image", None),
        ContentBlock::Audio(audio) => media(&audio.data, &audio.mime_type, "sound", None),
        ContentBlock::Resource(resource) => match resource.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => {
                ToolOutput::Text(hide(&format!("{uri}:\n{text}")))
            }
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                media(&blob, mime_type.as_deref().unwrap_or_default(), "resource", Some(uri))
            }
            _ => unknown(),
        },
        ContentBlock::ResourceLink(link) => {
            let described = link.description.map(|what| format!(": {what}")).unwrap_or_default();
            ToolOutput::Text(hide(&format!("{} ({}){described}", link.uri, link.name)))
        }
        #[allow(unreachable_patterns)]
        _ => unknown(),
    }
}

fn unknown() -> ToolOutput {
    ToolOutput::Text("[something of a kind that this program does not know]".to_owned())
}

/// Bytes. What they are is what the server says, and where it says nothing, what they look like.
fn media(base64: &str, named: &str, what: &str, uri: Option<String>) -> ToolOutput {
    let Ok(bytes) = decode_base64(base64) else {
        return ToolOutput::Text(format!("[the tool answered with {what} data that are no base64]"));
    };
    let found = media_type(&bytes, None).map(str::to_owned);
    let mime_type = if named.is_empty() { found.unwrap_or_default() } else { named.to_ascii_lowercase() };
    let kind = kind_of_type(&mime_type);
    let name = uri.filter(|_| kind == MediaKind::Document);
    let name = name.map(|uri| uri.rsplit('/').next().unwrap_or_default().to_owned());
    ToolOutput::Media(Media { kind, mime_type, source: MediaSource::Bytes(bytes), name, detail: None })
}

/// The same value with texts that may be shown.
fn hidden(value: Value, hide: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(hide(&text)),
        Value::Array(values) => values.into_iter().map(|value| hidden(value, hide)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (hide(&name), hidden(value, hide))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(result: Value) -> ToolReply {
        reply(serde_json::from_value(result).unwrap(), &|text| text.replace("sk-secret", "*"))
    }

    #[test]
    fn every_sort_of_content_has_a_form() {
        let answer = of(json!({"content": [
            {"type": "text", "text": "key: sk-secret"},
            {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"},
            {"type": "audio", "data": "SUQzBA==", "mimeType": "audio/mpeg"},
            {"type": "resource", "resource": {"uri": "a://b", "text": "c"}},
            {"type": "resource", "resource": {"uri": "a://b/c.pdf", "blob": "JVBERi0=", "mimeType": "application/pdf"}},
            {"type": "resource_link", "uri": "a://d", "name": "e"},
            {"type": "image", "data": "!", "mimeType": "image/png"},
        ], "isError": true}));
        assert!(answer.is_error);
        let text = |at: usize| match &answer.output[at] {
            ToolOutput::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!([text(0), text(3), text(5)], ["key: *", "a://b:\nc", "a://d (e)"]);
        assert!(text(6).contains("no base64"));
        let kinds = [1, 2, 4].map(|at| match &answer.output[at] {
            ToolOutput::Media(media) => (media.kind, media.name.clone()),
            other => panic!("{other:?}"),
        });
        let pdf = Some("c.pdf".to_owned());
        assert_eq!(kinds, [(MediaKind::Image, None), (MediaKind::Audio, None), (MediaKind::Document, pdf)]);
    }

    #[test]
    fn what_is_said_twice_is_told_once() {
        let same =
            of(json!({"content": [{"type": "text", "text": "{\"a\": 1}"}], "structuredContent": {"a": 1}}));
        assert_eq!(same.output.len(), 1);
        let other = of(
            json!({"content": [{"type": "text", "text": "one"}], "structuredContent": {"a": ["sk-secret"]}}),
        );
        assert_eq!(other.output[1], ToolOutput::Json(json!({"a": ["*"]})));
        assert!(!other.is_error);
    }
}
