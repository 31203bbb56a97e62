//! A server that speaks Ollama's own API, through the program: what it has, what is taken when nothing is named, and
//! what no recording shows. Faults that all wires share are tested with the others.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::io::Result;
use support::Home;
use support::server::{Connection, Server};

const LINES: [&str; 3] = [
    r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
    r#"{"model":"qwen3:4b","message":{"role":"assistant","content":"Hello"},"done":false}"#,
    r#"{"model":"qwen3:4b","message":{"content":", world"},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":5}"#,
];

fn document(connection: &mut Connection, status: u16, body: &Value) -> Result<()> {
    connection.answer(status, &[("content-type", "application/json")], body.to_string().as_bytes())
}

fn lines(connection: &mut Connection, lines: &[&str]) -> Result<()> {
    connection.head(200, &[("content-type", "application/x-ndjson")])?;
    lines.iter().try_for_each(|line| connection.chunk(format!("{line}\n")))?;
    connection.end()
}

/// A server with an embedding model, one that sees and one that calls tools, in this order.
fn server() -> Server {
    Server::start(|request, connection| match request.path.as_str() {
        "/api/tags" => {
            let named = |name: &str| json!({ "name": name, "model": name, "details": { "family": "f" } });
            let models = ["all-minilm:latest", "gemma3:4b", "qwen3:4b"].map(named);
            document(connection, 200, &json!({ "models": models }))
        }
        "/api/show" => {
            let capabilities = match request.json()["model"].as_str() {
                Some("all-minilm:latest") => json!(["embedding"]),
                Some("gemma3:4b") => json!(["completion", "vision"]),
                _ => json!(["completion", "tools", "thinking"]),
            };
            let info = json!({ "f.context_length": 40_960 });
            document(connection, 200, &json!({ "capabilities": capabilities, "model_info": info }))
        }
        "/api/chat" if request.json()["model"] == "missing" => {
            document(connection, 404, &json!({ "error": "model 'missing' not found" }))
        }
        "/api/chat" => lines(connection, &LINES),
        "/api/generate" => document(
            connection,
            200,
            &json!({ "model": "qwen3:4b", "response": "Done", "done": true, "done_reason": "stop" }),
        ),
        other => document(connection, 404, &json!({ "error": format!("no {other}") })),
    })
}

#[test]
fn a_running_server_is_asked_first_when_no_model_is_named() {
    let server = server();
    let home = Home::fresh();
    let config = format!("[providers.ollama]\nplugin = \"ollama\"\nbase-url = \"{}\"\n", server.url());
    fs::write(home.data().join("config.toml"), config).unwrap();
    let outcome = home.aimu(["chat", "Hi"]).run().ok();
    assert_eq!(outcome.stdout, "Hello, world\n");
    // Not the first of its list, which only embeds, nor the second, which calls no tools.
    outcome.says(&["ollama:qwen3:4b", "AIMU_LANGUAGE_MODEL"]);
    let asked = server.requests().pop().unwrap();
    assert_eq!(asked.json()["model"], "qwen3:4b");
    let named = home.aimu(["chat", "Hi"]).env("AIMU_LANGUAGE_MODEL", "ollama:gemma3:4b").run().ok();
    assert!(named.stderr.is_empty(), "{named:?}");
    assert_eq!(server.requests().pop().unwrap().json()["model"], "gemma3:4b");
}

#[test]
fn models_are_listed_with_what_they_can_do() {
    let server = server();
    let provider = format!("ollama@{}", server.url());
    let listed =
        Home::new().aimu(["models", "--provider", &provider, "--refresh", "--json"]).run().ok().json();
    let of = |id: &str| {
        let model = listed.as_array().unwrap().iter().find(|model| model.to_string().contains(id));
        model.unwrap_or_else(|| panic!("{id} is missing: {listed}")).to_string()
    };
    assert!(of("qwen3:4b").contains("tools") && of("qwen3:4b").contains("40960"), "{listed}");
    assert!(of("gemma3:4b").contains("vision") && !of("gemma3:4b").contains("tools"), "{listed}");
    assert!(of("all-minilm").contains("embedding"), "{listed}");
}

