//! The typed face of the library.

use crate::{FITS, home, is_by_prompt, model, saying, schema};
use aimu_host::{Chunk, Event, FailureKind, FinishReason, Host, Tool, ToolDefinition};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize, PartialEq)]
struct Person {
    name: String,
    age: u32,
}

fn ada() -> Person {
    Person { name: "Ada".to_owned(), age: 36 }
}

fn host(home: &crate::Home) -> Host {
    Host::builder()
        .home(aimu_host::Home::at(home.data()))
        .plugin_dir(home.plugins())
        .retries(0)
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_answer_is_a_value_of_a_type() {
    let home = home();
    let server = saying(&[FITS]);
    let mut client = host(&home).client(model("able", &server)).await.unwrap();
    let answer = client.chat("Who?").schema(schema()).await.unwrap();
    assert_eq!(answer.value, Some(json!({"name": "Ada", "age": 36})));
    assert_eq!(answer.json::<Person>().unwrap(), ada());
    let failure = answer.json::<Vec<u32>>().unwrap_err();
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert_eq!(client.generate("Who?").schema(schema()).await.unwrap().json::<Person>().unwrap(), ada());
    // Without a schema, the text's JSON.
    let free = client.chat("Who?").await.unwrap();
    assert_eq!((free.json::<Person>().unwrap(), free.value), (ada(), None));
}

#[tokio::test]
async fn the_history_has_the_question_and_the_answer_that_fits() {
    let home = home();
    let server = saying(&["No.", "```\n{}\n```", FITS, "Hi", "{}"]);
    let mut client = host(&home).client(model("plain", &server)).await.unwrap();
    client.set_system(Some("Be brief.".to_owned()));
    client.chat("Who?").schema(schema()).await.unwrap();
    let history: Vec<Value> = client.history().to_vec();
    assert_eq!(history[0], json!({"role": "system", "content": "Be brief."}));
    assert_eq!(history[1], json!({"role": "user", "content": "Who?"}));
    assert_eq!((history.len(), &history[2]["content"]), (3, &json!(FITS)));
    // The next turn asks for no form.
    client.chat("Hello").await.unwrap();
    let next = server.requests().last().unwrap().json();
    assert_eq!(next["messages"].as_array().unwrap().len(), 4);
    assert_eq!(next["messages"][0]["content"], "Be brief.");
    assert_eq!(client.history()[..3], history[..]);
    // A turn that gave none leaves nothing.
    let failure = client.chat("Who?").schema(schema()).await.unwrap_err();
    assert_eq!((failure.kind, failure.provider.as_deref()), (FailureKind::Protocol, Some("plain")));
    assert_eq!(client.history().len(), 5);
    server.requests().iter().filter(|request| !request.json().to_string().contains("Hello")).for_each(
        |request| {
            is_by_prompt(&request.json());
        },
    );
}

#[tokio::test]
async fn a_stream_shows_text_as_it_comes_and_a_warning_between_answers() {
    let home = home();
    let server = saying(&["No way.", FITS]);
    let mut client = host(&home).client(model("plain", &server)).await.unwrap();
    let chunks: Vec<Chunk> =
        client.chat("Who?").schema(schema()).stream().unwrap().chunks().map(Result::unwrap).collect().await;
    let text = |chunks: &[Chunk]| -> String {
        let texts = chunks.iter().filter_map(|chunk| match chunk {
            Chunk::Generating(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    };
    let between = chunks.iter().position(|chunk| matches!(chunk, Chunk::Warning(_))).unwrap();
    assert_eq!((text(&chunks[..between]), text(&chunks[between..])), ("No way.".to_owned(), FITS.to_owned()));
    assert!(between > 1, "it came in pieces");
    let Some(Chunk::Done(answer)) = chunks.last() else { panic!("{chunks:?}") };
    assert_eq!(
        (answer.json::<Person>().unwrap(), answer.text.as_str(), answer.warnings.len()),
        (ada(), FITS, 1)
    );
}

#[tokio::test]
async fn a_failed_answer_can_be_looked_at() {
    let home = home();
    let server = saying(&["!length\n{\"name\""]);
    let mut client = host(&home).client(model("able", &server)).await.unwrap();
    let mut answering = client.chat("Who?").schema(schema()).stream().unwrap();
    let mut failure = None;
    while let Some(event) = answering.next().await {
        failure = event.err();
    }
    assert!(failure.unwrap().message.contains("length limit"));
    let partial = answering.partial().unwrap();
    assert_eq!(
        (partial.text.as_str(), partial.finish, answering.answer()),
        ("{\"name\"", FinishReason::Length, None)
    );
}

#[tokio::test]
async fn calls_of_tools_come_first() {
    let home = home();
    let call = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
            "function": {"name": "look", "arguments": "{}"}}]}, "finish_reason": "tool_calls"}]});
    let server = crate::Server::answering(200, &[("content-type", "application/json")], call.to_string());
    let tool = ToolDefinition {
        name: "look".to_owned(),
        description: String::new(),
        parameters: json!({"type": "object"}),
        strict: None,
        cache_here: false,
        extra: None,
    };
    let host = host(&home);
    let mut client = host.client(model("plain", &server)).await.unwrap();
    client.defaults_mut().no_stream = true;
    let answer =
        client.chat("Who?").schema(schema()).tools(vec![Tool::Function(tool.clone())]).await.unwrap();
    assert_eq!((answer.tool_calls.len(), &answer.value), (1, &None));
    assert!(answer.json::<Person>().unwrap_err().message.contains("call of a tool"));
    let body = server.request().json();
    is_by_prompt(&body);
    assert_eq!(body["tools"][0]["function"]["name"], "look");

    // And the value after them.
    let server = saying(&[FITS]);
    let mut next = host.client(model("plain", &server)).await.unwrap();
    next.set_conversation(client.conversation().clone());
    let results = vec![json!({"role": "tool", "tool_call_id": "c1", "content": "Ada, 36"})];
    let answer =
        next.chat_messages(results).schema(schema()).tools(vec![Tool::Function(tool)]).await.unwrap();
    assert_eq!(answer.json::<Person>().unwrap(), ada());
}

#[tokio::test]
async fn a_call_that_is_dropped_between_two_answers_ends() {
    let home = home();
    let server = saying(&["No."]);
    let mut client = host(&home).client(model("able", &server)).await.unwrap();
    {
        let mut answering = client.chat("Who?").schema(schema()).stream().unwrap();
        while !matches!(answering.next().await.unwrap().unwrap(), Event::Warning { .. }) {}
    }
    assert!(client.history().is_empty());
    assert_eq!(server.requests().len(), 1);
}
