//! The crate in a program of its own: clients, conversations, streams, tries, cancelling; with real components.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aimu_host::{
    Answering, Call, CallOptions, Capability, ChatRequest, Chunk, Completion, Description, Event,
    EventSender, Failure, FailureKind, FinishReason, GenerateRequest, Home, Host, HostBuilder, ModelQuery,
    ModelSpec, PartKind, Phase, Provider, Setup, Task,
};
use async_trait::async_trait;
use futures::StreamExt;
use serde_json::{Value, json};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use support::server::{Connection, Request, Server};
use support::wires::{CHAT_COMPLETIONS, MESSAGES, TEXT, WIRES};

/// A host with a home of its own, and the folder that is it.
fn host(set_up: impl FnOnce(HostBuilder) -> HostBuilder) -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let builder =
        Host::builder().home(Home::at(folder.path())).plugin_dir(folder.path().join("plugins")).retries(0);
    (set_up(builder).build().unwrap(), folder)
}

async fn text_of(mut answering: Answering<'_>) -> (String, Result<(), Failure>) {
    let mut text = String::new();
    while let Some(event) = answering.next().await {
        match event {
            Ok(Event::Delta { text: more, .. }) => text += &more,
            Ok(_) => {}
            Err(failure) => return (text, Err(failure)),
        }
    }
    (text, Ok(()))
}

#[tokio::test]
async fn a_conversation_keeps_whole_turns_in_openai_format() {
    let (host, _home) = host(|builder| builder);
    let mut client = host
        .client_with("echo:echo", Setup { system: Some("Be brief.".to_owned()), ..Setup::default() })
        .await
        .unwrap();
    assert!(client.history().is_empty());
    let answer = client.chat("Hello there").await.unwrap();
    assert!(answer.text.contains("Hello there"), "{}", answer.text);
    let first: Vec<Value> = client.history().to_vec();
    assert_eq!(first[0], json!({"role": "system", "content": "Be brief."}));
    assert_eq!(first[1], json!({"role": "user", "content": "Hello there"}));
    assert_eq!(
        (first[2]["role"].as_str(), first[2]["content"].as_str()),
        (Some("assistant"), Some(&*answer.text))
    );

    client.chat("And again").await.unwrap();
    assert_eq!(client.history()[..3], first[..], "what was said does not change");
    assert_eq!(client.history().len(), 5);

    client.generate("Elsewhere").await.unwrap();
    assert_eq!(client.history().len(), 5, "generate leaves no trace");

    client.set_system(None);
    assert_eq!(client.history()[0]["role"], "user");
    client.reset();
    assert!(client.history().is_empty());
}

#[tokio::test]
async fn a_failed_turn_leaves_nothing_behind() {
    let server =
        Server::answering(500, &[("content-type", "application/json")], r#"{"error":{"message":"no"}}"#);
    let (host, _home) = host(|builder| builder);
    let mut client = host.client(CHAT_COMPLETIONS.at(&server.url())).await.unwrap();
    let failure = client.chat("Hi").await.unwrap_err();
    assert_eq!((failure.kind, failure.http_status), (FailureKind::Server, Some(500)));
    assert_eq!(failure.provider.as_deref(), Some("openai-compat"));
    assert!(client.history().is_empty());
}

#[tokio::test]
async fn a_dropped_stream_leaves_nothing_behind_either() {
    let (host, _home) = host(|builder| builder);
    let mut client = host.client("echo:slow").await.unwrap();
    {
        let mut answering = client.chat("one two three four five six").stream().unwrap();
        while !matches!(answering.next().await.unwrap().unwrap(), Event::Delta { .. }) {}
    }
    assert!(client.history().is_empty());
    client.chat("and it works").await.unwrap();
    assert_eq!(client.history().len(), 2);
}

#[tokio::test]
async fn three_ways_lead_to_a_model() {
    let (host, _home) = host(|builder| builder.provider("here", Arc::new(Canned::new(Vec::new()))));
    let query = ModelQuery {
        provider: Some("echo".to_owned()),
        capabilities: vec![Capability::Tools],
        ..ModelQuery::default()
    };
    let handle = host.models(&query).await.unwrap().into_iter().next().expect("an echo that calls tools");
    assert!(host.client(&handle).await.unwrap().can(Capability::Tools).unwrap());
    assert_eq!(host.client("echo:echo").await.unwrap().model(), "echo:echo");
    let direct: Arc<dyn Provider> = Arc::new(Canned::new(Vec::new()));
    assert_eq!(host.client((direct, "m")).await.unwrap().chat("x").await.unwrap().text, "canned");
    assert_eq!(host.client("here:m").await.unwrap().chat("x").await.unwrap().text, "canned");
}

#[tokio::test]
async fn all_wires_stream_and_answer_whole_alike() {
    let (host, _home) = host(|builder| builder);
    for wire in WIRES {
        let settings = wire.setting.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        let setup = Setup { settings: settings.collect(), ..Setup::default() };
        let server = wire.streaming(wire.events());
        let mut client = host.client_with(wire.at(&server.url()), setup.clone()).await.unwrap();
        let streamed = client.chat("Hi").await.unwrap();
        let server = Server::answering(200, &[("content-type", "application/json")], wire.whole);
        let mut client = host.client_with(wire.at(&server.url()), setup).await.unwrap();
        let options = CallOptions { no_stream: true, ..CallOptions::default() };
        let whole = client.chat("Hi").options(options).await.unwrap();
        assert_eq!(streamed.text, TEXT, "{}", wire.model);
        assert_eq!(
            (&streamed.text, &streamed.finish, streamed.usage),
            (&whole.text, &whole.finish, whole.usage)
        );
        assert_eq!((streamed.usage.input, streamed.usage.output), (Some(7), Some(5)));
    }
}

#[tokio::test]
async fn what_hurts_is_tried_again_before_the_first_event_only() {
    let answered = Arc::new(AtomicUsize::new(0));
    let count = answered.clone();
    let server = Server::start(move |_: &Request, connection: &mut Connection| -> io::Result<()> {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            return connection.answer(529, &[("retry-after", "0")], b"{}");
        }
        MESSAGES.begin(connection, &MESSAGES.events())?;
        connection.end()
    });
    let (host, _home) = host(|builder| builder.retries(1));
    let answer = host.client(MESSAGES.at(&server.url())).await.unwrap().chat("Hi").await.unwrap();
    assert_eq!((answer.text.as_str(), answered.load(Ordering::SeqCst)), (TEXT, 2));

    // Cut after text has come: told, never tried again, since the caller has seen a part.
    let cut = Server::start(|_, connection| MESSAGES.begin(connection, &MESSAGES.events()[..5]));
    let mut client = host.client(MESSAGES.at(&cut.url())).await.unwrap();
    let (text, outcome) = text_of(client.chat("Hi").stream().unwrap()).await;
    let failure = outcome.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Network | FailureKind::Protocol), "{failure:?}");
    assert_eq!((text.as_str(), cut.requests().len()), (TEXT, 1));
}

