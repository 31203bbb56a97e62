//! Data URLs, base64 and media types.

use crate::model::{MediaKind, Result};
use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

/// Extensions and their media types. The first extension of a type is the word that `input_audio` wants for it.
const TYPES: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("bmp", "image/bmp"),
    ("tiff", "image/tiff"),
    ("tif", "image/tiff"),
    ("heic", "image/heic"),
    ("avif", "image/avif"),
    ("svg", "image/svg+xml"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("flac", "audio/flac"),
    ("m4a", "audio/mp4"),
    ("aac", "audio/aac"),
    ("weba", "audio/webm"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mkv", "video/x-matroska"),
    ("ogv", "video/ogg"),
    ("pdf", "application/pdf"),
    ("json", "application/json"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("xml", "text/xml"),
];

/// The media type that a file name or a URL's path ends in, where it is a known one.
pub(crate) fn type_of_name(name: &str) -> Option<&'static str> {
    let path = name.split(['?', '#']).next().unwrap_or(name);
    let (_, extension) = path.rsplit('/').next().unwrap_or(path).rsplit_once('.')?;
    TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension)).map(|(_, mime)| *mime)
}

/// A type that bytes or names tell.
pub(crate) fn known(mime: &str) -> Option<&'static str> {
    TYPES.iter().find(|(_, known)| *known == mime).map(|(_, known)| *known)
}

/// What sort of media a type is; all that is not picture, sound or video is a document.
pub(crate) fn kind_of_type(mime: &str) -> MediaKind {
    match mime.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

/// OpenAI's `format` of a sound.
pub(super) fn format_of_type(mime: &str) -> &str {
    match mime {
        "audio/webm" => "webm",
        "audio/x-wav" | "audio/wave" => "wav",
        _ => TYPES
            .iter()
            .find(|(_, known)| *known == mime)
            .map_or_else(|| mime.rsplit('/').next().unwrap_or(mime), |(extension, _)| extension),
    }
}

/// The media type of OpenAI's `format`.
pub(super) fn type_of_format(format: &str) -> String {
    if format.contains('/') {
        return format.to_owned();
    }
    TYPES
        .iter()
        .find(|(known, mime)| *known == format && mime.starts_with("audio/"))
        .map_or_else(|| format!("audio/{format}"), |(_, mime)| (*mime).to_owned())
}

/// Bytes from base64 in either alphabet, padded or not: recorded clients send all four.
pub(crate) fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet =
        if text.contains(['-', '_']) { base64::alphabet::URL_SAFE } else { base64::alphabet::STANDARD };
    let engine = GeneralPurpose::new(&alphabet, LENIENT);
    let decoded = if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        engine.decode(text.split_ascii_whitespace().collect::<String>())
    } else {
        engine.decode(text)
    };
    decoded.map_err(|error| format!("is not base64: {error}"))
}

/// `data:<type>;base64,<data>` of these bytes.
pub(crate) fn data_url(mime: &str, bytes: &[u8]) -> String {
    format!("data:{mime};base64,{}", STANDARD.encode(bytes))
}

/// Media type and bytes of a data URL; `None` when it is none.
pub(crate) fn parse_data_url(url: &str) -> Option<Result<(String, Vec<u8>), String>> {
    let rest =
        url.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:")).and_then(|_| url.get(5..))?;
    let Some((head, data)) = rest.split_once(',') else {
        return Some(Err("is a data URL without a comma; its form is data:<type>;base64,<data>".to_owned()));
    };
    let (parameters, base64) = match head.strip_suffix(";base64") {
        Some(parameters) => (parameters, true),
        None => (head, false),
    };
    let mime = parameters.split(';').next().unwrap_or_default().to_ascii_lowercase();
    let bytes = if base64 { decode_base64(data) } else { Ok(percent_decode(data)) };
    Some(bytes.map(|bytes| (mime, bytes)))
}

fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match escaped.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_comes_in_both_alphabets_padded_or_not() {
        for text in ["//8=", "//8", "__8=", "__8", "//\n8="] {
            assert_eq!(decode_base64(text).unwrap(), [255, 255], "{text}");
        }
        assert!(decode_base64("!").is_err());
    }

    #[test]
    fn data_urls_of_all_forms() {
        let parse = |url: &str| parse_data_url(url).map(Result::unwrap);
        assert_eq!(parse("https://x"), None);
        assert_eq!(parse("DATA:Image/PNG;base64,AQ=="), Some(("image/png".to_owned(), vec![1])));
        assert_eq!(
            parse("data:text/plain;charset=utf-8,a%20b%zz%"),
            Some(("text/plain".to_owned(), b"a b%zz%".to_vec()))
        );
        assert_eq!(parse("data:,é"), Some((String::new(), "é".as_bytes().to_vec())));
        assert!(parse_data_url("data:image/png").unwrap().is_err());
        assert_eq!(parse(&data_url("a/b", b"xyz")), Some(("a/b".to_owned(), b"xyz".to_vec())));
    }

    #[test]
    fn names_have_types_and_types_have_formats() {
        for (name, mime) in [
            ("a.PNG", Some("image/png")),
            ("https://x.test/a.b/c", None),
            ("a.m4a?x=.png", Some("audio/mp4")),
        ] {
            assert_eq!(type_of_name(name), mime, "{name}");
        }
        for (format, mime) in
            [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("webm", "audio/webm"), ("pcm16", "audio/pcm16")]
        {
            assert_eq!(type_of_format(format), mime);
            assert_eq!(format_of_type(mime), format);
        }
    }
}
