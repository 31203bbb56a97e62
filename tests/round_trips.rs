//! Conversations of several turns on every wire format: what a model thought, what it called and what came back go out
//! again exactly as the API wants them, and nothing that was said before is ever changed.
//!
//! Each is driven three times, by request documents through the program, by a client of the library, whose calls fail now
//! and then, and by one whose tools the host runs; all must send the same bodies, which are written out here.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "round_trips/brands.rs"]
mod brands;
#[path = "round_trips/cohere.rs"]
mod cohere;
#[path = "round_trips/converse.rs"]
mod converse;
#[path = "round_trips/generate_content.rs"]
mod generate_content;
#[path = "round_trips/messages.rs"]
mod messages;
#[path = "round_trips/ollama.rs"]
mod ollama;
#[path = "round_trips/responses.rs"]
mod responses;
mod support;

use aimu_host::{
    Approval, CallOptions, Callable, Client, FailureKind, Host, Setup, Tool, ToolContext, ToolDefinition,
    ToolReply, Toolbox,
};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use support::Home;
use support::server::{Request, Server};
use support::wires::{Event, Wire};

/// A conversation on one wire.
struct Trip {
    /// How it is asked, and where its key is.
    wire: Wire,
    /// The answers: thoughts and two calls, and then thoughts and a text.
    answers: [&'static [Event]; 2],
    /// The list of messages in a body.
    messages: &'static str,
    /// The body of the second request: what was asked, the first answer, and the results of its calls.
    second: &'static str,
    /// What the third request adds to the messages of the second: the second answer, and another question.
    added: &'static str,
}

const TRIPS: [Trip; 8] = [
    messages::TRIP,
    brands::DEEPSEEK,
    brands::OPENROUTER,
    responses::TRIP,
    generate_content::TRIP,
    ollama::TRIP,
    cohere::TRIP,
    converse::TRIP,
];

const SYSTEM: &str = "Be brief.";
const QUESTION: &str = "Weather in Rome and Oslo?";
const THANKS: &str = "And tomorrow?";

fn weather() -> Value {
    let city = json!({"type": "string"});
    json!({"type": "object", "properties": {"city": city}, "required": ["city"]})
}

/// How the server answers a request.
#[derive(Clone, Copy)]
enum Reply {
    Answer(usize),
    /// The status alone.
    Status(u16),
    /// A stream that ends when so many events have come.
    Cut(usize, usize),
}

impl Trip {
    fn server(&self, replies: Vec<Reply>) -> Server {
        let (wire, answers, asked) = (self.wire, self.answers, AtomicUsize::new(0));
        Server::start(move |_, connection| {
            let events = |answer: usize| -> Vec<Vec<u8>> {
                answers[answer].iter().map(|event| wire.framing.frame(*event)).collect()
            };
            match replies[asked.fetch_add(1, Ordering::SeqCst)] {
                Reply::Status(status) => return connection.answer(status, &[], b""),
                Reply::Answer(answer) => wire.begin(connection, &events(answer))?,
                Reply::Cut(answer, kept) => wire.begin(connection, &events(answer)[..kept])?,
            }
            connection.end()
        })
    }

