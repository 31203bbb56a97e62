//! Media on the wire: base64, data URLs, and the names that formats go by.

use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};

use crate::{Failure, Media, MediaKind, MediaSource};

/// Writes padding, and reads with and without. A static: each use of a constant would be a table of its own.
static BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes in base64.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// The bytes of a base64 text, with or without padding.
///
/// # Errors
/// It is not base64.
pub fn from_base64(text: &str) -> Result<Vec<u8>, Failure> {
    BASE64
        .decode(text)
        .map_err(|error| Failure::protocol(format!("the provider sent broken base64: {error}")))
}

/// `data:<mime>;base64,<bytes>`.
#[must_use]
pub fn data_url(mime_type: &str, bytes: &[u8]) -> String {
    let mut url = format!("data:{mime_type};base64,");
    BASE64.encode_string(bytes, &mut url);
    url
}

/// Type and bytes of a base64 data URL; `None` for any other URL.
#[must_use]
pub fn split_data_url(url: &str) -> Option<(&str, Vec<u8>)> {
    let (head, body) = url.strip_prefix("data:")?.split_once(',')?;
    let mime_type = head.strip_suffix(";base64")?;
    let mime_type = mime_type.split(';').next().filter(|mime| !mime.is_empty()).unwrap_or("text/plain");
    Some((mime_type, from_base64(body).ok()?))
}

/// The URL of a medium where a wire takes both kinds in one field: its own, or its bytes as a data URL.
/// `None` for a file id.
#[must_use]
pub fn url_of(media: &Media) -> Option<String> {
    match &media.source {
        MediaSource::Url(url) => Some(url.clone()),
        MediaSource::Bytes(bytes) => Some(data_url(&media.mime_type, bytes)),
        MediaSource::FileId(_) => None,
    }
}

/// A text document as text, where a wire has no documents; `None` for any other medium.
#[must_use]
pub fn document_text(media: &Media) -> Option<String> {
    let MediaSource::Bytes(bytes) = &media.source else { return None };
    if media.kind != MediaKind::Document || !is_text(&media.mime_type) {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let name = media.name.as_deref().unwrap_or("document");
    Some(format!("<document name=\"{name}\">\n{text}\n</document>"))
}

/// A type without its parameters, in lower case.
#[must_use]
pub fn essence(mime_type: &str) -> String {
    mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The short name that APIs give an audio format: `audio/mpeg` is `mp3`.
#[must_use]
pub fn audio_format(mime_type: &str) -> String {
    let mime = essence(mime_type);
    match mime.strip_prefix("audio/").unwrap_or(&mime) {
        "mpeg" | "mp3" | "mpga" => "mp3",
        "wav" | "x-wav" | "wave" | "vnd.wave" => "wav",
        "mp4" | "x-m4a" | "m4a" => "m4a",
        "ogg" | "opus" => "ogg",
        "x-flac" | "flac" => "flac",
        other => other,
    }
    .to_owned()
}

/// Whether a document of this type is text, so that it can go as text where a wire has no documents.
#[must_use]
pub fn is_text(mime_type: &str) -> bool {
    let mime = essence(mime_type);
    mime.starts_with("text/")
        || mime.ends_with("+json")
        || mime.ends_with("+xml")
        || matches!(
            mime.as_str(),
            "application/json"
                | "application/xml"
                | "application/yaml"
                | "application/toml"
                | "application/javascript"
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn data_urls_go_both_ways() {
        let url = data_url("image/png", &[0, 255, 1]);
        assert_eq!(url, "data:image/png;base64,AP8B");
        assert_eq!(split_data_url(&url), Some(("image/png", vec![0, 255, 1])));
        assert_eq!(split_data_url("data:;base64,YQ=="), Some(("text/plain", b"a".to_vec())));
        assert_eq!(
            split_data_url("data:text/plain;charset=utf-8;base64,YQ"),
            Some(("text/plain", b"a".to_vec()))
        );
        for other in ["https://a/b", "data:text/plain,a", "data:a;base64,?"] {
            assert_eq!(split_data_url(other), None, "{other}");
        }
    }

    #[test]
    fn formats_by_type() {
        assert_eq!(audio_format("audio/mpeg; rate=1"), "mp3");
        assert_eq!(audio_format("audio/x-wav"), "wav");
        assert_eq!(audio_format("audio/aac"), "aac");
        assert!(is_text("text/markdown; charset=utf-8") && is_text("application/JSON"));
        assert!(!is_text("application/pdf"));
    }
}
