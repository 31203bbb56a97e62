//! Takes a secret out of what a server sends, before the guest sees it.
//!
//! Some services quote the key in their error; a hostile one could hand it to the component on purpose. The bytes
//! are replaced one for one, so that a `content-length` stays true. A secret is found as it is, as JSON and URLs write
//! it, and in base64 (at each of its three offsets, in both alphabets), in bodies and in the values of headers; a header
//! that has it in its name is dropped, and so are all trailers. Not found is what a server and a component agree on in
//! secret: it is the server that has the key, and may send it to whom it likes without the component's help.

use crate::secrets::Secret;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Shorter ones occur in honest text by chance, and are no secrets.
const MIN_SECRET: usize = 6;

/// The same for pieces of base64, whose ends say nothing of the secret alone.
const MIN_BASE64: usize = 8;

/// What URLs escape.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

type Pattern = Zeroizing<Vec<u8>>;

/// What some secrets look like. Made once for each set of keys, and not for each response.
pub(crate) struct Patterns {
    all: Vec<Pattern>,
    search: Option<AhoCorasick>,
    /// The bytes that occur in patterns: a piece that ends in another one ends in the beginning of none.
    bytes: [bool; 256],
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Patterns {
    pub(crate) fn of<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut all = Vec::new();
        for secret in secrets.map(Secret::expose).filter(|secret| secret.len() >= MIN_SECRET) {
            forms(secret, &mut all);
        }
        all.sort_unstable_by(|one, other| one.as_slice().cmp(other));
        all.dedup_by(|one, other| one.as_slice() == other.as_slice());
        let mut bytes = [false; 256];
        for byte in all.iter().flat_map(|pattern| pattern.iter()) {
            if let Some(slot) = bytes.get_mut(usize::from(*byte)) {
                *slot = true;
            }
        }
        // With bounded patterns there is always room to build it; without, each is searched for by itself.
        let builder = || {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                // 8 KiB and 18 µs for a key, and as fast as the default, which takes 128 KiB and 66 µs.
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(all.iter().map(|p| p.as_slice()))
        };
        let search = (!all.is_empty()).then(|| builder().ok()).flatten();
        Self { all, search, bytes }
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.search {
            Some(search) => search.is_match(bytes),
            None => self.all.iter().any(|pattern| memchr::memmem::find(bytes, pattern).is_some()),
        }
    }

    /// Blanks every occurrence, of those that overlap, too.
    fn blank(&self, bytes: &mut [u8]) {
        if !self.is_in(bytes) {
            return;
        }
        let mut found = Vec::new();
        for pattern in &self.all {
            found.extend(
                memchr::memmem::find_iter(bytes, pattern.as_slice()).map(|at| at..at + pattern.len()),
            );
        }
        for range in found {
            if let Some(bytes) = bytes.get_mut(range) {
                bytes.fill(b'*');
            }
        }
    }

    /// A text as it may be shown.
    pub(crate) fn blanked(&self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        self.blank(&mut text);
        text
    }

    /// The same of a text of characters: those of a secret are whole ones.
    pub(crate) fn hidden(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.blanked(text.as_bytes())).into_owned()
    }

    /// Length of the longest end of `bytes` that is the beginning of a secret.
    fn pending(&self, bytes: &[u8]) -> usize {
        let ends = |byte: &u8| self.bytes.get(usize::from(*byte)).is_some_and(|occurs| *occurs);
        if !bytes.last().is_some_and(ends) {
            return 0;
        }
        let longest = |pattern: &Pattern| {
            (1..pattern.len().min(bytes.len() + 1))
                .rev()
                .find(|length| pattern.get(..*length).is_some_and(|beginning| bytes.ends_with(beginning)))
        };
        self.all.iter().filter_map(longest).max().unwrap_or(0)
    }
}

/// The forms of a secret that are looked for.
fn forms(secret: &str, all: &mut Vec<Pattern>) {
    let mut add = |bytes: &[u8]| all.push(Zeroizing::new(bytes.to_vec()));
    add(secret.as_bytes());
    if let Ok(json) = serde_json::to_string(secret).map(Zeroizing::new) {
        let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or(&json);
        add(json.as_bytes());
        add(Zeroizing::new(json.replace('/', "\\/")).as_bytes());
    }
    for set in [NON_ALPHANUMERIC, RESERVED] {
        let url = Zeroizing::new(utf8_percent_encode(secret, set).to_string());
        add(url.as_bytes());
        add(lowercase_escapes(&url).as_bytes());
    }
    for offset in 0..3 {
        let mut bytes = Zeroizing::new(vec![0; offset]);
        bytes.extend_from_slice(secret.as_bytes());
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = Zeroizing::new(engine.encode(&*bytes));
            // Characters that are made of other bytes, too, may be any.
            let start = (offset * 8).div_ceil(6);
            let end = bytes.len() * 8 / 6;
            if let Some(sure) = text.as_bytes().get(start..end).filter(|sure| sure.len() >= MIN_BASE64) {
                add(sure);
            }
        }
    }
}

/// `%2F` as `%2f`.
fn lowercase_escapes(url: &str) -> Zeroizing<String> {
    let mut left = 0_usize;
    let mut lowered = Zeroizing::new(String::with_capacity(url.len()));
    for c in url.chars() {
        lowered.push(if left > 0 { c.to_ascii_lowercase() } else { c });
        left = if c == '%' { 2 } else { left.saturating_sub(1) };
    }
    lowered
}

