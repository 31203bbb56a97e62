//! Parts of a message as content blocks.

use serde_json::{Value, json};

use super::quirks::{AudioForm, Documents, Quirks};
use crate::json::{merge, merge_extra, parse};
use crate::media::{audio_format, base64, document_text, url_of};
use crate::{Failure, Media, MediaKind, MediaSource, Part, PartContent};

/// A part of a system or user message, or an assistant's text. `None` for what has no block.
pub(super) fn block(
    part: &Part,
    quirks: &Quirks,
    warnings: &mut Vec<String>,
) -> Result<Option<Value>, Failure> {
    let block = match &part.content {
        PartContent::Text(text) => Some(json!({"type": "text", "text": text})),
        PartContent::Refusal(refusal) => Some(json!({"type": "text", "text": refusal})),
        PartContent::Media(media) => self::media(media, quirks, warnings),
        PartContent::Opaque(opaque) => Some(parse(&opaque.data, "an opaque part")?),
        PartContent::Reasoning(_) | PartContent::ToolCall(_) | PartContent::ToolResult(_) => None,
    };
    let Some(mut block) = block else { return Ok(None) };
    extend(&mut block, part, quirks)?;
    Ok(Some(block))
}

/// Adds to a block what its part says besides: the cache mark, and `extra`.
pub(super) fn extend(block: &mut Value, part: &Part, quirks: &Quirks) -> Result<(), Failure> {
    if part.cache_here && quirks.cache_control {
        merge(block, json!({"cache_control": {"type": "ephemeral"}}));
    }
    merge_extra(block, part.extra.as_deref(), "a part")
}

/// Blocks as a message's content: one that is plain text goes as a string, as most clients send it.
pub(super) fn of_blocks(mut blocks: Vec<Value>) -> Value {
    match blocks.as_mut_slice() {
        [] => "".into(),
        [only] if plain_text(only).is_some() => only.get_mut("text").map(Value::take).unwrap_or_default(),
        _ => blocks.into(),
    }
}

/// The text of a block that says nothing else.
pub(super) fn plain_text(block: &Value) -> Option<&str> {
    let members = block.as_object()?;
    let text = members.get("text")?.as_str()?;
    (members.len() == 2 && members.get("type")? == "text").then_some(text)
}

/// A medium as a block; a warning where the wire has no form for it.
pub(super) fn media(media: &Media, quirks: &Quirks, warnings: &mut Vec<String>) -> Option<Value> {
    if let MediaSource::FileId(id) = &media.source {
        return Some(match quirks.documents {
            Documents::File => json!({"type": "file", "file": {"file_id": id}}),
            Documents::DocumentUrl => json!({"type": "file", "file_id": id}),
        });
    }
    let Some(url) = url_of(media) else {
        warnings.push("a medium without a source is not sent".into());
        return None;
    };
    Some(match media.kind {
        MediaKind::Image => {
            let mut image = json!({"url": url});
            merge(&mut image, json!({"detail": media.detail}));
            json!({"type": "image_url", "image_url": image})
        }
        MediaKind::Audio => audio(media, url, quirks),
        MediaKind::Video => json!({"type": "video_url", "video_url": {"url": url}}),
        MediaKind::Document => document(media, url, quirks),
    })
}

fn audio(media: &Media, url: String, quirks: &Quirks) -> Value {
    match (&media.source, quirks.audio) {
        (MediaSource::Bytes(bytes), AudioForm::Object) => json!({
            "type": "input_audio",
            "input_audio": {"data": base64(bytes), "format": audio_format(&media.mime_type)},
        }),
        (MediaSource::Bytes(bytes), AudioForm::String) => {
            json!({"type": "input_audio", "input_audio": base64(bytes)})
        }
        (_, AudioForm::String) => json!({"type": "input_audio", "input_audio": url}),
        // OpenAI has no form for it; vLLM, SGLang and others take this one.
        (_, AudioForm::Object) => json!({"type": "audio_url", "audio_url": {"url": url}}),
    }
}

fn document(media: &Media, url: String, quirks: &Quirks) -> Value {
    // Only PDF is a file everywhere; text goes as text.
    if let Some(text) = document_text(media) {
        return json!({"type": "text", "text": text});
    }
    match quirks.documents {
        Documents::File => {
            // OpenAI refuses bytes without a name.
            let name = media.name.as_deref().unwrap_or("document.pdf");
            json!({"type": "file", "file": {"filename": name, "file_data": url}})
        }
        Documents::DocumentUrl => {
            let mut block = json!({"type": "document_url", "document_url": url});
            merge(&mut block, json!({"document_name": media.name}));
            block
        }
    }
}
