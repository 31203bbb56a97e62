//! Embeddings, and pulling of models: what the program says to a user who asks wrongly, of a component that lies, and
//! of a server that fails. Recorded answers of real services are replayed in `replay.rs`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aimu_host::{FailureKind, Host, Progress, Purpose};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use support::Home;
use support::server::{Request, Server};

/// Keys that the providers look for.
const KEYS: [&str; 5] =
    ["OPENAI_API_KEY", "GEMINI_API_KEY", "VOYAGE_API_KEY", "CO_API_KEY", "ANTHROPIC_API_KEY"];

fn with_keys(mut program: support::program::Program) -> support::program::Program {
    for key in KEYS {
        program = program.env(key, "test-key");
    }
    program
}

#[test]
fn a_vector_is_a_line() {
    let home = Home::new();
    let two =
        home.aimu(["embed", "echo:embed", "the red fox", "an old house", "--dimensions", "8"]).run().ok();
    let lines = two.lines();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.as_array().is_some_and(|vector| vector.len() == 8)), "{lines:?}");
    assert_ne!(lines[0], lines[1]);
    // A line of standard input is a text, whether it is asked for or there is nothing else.
    let input = "the red fox\nan old house\n";
    for more in [&[][..], &["-"]] {
        let arguments = ["embed", "echo:embed", "--dimensions", "8", "--usage"].iter().chain(more);
        let piped = home.aimu(arguments).input(input).run().ok();
        assert_eq!(piped.stdout, two.stdout);
        assert_eq!(piped.stderr.trim(), "usage: 6 in");
    }
    // Beyond one call's worth too, and the usage is that of all.
    let many: String = (0..3_000).map(|number| format!("text {number}\n")).collect();
    let many = home.aimu(["embed", "echo:embed", "--dimensions", "2", "--usage"]).input(many).run().ok();
    assert_eq!((many.lines().len(), many.stderr.trim()), (3_000, "usage: 6000 in"));
    // A warning that all of them have is said once.
    let lies = Home::with(&["embed_lies"]);
    let warned = lies.aimu(["embed", "embed-lies:right", "--dimensions", "9"]).input("a\n".repeat(2_049));
    assert_eq!(warned.run().ok().stderr.matches("warning:").count(), 1);
    let mixed = home.aimu(["embed", "echo:embed", "the red fox", "-"]).input("a\nb").run().ok();
    assert_eq!(mixed.lines().len(), 3);
}

#[test]
fn json_is_one_object() {
    let home = Home::new();
    let result = home.aimu(["embed", "echo:embed", "a b", "--json"]).run().ok().json();
    assert_eq!((&result["model"], &result["dimensions"]), (&json!("echo:embed"), &json!(64)));
    assert_eq!((&result["usage"]["input"], &result["usage"]["output"]), (&json!(2), &Value::Null));
    assert_eq!((result["vectors"].as_array().unwrap().len(), &result["warnings"]), (1, &json!([])));
    assert!(result.get("error").is_none());
    let document = json!({ "model": "echo:embed", "input": ["a", "b"], "options": { "dimensions": 3 } });
    let result =
        home.aimu(["embed", "--request", "-", "--json"]).input(document.to_string()).run().ok().json();
    assert_eq!((&result["dimensions"], result["vectors"].as_array().unwrap().len()), (&json!(3), 2));
    let failed = home.aimu(["embed", "echo:embed", "a", "--dimensions", "0", "--json"]).run().exits(1).json();
    assert_eq!((&failed["error"]["kind"], &failed["vectors"]), (&json!("invalid-request"), &json!([])));
}

#[test]
fn an_interrupt_leaves_an_object() {
    let home = Home::new();
    let (asked, waiting) = mpsc::channel();
    let asked = Mutex::new(asked);
    let server = Server::start(move |_, connection| {
        asked.lock().unwrap().send(()).unwrap();
        connection.closed_within(Duration::from_secs(60));
        Ok(())
    });
    let model = format!("openai-compat:m@{}", server.url());
    for form in [&[][..], &["--json"]] {
        let running = home.aimu(["embed", &model, "a"].iter().chain(form)).start();
        waiting.recv_timeout(Duration::from_secs(60)).unwrap();
        running.interrupt();
        let outcome = running.wait().exits(130);
        if form.is_empty() {
            assert_eq!(outcome.stdout, "");
        } else {
            let result = outcome.json();
            assert_eq!((&result["error"]["kind"], &result["vectors"]), (&json!("interrupted"), &json!([])));
        }
    }
}