#[tokio::test]
async fn what_waiting_does_not_heal_is_not_tried_again() {
    let server =
        Server::answering(401, &[("content-type", "application/json")], r#"{"error":{"message":"no"}}"#);
    let (host, _home) = host(|builder| builder.retries(3));
    let failure = host.client(MESSAGES.at(&server.url())).await.unwrap().chat("Hi").await.unwrap_err();
    assert_eq!((failure.kind, server.requests().len()), (FailureKind::Authentication, 1));
}

#[tokio::test]
async fn dropping_a_call_closes_its_connection() {
    for before_first_byte in [true, false] {
        let (closed, told) = mpsc::channel();
        let server = Server::start(move |_, connection| {
            if !before_first_byte {
                CHAT_COMPLETIONS.begin(connection, &CHAT_COMPLETIONS.opening())?;
            }
            closed.send(connection.closed_within(Duration::from_secs(5)).then(Instant::now)).unwrap();
            Ok(())
        });
        let (host, _home) = host(|builder| builder);
        let mut client = host.client(CHAT_COMPLETIONS.at(&server.url())).await.unwrap();
        let mut answering = client.chat("Hi").stream().unwrap();
        if before_first_byte {
            let wait = tokio::time::timeout(Duration::from_millis(300), answering.next()).await;
            assert!(wait.is_err(), "nothing was sent");
        } else {
            while !matches!(answering.next().await.unwrap().unwrap(), Event::Delta { .. }) {}
        }
        drop(answering);
        let closed = tokio::task::spawn_blocking(move || told.recv().unwrap()).await.unwrap();
        assert!(closed.is_some(), "the connection stayed open (before the first byte: {before_first_byte})");
    }
}

#[tokio::test]
async fn rate_limits_of_a_response_are_kept() {
    let headers = [("content-type", "application/json"), ("x-ratelimit-remaining-requests", "41")];
    let server = Server::answering(200, &headers, CHAT_COMPLETIONS.whole);
    let (host, _home) = host(|builder| builder);
    let mut client = host.client(CHAT_COMPLETIONS.at(&server.url())).await.unwrap();
    let mut answering = client.chat("Hi").stream().unwrap();
    while answering.next().await.is_some() {}
    let response = answering.response().unwrap();
    assert_eq!(response.rate_limits().collect::<Vec<_>>(), [("x-ratelimit-remaining-requests", "41")]);
}

#[tokio::test]
async fn chunks_tell_the_phases_in_order() {
    let (host, _home) = host(|builder| builder);
    let mut client = host.client("echo:think").await.unwrap();
    let chunks: Vec<Chunk> =
        client.chat("a b c").stream().unwrap().chunks().map(Result::unwrap).collect().await;
    let place = |wanted: fn(&Chunk) -> bool| chunks.iter().position(wanted).unwrap();
    let thinking = place(|chunk| matches!(chunk, Chunk::Thinking(_)));
    let generating = place(|chunk| matches!(chunk, Chunk::Generating(_)));
    assert!(thinking < generating);
    assert!(matches!(chunks.last(), Some(Chunk::Done(answer)) if !answer.reasoning.is_empty()));
    assert!(!chunks.iter().any(|c| matches!(c, Chunk::Thinking(t) | Chunk::Generating(t) if t.is_empty())));
}

#[tokio::test]
async fn what_is_not_included_is_still_in_the_answer() {
    let (host, _home) = host(|builder| builder);
    let mut client = host.client("echo:think").await.unwrap();
    let wanted = client.chat("a b c").stream().unwrap().include(&[Phase::Generating, Phase::Done]);
    let chunks: Vec<Chunk> = wanted.map(Result::unwrap).collect().await;
    assert!(!chunks.iter().any(|chunk| matches!(chunk, Chunk::Thinking(_))));
    assert!(matches!(chunks.last(), Some(Chunk::Done(answer)) if !answer.reasoning.is_empty()));
}

#[tokio::test]
async fn two_calls_of_one_host_run_at_once() {
    let (host, _home) = host(|builder| builder);
    let mut slow = host.client("echo:slow").await.unwrap();
    let mut quick = host.client("echo:echo").await.unwrap();
    let order = std::sync::Mutex::new(Vec::new());
    let first = async {
        slow.chat("one two three four five six seven eight").await.unwrap();
        order.lock().unwrap().push("slow");
    };
    let second = async {
        quick.chat("hi").await.unwrap();
        order.lock().unwrap().push("quick");
    };
    tokio::join!(first, second);
    assert_eq!(*order.lock().unwrap(), ["quick", "slow"]);
}

#[tokio::test]
async fn hundreds_of_streams_in_one_task_share_its_time() {
    let (host, _home) = host(|builder| builder);
    let mut clients = Vec::new();
    for _ in 0..300 {
        clients.push(host.client("echo:echo").await.unwrap());
    }
    let calls = clients.iter_mut().map(|client| client.chat("one two three four").into_future());
    let all = tokio::time::timeout(Duration::from_secs(60), futures::future::join_all(calls)).await;
    assert!(all.unwrap().into_iter().all(|answer| answer.unwrap().text == "one two three four"));
}

#[test]
fn the_blocking_face_gives_the_same() {
    let (host, _home) = host(|builder| builder);
    let host = aimu_host::blocking::Host::new(host).unwrap();
    let mut client = host.client("echo:echo").unwrap();
    let answer = client.chat("Hello there").unwrap();
    let mut events = client.chat_stream("Hello there", CallOptions::default()).unwrap();
    let text: String = events
        .by_ref()
        .filter_map(|event| match event.unwrap() {
            Event::Delta { text, .. } => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(text, answer.text);
    assert_eq!(events.answer().unwrap().text, answer.text);
}

#[tokio::test]
async fn a_provider_that_breaks_the_laws_of_the_stream_is_told_on() {
    let stray = vec![Event::Delta { index: 9, text: "x".to_owned() }];
    let open = vec![Event::Start { index: 0, kind: PartKind::Text }];
    for events in [stray, open] {
        let provider: Arc<dyn Provider> = Arc::new(Canned::new(events));
        let (host, _home) = host(|builder| builder);
        let failure = host.client((provider, "m")).await.unwrap().chat("x").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Internal);
        assert!(failure.message.contains("canned"), "{}", failure.message);
    }
}

/// A provider of the program itself, which emits what it is told to.
struct Canned {
    description: Description,
    events: Vec<Event>,
}

impl Canned {
    fn new(events: Vec<Event>) -> Self {
        let model = ModelSpec { id: "m".to_owned(), tasks: [Task::Chat].into(), ..ModelSpec::default() };
        let description =
            Description { id: "canned".to_owned(), models: vec![model], ..Description::default() };
        let said = vec![
            Event::Start { index: 0, kind: PartKind::Text },
            Event::Delta { index: 0, text: "canned".to_owned() },
            Event::End { index: 0, replay: None },
        ];
        Self { description, events: if events.is_empty() { said } else { events } }
    }
}

#[async_trait]
impl Provider for Canned {
    fn description(&self) -> &Description {
        &self.description
    }

    async fn models(&self, _: &Call) -> Result<Vec<ModelSpec>, Failure> {
        Ok(self.description.models.clone())
    }

    async fn chat(&self, _: &Call, _: ChatRequest, events: EventSender) -> Result<Completion, Failure> {
        events.send(self.events.clone()).await;
        Ok(Completion::new(FinishReason::Stop))
    }

    async fn generate(
        &self,
        call: &Call,
        request: GenerateRequest,
        events: EventSender,
    ) -> Result<Completion, Failure> {
        self.chat(call, ChatRequest::new(request.model, Vec::new()), events).await
    }
}
