//! Parts of a message, and of a tool's result, as content blocks.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/create#responses-create-input>.

use serde_json::{Value, json};

use super::super::content::extend;
use super::super::quirks::Quirks;
use crate::json::{merge, parse};
use crate::media::{audio_format, base64, url_of};
use crate::{Failure, Media, MediaKind, MediaSource, Part, PartContent};

/// A part of a system or user message. `None` for what has no block.
pub(super) fn block(
    part: &Part,
    quirks: &Quirks,
    warnings: &mut Vec<String>,
) -> Result<Option<Value>, Failure> {
    let block = match &part.content {
        PartContent::Text(text) | PartContent::Refusal(text) => {
            Some(json!({"type": "input_text", "text": text}))
        }
        PartContent::Media(media) => self::media(media, warnings),
        PartContent::Opaque(opaque) => Some(parse(&opaque.data, "an opaque part")?),
        PartContent::Reasoning(_) | PartContent::ToolCall(_) | PartContent::ToolResult(_) => None,
    };
    let Some(mut block) = block else { return Ok(None) };
    extend(&mut block, part, quirks)?;
    Ok(Some(block))
}

/// Whether a block of the provider's own stands inside a message: other kinds are items.
pub(super) fn is_block(kind: &str) -> bool {
    kind.starts_with("input_") || kind.starts_with("output_") || kind == "refusal"
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
    let kind = members.get("type")?.as_str()?;
    (members.len() == 2 && matches!(kind, "input_text" | "output_text")).then_some(text)
}

/// A medium as a block; a warning where the wire has no form for it.
pub(super) fn media(media: &Media, warnings: &mut Vec<String>) -> Option<Value> {
    let Some(url) = url_of(media) else {
        let MediaSource::FileId(id) = &media.source else {
            warnings.push("a medium without a source is not sent".into());
            return None;
        };
        let kind = if media.kind == MediaKind::Image { "input_image" } else { "input_file" };
        let mut block = json!({"type": kind, "file_id": id});
        if media.kind == MediaKind::Image {
            merge(&mut block, json!({"detail": media.detail}));
        }
        return Some(block);
    };
    Some(match media.kind {
        MediaKind::Image => {
            let mut block = json!({"type": "input_image", "image_url": url});
            merge(&mut block, json!({"detail": media.detail}));
            block
        }
        // OpenRouter's form: OpenAI has none.
        MediaKind::Video => json!({"type": "input_video", "video_url": url}),
        MediaKind::Audio => match &media.source {
            MediaSource::Bytes(bytes) => json!({
                "type": "input_audio",
                "input_audio": {"data": base64(bytes), "format": audio_format(&media.mime_type)},
            }),
            _ => json!({"type": "input_file", "file_url": url}),
        },
        MediaKind::Document => match &media.source {
            MediaSource::Bytes(_) => {
                // Bytes without a name are refused.
                let name = media.name.as_deref().unwrap_or("document.pdf");
                json!({"type": "input_file", "filename": name, "file_data": url})
            }
            _ => json!({"type": "input_file", "file_url": url}),
        },
    })
}
