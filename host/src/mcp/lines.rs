//! What a server prints on its standard output, looked at before anything of it is kept.
//!
//! Problem: a message is a line, and whoever reads lines holds all of a line that does not end; a program that is no
//! server, or prints its log there, has lines that are no messages. Decision: bytes are counted as they come from the
//! pipe: a line that is too long, or too much that is no message, ends the connection, and why is kept for the callers.
//! A few other lines are let pass, as programs print a greeting before they become servers.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of one message: a result with some pictures in it.
pub(super) const LONGEST: usize = 16 << 20;

/// What is told of a longer one.
pub(super) const TOO_LONG: &str = "it sent a message of more than 16 MiB";

/// Bytes of lines that are no messages, of a connection: more than any greeting.
const MOST_OTHER: usize = 1 << 20;

/// Bytes that are kept of the first such line.
const KEPT: usize = 200;

/// What was heard that was no message.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The beginning of the first other line.
    pub(super) other: String,
    /// Why no more is read.
    pub(super) fault: Option<&'static str>,
}

/// What is kept of it, for whoever has to tell.
pub(super) type Hearing = Arc<Mutex<Heard>>;

/// The standard output of a server.
pub(super) struct Lines<R> {
    inner: R,
    heard: Hearing,
    /// Bytes of the line that has begun.
    length: usize,
    /// The line that has begun is no message.
    other: bool,
    others: usize,
    /// The beginning of the first line that is no message.
    first: Vec<u8>,
}

impl<R> Lines<R> {
    pub(super) fn new(inner: R, heard: Hearing) -> Self {
        Self { inner, heard, length: 0, other: false, others: 0, first: Vec::new() }
    }

    /// Looks at bytes that have come.
    fn look(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.length == 0 {
                let first = piece.iter().find(|byte| !byte.is_ascii_whitespace());
                self.other = first.is_some_and(|first| *first != b'{' && *first != b'[');
            }
            let ends = piece.ends_with(b"\n");
            self.length += piece.len();
            if self.other {
                self.note(piece, ends);
                if self.others > MOST_OTHER {
                    return Err(
                        "it printed more than 1 MiB on its standard output that is no message of MCP",
                    );
                }
            }
            if self.length > LONGEST {
                return Err(TOO_LONG);
            }
            if ends {
                self.length = 0;
            }
        }
        Ok(())
    }

    fn note(&mut self, piece: &[u8], ends: bool) {
        // Only the first line: its end closes what is kept.
        if self.others < KEPT && self.first.last() != Some(&b'\n') {
            let room = KEPT - self.first.len().min(KEPT);
            self.first.extend(piece.iter().take(room));
            if ends || self.first.len() == KEPT {
                let told = String::from_utf8_lossy(&self.first).trim().to_owned();
                self.heard.lock().unwrap_or_else(PoisonError::into_inner).other = told;
                self.first.push(b'\n');
            }
        }
        self.others += piece.len();
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Lines<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let looked = self.look(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(looked.map_err(|fault| {
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).fault = Some(fault);
            io::Error::other(fault)
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn lines() -> (Lines<tokio::io::Empty>, Hearing) {
        let heard = Hearing::default();
        (Lines::new(tokio::io::empty(), heard.clone()), heard)
    }

    #[test]
    fn a_greeting_passes_and_is_remembered() {
        let (mut lines, heard) = lines();
        for piece in ["Wel", "come\n{\"a\"", ": 1}\n  \n", "later\n", " {}\n"] {
            lines.look(piece.as_bytes()).unwrap();
        }
        assert_eq!(heard.lock().unwrap().other, "Welcome");
        assert_eq!(lines.others, "Welcome\nlater\n".len());
    }

    #[test]
    fn what_never_ends_is_ended() {
        let chunk = vec![b' '; 8192];
        let mut line = lines().0;
        line.look(b"{").unwrap();
        let read = std::iter::repeat_with(|| line.look(&chunk)).take_while(Result::is_ok).count();
        assert_eq!(read, LONGEST / chunk.len() - 1);
        let (mut noise, heard) = lines();
        let read = std::iter::repeat_with(|| noise.look(&[b'x'; 1024])).take_while(Result::is_ok).count();
        assert_eq!(read, MOST_OTHER / 1024);
        assert_eq!(heard.lock().unwrap().other.len(), KEPT);
        let (mut many, _) = lines();
        assert!((0..=MOST_OTHER / 2).any(|_| many.look(b"x\n").is_err()));
    }
}
