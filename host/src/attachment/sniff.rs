//! What bytes are, by their first ones.

/// The media type of these bytes; `named` is what the file's name promises, which decides only between kinds of text
/// and where a container may hold sound alone.
pub(crate) fn media_type(bytes: &[u8], named: Option<&'static str>) -> Option<&'static str> {
    magic(bytes, named).or_else(|| is_text(bytes).then(|| text_type(named)))
}

fn magic(bytes: &[u8], named: Option<&'static str>) -> Option<&'static str> {
    /// Starts that say it alone.
    const STARTS: [(&[u8], &str); 13] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xFF\xD8\xFF", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"%PDF-", "application/pdf"),
        (b"ID3", "audio/mpeg"),
        (b"fLaC", "audio/flac"),
        // ADTS before MPEG audio, whose frame sync is the same eleven bits.
        (b"\xFF\xF1", "audio/aac"),
        (b"\xFF\xF9", "audio/aac"),
        (b"BM", "image/bmp"),
        (b"\x1A\x45\xDF\xA3", "matroska"),
    ];
    let found = STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, mime)| *mime);
    match found {
        Some("matroska") => return Some(matroska(bytes, named)),
        // `BM` starts many a text.
        Some("image/bmp") if is_text(bytes) => return None,
        Some(mime) => return Some(mime),
        None => {}
    }
    let at = |from: usize, to: usize| bytes.get(from..to);
    match (at(0, 4), at(4, 8), at(8, 12)) {
        (Some(b"RIFF"), _, Some(b"WEBP")) => Some("image/webp"),
        (Some(b"RIFF"), _, Some(b"WAVE")) => Some("audio/wav"),
        (Some(b"OggS"), ..) => Some(if holds(bytes, b"theora") { "video/ogg" } else { "audio/ogg" }),
        (_, Some(b"ftyp"), Some(brand)) => Some(iso(brand, named)),
        // MPEG audio without a tag: frame sync, and a layer that is not the reserved one.
        _ => match bytes {
            [0xFF, second, ..] if second & 0xE0 == 0xE0 && second & 0x06 != 0 => Some("audio/mpeg"),
            _ => None,
        },
    }
}

/// The brand of an ISO container, as in MP4.
fn iso(brand: &[u8], named: Option<&'static str>) -> &'static str {
    match brand {
        b"M4A " | b"M4B " => "audio/mp4",
        b"qt  " => "video/quicktime",
        b"avif" | b"avis" => "image/avif",
        b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" => "image/heic",
        _ if named == Some("audio/mp4") => "audio/mp4",
        _ => "video/mp4",
    }
}

/// WebM and its elder: with a video track, or sound alone.
fn matroska(bytes: &[u8], named: Option<&'static str>) -> &'static str {
    match (holds(bytes, b"webm"), named) {
        (false, _) => "video/x-matroska",
        (true, Some("audio/webm")) => "audio/webm",
        // Codec ids of tracks: `A_OPUS`, `V_VP9`.
        (true, _) if holds(bytes, b"A_") && !holds(bytes, b"V_") => "audio/webm",
        (true, _) => "video/webm",
    }
}

/// Whether a word is near the start, where containers describe themselves.
fn holds(bytes: &[u8], word: &[u8]) -> bool {
    const HEAD: usize = 4096;
    bytes.get(..HEAD).unwrap_or(bytes).windows(word.len()).any(|window| window == word)
}

/// UTF-8 without control characters that no text has.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\x0C' | '\x1B'))
    })
}

fn text_type(named: Option<&'static str>) -> &'static str {
    named
        .filter(|mime| mime.starts_with("text/") || matches!(*mime, "application/json" | "image/svg+xml"))
        // No service takes SVG as a picture; as text every model reads it.
        .filter(|mime| *mime != "image/svg+xml")
        .unwrap_or("text/plain")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_form_is_told() {
        let cases: [(&[u8], Option<&'static str>, &str); 24] = [
            (b"\x89PNG\r\n\x1a\n", None, "image/png"),
            (b"\xFF\xD8\xFF\xE0", None, "image/jpeg"),
            (b"GIF89a", None, "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", None, "image/webp"),
            (b"BM\x10\0\0\0", None, "image/bmp"),
            (b"II*\0", None, "image/tiff"),
            (b"\0\0\0\x20ftypheic", None, "image/heic"),
            (b"\0\0\0\x20ftypavif", None, "image/avif"),
            (b"RIFF\x10\0\0\0WAVEfmt ", None, "audio/wav"),
            (b"ID3\x04", None, "audio/mpeg"),
            (b"\xFF\xFB\x90", None, "audio/mpeg"),
            (b"\xFF\xF1\x50", None, "audio/aac"),
            (b"OggS\0\x02OpusHead", None, "audio/ogg"),
            (b"OggS\0\x02\x80theora", None, "video/ogg"),
            (b"fLaC", None, "audio/flac"),
            (b"\0\0\0\x20ftypM4A ", None, "audio/mp4"),
            (b"\0\0\0\x20ftypisom", Some("audio/mp4"), "audio/mp4"),
            (b"\0\0\0\x20ftypisom", None, "video/mp4"),
            (b"\0\0\0\x20ftypqt  ", None, "video/quicktime"),
            (b"\x1A\x45\xDF\xA3..webm..A_OPUS", None, "audio/webm"),
            (b"\x1A\x45\xDF\xA3..webm..V_VP9..A_OPUS", None, "video/webm"),
            (b"%PDF-1.4", Some("text/plain"), "application/pdf"),
            (b"BMW is a car", None, "text/plain"),
            (b"a,b\n", Some("text/csv"), "text/csv"),
        ];
        for (bytes, named, mime) in cases {
            assert_eq!(media_type(bytes, named), Some(mime), "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(media_type(b"\0\x01", Some("image/png")), None);
        assert_eq!(media_type(b"<svg/>", Some("image/svg+xml")), Some("text/plain"));
        assert_eq!(media_type(b"text", Some("image/png")), Some("text/plain"));
    }
}
