//! One exchange with a provider: a request out, an answer through a [`Decoder`], a completion or a failure back.
//!
//! Problem: whether an answer is a stream is not what was asked but what came: proxies turn one into the other, and
//! errors come as pages. Decision: the content type decides, and where it says nothing, the first byte. Events reach
//! the host once for each read: never held back while the network is waited for, never one by one.

use crate::eventstream::{Framing, Message};
use crate::failure::excerpt;
use crate::http::{Body, ErrorResponse, HttpRequest, Pending, Response, begin, send};
use crate::json::value_of_bytes;
use crate::ndjson::NdjsonParser;
use crate::sse::{BOM, SseParser};
use crate::{Completion, Decoder, Event, Events, Failure, Frame};

/// The largest answer in one piece. Media come in base64 inside it.
const MAX_WHOLE: usize = 64 * 1024 * 1024;

/// How much of an error's body is read: no API explains itself at more length.
const MAX_ERROR: usize = 256 * 1024;

/// Turns an error response into a failure; [`Failure::from_response`] is the one to start from.
pub type ErrorMapper<'a> = dyn Fn(&ErrorResponse) -> Failure + 'a;

/// Sends a request and runs its answer, streamed or whole, through a decoder.
///
/// # Errors
/// The request failed (`network`, `timeout`, `denied`), the provider refused it (as `on_error` maps it), or its
/// answer is cut short or makes no sense.
pub fn run(
    request: &HttpRequest,
    decoder: &mut dyn Decoder,
    events: &mut Events<'_>,
    on_error: &ErrorMapper<'_>,
) -> Result<Completion, Failure> {
    decode(send(request)?, decoder, events, on_error)
}

/// Sends a request and gives the JSON document that it answers: for lists of models and the like.
///
/// # Errors
/// As [`run`].
pub fn fetch_json(request: &HttpRequest, on_error: &ErrorMapper<'_>) -> Result<serde_json::Value, Failure> {
    read_json(send(request)?, on_error)
}

/// The same for several requests that are on their way at once; the answers in their order. A call makes only so many
/// requests (the host's limit `requests`), and one that fails leaves the others be.
pub fn fetch_json_each(
    requests: &[HttpRequest],
    on_error: &ErrorMapper<'_>,
) -> Vec<Result<serde_json::Value, Failure>> {
    let begun: Vec<Result<Pending, Failure>> = requests.iter().map(begin).collect();
    begun.into_iter().map(|pending| read_json(pending?.wait()?, on_error)).collect()
}

fn read_json<B: Body>(
    mut response: Response<B>,
    on_error: &ErrorMapper<'_>,
) -> Result<serde_json::Value, Failure> {
    let request_id = response.request_id();
    if !(200..300).contains(&response.status) {
        return Err(on_error(&read_error(response)));
    }
    let body = read_all(&mut response.body, Vec::new())?;
    value_of_bytes(&body).ok_or_else(|| Failure { request_id, ..not_json(&body) })
}

/// The half of [`run`] after the header has come. Natively it runs over any [`Body`].
///
/// # Errors
/// As [`run`].
pub fn decode<B: Body>(
    mut response: Response<B>,
    decoder: &mut dyn Decoder,
    events: &mut Events<'_>,
    on_error: &ErrorMapper<'_>,
) -> Result<Completion, Failure> {
    if !(200..300).contains(&response.status) {
        return Err(on_error(&read_error(response)));
    }
    let request_id = response.request_id();
    let outcome = answer(&mut response, decoder, events);
    match outcome {
        Ok(completion) => Ok(Completion { request_id: completion.request_id.or(request_id), ..completion }),
        Err(failure) => Err(Failure { request_id: failure.request_id.or(request_id), ..failure }),
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Sse,
    Ndjson,
    Whole,
    Page,
}

impl Form {
    /// By the content type; `None` where it says nothing.
    fn of_type(content_type: &str) -> Option<Self> {
        let mime = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Some(match mime.as_str() {
            "text/event-stream" => Self::Sse,
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json-lines"
            | "application/stream+json" => Self::Ndjson,
            "application/json" => Self::Whole,
            "text/html" => Self::Page,
            _ if mime.ends_with("+json") => Self::Whole,
            _ => return None,
        })
    }

    /// By the first byte that is neither space nor byte order mark.
    fn of_start(bytes: &[u8]) -> Option<Self> {
        if BOM.starts_with(bytes) {
            // Not even the mark has come.
            return None;
        }
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace())? {
            b'{' | b'[' => Some(Self::Whole),
            b'<' => Some(Self::Page),
            _ => Some(Self::Sse),
        }
    }
}

