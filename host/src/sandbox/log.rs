//! What a guest writes: its `log` calls and its stderr go to tracing, under the plugin's name and bounded.

use crate::limits::Limits;
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The log of one call. Clones share it.
#[derive(Clone)]
pub(super) struct GuestLog(Arc<Mutex<Inner>>);

struct Inner {
    plugin: Arc<str>,
    lines_left: usize,
    /// Bytes at which a line is cut.
    line_bytes: usize,
    /// What has come on stderr without a line's end.
    partial: Vec<u8>,
    /// The last complete line on stderr: the message of a panic, mostly.
    last: String,
    /// The line that says where a panic was, when one came.
    panic: Option<String>,
}

impl GuestLog {
    pub(super) fn new(plugin: Arc<str>, limits: &Limits) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            plugin,
            lines_left: limits.log_lines,
            line_bytes: limits.log_line,
            partial: Vec::new(),
            last: String::new(),
            panic: None,
        })))
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one line, while the call has lines left.
    pub(super) fn line(&self, level: tracing::Level, message: &str) {
        self.inner().line(level, message);
    }

    /// What the guest said last on stderr, for the error of a trap.
    pub(super) fn last_words(&self) -> Option<String> {
        let mut inner = self.inner();
        inner.end_line();
        inner.panic.take().or_else(|| (!inner.last.is_empty()).then(|| std::mem::take(&mut inner.last)))
    }
}

impl Inner {
    fn line(&mut self, level: tracing::Level, message: &str) {
        if self.lines_left == 0 {
            return;
        }
        self.lines_left -= 1;
        let message = clip(message, self.line_bytes);
        let plugin = &*self.plugin;
        match level {
            tracing::Level::TRACE => tracing::trace!(target: "plugin", plugin, "{message}"),
            tracing::Level::DEBUG => tracing::debug!(target: "plugin", plugin, "{message}"),
            tracing::Level::INFO => tracing::info!(target: "plugin", plugin, "{message}"),
            tracing::Level::WARN => tracing::warn!(target: "plugin", plugin, "{message}"),
            tracing::Level::ERROR => tracing::error!(target: "plugin", plugin, "{message}"),
        }
        if self.lines_left == 0 {
            tracing::warn!(
                target: "plugin",
                plugin,
                "has reached its limit `log-lines`; the rest is dropped. Raise it with `--limit log-lines=…`"
            );
        }
    }

    fn stderr(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = self.line_bytes.saturating_sub(self.partial.len());
            self.partial.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.partial);
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end();
        if line.is_empty() {
            return;
        }
        // Rust prints the place and the message on two lines; both tell the author what to mend.
        if self.last.contains("panicked at") {
            self.panic = Some(format!("{} {line}", self.last));
        }
        line.clone_into(&mut self.last);
        // What libraries print there is of interest to the author; a panic's message is in the error besides.
        self.line(tracing::Level::INFO, line);
    }
}

/// Cut to a line's length, control characters out: a guest does not write to the operator's terminal.
fn clip(text: &str, bytes: usize) -> String {
    let text = text.get(..text.floor_char_boundary(bytes)).unwrap_or_default();
    text.chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

impl IsTerminal for GuestLog {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestLog {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only preview 1 and 3 ask for this one, and neither is linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for GuestLog {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.inner().stderr(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[async_trait::async_trait]
impl Pollable for GuestLog {
    async fn ready(&mut self) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_whole_and_cut_lines_are_joined() {
        let mut log = GuestLog::new("x".into(), &Limits::default());
        for piece in ["thread main panicked at src/l", "ib.rs:1:2:\nno cheese\nnote: run with\n"] {
            log.write(Bytes::from_static(piece.as_bytes())).unwrap();
        }
        assert_eq!(log.last_words().unwrap(), "thread main panicked at src/lib.rs:1:2: no cheese");
    }

    #[test]
    fn an_endless_line_is_bounded() {
        let mut log = GuestLog::new("x".into(), &Limits::default());
        for _ in 0..100 {
            log.write(Bytes::from(vec![b'a'; 1024])).unwrap();
        }
        assert_eq!(log.last_words().unwrap().len(), Limits::default().log_line);
    }
}