#[test]
fn the_environment_names_the_model_and_nothing_else_does() {
    let home = Home::new();
    let named = home.aimu(["embed", "a text"]).env("AIMU_EMBEDDING_MODEL", "echo:embed").run().ok();
    assert_eq!(named.lines().len(), 1);
    home.aimu(["embed", "a text"]).run().exits(2).says(&["AIMU_EMBEDDING_MODEL", "--embedding"]);
}

#[test]
fn what_is_asked_wrongly_is_said_before_anything_is_sent() {
    let server = Server::answering(500, &[], "");
    let home = Home::new();
    let openai = format!("openai:gpt-5@{}", server.url());
    let program = |arguments: &[&str]| with_keys(home.aimu(["embed"].iter().chain(arguments)));
    program(&[&openai, "a"]).run().exits(1).says(&[
        "makes no embeddings",
        "openai:text-embedding-3-small",
        "--no-check",
    ]);
    let anthropic = format!("anthropic:claude-sonnet-4-5@{}", server.url());
    program(&[&anthropic, "a"]).run().exits(1).says(&["makes no embeddings", " does;", "--no-check"]);
    program(&["anthropic:new-model", "a"])
        .run()
        .exits(1)
        .says(&["`anthropic` has no embeddings", "` embeds;"]);
    program(&["groq:x", "a"]).env("GROQ_API_KEY", "k").run().exits(1).says(&["`groq` has no embeddings"]);
    program(&["echo:embed"]).run().exits(2).says(&["standard input is empty"]);
    program(&["echo:embed"]).input("a\n\nb\n").run().exits(2).says(&["line 2", "blank"]);
    program(&["echo:embed", "--request", "-"]).input(r#"{"input": []}"#).run().exits(2).says(&["input"]);
    program(&["echo:nothing", "a"]).run().exits(2).says(&["no model `nothing`"]);
    let purpose = program(&["echo:embed", "a", "--purpose", "fun"]).run().exits(2);
    assert!(purpose.stderr.contains("similarity"), "{purpose:?}");
    assert_eq!(server.requests().len(), 0);
    // Whoever knows better may ask.
    program(&[&openai, "a", "--no-check", "--retries", "0"]).run().exits(1);
    assert_eq!(server.requests().len(), 1);
    // And a model that embeds does not chat.
    let embedder = format!("openai:text-embedding-3-small@{}", server.url());
    with_keys(home.aimu(["chat", &embedder, "Hi"])).run().exits(1).says(&["does not chat", "embedding"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_component_that_lies_is_caught() {
    let home = Home::with(&["embed_lies"]);
    let embed = |model: &str| home.aimu(["embed", &format!("embed-lies:{model}"), "a", "b", "--json"]).run();
    assert_eq!(embed("right").ok().json()["dimensions"], 4);
    for (model, kind, word) in [
        ("fewer", "protocol", "1 vectors"),
        ("more", "protocol", "3 vectors"),
        ("ragged", "protocol", "text 2 has 4"),
        ("empty", "protocol", "empty"),
        ("nan", "protocol", "no number"),
        ("flood", "internal", "embed-lies"),
    ] {
        let error = embed(model).exits(1).json()["error"].clone();
        assert_eq!(error["kind"], kind, "{model}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(word) && message.contains("embed-lies"), "{model}: {error}");
    }
    let spin = home.aimu(["embed", "embed-lies:spin", "a", "--limit", "cpu=200ms"]).run();
    spin.exits(1).says(&["cpu", "embed-lies"]);
    // A length that was not kept to is no failure, but said.
    let warned = home.aimu(["embed", "embed-lies:right", "a", "--dimensions", "9"]).run().ok();
    warned.says(&["warning:", "4 numbers", "9 were asked for"]);
}

#[test]
fn a_component_may_have_embeddings_alone() {
    let home = Home::with(&["embed_only"]);
    assert_eq!(home.aimu(["embed", "embed-only:x", "abc"]).run().ok().stdout, "[3.0]\n");
    home.aimu(["chat", "embed-only:x", "Hi"]).run().exits(1).says(&["`embed-only` has no text models"]);
    let list = home.aimu(["plugins", "list", "--json"]).run().ok().json();
    let kinds = |id: &str| {
        let plugin = list.as_array().unwrap().iter().find(|plugin| plugin["id"] == id).cloned().unwrap();
        plugin["kinds"].clone()
    };
    assert_eq!(kinds("embed-only"), json!(["embedding"]));
    assert_eq!(kinds("openai"), json!(["text", "embedding", "tokens"]));
    assert_eq!(kinds("anthropic"), json!(["text", "tokens"]));
    assert!(home.aimu(["plugins", "inspect", "echo"]).run().ok().stdout.contains("text, embedding, tokens"));
    let models = home.aimu(["models", "--embedding"]).run().ok().stdout;
    assert!(
        models.contains("voyage:voyage-3.5") && models.contains("gemini:gemini-embedding-001"),
        "{models}"
    );
    assert!(!models.contains("claude") && !models.contains("gpt-5"), "{models}");
}

/// An answer in OpenAI's form: for each input, a vector of its length.
fn lengths(request: &Request) -> Vec<u8> {
    let inputs = request.json()["input"].clone();
    let inputs = inputs.as_array().unwrap();
    let data = inputs.iter().enumerate().map(|(index, input)| {
        json!({ "object": "embedding", "index": index, "embedding": [input.as_str().unwrap().len(), 1] })
    });
    // In no order, as the index allows.
    let data: Vec<Value> = data.rev().collect();
    json!({ "data": data, "usage": { "prompt_tokens": inputs.len() } }).to_string().into_bytes()
}

#[test]
fn more_than_a_server_takes_goes_in_batches() {
    let server = Server::start(|request, connection| connection.answer(200, &[], &lengths(request)));
    let home = Home::new();
    let texts: Vec<String> = (1..=7).map(|length| "x".repeat(length)).collect();
    let model = format!("openai-compat:m@{}", server.url());
    let outcome = home
        .aimu(["embed", &model, "--setting", r#"embeddings={"batch":3}"#, "--json", "--purpose", "query"])
        .input(texts.join("\n"))
        .run()
        .ok()
        .json();
    let want: Vec<Value> = (1..=7).map(|length| json!([f64::from(length), 1.0])).collect();
    assert_eq!((&outcome["vectors"], &outcome["usage"]["input"]), (&json!(want), &json!(7)));
    let sizes: Vec<usize> =
        server.requests().iter().map(|sent| sent.json()["input"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[test]
fn what_waiting_heals_is_tried_again() {
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |request, connection| {
        if tries.fetch_add(1, Ordering::SeqCst) == 0 {
            let body = br#"{"error":{"message":"slow down"}}"#;
            return connection.answer(429, &[("retry-after", "0")], body);
        }
        connection.answer(200, &[], &lengths(request))
    });
    let home = Home::new();
    let model = format!("openai-compat:m@{}", server.url());
    assert_eq!(home.aimu(["embed", &model, "abc"]).run().ok().stdout, "[3.0,1.0]\n");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn an_answer_that_makes_no_sense_is_a_protocol_error() {
    let home = Home::new();
    for (body, word) in [
        (r#"{"data":[]}"#, "0 vectors"),
        (r#"{"data":[{"embedding":"AADAfw==","index":0}]}"#, "no number"),
        (r#"{"data":[{"embedding":"AADA","index":0}]}"#, "base64"),
        (r#"{"object":"list"}"#, "`data`"),
        ("<html>", "web page"),
    ] {
        let server = Server::answering(200, &[("content-type", "application/json")], body);
        let model = format!("openai-compat:m@{}", server.url());
        let result = home.aimu(["embed", &model, "a", "--json"]).run().exits(1).json();
        assert_eq!(result["error"]["kind"], "protocol", "{body}: {result}");
        assert!(result["error"]["message"].as_str().unwrap().contains(word), "{body}: {result}");
    }
}

#[test]
fn a_purpose_is_told_as_the_brand_wants_it() {
    let server = Server::start(|request, connection| {
        let count = ["input", "texts"]
            .iter()
            .find_map(|name| Some(request.json()[name].as_array()?.len()))
            .unwrap_or(1);
        let vectors = vec![json!([1, 2]); count];
        let data: Vec<Value> = vectors.iter().map(|vector| json!({ "embedding": vector })).collect();
        let embeddings = if request.path.ends_with(":batchEmbedContents") {
            json!([{ "values": [1, 2] }])
        } else {
            json!(vectors)
        };
        connection.answer(200, &[], json!({ "data": data, "embeddings": embeddings }).to_string().as_bytes())
    });
    let home = Home::new();
    for (model, path, body) in [
        (
            "voyage:voyage-3.5",
            "/embeddings",
            json!({ "model": "voyage-3.5", "input": ["a"], "output_dimension": 2, "input_type": "query", "k": 1 }),
        ),
        (
            "openai:text-embedding-3-small",
            "/embeddings",
            json!({
                "model": "text-embedding-3-small", "input": ["a"], "dimensions": 2, "k": 1,
            }),
        ),
        (
            "cohere:embed-v4.0",
            "/v2/embed",
            json!({
                "model": "embed-v4.0", "texts": ["a"], "output_dimension": 2, "input_type": "search_query",
                "embedding_types": ["float"], "k": 1,
            }),
        ),
        (
            "ollama:nomic-embed-text",
            "/api/embed",
            json!({
                "model": "nomic-embed-text", "input": ["a"], "dimensions": 2, "k": 1,
            }),
        ),
        (
            "gemini:gemini-embedding-001",
            "/v1beta/models/gemini-embedding-001:batchEmbedContents",
            json!({ "requests": [{
            "model": "models/gemini-embedding-001", "content": { "parts": [{ "text": "a" }] },
            "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 2, "k": 1,
        }] }),
        ),
    ] {
        let at = format!("{model}@{}", server.url());
        let arguments = ["embed", &at, "a", "--purpose", "query", "--dimensions", "2", "-o", "k", "1"];
        let outcome = with_keys(home.aimu(arguments)).run().ok();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("[1.0,2.0]\n", ""), "{model}");
        let sent = server.requests().pop().unwrap();
        assert_eq!((sent.path.as_str(), sent.json()), (path, body), "{model}");
    }
}

#[test]
fn a_pull_tells_how_far_it_is() {
    let home = Home::with(&["pulls"]);
    let pulled = home.aimu(["pull", "pulls:fine"]).run().ok();
    assert_eq!((pulled.stdout.as_str(), pulled.stderr.as_str()), ("", "looking\npulling\n"));
    let steps = home.aimu(["pull", "pulls:fine", "--json"]).run().ok().lines();
    assert_eq!(steps[0], json!({ "status": "looking" }));
    assert_eq!(steps[3], json!({ "status": "pulling", "completed": 100, "total": 100 }));
    home.aimu(["pull", "pulls:missing"]).run().exits(1);
    home.aimu(["pull", "echo:echo"]).run().exits(1).says(&["`echo` fetches no models"]);
    home.aimu(["pull", "pulls:slow", "--timeout", "300ms"]).run().exits(1);
}

/// A host in the library, over the folders of a home.
fn host(home: &Home) -> Host {
    Host::builder()
        .home(aimu_host::Home::at(home.data()))
        .plugin_dir(home.plugins())
        .retries(0)
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_library_does_all_three() {
    let home = Home::with(&["pulls"]);
    let host = host(&home);
    let client = host.client("echo:embed").await.unwrap();
    let many: Vec<String> = (0..5_000).map(|number| format!("text {number}")).collect();
    let all = client.embed(&many).dimensions(4).purpose(Purpose::Document).await.unwrap();
    // More than one call of the component; joined as if it were one.
    assert_eq!((all.vectors.len(), all.usage.input), (5_000, Some(10_000)));
    let one = client.embed([&many[4_321]]).dimensions(4).await.unwrap();
    assert_eq!(one.vectors[0], all.vectors[4_321]);
    let failure = client.embed(Vec::<String>::new()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidRequest);

    let mut client = host.client("echo:echo").await.unwrap();
    client.chat("one two").await.unwrap();
    let before = client.history().to_vec();
    assert_eq!(client.count("three").await.unwrap(), 5, "the history counts");
    assert_eq!(client.history(), before);

    let steps: Vec<Progress> = host.pull("pulls:fine").await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(steps.last().unwrap().completed, Some(100));
    let failure = host.pull("pulls:missing").await.unwrap().finish().await.unwrap_err();
    assert_eq!((failure.kind, failure.provider.as_deref()), (FailureKind::NotFound, Some("pulls")));
    let started = Instant::now();
    let mut slow = host.pull("pulls:slow").await.unwrap();
    slow.next().await.unwrap().unwrap();
    drop(slow);
    assert!(started.elapsed() < Duration::from_secs(30), "dropping it ends it");
}

#[test]
fn the_blocking_library_does_all_three() {
    let home = Home::with(&["pulls"]);
    let host = aimu_host::blocking::Host::new(host(&home)).unwrap();
    let client = host.client("echo:embed").unwrap();
    let found = client.embed(["a"], |call| call.dimensions(3)).unwrap();
    assert_eq!(found.vectors[0].len(), 3);
    assert_eq!(host.client("echo:echo").unwrap().count("one two").unwrap(), 2);
    assert_eq!(host.pull("pulls:fine").unwrap().map(Result::unwrap).count(), 4);
}
