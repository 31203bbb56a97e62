//! One exchange asked for: by the program, and by the library inside this process.

use super::cases::Exchange;
use crate::support::Home;
use crate::support::program::Outcome;
use aimu_host::{Answering, Client, EmbedDocument, EmbedResult, Host, RequestDocument, Setup, result_json};
use futures::StreamExt;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use tokio::runtime::Runtime;

/// A service that no preset has, as a user would configure it.
const CONFIGURED: &str = r#"
[providers.gemini-openai]
plugin = "openai-compat"
settings.stream-usage = false
"#;

/// Who answers for an exchange: a name, and the settings of the call.
struct Callee {
    name: String,
    settings: Map<String, Value>,
}

/// The provider, preset or configured instance that a user of the recorded service would name.
fn callee(exchange: &Exchange) -> Callee {
    let name = match (exchange.api.as_str(), exchange.provider.as_str()) {
        ("messages", _) => "anthropic",
        ("converse", _) => "bedrock",
        ("cohere-chat", _) => "cohere",
        ("ollama-chat", _) => "ollama",
        ("generate-content", _) => "gemini",
        ("responses", "copilot") => "openai-compat",
        ("embeddings" | "count-tokens", "gemini") => "gemini",
        ("embeddings", "cohere") => "cohere",
        ("count-tokens", "anthropic") => "anthropic",
        // OpenAI's own models at other houses.
        (_, "openai" | "azure" | "copilot" | "chatgpt" | "aihubmix" | "bedrock-mantle") => "openai",
        (_, "llamacpp") => "llamaserver",
        (_, "gemini" | "vertex") => "gemini-openai",
        (_, other) if is_preset(other) => other,
        _ => "openai-compat",
    };
    // Which of its wires a model takes is data of the provider; a recording may have the other.
    let api = match exchange.api.as_str() {
        "responses" => true,
        "chat-completions" => name == "openai",
        _ => false,
    };
    let api = api.then(|| ("api".to_owned(), json!(exchange.api)));
    let mut settings: Map<String, Value> = api.into_iter().collect();
    if let ("chat-completions", Some((_, query))) = (exchange.api.as_str(), exchange.url().split_once('?')) {
        settings.insert("chat-path".into(), format!("chat/completions?{query}").into());
    }
    Callee { name: name.to_owned(), settings }
}

fn is_preset(name: &str) -> bool {
    static PRESETS: LazyLock<toml::Table> =
        LazyLock::new(|| include_str!("../../host/data/presets.toml").parse().unwrap());
    PRESETS["providers"].get(name).is_some()
}

/// What a base URL of Vertex AI has before its models: a project's resources, which the plugin tells it by.
fn base_path(exchange: &Exchange) -> &str {
    let path = exchange
        .url()
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]))
        .unwrap_or_default();
    match path.split_once("/models/") {
        Some((resources, _)) if resources.contains("/projects/") => resources,
        _ => "",
    }
}

/// The program and the library, over one home.
pub struct Callers {
    home: Home,
    host: Host,
    runtime: Runtime,
}

/// Compiled components are shared by all tests.
pub fn callers() -> &'static Callers {
    static CALLERS: LazyLock<Callers> = LazyLock::new(|| {
        let home = Home::fresh();
        std::fs::write(home.data().join("config.toml"), CONFIGURED).unwrap();
        let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Callers { host: builder.build().unwrap(), runtime: runtime.unwrap(), home }
    });
    &CALLERS
}

impl Callers {
    /// By the program, which gets the document on standard input.
    pub fn program(&self, exchange: &Exchange, url: &str, document: &Value, check: bool) -> Outcome {
        let Callee { name, settings } = callee(exchange);
        let model = model(exchange, &name, url);
        let mut arguments = vec!["chat".to_owned(), model, "--request".into(), "-".into(), "--json".into()];
        for (name, value) in settings {
            arguments.extend(["--setting".to_owned(), format!("{name}={}", value.as_str().unwrap())]);
        }
        arguments.extend((!check).then(|| "--no-check".to_owned()));
        self.run(&arguments, document.to_string())
    }

    /// Embeddings, by the program.
    pub fn program_embeds(&self, exchange: &Exchange, url: &str) -> Outcome {
        let model = model(exchange, &callee(exchange).name, url);
        self.run(&["embed", &model, "--request", "-", "--json"], exchange.input.to_string())
    }

    /// A text's tokens, by the program.
    pub fn program_counts(&self, exchange: &Exchange, url: &str, text: &str) -> Outcome {
        let model = model(exchange, &callee(exchange).name, url);
        self.run(&["count", &model, text], String::new())
    }

    fn run(&self, arguments: &[impl AsRef<str>], input: String) -> Outcome {
        let program = self.home.aimu(arguments).env("ANTHROPIC_API_KEY", "k").env("GEMINI_API_KEY", "k");
        let program = program.env("AWS_BEARER_TOKEN_BEDROCK", "k").env("CO_API_KEY", "k");
        program.env("OPENAI_API_KEY", "k").input(input).run()
    }

    /// Embeddings, by the library: the object that the program prints.
    pub fn library_embeds(&self, exchange: &Exchange, url: &str) -> Value {
        let model = model(exchange, &callee(exchange).name, url);
        let made = self.runtime.block_on(async {
            let document = EmbedDocument::parse(exchange.input.to_string())?;
            self.host.client(model.as_str()).await?.embed_document(document).await
        });
        // By way of text, as the program prints it: a number is as short as it is.
        let told = serde_json::to_string(&EmbedResult::new(&model, made.as_ref())).unwrap();
        serde_json::from_str(&told).unwrap()
    }

    /// By the library: the object that the program prints, with the rest of the answer beside it.
    pub fn library(&self, exchange: &Exchange, url: &str, document: &Value, check: bool) -> Value {
        let Callee { name, settings } = callee(exchange);
        let model = model(exchange, &name, url);
        self.runtime.block_on(async {
            let asked = async {
                let document = RequestDocument::parse(document.to_string())?;
                let setup = Setup { settings, ..Setup::default() };
                let client: Client = self.host.client_with(model.as_str(), setup).await?;
                client.send(document, check)
            };
            match asked.await {
                Ok(answering) => told(&model, answering).await,
                Err(failure) => result_json(&model, Err((&failure, None))),
            }
        })
    }
}

fn model(exchange: &Exchange, name: &str, url: &str) -> String {
    // Gemini's wire has it in the path.
    let in_path = exchange.url().rsplit_once("/models/").and_then(|(_, rest)| rest.split(':').next());
    let id = exchange.input["model"].as_str().or(in_path).unwrap_or("unnamed");
    format!("{name}:{id}@{url}{}", base_path(exchange))
}

async fn told(model: &str, mut answering: Answering<'static>) -> Value {
    let mut failure = None;
    while let Some(event) = answering.next().await {
        failure = event.err();
    }
    let partial = answering.partial();
    let answer = answering.answer().or(partial.as_ref());
    let mut told = match &failure {
        Some(failure) => result_json(model, Err((failure, answer))),
        None => answer.unwrap().to_json(),
    };
    if let Some(answer) = answer {
        told["parts"] = json!(answer.parts);
        told["details"] = json!(answer.details);
        told["response_id"] = json!(answer.response_id);
        told["metadata"] = json!(answer.metadata);
    }
    told
}
