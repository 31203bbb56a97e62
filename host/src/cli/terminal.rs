//! The two streams that people and pipes read.
//!
//! What a model or a plugin says is not trusted at a terminal: an escape sequence in it could rewrite the screen or
//! the clipboard. There, control characters are left out; into a pipe or a file the text goes as it is.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal, Write};

const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Stdout: the answer and nothing else.
pub(super) struct Stdout {
    stream: io::Stdout,
    terminal: bool,
    /// The last character was a line's end, or there was none.
    at_line_start: bool,
}

impl Stdout {
    pub(super) fn new() -> Self {
        let stream = io::stdout();
        let terminal = stream.is_terminal();
        Self { stream, terminal, at_line_start: true }
    }

    /// Somebody looks at it.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes a piece of the answer. It is seen after the next [`Stdout::flush`].
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        let Some(last) = text.chars().next_back() else {
            return Ok(());
        };
        self.at_line_start = last == '\n';
        let text = if self.terminal { printable(text) } else { Cow::Borrowed(text) };
        self.stream.write_all(text.as_bytes())
    }

    /// Writes one JSON value as a line.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        let mut line = serde_json::to_string(value)?;
        if self.terminal {
            line = visible(line);
        }
        line.push('\n');
        self.stream.write_all(line.as_bytes())
    }

    /// Ends the line, if one was begun.
    pub(super) fn end_line(&mut self) -> io::Result<()> {
        if !self.at_line_start {
            self.at_line_start = true;
            self.stream.write_all(b"\n")?;
        }
        self.stream.flush()
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Stderr: everything that is not the answer. That nobody reads it is no error.
pub(super) struct Stderr {
    stream: io::Stderr,
    terminal: bool,
    styled: bool,
    at_line_start: bool,
}

impl Stderr {
    pub(super) fn new() -> Self {
        let stream = io::stderr();
        let terminal = stream.is_terminal();
        let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
        let styled =
            terminal && unset("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { stream, terminal, styled, at_line_start: true }
    }

    /// Somebody looks at it.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes a piece of something that grows, dim where that can be.
    pub(super) fn dim(&mut self, text: &str) {
        let Some(last) = text.chars().next_back() else {
            return;
        };
        self.at_line_start = last == '\n';
        let text = printable(text);
        // Set and reset with each piece, since the answer on stdout may share the screen at any moment.
        let _ = if self.styled {
            write!(self.stream, "{DIM}{text}{PLAIN}")
        } else {
            self.stream.write_all(text.as_bytes())
        };
    }

    /// Writes over the line that was begun, at a terminal: for what changes.
    pub(super) fn over(&mut self, text: &str) {
        self.at_line_start = false;
        let _ = write!(self.stream, "\r\x1b[K{}", printable(text));
    }

    /// Ends the line, if one was begun.
    pub(super) fn end_line(&mut self) {
        if !self.at_line_start {
            self.at_line_start = true;
            let _ = self.stream.write_all(b"\n");
        }
    }

    /// Writes a line of its own.
    pub(super) fn line(&mut self, text: &str) {
        self.end_line();
        let _ = writeln!(self.stream, "{}", printable(text));
    }

    /// Writes a question, whose answer is typed behind it.
    pub(super) fn question(&mut self, text: &str) {
        self.end_line();
        let _ = write!(self.stream, "{}", printable(text));
        let _ = self.stream.flush();
    }

    /// Writes a warning.
    pub(super) fn warning(&mut self, text: &str) {
        self.line(&format!("warning: {}", text.trim()));
    }
}

/// The text without control characters other than line ends and tabs.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let unsafe_at_a_terminal = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(unsafe_at_a_terminal) {
        Cow::Owned(text.chars().filter(|c| !unsafe_at_a_terminal(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// JSON with the characters escaped that steer a terminal or the direction of writing and that JSON itself leaves as
/// they are. They stand in strings only.
fn visible(json: String) -> String {
    let steers =
        |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !json.contains(steers) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len() + 8), |mut safe, c| {
        // Writing to a `String` can't fail.
        let _ = if steers(c) {
            fmt::Write::write_fmt(&mut safe, format_args!("\\u{:04x}", u32::from(c)))
        } else {
            fmt::Write::write_char(&mut safe, c)
        };
        safe
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn json_at_a_terminal_is_the_same_without_controls() {
        let value = serde_json::json!({ "a": "x\u{9b}2J\u{7f}é\u{1b}\u{202e}" });
        let safe = visible(value.to_string());
        assert!(safe.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }

    #[test]
    fn escapes_do_not_reach_a_terminal() {
        assert_eq!(printable("a\x1b]52;c;eA==\x07\tb\r\nc\u{9b}2J"), "a]52;c;eA==\tb\nc2J");
        assert!(matches!(printable("plain\n\ttext é"), Cow::Borrowed(_)));
    }
}
