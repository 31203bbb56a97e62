//! Takes a secret out of what a server sends, before the guest sees it.
//!
//! Some services quote the key in their error; a hostile one could hand it to the component on purpose. The bytes
//! are replaced one for one, so that a `content-length` stays true.

use crate::secrets::Secret;
use bytes::{Bytes, BytesMut};

/// Shorter ones occur in honest text by chance, and are no secrets.
const MIN_SECRET: usize = 6;

/// Searches a stream for secrets, across the borders of its pieces.
pub(super) struct Redactor {
    secrets: Vec<Secret>,
    /// The end of what has come, which may be the beginning of a secret.
    held: BytesMut,
}

impl Redactor {
    pub(super) fn new(secrets: impl Iterator<Item = Secret>) -> Self {
        Self {
            secrets: secrets.filter(|secret| secret.expose().len() >= MIN_SECRET).collect(),
            held: BytesMut::new(),
        }
    }

    /// Takes the next piece; gives what is safe to pass on, possibly nothing yet.
    pub(super) fn piece(&mut self, piece: Bytes) -> Bytes {
        if self.held.is_empty() && !self.touches(&piece) {
            return piece;
        }
        self.held.extend_from_slice(&piece);
        for secret in &self.secrets {
            blank(&mut self.held, secret.expose().as_bytes());
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
        let mut text = text.to_vec();
        for secret in &self.secrets {
            blank(&mut text, secret.expose().as_bytes());
        }
        text
    }

    fn touches(&self, piece: &[u8]) -> bool {
        self.pending(piece) > 0
            || self.secrets.iter().any(|secret| find(piece, secret.expose().as_bytes()).is_some())
    }

    /// Length of the longest end of `bytes` that is the beginning of a secret.
    fn pending(&self, bytes: &[u8]) -> usize {
        self.secrets
            .iter()
            .flat_map(|secret| {
                let secret = secret.expose().as_bytes();
                (1..secret.len().min(bytes.len() + 1))
                    .rev()
                    .find(|length| bytes.ends_with(&secret[..*length]))
            })
            .max()
            .unwrap_or(0)
    }
}

fn find(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, secret)
}

fn blank(bytes: &mut [u8], secret: &[u8]) {
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| find(rest, secret)) {
        let start = from + at;
        from = start + secret.len();
        if let Some(found) = bytes.get_mut(start..from) {
            found.fill(b'*');
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(secret: &str, pieces: &[&[u8]]) -> Vec<u8> {
        let mut redactor = Redactor::new(std::iter::once(Secret::new(secret.to_owned())));
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
        let mut redactor = Redactor::new(std::iter::once(Secret::new("sk-secret".to_owned())));
        assert_eq!(redactor.piece(Bytes::from_static(b"hello")), "hello");
        assert_eq!(redactor.piece(Bytes::from_static(b"sk-se")), "");
        assert_eq!(redactor.piece(Bytes::from_static(b"rif")), "sk-serif");
        assert_eq!(run("sk-secret", &[b"x sk-secre"]), b"x sk-secre");
    }
}
