//! Lifts `<think>…</think>` out of an answer's text, piece by piece.
//!
//! Problem: models that think in tags meet servers that don't take the tags apart, and a tag can be cut anywhere.
//! Decision: only what could be the beginning of a tag is held back. `<think>` counts at the very start of the answer,
//! so that an answer about tags stays whole. Some templates open the thought in the prompt, and then only
//! `</think>` is seen: with [`Opening::Prompt`] that is known from the start; else it counts where it begins a line,
//! and what came before it turns out to have been reasoning ([`Piece::WasReasoning`]). Where that can't be meant
//! ([`Opening::Pair`]), it stays text.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Who writes the opening tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opening {
    /// The model, if it thinks.
    #[default]
    Model,
    /// The prompt's template: the answer begins inside the thought.
    Prompt,
    /// The model, and nothing but both tags makes a thought: a lone closing tag is text.
    Pair,
}

/// What a splitter gives, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// More reasoning.
    Reasoning(&'a str),
    /// More of the answer.
    Text(&'a str),
    /// A thought was closed that nobody saw opened: all text so far was reasoning. In a stream it can't be taken
    /// back; what follows should begin a part of its own.
    WasReasoning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but space so far.
    Start,
    Inside,
    /// In the answer. A lone closing tag still counts.
    Open,
    /// In the answer, after a thought.
    Answer,
}

/// Splits one answer.
#[derive(Debug)]
pub struct Think {
    opening: Opening,
    state: State,
    /// What may be the beginning of a tag, or space before one.
    held: String,
    /// The next output loses its leading space: the line break after a tag belongs to the tag.
    trim: bool,
    /// The output so far ends a line.
    line_start: bool,
}

impl Think {
    /// A splitter for one answer.
    #[must_use]
    pub fn new(opening: Opening) -> Self {
        Self { opening, state: State::Start, held: String::new(), trim: false, line_start: true }
    }

    /// Splits an answer that is there as a whole: reasoning (empty if there is none) and text.
    #[must_use]
    pub fn whole(opening: Opening, answer: &str) -> (String, String) {
        let (mut reasoning, mut text) = (String::new(), String::new());
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Reasoning(more) => reasoning.push_str(more),
            Piece::Text(more) => text.push_str(more),
            Piece::WasReasoning => reasoning.push_str(&std::mem::take(&mut text)),
        };
        let mut think = Self::new(opening);
        think.push(answer, &mut take);
        think.finish(&mut take);
        (reasoning, text)
    }

    /// Takes more of the answer.
    pub fn push(&mut self, text: &str, take: &mut dyn FnMut(Piece<'_>)) {
        if self.held.is_empty() {
            self.split(text, take);
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.push_str(text);
            self.split(&held, take);
        }
    }

    /// The answer is over: gives what was held back.
    pub fn finish(&mut self, take: &mut dyn FnMut(Piece<'_>)) {
        let held = std::mem::take(&mut self.held);
        if self.state == State::Start {
            self.state = State::Answer;
        }
        self.give(&held, take);
    }

    fn split(&mut self, mut rest: &str, take: &mut dyn FnMut(Piece<'_>)) {
        loop {
            match self.state {
                State::Start => {
                    let begin = rest.trim_start();
                    if let Some(after) = begin.strip_prefix(OPEN) {
                        (self.state, self.trim, rest) = (State::Inside, true, after);
                    } else if OPEN.starts_with(begin) {
                        self.held.push_str(rest);
                        return;
                    } else {
                        self.state = match self.opening {
                            Opening::Prompt => State::Inside,
                            Opening::Model => State::Open,
                            Opening::Pair => State::Answer,
                        };
                    }
                }
                State::Answer => return self.give(rest, take),
                State::Inside | State::Open => match self.close(rest) {
                    Close::None => return self.give(rest, take),
                    Close::MayBegin(at) => {
                        let (now, later) = rest.split_at(at);
                        self.give(now, take);
                        self.held.push_str(later);
                        return;
                    }
                    Close::At(at) => {
                        let (before, after) = rest.split_at(at);
                        self.give(before, take);
                        if self.state == State::Open {
                            take(Piece::WasReasoning);
                        }
                        (self.state, self.trim) = (State::Answer, true);
                        rest = after.get(CLOSE.len()..).unwrap_or_default();
                    }
                },
            }
        }
    }

    /// Where a closing tag is, or may begin.
    fn close(&self, rest: &str) -> Close {
        // The usual piece has no tag, and a search for more than one byte costs more than the piece.
        let Some(first) = memchr::memchr(b'<', rest.as_bytes()) else { return Close::None };
        let counts = |at: usize| {
            self.state == State::Inside
                || match rest.get(..at) {
                    Some("") | None => self.line_start,
                    Some(before) => before.ends_with('\n'),
                }
        };
        if let Some((at, _)) = rest.match_indices(CLOSE).find(|(at, _)| counts(*at)) {
            return Close::At(at);
        }
        let shortest = first.max(rest.len().saturating_sub(CLOSE.len() - 1));
        (shortest..rest.len())
            .find(|&at| rest.get(at..).is_some_and(|tail| CLOSE.starts_with(tail)) && counts(at))
            .map_or(Close::None, Close::MayBegin)
    }

    fn give(&mut self, text: &str, take: &mut dyn FnMut(Piece<'_>)) {
        let text = if self.trim { text.trim_start() } else { text };
        if text.is_empty() {
            return;
        }
        self.trim = false;
        self.line_start = text.ends_with('\n');
        take(if self.state == State::Inside { Piece::Reasoning(text) } else { Piece::Text(text) });
    }
}

enum Close {
    None,
    MayBegin(usize),
    At(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reasoning, text, and the text that turned out to be reasoning.
    fn split(opening: Opening, pieces: &[&str]) -> (String, String, String) {
        let (mut reasoning, mut text, mut was) = (String::new(), String::new(), String::new());
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Reasoning(more) => reasoning.push_str(more),
            Piece::Text(more) => text.push_str(more),
            Piece::WasReasoning => was = std::mem::take(&mut text),
        };
        let mut think = Think::new(opening);
        for piece in pieces {
            think.push(piece, &mut take);
        }
        think.finish(&mut take);
        (reasoning, text, was)
    }

    #[test]
    fn the_same_wherever_it_is_cut() {
        use Opening::{Model, Pair, Prompt};
        for (opening, answer, reasoning, text, was) in [
            (Model, "<think>\nhm ü < b\n</think>\n\nYes </think> €", "hm ü < b\n", "Yes </think> €", ""),
            (Model, "\n <think>a</think>b", "a", "b", ""),
            (Model, "<think></think>\n\nb", "", "b", ""),
            (Model, "plain <think>x</think>", "", "plain <think>x</think>", ""),
            (Model, "  <thin", "", "  <thin", ""),
            (Model, "<think>cut </thin", "cut </thin", "", ""),
            (Model, "hm\nwell\n</think>\n\nYes", "", "Yes", "hm\nwell\n"),
            (Model, "</think>Yes", "", "Yes", ""),
            (Model, "use `</think>` to close\n</thin", "", "use `</think>` to close\n</thin", ""),
            (Prompt, "hm</think>\nYes", "hm", "Yes", ""),
            (Prompt, "<think>hm</think>Yes", "hm", "Yes", ""),
            (Prompt, "never closed", "never closed", "", ""),
            (Pair, "hm\n</think>\n\nYes", "", "hm\n</think>\n\nYes", ""),
            (Pair, "<think>hm</think>\nYes\n</think>", "hm", "Yes\n</think>", ""),
            (Model, "", "", "", ""),
            (Model, " \n", "", " \n", ""),
        ] {
            let want = (reasoning.to_owned(), text.to_owned(), was.to_owned());
            assert_eq!(split(opening, &[answer]), want, "{answer:?}");
            let cuts: Vec<usize> = (0..=answer.len()).filter(|&cut| answer.is_char_boundary(cut)).collect();
            for &first in &cuts {
                for &second in cuts.iter().filter(|&&second| second >= first) {
                    let pieces = [&answer[..first], &answer[first..second], &answer[second..]];
                    assert_eq!(split(opening, &pieces), want, "{pieces:?}");
                }
            }
            let whole = Think::whole(opening, answer);
            assert_eq!(whole, (format!("{was}{reasoning}"), text.to_owned()));
        }
    }

    #[test]
    fn nothing_is_held_that_is_no_tag() {
        let mut got = Vec::new();
        let mut think = Think::new(Opening::Model);
        for piece in ["<", "b>", " x <", "/"] {
            think.push(piece, &mut |piece| got.push(format!("{piece:?}")));
        }
        assert_eq!(got, [r#"Text("<b>")"#, r#"Text(" x <")"#, r#"Text("/")"#]);
    }
}