    /// Checks what was sent in three requests.
    fn check(&self, requests: &[Request]) {
        let [first, second, third] = requests else { panic!("{} requests", requests.len()) };
        let name = self.wire.model;
        assert_same(name, &second.json(), &serde_json::from_str(self.second).unwrap());
        let mut expected: Value = serde_json::from_str(self.second).unwrap();
        let added: Value = serde_json::from_str(self.added).unwrap();
        expected[self.messages].as_array_mut().unwrap().extend(added.as_array().unwrap().iter().cloned());
        assert_same(name, &third.json(), &expected);
        // Byte by byte: a cache of the provider's knows a prompt by its beginning.
        let messages = |request: &Request| request.json()[self.messages].to_string();
        begins_with(&messages(second), &messages(first));
        begins_with(&messages(third), &messages(second));
    }
}

#[track_caller]
fn assert_same(name: &str, got: &Value, expected: &Value) {
    let (got, expected) = (format!("{got:#}"), format!("{expected:#}"));
    assert!(got == expected, "{name}: sent\n{got}\nand not\n{expected}");
}

/// Whether a list as JSON begins with another.
#[track_caller]
fn begins_with(list: &str, start: &str) {
    let start = start.strip_suffix(']').unwrap();
    assert!(list.starts_with(start), "what was said has changed:\n{list}\nafter\n{start}");
}

fn results(calls: &[(String, String)]) -> Vec<Value> {
    let result = |(id, city): &(String, String)| {
        let told = if city == "Rome" { "sunny" } else { "snow" };
        json!({"role": "tool", "tool_call_id": id, "content": told})
    };
    calls.iter().map(result).collect()
}

fn calls(result: &Value) -> Vec<(String, String)> {
    let calls = result["tool_calls"].as_array().unwrap().iter();
    calls.map(|call| (text(&call["id"]), text(&call["arguments"]["city"]))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn documents_go_round() {
    let home = Home::new();
    for trip in TRIPS {
        let server = trip.server(vec![Reply::Answer(0), Reply::Answer(1), Reply::Answer(1)]);
        let function = json!({"name": "weather", "description": "The weather.", "parameters": weather()});
        let mut document = json!({
            "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}],
            "tools": [{"type": "function", "function": function}],
            "options": {"max_tokens": 500},
        });
        let mut say = |new: Vec<Value>| {
            document["messages"].as_array_mut().unwrap().extend(new);
            let call = trip.wire.chat(&home, &server.url(), &["--request", "-", "--json"]);
            let outcome = call.env(trip.wire.key.0, "k").input(document.to_string()).run().ok();
            let result = outcome.json();
            assert_eq!(result["warnings"], json!([]), "{result}");
            document["messages"].as_array_mut().unwrap().push(result["message"].clone());
            result
        };
        let first = say(Vec::new());
        assert_eq!(first["finish"], "tool-calls", "{first}");
        let called = calls(&first);
        assert_eq!(called.iter().map(|(_, city)| city.as_str()).collect::<Vec<_>>(), ["Rome", "Oslo"]);
        let second = say(results(&called));
        assert_eq!(
            (&second["text"], &second["finish"]),
            (&json!("Sunny, snow."), &json!("stop")),
            "{second}"
        );
        say(vec![json!({"role": "user", "content": THANKS})]);
        trip.check(&server.requests());
    }
}

#[tokio::test]
async fn a_client_goes_round_and_a_failure_leaves_no_trace() {
    let (host, _folder) = host();
    for trip in TRIPS {
        // Each turn fails twice: before it is answered, and in its middle.
        let turn = |answer: usize| {
            let last = trip.answers[answer].len();
            [Reply::Status(500), Reply::Cut(answer, last / 2), Reply::Answer(answer)]
        };
        let server = trip.server([turn(0), turn(1), turn(1)].concat());
        let settings = trip.wire.setting.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        let setup = Setup { settings: settings.collect(), system: Some(SYSTEM.into()), ..Setup::default() };
        let mut client = host.client_with(trip.wire.at(&server.url()), setup).await.unwrap();
        let first = turn_of(&mut client, vec![json!({"role": "user", "content": QUESTION})]).await;
        turn_of(&mut client, results(&calls(&first))).await;
        turn_of(&mut client, vec![json!({"role": "user", "content": THANKS})]).await;
        let requests: Vec<Request> = server.requests().into_iter().skip(2).step_by(3).collect();
        trip.check(&requests);
    }
}

/// The weather as the host runs it.
struct Weather {
    definition: ToolDefinition,
    way: Way,
}

/// How the tool ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Well,
    Failing,
    Denied,
    /// Under another name than the model calls.
    Unknown,
}

#[async_trait::async_trait]
impl Callable for Weather {
    fn definition(&self) -> &ToolDefinition {
        &self.definition
    }

    fn approval(&self) -> Approval {
        if self.way == Way::Denied { Approval::Deny } else { Approval::Allow }
    }

    async fn call(
        &self,
        _: &ToolContext,
        arguments: serde_json::Map<String, Value>,
    ) -> aimu_host::Result<ToolReply> {
        if self.way == Way::Failing {
            return Ok(ToolReply::error("no view"));
        }
        if arguments["city"] == "Rome" {
            // The first call ends last.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            return Ok("sunny".into());
        }
        Ok("snow".into())
    }
}

async fn with_tools(host: &Host, trip: &Trip, server: &Server, way: Way) -> Client {
    let settings = trip.wire.setting.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let name = if way == Way::Unknown { "climate" } else { "weather" };
    let definition = json!({"name": name, "description": "The weather.", "parameters": weather()});
    let mut toolbox = Toolbox::new();
    toolbox.add(Weather { definition: serde_json::from_value(definition).unwrap(), way }).unwrap();
    let defaults = CallOptions {
        toolbox: Some(toolbox.into()),
        options: [("max_tokens".to_owned(), json!(500))].into_iter().collect(),
        ..CallOptions::default()
    };
    let system = Some(SYSTEM.into());
    let setup = Setup { settings: settings.collect(), system, defaults, ..Setup::default() };
    host.client_with(trip.wire.at(&server.url()), setup).await.unwrap()
}

fn host() -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let builder = Host::builder().home(aimu_host::Home::at(folder.path())).retries(0);
    (builder.plugin_dir(folder.path().join("plugins")).build().unwrap(), folder)
}

#[tokio::test]
async fn the_host_runs_the_tools() {
    let (host, _folder) = host();
    for trip in TRIPS {
        let server = trip.server(vec![Reply::Answer(0), Reply::Answer(1), Reply::Answer(1)]);
        let mut client = with_tools(&host, &trip, &server, Way::Well).await;
        let answer = client.chat(QUESTION).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.tool_runs.len()), ("Sunny, snow.", 2));
        client.chat(THANKS).await.unwrap();
        trip.check(&server.requests());
    }
}