/// Searches a stream for secrets, across the borders of its pieces.
pub(super) struct Redactor {
    secrets: Vec<Arc<Patterns>>,
    /// The end of what has come, which may be the beginning of a secret.
    held: BytesMut,
}

impl Redactor {
    /// `None` where there is nothing to look for.
    pub(super) fn new(secrets: impl Iterator<Item = Arc<Patterns>>) -> Option<Self> {
        let secrets: Vec<_> = secrets.filter(|secret| !secret.is_empty()).collect();
        (!secrets.is_empty()).then(|| Self { secrets, held: BytesMut::new() })
    }

    /// Takes the next piece; gives what is safe to pass on, possibly nothing yet.
    pub(super) fn piece(&mut self, piece: Bytes) -> Bytes {
        if self.held.is_empty() && self.pending(&piece) == 0 && !self.is_in(&piece) {
            return piece;
        }
        self.held.extend_from_slice(&piece);
        for secret in &self.secrets {
            secret.blank(&mut self.held);
        }
        let keep = self.pending(&self.held);
        self.held.split_to(self.held.len() - keep).freeze()
    }

    /// The stream is over: what was held back was no secret.
    pub(super) fn rest(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    /// A text as it may be shown.
    pub(super) fn text(&self, text: &[u8]) -> Vec<u8> {
        self.secrets.iter().fold(text.to_vec(), |mut text, secret| {
            secret.blank(&mut text);
            text
        })
    }

    /// Whether a header's name, which has lost its capitals, holds a secret.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let name = name.as_bytes();
        let patterns = self.secrets.iter().flat_map(|secret| &secret.all);
        patterns
            .filter(|pattern| pattern.len() <= name.len())
            .any(|pattern| name.windows(pattern.len()).any(|window| window.eq_ignore_ascii_case(pattern)))
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.secrets.iter().any(|secret| secret.is_in(bytes))
    }

    fn pending(&self, bytes: &[u8]) -> usize {
        self.secrets.iter().map(|secret| secret.pending(bytes)).max().unwrap_or(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn patterns(secret: &str) -> Arc<Patterns> {
        Arc::new(Patterns::of(std::iter::once(&Secret::new(secret.to_owned()))))
    }

    fn redactor(secret: &str) -> Redactor {
        Redactor::new(std::iter::once(patterns(secret))).unwrap()
    }

    fn run(secret: &str, pieces: &[&[u8]]) -> Vec<u8> {
        let mut redactor = redactor(secret);
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&redactor.piece(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&redactor.rest());
        out
    }

    #[test]
    fn a_secret_is_found_however_it_is_cut() {
        let text = b"a sk-sk-secret b sk-secret";
        for first in 0..text.len() {
            for second in first..text.len() {
                let out = run("sk-secret", &[&text[..first], &text[first..second], &text[second..]]);
                assert_eq!(out, b"a sk-********* b *********", "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn other_bytes_pass_unchanged_and_at_once() {
        let mut redactor = redactor("sk-secret");
        assert_eq!(redactor.piece(Bytes::from_static(b"hello")), "hello");
        assert_eq!(redactor.piece(Bytes::from_static(b"sk-se")), "");
        assert_eq!(redactor.piece(Bytes::from_static(b"rif")), "sk-serif");
        assert_eq!(run("sk-secret", &[b"x sk-secre"]), b"x sk-secre");
    }

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let secret = "sk/very+secret=\"key\"é";
        let json = serde_json::to_string(secret).unwrap();
        let url = "sk%2Fvery%2Bsecret%3D%22key%22%C3%A9";
        let mut written = vec![
            secret.to_owned(),
            json.trim_matches('"').to_owned(),
            json.trim_matches('"').replace('/', "\\/"),
            url.to_owned(),
            url.to_lowercase(),
        ];
        for before in ["", "a", "ab", "user:"] {
            let text = format!("{before}{secret} and more");
            written.extend([STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]);
        }
        for text in written {
            let sent = format!("<{text}>");
            for cut in 0..sent.len() {
                let out = run(secret, &[&sent.as_bytes()[..cut], &sent.as_bytes()[cut..]]);
                assert_eq!(out.len(), sent.len());
                let out = String::from_utf8_lossy(&out);
                // Of base64, what is made of other bytes, too, stays.
                let shown = out.trim_matches(['<', '>']).trim_matches('*');
                assert!(out.matches('*').count() >= secret.len() - 4, "{text} cut at {cut}: {out}");
                assert!(!shown.contains(&text[text.len() / 4..text.len() / 2]), "{text} cut at {cut}: {out}");
            }
        }
        // A key that looks the same in a URL is one pattern.
        let plain = patterns("abcdefghij");
        assert!(plain.all.len() <= 4, "{}", plain.all.len());
        assert!(Redactor::new(std::iter::once(patterns("short"))).is_none());
    }

    #[test]
    fn names_of_headers_are_looked_at() {
        let redactor = redactor("Sk-Secret");
        assert!(redactor.is_named("x-sk-secret-y") && !redactor.is_named("x-sk-secre"));
    }
}