fn answer<B: Body>(
    response: &mut Response<B>,
    decoder: &mut dyn Decoder,
    events: &mut Events<'_>,
) -> Result<Completion, Failure> {
    let content_type = response.header("content-type").unwrap_or_default();
    let by_type = Form::of_type(content_type);
    if by_type.is_none()
        && let Some(framing) = decoder.framing(content_type)
    {
        return stream(&mut response.body, Parser::Own(framing), Vec::new(), decoder, events);
    }
    let body = &mut response.body;
    let mut first = Vec::new();
    let form = loop {
        if let Some(form) = by_type.or_else(|| Form::of_start(&first)) {
            break form;
        }
        match body.read()? {
            Some(more) => first.extend_from_slice(&more),
            None => break Form::Sse,
        }
    };
    match form {
        Form::Sse => stream(body, Parser::Sse(SseParser::default()), first, decoder, events),
        Form::Ndjson => stream(body, Parser::Ndjson(NdjsonParser::default()), first, decoder, events),
        Form::Whole => {
            decoder.whole(&read_all(body, first)?, &mut events.pending)?;
            decoder.finish(&mut events.pending)
        }
        Form::Page => Err(not_json(&read_some(body, first))),
    }
}

/// The framing of a stream.
enum Parser {
    Sse(SseParser),
    Ndjson(NdjsonParser),
    /// The wire's own.
    Own(Box<dyn Framing>),
}

impl Parser {
    /// Takes the next bytes, or the end of them. One closure serves all, so that a component has its decoder once.
    fn feed(
        &mut self,
        chunk: Option<&[u8]>,
        decoder: &mut dyn Decoder,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let mut on_frame = |frame: Frame<'_>| decoder.frame(frame, out);
        match (self, chunk) {
            (Self::Sse(parser), Some(chunk)) => parser.feed(chunk, &mut on_frame),
            (Self::Sse(parser), None) => parser.end(&mut on_frame),
            (Self::Ndjson(parser), Some(chunk)) => parser.feed(chunk, &mut on_frame),
            (Self::Ndjson(parser), None) => parser.end(&mut on_frame),
            (Self::Own(parser), None) => parser.end(),
            (Self::Own(parser), Some(chunk)) => {
                let mut exception = None;
                let outcome = parser.feed(chunk, &mut |message| match message {
                    Message::Event(frame) => on_frame(frame),
                    Message::Exception(Frame { event, data }) => {
                        exception = Some((event.to_owned(), data.to_owned()));
                        Err(Failure::protocol(event))
                    }
                });
                match exception {
                    Some((event, data)) => Err(decoder.exception(Frame { event: &event, data: &data })),
                    None => outcome,
                }
            }
        }
    }
}

fn stream(
    body: &mut impl Body,
    mut parser: Parser,
    first: Vec<u8>,
    decoder: &mut dyn Decoder,
    events: &mut Events<'_>,
) -> Result<Completion, Failure> {
    let mut chunk = first;
    loop {
        if !chunk.is_empty() {
            parser.feed(Some(&chunk), decoder, &mut events.pending)?;
            events.flush();
        }
        if decoder.done() {
            // A server that keeps the connection open must not hold the answer back, and a cut harms no more.
            body.drain();
            break;
        }
        match body.read()? {
            Some(more) => chunk = more,
            None => {
                parser.feed(None, decoder, &mut events.pending)?;
                break;
            }
        }
    }
    decoder.finish(&mut events.pending)
}

/// The rest of a body after `first`.
fn read_all(body: &mut impl Body, first: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let mut whole = first;
    while let Some(more) = body.read()? {
        whole.extend_from_slice(&more);
        if whole.len() > MAX_WHOLE {
            return Err(Failure::protocol(format!("the answer is larger than {} MiB", MAX_WHOLE >> 20)));
        }
    }
    Ok(without_mark(whole))
}

/// As much of a body as explains an error; what can't be read does not hide what could.
fn read_some(body: &mut impl Body, first: Vec<u8>) -> Vec<u8> {
    let mut some = first;
    while some.len() < MAX_ERROR
        && let Ok(Some(more)) = body.read()
    {
        some.extend_from_slice(&more);
    }
    without_mark(some)
}

