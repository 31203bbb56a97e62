//! Every wire format in small: a streamed answer, the same in one piece, and how each says that something is wrong.
//!
//! What a test does to an answer is written once; only what differs from one API to the next is here, a file each.

mod chat_completions;
mod cohere;
mod converse;
mod generate_content;
mod messages;
mod ollama;
mod responses;

use super::Home;
use super::event_stream;
use super::program::Program;
use super::server::{Connection, Server};
use std::io;

/// How the events of a stream are put into bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// JSON documents, one a line.
    Ndjson,
    /// Amazon's binary messages.
    EventStream,
}

impl Framing {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Ndjson => "application/x-ndjson",
            Self::EventStream => "application/vnd.amazon.eventstream",
        }
    }

    /// One event. It has a name where the wire names events.
    pub fn frame(self, (name, data): (&str, &str)) -> Vec<u8> {
        match self {
            Self::Sse if name.is_empty() => format!("data: {data}\n\n").into_bytes(),
            Self::Sse => format!("event: {name}\ndata: {data}\n\n").into_bytes(),
            Self::Ndjson => format!("{data}\n").into_bytes(),
            Self::EventStream if name.ends_with("Exception") => event_stream::exception(name, data),
            Self::EventStream => event_stream::event(name, data),
        }
    }
}

/// An event's name, empty where the wire has none, and its data.
pub type Event = (&'static str, &'static str);

/// An answer of status 4xx or 5xx.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: String,
}

/// A provider and the answer `Hello, world` in its wire format.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// The part of a model string before `@`.
    pub model: &'static str,
    /// What chooses this wire, where the provider has several.
    pub setting: Option<(&'static str, &'static str)>,
    /// The variable that holds its key, and the header that carries it.
    pub key: (&'static str, &'static str),
    /// The path that is asked, at its end.
    pub path: &'static str,
    /// The header that names a request.
    pub request_id: &'static str,
    pub framing: Framing,
    /// The answer, event by event.
    pub stream: &'static [Event],
    /// As many events as make the answer complete: what comes after them may be missing.
    pub complete: usize,
    /// No event says that nothing comes after it: only the stream's own end does.
    pub open_ended: bool,
    /// The same answer in one piece.
    pub whole: &'static str,
    /// What the API answers with a status, with the message `it said no`.
    pub refusal: fn(u16) -> Refusal,
    /// Errors in the middle of a stream, with the message `it broke`, and their kinds.
    pub breaks: &'static [(Event, &'static str)],
    /// An error that comes with status 200, with the message `it broke`, and its kind.
    pub disguise: (&'static str, &'static str),
    /// How the answer says why it ended.
    pub ending: &'static str,
    /// Other things to say there, and the finish reasons that they are.
    pub endings: &'static [(&'static str, &'static str)],
    /// Events that nobody has heard of, blocks of unknown types, unknown members. They may come after the first event.
    pub unknown: &'static [Event],
}

/// What the answers say.
pub const TEXT: &str = "Hello, world";

pub use chat_completions::CHAT_COMPLETIONS;
pub use cohere::COHERE;
pub use converse::CONVERSE;
pub use generate_content::GENERATE_CONTENT;
pub use messages::MESSAGES;
pub use ollama::OLLAMA;
pub use responses::RESPONSES;

pub const WIRES: [Wire; 7] =
    [MESSAGES, CHAT_COMPLETIONS, RESPONSES, GENERATE_CONTENT, OLLAMA, COHERE, CONVERSE];

impl Wire {
    /// A model string for a server of the test.
    pub fn at(&self, url: &str) -> String {
        format!("{}@{url}", self.model)
    }

    /// The name of the provider.
    pub fn provider(&self) -> &'static str {
        self.model.split(':').next().unwrap()
    }

    /// The program with these arguments after the model.
    pub fn chat(&self, home: &Home, url: &str, more: &[&str]) -> Program {
        let setting = self.setting.map(|(name, value)| format!("--setting={name}={value}"));
        let model = self.at(url);
        home.aimu(["chat", &model].into_iter().chain(setting.as_deref()).chain(more.iter().copied()))
    }

    /// The program with a request document.
    pub fn ask(&self, home: &Home, url: &str) -> Program {
        self.chat(home, url, &["--request", "-", "--json"]).input(self.request())
    }

    /// A request document, as `--request -` takes it.
    pub fn request(&self) -> String {
        r#"{"messages":[{"role":"user","content":"Hi"}],"stream":true,"options":{"max_tokens":100}}"#.into()
    }

    /// The events of the answer as bytes.
    pub fn events(&self) -> Vec<Vec<u8>> {
        self.stream.iter().map(|event| self.framing.frame(*event)).collect()
    }

    /// The same with other words in their data.
    pub fn events_with(&self, old: &str, new: &str) -> Vec<Vec<u8>> {
        let changed = |(name, data): &Event| self.framing.frame((name, &data.replace(old, new)));
        self.stream.iter().map(changed).collect()
    }

    /// The events until `Hello` has come, and not more.
    pub fn opening(&self) -> Vec<Vec<u8>> {
        let hello = self.stream.iter().position(|(_, data)| data.contains("Hello")).unwrap();
        self.events()[..=hello].to_vec()
    }

    /// The head of a stream, and these events.
    pub fn begin(&self, connection: &mut Connection, events: &[Vec<u8>]) -> io::Result<()> {
        connection.head(200, &[("content-type", self.framing.content_type())])?;
        events.iter().try_for_each(|event| connection.chunk(event))
    }

    /// A server that streams these bytes, each of them a chunk, and ends properly.
    pub fn streaming(self, chunks: Vec<Vec<u8>>) -> Server {
        Server::start(move |_, connection| {
            self.begin(connection, &chunks)?;
            connection.end()
        })
    }
}
