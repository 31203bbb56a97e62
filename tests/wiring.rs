//! Every provider that the program ships, wired: its string resolves, its capabilities answer, a client is made, and
//! what is written wrongly is told. Without any service, server or key, so it always runs.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use aimu_host::{Capability, Client, FailureKind, Host, ModelHandle, ModelQuery, Task};
use std::collections::BTreeSet;
use support::Home;
use support::server::Server;

/// What the program must ship at least, with the variable of the key without which nothing can be called.
const SHIPPED: [(&str, Option<&str>); 35] = [
    ("anthropic", Some("ANTHROPIC_API_KEY")),
    ("azure", Some("AZURE_OPENAI_API_KEY")),
    ("bedrock", Some("AWS_BEARER_TOKEN_BEDROCK")),
    ("cerebras", Some("CEREBRAS_API_KEY")),
    ("cohere", Some("CO_API_KEY")),
    ("copilot", Some("GITHUB_COPILOT_API_KEY")),
    ("crusoe", Some("CRUSOE_API_KEY")),
    ("deepseek", Some("DEEPSEEK_API_KEY")),
    ("doubleword", Some("DOUBLEWORD_API_KEY")),
    ("echo", None),
    ("fireworks", Some("FIREWORKS_API_KEY")),
    ("gemini", Some("GEMINI_API_KEY")),
    ("groq", Some("GROQ_API_KEY")),
    ("heroku", Some("INFERENCE_KEY")),
    ("hf-openai", None),
    ("huggingface", Some("HF_TOKEN")),
    // llama.cpp's server.
    ("llamaserver", None),
    ("lmstudio", None),
    ("mistral", Some("MISTRAL_API_KEY")),
    ("mistralrs", None),
    ("ollama", None),
    ("ollama-openai", None),
    ("omlx", None),
    ("openai", Some("OPENAI_API_KEY")),
    ("openai-compat", None),
    ("openrouter", Some("OPENROUTER_API_KEY")),
    ("perplexity", Some("PERPLEXITY_API_KEY")),
    ("sglang", None),
    ("snowflake", Some("SNOWFLAKE_PAT")),
    ("together", Some("TOGETHER_API_KEY")),
    ("venice", Some("VENICE_API_KEY")),
    ("vllm", None),
    ("voyage", Some("VOYAGE_API_KEY")),
    ("xai", Some("XAI_API_KEY")),
    ("zai", Some("ZAI_API_KEY")),
];

/// An id that no catalogue has.
const UNKNOWN: &str = "no-such:model/of@theirs";

/// Where nobody is asked anything: nothing is sent here. A server that the user types may want no key.
const NOWHERE: &str = "http://127.0.0.1:9/v1";

/// A host that has what the program ships and nothing else.
fn host(home: &Home) -> Host {
    let builder = Host::builder().home(aimu_host::Home::at(home.data())).plugin_dir(home.plugins());
    builder.build().unwrap()
}

async fn catalogue(host: &Host, provider: &str) -> Vec<ModelHandle> {
    let query = ModelQuery { provider: Some(provider.to_owned()), ..ModelQuery::default() };
    host.models(&query).await.unwrap()
}

/// Whether ids outside the catalogue are let through.
async fn is_open(host: &Host, provider: &str) -> bool {
    match host.model(&format!("{provider}:{UNKNOWN}")).await {
        Ok(spec) => {
            assert_eq!(spec, None, "{provider}");
            true
        }
        Err(failure) => {
            assert_eq!(failure.kind, FailureKind::NotFound, "{provider}: {failure}");
            false
        }
    }
}

/// A client at a server of this machine; of the one that has no network, where it is.
async fn client(host: &Host, provider: &str, id: &str, flags: &str) -> Client {
    let at = if provider == "echo" { String::new() } else { format!("@{NOWHERE}") };
    let model = format!("{provider}:{id}{at}{flags}");
    host.client(model.as_str()).await.unwrap_or_else(|failure| panic!("{model}: {failure}"))
}

/// What only the user knows of a base URL.
const OF_URL: [(&str, &str); 2] = [("azure", "resource"), ("snowflake", "account")];

