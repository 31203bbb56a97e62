//! Embeddings, counting and pulling: recorded answers of real services through the program, and what it says to a user
//! who asks wrongly, of a component that lies, and of a server that fails.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aimu_host::{FailureKind, Host, Progress, Purpose};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use support::Home;
use support::cases::{self, Exchange};
use support::program::Outcome;
use support::server::{Request, Server};

/// Keys that the providers of the recorded cases look for.
const KEYS: [&str; 9] = [
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "OPENROUTER_API_KEY",
    "VENICE_API_KEY",
    "DOUBLEWORD_API_KEY",
    "VOYAGE_API_KEY",
    "CO_API_KEY",
    "ANTHROPIC_API_KEY",
];

/// How the program's requests may differ from the recorded ones: provider, difference, and why.
const DIFFERENCES: [(&str, &str, &str); 5] = [
    ("openai", "changed /input", "the recorded client sent a single text bare; here it is a list of one"),
    (
        "gemini",
        "missing /requests/#/output_dimensionality",
        "the recorded client's own default; the input names none",
    ),
    ("gemini", "missing /requests/#/content/role", "the recorded client's own; embeddings have no roles"),
    ("mistral", "changed /input", "more than the brand takes at once goes out in batches"),
    (
        "cohere",
        "extra /embedding_types",
        "the first version has floats where none is named; the second wants it said",
    ),
];

/// The provider of an exchange. What no preset stands for is a server like any other.
fn provider(exchange: &Exchange) -> &str {
    match exchange.provider.as_str() {
        "llamacpp" => "llamaserver",
        "copilot" => "openai-compat",
        provider => provider,
    }
}

/// The model: Gemini's wire has it in the path.
fn model(exchange: &Exchange) -> String {
    let url = exchange.request.as_ref().and_then(|request| request["url"].as_str()).unwrap_or_default();
    let in_path = url.rsplit_once("/models/").and_then(|(_, rest)| rest.split(':').next());
    exchange.input["model"].as_str().or(in_path).unwrap_or("unnamed").to_owned()
}

fn with_keys(mut program: support::program::Program) -> support::program::Program {
    for key in KEYS {
        program = program.env(key, "test-key");
    }
    program
}

fn run(home: &Home, exchange: &Exchange) -> (Outcome, Server) {
    let mut exchange = exchange.clone();
    if let Some(url) = exchange.request.as_mut().and_then(|request| request.get_mut("url")) {
        // Asked in the API's second version, whose requests differ as declared; answers of the first are read as well.
        *url = json!(url.as_str().unwrap_or_default().replace("cohere.com/v1/embed", "cohere.com/v2/embed"));
    }
    let exchange = &exchange;
    let server = cases::replay(exchange, 1);
    let model = format!("{}:{}@{}", provider(exchange), model(exchange), server.url());
    let program = home.aimu(["embed", &model, "--request", "-", "--json"]);
    (with_keys(program).input(exchange.input.to_string()).run(), server)
}

/// Runs one exchange, and says what came out wrong.
fn run_case(home: &Home, exchange: &Exchange) -> Vec<String> {
    let (outcome, server) = run(home, exchange);
    let Ok(got) = serde_json::from_str::<Value>(&outcome.stdout) else {
        return vec![format!("the program gave no result: {outcome:?}")];
    };
    let mut wrong = cases::compare(&exchange.expect, &got);
    let failed = exchange.expect["kind"] == "error";
    if outcome.code != Some(i32::from(failed)) {
        wrong.push(format!("exit code {:?}", outcome.code));
    }
    if failed {
        let said = |value: &Value| value["error"]["message"].as_str().unwrap_or_default().to_owned();
        let want = exchange.expect["message"].as_str().unwrap_or_default();
        if !said(&got).contains(want) {
            wrong.push(format!("message: wanted {want:?}, got {:?}", said(&got)));
        }
        if got["error"]["http_status"] != exchange.expect["status"] {
            wrong.push(format!("status: {}", got["error"]["http_status"]));
        }
    } else {
        vectors(&exchange.expect, &got, &mut wrong);
    }
    match server.requests().as_slice() {
        [sent] => wrong.extend(differences(exchange, sent)),
        other => wrong.push(format!("{} requests were made", other.len())),
    }
    wrong
}

/// Count, lengths, first values, and usage.
fn vectors(expect: &Value, got: &Value, wrong: &mut Vec<String>) {
    let vectors = got["vectors"].as_array().cloned().unwrap_or_default();
    if expect["count"] != json!(vectors.len()) {
        wrong.push(format!("count: wanted {}, got {}", expect["count"], vectors.len()));
    }
    let mut lengths: Vec<usize> = vectors.iter().map(|vector| vector.as_array().unwrap().len()).collect();
    lengths.dedup();
    if expect["dims"] != json!(lengths) {
        wrong.push(format!("dims: wanted {}, got {lengths:?}", expect["dims"]));
    }
    let first = expect["first3"].as_array().cloned().unwrap_or_default();
    for (want, vector) in first.iter().zip(&vectors) {
        // The cases have six places.
        let near =
            |place: usize| (want[place].as_f64().unwrap() - vector[place].as_f64().unwrap()).abs() < 1.5e-6;
        if !(0..3).all(near) {
            wrong.push(format!("values: wanted {want}, got {:?}", &vector.as_array().unwrap()[..3]));
        }
    }
    if !expect["usage"]["input"].is_null() && expect["usage"]["input"] != got["usage"]["input"] {
        wrong.push(format!("usage: wanted {}, got {}", expect["usage"], got["usage"]));
    }
}