#[tokio::test]
async fn the_host_tells_every_provider_what_went_wrong() {
    let (host, _folder) = host();
    for trip in TRIPS {
        let told = [(Way::Failing, "no view"), (Way::Denied, "denied"), (Way::Unknown, "there is no tool")];
        for (way, word) in told {
            let server = trip.server(vec![Reply::Answer(0), Reply::Answer(1)]);
            let mut client = with_tools(&host, &trip, &server, way).await;
            let answer = client.chat(QUESTION).await.unwrap();
            assert_eq!(answer.text, "Sunny, snow.", "{way:?}");
            let second = server.requests()[1].json().to_string();
            assert_eq!(second.matches(word).count(), 2, "{} {way:?}: {second}", trip.wire.model);
        }
    }
}

#[tokio::test]
async fn the_host_runs_one_turn_of_calls_after_the_other() {
    let (host, _folder) = host();
    for trip in TRIPS {
        let server = trip.server(vec![Reply::Answer(0), Reply::Answer(0), Reply::Answer(1)]);
        let mut client = with_tools(&host, &trip, &server, Way::Well).await;
        let answer = client.chat(QUESTION).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.tool_runs.len()), ("Sunny, snow.", 4));
        let [first, second, third] = &server.requests()[..] else { panic!("{}", trip.wire.model) };
        let messages = |request: &Request| request.json()[trip.messages].to_string();
        begins_with(&messages(second), &messages(first));
        begins_with(&messages(third), &messages(second));
        assert_eq!(client.history().len(), 9);
    }
}

/// Asks until it is answered.
async fn turn_of(client: &mut Client, new: Vec<Value>) -> Value {
    let tool = json!({"name": "weather", "description": "The weather.", "parameters": weather()});
    let options = CallOptions {
        tools: Some(vec![Tool::Function(serde_json::from_value(tool).unwrap())]),
        options: [("max_tokens".to_owned(), json!(500))].into_iter().collect(),
        ..CallOptions::default()
    };
    let before = serde_json::to_string(client.history()).unwrap();
    for kind in [FailureKind::Server, FailureKind::Protocol] {
        let failure = client.chat_messages(new.clone()).options(options.clone()).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert_eq!(serde_json::to_string(client.history()).unwrap(), before);
    }
    let answer = client.chat_messages(new).options(options).await.unwrap();
    begins_with(&serde_json::to_string(client.history()).unwrap(), &before);
    answer.to_json()
}