#[tokio::test]
async fn every_provider_is_there_and_sound() {
    let host = host(&Home::new());
    let providers = host.providers().await;
    let names: BTreeSet<&str> = providers.iter().map(|entry| entry.name.as_str()).collect();
    let missing: Vec<_> = SHIPPED.iter().filter(|(name, _)| !names.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for entry in &providers {
        assert!(entry.status.is_ok(), "{entry:?}");
        // All but these two know where their server is.
        let nowhere = ["echo", "openai-compat"].contains(&entry.name.as_str());
        assert_eq!(entry.base_url.is_none(), nowhere, "{entry:?}");
        if let Some(url) = &entry.base_url {
            let local = url.starts_with("http://localhost:");
            assert!(local || url.starts_with("https://"), "{entry:?}");
            assert!(!url.ends_with('/'), "{entry:?}");
        }
    }
}

#[tokio::test]
async fn every_model_resolves_and_says_what_it_can() {
    let host = host(&Home::new());
    for provider in host.providers().await.iter().map(|entry| entry.name.as_str()) {
        let models = catalogue(&host, provider).await;
        let open = is_open(&host, provider).await;
        assert!(open || !models.is_empty(), "{provider} can be asked for nothing");
        let mut ids = BTreeSet::new();
        for model in &models {
            let (id, spec) = (&model.spec.id, &model.spec);
            assert!(ids.insert(id), "{model} is there twice");
            assert!(!spec.tasks.is_empty(), "{model} is for nothing");
            assert_eq!(host.model(&model.to_string()).await.unwrap().as_ref(), Some(spec), "{model}");
            let client = client(&host, provider, id, "").await;
            assert_eq!((client.model(), client.spec()), (model.to_string().as_str(), Some(spec)));
            for capability in Capability::ALL {
                assert_eq!(client.can(capability), Some(spec.capabilities.contains(&capability)), "{model}");
            }
            let thinks = spec.capabilities.contains(&Capability::Thinking);
            assert!(
                thinks || spec.efforts.is_empty(),
                "{model} does not think, but how hard it does is known"
            );
            assert!(!spec.tasks.contains(&Task::Chat) || spec.context_window != Some(0), "{model}");
        }
        // The queries that the models are listed by come from the same entries.
        let query = ModelQuery {
            provider: Some(provider.to_owned()),
            capabilities: vec![Capability::Tools],
            ..ModelQuery::default()
        };
        let with_tools: BTreeSet<String> =
            host.models(&query).await.unwrap().iter().map(ToString::to_string).collect();
        let entries = models.iter().filter(|model| model.spec.capabilities.contains(&Capability::Tools));
        assert_eq!(with_tools, entries.map(ToString::to_string).collect(), "{provider}");
        if open {
            let unknown = client(&host, provider, UNKNOWN, "").await;
            assert_eq!((unknown.model(), unknown.spec()), (format!("{provider}:{UNKNOWN}").as_str(), None));
            assert!(Capability::ALL.into_iter().all(|capability| unknown.can(capability).is_none()));
            let flagged = client(&host, provider, UNKNOWN, ";tools,structured").await;
            let known = [Capability::Tools, Capability::StructuredOutput];
            for capability in Capability::ALL {
                assert_eq!(
                    flagged.can(capability),
                    known.contains(&capability).then_some(true),
                    "{provider}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_provider_tells_what_is_written_wrongly() {
    let host = host(&Home::new());
    let mut closed = Vec::new();
    for provider in host.providers().await.iter().map(|entry| entry.name.as_str()) {
        let models = catalogue(&host, provider).await;
        let refused = async |model: String, kind: FailureKind, words: &[&str]| {
            let Err(failure) = host.client(model.as_str()).await else { panic!("{model} is taken") };
            assert_eq!(failure.kind, kind, "{model}: {failure}");
            for word in words {
                assert!(failure.message.contains(word), "{model}: {word:?} is not in {failure}");
            }
        };
        let wrong = FailureKind::InvalidRequest;
        let flags = ["`fast`", "tools, thinking, vision, audio, structured"];
        refused(format!("{provider}:{UNKNOWN};fast"), wrong, &flags).await;
        refused(format!("{provider}:"), wrong, &["no model id", "provider:model-id"]).await;
        refused(provider.to_owned(), wrong, &["provider:model-id"]).await;
        if let Some(model) = models.first() {
            refused(format!("{model};tools"), wrong, &["leave out the flags"]).await;
        }
        if !is_open(&host, provider).await {
            closed.push(provider.to_owned());
            let ids: Vec<&str> = models.iter().map(|model| model.spec.id.as_str()).collect();
            refused(format!("{provider}:{UNKNOWN}"), FailureKind::NotFound, &ids).await;
            let near = format!("Did you mean `{}`?", ids[0]);
            refused(format!("{provider}:{}x", ids[0]), FailureKind::NotFound, &[&near]).await;
        }
        let near = format!("Did you mean `{provider}`?");
        let others: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        refused(format!("{provider}z:x"), FailureKind::NotFound, &[&near]).await;
        refused(format!("{provider}z:x"), FailureKind::NotFound, &others).await;
    }
    assert!(closed.contains(&"echo".to_owned()), "{closed:?}");
    let Err(failure) = host.client(format!("echo:echo@{NOWHERE}")).await else { panic!("it has no network") };
    assert!(failure.message.contains("takes no base URL"), "{failure}");
    let Err(failure) = host.client("openai-compat:m").await else { panic!("it has no base URL") };
    assert!(failure.message.contains("needs a base URL"), "{failure}");
}

/// By the program, whose environment is empty: without its key nothing is sent, with it the key goes out, and who needs
/// none gets a client.
#[tokio::test]
async fn a_key_is_asked_for_by_its_variable_and_sent() {
    let home = Home::new();
    let host = host(&home);
    let server = Server::answering(500, &[], "");
    for (provider, key) in SHIPPED {
        let models = catalogue(&host, provider).await;
        let id = models.first().map_or("some-model", |model| &model.spec.id);
        let model = format!("{provider}:{id}");
        let Some(key) = key else {
            if provider != "openai-compat" {
                host.client(model.as_str()).await.unwrap_or_else(|failure| panic!("{model}: {failure}"));
            }
            continue;
        };
        let ask = |model: &str| home.aimu(["chat", model, "Hi", "--no-check", "--retries", "0"]);
        let mut program = ask(&model);
        if let Some((_, setting)) = OF_URL.iter().find(|(name, _)| *name == provider) {
            program = program.arg("--setting").arg(&format!("{setting}=mine-1"));
            let Err(failure) = host.client(model.as_str()).await else { panic!("{model} needs {setting}") };
            assert!(failure.message.contains(&format!("--setting {setting}=")), "{failure}");
        }
        program.run().exits(1).says(&[&format!("`{provider}` needs a key"), key]);
        let secret = format!("key-of-{provider}");
        ask(&format!("{model}@{}/v1", server.url())).env(key, &secret).run().exits(1);
        let sent = server.requests().pop().unwrap();
        assert!(sent.headers.iter().any(|(_, value)| value.ends_with(&secret)), "{model}: {sent:?}");
    }
    assert_eq!(server.requests().len(), SHIPPED.iter().filter(|(_, key)| key.is_some()).count());
}