/// The differences to the recorded request that nothing declared explains.
fn differences(exchange: &Exchange, sent: &Request) -> Vec<String> {
    let explained = |found: &String| {
        DIFFERENCES
            .iter()
            .any(|(provider, difference, _)| exchange.provider == *provider && found == difference)
    };
    let found = cases::request_differences(exchange, sent);
    found.into_iter().filter(|found| !explained(found)).map(|at| format!("request: {at}")).collect()
}

#[test]
fn recorded_embeddings() {
    let Some(folder) = cases::folder() else {
        return support::skip(
            "replay of embeddings",
            "the recorded cases are missing; AIMU_CASES names their folder",
        );
    };
    let part = std::env::var("AIMU_REPLAY").unwrap_or_default();
    let mut chosen = cases::load(&folder, "embeddings");
    chosen.retain(|exchange| exchange.id.contains(&part));
    assert!(chosen.len() >= 50 || !part.is_empty(), "only {} cases", chosen.len());
    let home = Home::new();
    let mut report = String::new();
    for exchange in &chosen {
        for line in run_case(&home, exchange) {
            report += &format!("{}: {line}\n", exchange.id);
        }
    }
    assert!(report.is_empty(), "of {} cases differ:\n{report}", chosen.len());
}

/// The comparison must be able to fail.
#[test]
fn differences_are_found() {
    let expect = json!({"count": 2, "dims": [3], "first3": [[1, 2, 3], [4, 5, 6]], "usage": {"input": 7}});
    let right = json!({"vectors": [[1, 2, 3], [4, 5, 6]], "usage": {"input": 7}});
    let compare = |got: &Value| {
        let mut wrong = Vec::new();
        vectors(&expect, got, &mut wrong);
        wrong.len()
    };
    assert_eq!(compare(&right), 0);
    for (pointer, value, count) in [
        ("/usage/input", json!(8), 1),
        ("/vectors/1/1", json!(5.1), 1),
        ("/vectors/1", json!([4, 5, 6, 7]), 1),
        ("/vectors", json!([]), 2),
    ] {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(compare(&changed), count, "{pointer}");
    }
}

/// The recorded counts have no input; those of a single text, and maybe instructions, can be asked for by hand.
#[test]
fn recorded_counts() {
    let Some(folder) = cases::folder() else {
        return support::skip(
            "replay of counts",
            "the recorded cases are missing; AIMU_CASES names their folder",
        );
    };
    let home = Home::new();
    let mut seen = Vec::new();
    for mut exchange in cases::load_all(&folder, "count-tokens") {
        let body = exchange.request.as_ref().unwrap()["body"].clone();
        let Some(text) = single_text(&body) else { continue };
        let provider = exchange.provider.clone();
        // Only Vertex AI's path says which service it is.
        if !["anthropic", "gemini", "openai"].contains(&provider.as_str()) {
            continue;
        }
        exchange.input = json!({ "model": body["model"] });
        let server = cases::replay(&exchange, 1);
        let model = format!("{provider}:{}@{}", model(&exchange), server.url());
        let outcome = with_keys(home.aimu(["count", &model, &text])).run();
        if exchange.expect["kind"] == "error" {
            outcome.exits(1).says(&[exchange.expect["message"].as_str().unwrap()]);
        } else {
            assert_eq!(outcome.ok().stdout, format!("{}\n", exchange.expect["input"]), "{}", exchange.id);
        }
        let mut found = cases::request_differences(&exchange, &server.request());
        // Ours say that a message is one, as the API allows.
        found.retain(|found| found != "extra /input/#/type");
        assert_eq!(found, Vec::<String>::new(), "{}", exchange.id);
        seen.push(provider);
    }
    seen.dedup();
    assert_eq!(seen, ["anthropic", "gemini", "openai"], "each that counts");
}

/// The text of a request that is nothing but one text of the user.
fn single_text(body: &Value) -> Option<String> {
    let plain = body.get("tools").is_none() && body.get("systemInstruction").is_none();
    let messages = ["messages", "contents", "input"].iter().find_map(|name| body[*name].as_array())?;
    let [message] = messages.as_slice() else { return None };
    let text = message["content"].as_str();
    let text = text
        .or_else(|| message["content"][0]["text"].as_str())
        .or_else(|| message["parts"][0]["text"].as_str());
    text.filter(|_| plain).map(str::to_owned)
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

#[test]
fn counting_is_by_the_provider() {
    let home = Home::new();
    assert_eq!(home.aimu(["count", "echo:echo", "one two three"]).run().ok().stdout, "3\n");
    let system = home.aimu(["count", "echo:echo", "one two three", "-s", "Be brief."]).run().ok();
    assert_eq!(system.stdout, "5\n");
    let document =
        json!({ "messages": [{ "role": "user", "content": "one two" }], "options": { "max_tokens": 5 } });
    let counted = home.aimu(["count", "echo:echo", "--request", "-"]).input(document.to_string()).run().ok();
    assert_eq!(counted.stdout, "2\n");
    home.aimu(["count", "groq:x", "a"])
        .env("GROQ_API_KEY", "k")
        .run()
        .exits(1)
        .says(&["`groq` does not count tokens", "anthropic"]);
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