/// A byte order mark is no JSON, but some servers put one there.
fn without_mark(mut body: Vec<u8>) -> Vec<u8> {
    if body.starts_with(BOM) {
        body.drain(..BOM.len());
    }
    body
}

fn read_error<B: Body>(mut response: Response<B>) -> ErrorResponse {
    let body = read_some(&mut response.body, Vec::new());
    Response { status: response.status, headers: response.headers, body }
}

/// The failure of an answer that should have been JSON or a stream and is neither.
pub(crate) fn not_json(body: &[u8]) -> Failure {
    Failure::protocol(match excerpt(body) {
        text if text.is_empty() => "the answer is empty".to_owned(),
        text if text.starts_with('<') => {
            format!(
                "the server answered with a web page, which no API does; is the base URL right? It begins: {text}"
            )
        }
        text => format!("the answer is not JSON. It begins: {text}"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::eventstream::{CONTENT_TYPE, EventStream};
    use crate::{FailureKind, FinishReason, Parts};

    /// Chunks, and whether the connection is cut after them.
    struct Chunks(std::vec::IntoIter<Vec<u8>>, bool);

    impl Body for Chunks {
        fn read(&mut self) -> Result<Option<Vec<u8>>, Failure> {
            match self.0.next() {
                Some(chunk) => Ok(Some(chunk)),
                None if self.1 => Err(Failure::new(FailureKind::Network, "cut")),
                None => Ok(None),
            }
        }
    }

    /// Frames are text until `END`.
    #[derive(Default)]
    struct Plain {
        parts: Parts,
        end: bool,
        whole: bool,
    }

    impl Decoder for Plain {
        fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
            match frame.data {
                "END" => self.end = true,
                "BAD" => return Err(Failure::protocol("bad")),
                text => self.parts.text(out, text),
            }
            Ok(())
        }
        fn whole(&mut self, body: &[u8], out: &mut Vec<Event>) -> Result<(), Failure> {
            self.parts.text(out, &String::from_utf8_lossy(body));
            (self.end, self.whole) = (true, true);
            Ok(())
        }
        fn framing(&self, content_type: &str) -> Option<Box<dyn Framing>> {
            (content_type == CONTENT_TYPE).then(|| Box::new(EventStream::default()) as _)
        }
        fn done(&self) -> bool {
            self.end
        }
        fn finish(&mut self, out: &mut Vec<Event>) -> Result<Completion, Failure> {
            self.parts.finish(out);
            if self.end { Ok(Completion::new(FinishReason::Stop)) } else { Err(Failure::truncated("END")) }
        }
    }

    fn play(
        status: u16,
        headers: &[(&str, &str)],
        chunks: &[impl AsRef<[u8]>],
        cut: bool,
    ) -> (Result<Completion, Failure>, String, bool) {
        let response = Response {
            status,
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: Chunks(
                chunks.iter().map(|chunk| chunk.as_ref().to_vec()).collect::<Vec<_>>().into_iter(),
                cut,
            ),
        };
        let mut decoder = Plain::default();
        let mut events = Events::default();
        let outcome = decode(response, &mut decoder, &mut events, &Failure::from_response);
        let text = events
            .pending
            .iter()
            .filter_map(|event| match event {
                Event::Delta(delta) => Some(delta.text.as_str()),
                _ => None,
            })
            .collect();
        (outcome, text, decoder.whole)
    }

    const SSE: (&str, &str) = ("Content-Type", "text/event-stream; charset=utf-8");
    const JSON: (&str, &str) = ("content-type", "application/json");

    #[test]
    fn streams_and_whole_answers_are_told_apart() {
        let chunks = ["data: a\n", "\ndata: b\n\nda", "ta: END\n\n"];
        for headers in [&[SSE][..], &[], &[("content-type", "text/plain")], &[("content-type", "")]] {
            let (outcome, text, whole) = play(200, headers, &chunks, false);
            assert_eq!((outcome.unwrap().finish, text.as_str(), whole), (FinishReason::Stop, "ab", false));
        }
        for headers in [&[JSON][..], &[], &[("content-type", "application/problem+json")]] {
            let (outcome, text, whole) = play(200, headers, &["\n ", "{\"a\":", "1}"], false);
            assert!(outcome.is_ok());
            assert_eq!((text.as_str().trim(), whole), ("{\"a\":1}", true));
            let (_, text, _) = play(200, headers, &[&b"\xef"[..], b"\xbb\xbf{\"a\":", b"1}"], false);
            assert_eq!(text, "{\"a\":1}");
        }
        let (outcome, text, _) =
            play(200, &[("content-type", "application/x-ndjson")], &["a\nb\nE", "ND"], false);
        assert!(outcome.is_ok());
        assert_eq!(text, "ab");
    }

    #[test]
    fn what_goes_wrong_is_named() {
        let fail =
            |headers: &[(&str, &str)], chunks: &[&str], cut| play(200, headers, chunks, cut).0.unwrap_err();
        let truncated = fail(&[SSE, ("request-id", "r1")], &["data: a\n\n"], false);
        assert_eq!((truncated.kind, truncated.request_id.as_deref()), (FailureKind::Protocol, Some("r1")));
        assert!(truncated.message.contains("truncated"));
        assert_eq!(fail(&[SSE], &["data: a\n\n"], true).kind, FailureKind::Network);
        assert_eq!(fail(&[SSE], &[], true).kind, FailureKind::Network);
        assert_eq!(fail(&[], &[], true).kind, FailureKind::Network);
        assert!(
            fail(&[("content-type", "text/html")], &["<html>", "hi"], false).message.contains("web page")
        );
        assert!(fail(&[], &["<!doctype html>"], false).message.contains("web page"));
        assert_eq!(fail(&[SSE], &["data: BAD\n\n"], false).message, "bad");
        assert_eq!(fail(&[JSON], &["{"], true).kind, FailureKind::Network);
    }

    #[test]
    fn a_cut_after_the_end_is_none() {
        let (outcome, text, _) =
            play(200, &[SSE, ("x-request-id", "r2")], &["data: a\n\ndata: END\n\n"], true);
        assert_eq!(outcome.unwrap().request_id.as_deref(), Some("r2"));
        assert_eq!(text, "a");
    }

    #[test]
    fn errors_are_mapped_even_when_they_are_cut() {
        let (outcome, _, _) =
            play(502, &[SSE, ("retry-after", "3")], &["<title>Bad", " Gateway</title>"], true);
        let failure = outcome.unwrap_err();
        assert_eq!(
            (failure.kind, failure.http_status, failure.retry_after_ms),
            (FailureKind::Server, Some(502), Some(3000))
        );
        assert!(failure.message.contains("Bad Gateway"));
    }

    /// A message of an event stream: `kind` is its `:message-type`, `name` its `:…-type`.
    fn message(kind: &str, name: &str, payload: &str) -> Vec<u8> {
        let mut headers = Vec::new();
        for (header, value) in [(":message-type", kind), (&format!(":{kind}-type"), name)] {
            headers.push(u8::try_from(header.len()).unwrap());
            headers.extend_from_slice(header.as_bytes());
            headers.push(7);
            headers.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            headers.extend_from_slice(value.as_bytes());
        }
        let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
        let mut bytes = [total.to_be_bytes(), u32::try_from(headers.len()).unwrap().to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes.extend(headers);
        bytes.extend_from_slice(payload.as_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    #[test]
    fn a_decoder_brings_its_own_framing() {
        let headers = [("content-type", CONTENT_TYPE)];
        let stream = [message("event", "x", "a"), message("event", "x", "b"), message("event", "x", "END")];
        let bytes = stream.concat();
        let chunks: Vec<&[u8]> = bytes.chunks(7).collect();
        let (outcome, text, whole) = play(200, &headers, &chunks, false);
        assert_eq!((outcome.unwrap().finish, text.as_str(), whole), (FinishReason::Stop, "ab", false));
        // Cut in a message, and after one.
        for end in [bytes.len() - 1, stream[0].len()] {
            let (outcome, text, _) = play(200, &headers, &[&bytes[..end]], false);
            assert!(outcome.unwrap_err().message.contains("truncated"));
            assert!(text.starts_with('a'));
        }
        let failed =
            [message("event", "x", "a"), message("exception", "slowException", "{\"message\":\"m\"}")];
        let (outcome, text, _) = play(200, &headers, &failed, false);
        let failure = outcome.unwrap_err();
        assert_eq!((failure.kind, text.as_str()), (FailureKind::Server, "a"));
        assert!(failure.message.contains("slowException"), "{}", failure.message);
    }
}