#[test]
fn no_key_is_needed_and_one_is_sent_where_there_is_one() {
    let server = server();
    let model = format!("ollama:qwen3:4b@{}", server.url());
    let home = Home::new();
    home.aimu(["chat", &model, "Hi"]).run().ok();
    assert_eq!(server.request().header("authorization"), None);
    home.aimu(["chat", &model, "Hi"]).env("OLLAMA_API_KEY", "secret").run().ok();
    assert_eq!(server.requests().pop().unwrap().header("authorization"), Some("Bearer secret"));
}

#[test]
fn a_prompt_without_a_conversation_goes_to_generate() {
    let server = server();
    let home = Home::new();
    let image = home.put("dot.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let model = format!("ollama:gemma3:4b@{}", server.url());
    let image = image.to_str().unwrap();
    let outcome = home.aimu(["generate", &model, "What is it?", "-a", image, "--no-stream"]).run().ok();
    assert_eq!(outcome.stdout, "Done\n");
    let request = server.request();
    assert_eq!(request.path, "/api/generate");
    let body = request.json();
    assert_eq!((&body["prompt"], &body["stream"]), (&json!("What is it?"), &json!(false)));
    assert_eq!(body["images"], json!(["iVBORw0KGgoAAAANSUhEUg=="]));
}

#[test]
fn options_get_the_servers_names() {
    let server = server();
    let model = format!("ollama:qwen3:4b@{}", server.url());
    let options = ["-o", "max_tokens", "9", "-o", "context_length", "8192", "-o", "num_gpu", "1"];
    let more = ["-o", "keep_alive", "5m", "--thinking", "low"];
    let arguments = ["chat", &model, "Hi"];
    Home::new().aimu(arguments.iter().chain(&options).chain(&more)).run().ok();
    let body = server.request().json();
    assert_eq!(body["options"], json!({ "num_predict": 9, "num_ctx": 8192, "num_gpu": 1 }));
    assert_eq!((&body["keep_alive"], &body["think"]), (&json!("5m"), &json!("low")));
}

#[test]
fn a_missing_model_can_be_pulled() {
    let server = server();
    let home = Home::new();
    let ask = |model: &str| home.aimu(["chat", &format!("ollama:{model}@{}", server.url()), "Hi"]);
    // What helps is a command that asks this very server.
    let pull = format!("aimu-host pull ollama:missing@{}`", server.url());
    ask("missing").run().exits(1).says(&[&pull]);
    let request = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;
    let model = format!("ollama:missing@{}", server.url());
    home.aimu(["chat", &model, "--request", "-", "--json"]).input(request).run().failed(&["not-found"]);
}

#[test]
fn ollama_fetches_a_model() {
    let server = Server::start(|request, connection| {
        connection.head(200, &[("content-type", "application/x-ndjson")])?;
        let lines: &[&str] = match request.json()["model"].as_str() {
            Some("qwen3:8b") => &[
                r#"{"status":"pulling manifest"}"#,
                r#"{"status":"pulling 1a2b","digest":"sha256:1a2b","total":10,"completed":4}"#,
                r#"{"status":"pulling 1a2b","digest":"sha256:1a2b","total":10,"completed":10}"#,
                r#"{"status":"success"}"#,
            ],
            Some("cut") => &[r#"{"status":"pulling manifest"}"#],
            _ => &[r#"{"error":"pull model manifest: file does not exist"}"#],
        };
        lines.iter().try_for_each(|line| connection.chunk(format!("{line}\n")))?;
        connection.end()
    });
    let home = Home::new();
    let pull = |model: &str| home.aimu(["pull", &format!("ollama:{model}@{}", server.url())]).run();
    assert_eq!(pull("qwen3:8b").ok().stderr, "pulling manifest\npulling 1a2b\nsuccess\n");
    let sent = server.request();
    assert_eq!(
        (sent.path.as_str(), sent.json()),
        ("/api/pull", json!({ "model": "qwen3:8b", "stream": true }))
    );
    pull("missing").exits(1).says(&["file does not exist", "ollama.com/library"]);
    let cut = pull("cut").exits(1);
    assert!(cut.stderr.contains("truncated"), "{cut:?}");
}
