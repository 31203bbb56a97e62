//! The presets that come with the program: each says only what exists.

use std::collections::BTreeSet;

use crate::OpenAiCompat;
use aimu_sdk::openai::{Compatible, Quirks};
use toml::{Table, Value};

const CAPABILITIES: [&str; 12] = [
    "tools",
    "parallel-tools",
    "thinking",
    "vision",
    "audio",
    "documents",
    "structured-output",
    "image-output",
    "audio-output",
    "prompt-cache",
    "media-urls",
    "server-tools",
];

const PARAMETERS: [&str; 13] = [
    "temperature",
    "top-p",
    "top-k",
    "min-p",
    "presence-penalty",
    "frequency-penalty",
    "repetition-penalty",
    "max-tokens",
    "context-length",
    "seed",
    "stop",
    "thinking",
    "tool-choice",
];

fn only(table: &Table, known: &[&str], whose: &str) {
    for name in table.keys() {
        assert!(known.contains(&name.as_str()), "{whose}: `{name}`");
    }
}

fn words(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn every_preset_is_well_formed() {
    let document: Table = toml::from_str(include_str!("../../../host/data/presets.toml")).unwrap();
    only(&document, &["providers"], "the document");
    for (name, preset) in document["providers"].as_table().unwrap() {
        let preset = preset.as_table().unwrap();
        let known = [
            "plugin",
            "base-url",
            "headers",
            "credential",
            "open-catalog",
            "settings",
            "parameters",
            "models",
        ];
        only(preset, &known, name);
        // Both stand on the same base, whose settings are these.
        let plugin = preset["plugin"].as_str().unwrap();
        assert!([OpenAiCompat::brand().id, "openai"].contains(&plugin), "{name}: {plugin}");
        let url = preset["base-url"].as_str().unwrap();
        assert!(url.starts_with("https://") || url.starts_with("http://localhost:"), "{name}: {url}");
        assert!(!url.ends_with('/'), "{name}: {url}");
        let credential = preset["credential"].as_table().unwrap();
        only(credential, &["source", "placement", "required"], name);
        let env = words(credential["source"].get("env"));
        assert_eq!(credential["required"].as_bool().unwrap(), url.starts_with("https://"), "{name}");
        assert!(!env.is_empty() || url.starts_with("http://"), "{name} needs a key");
        if let Some(settings) = preset.get("settings") {
            let settings = serde_json::to_string(settings).unwrap();
            Quirks::default().with_settings(&settings).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
        for (parameter, support) in preset.get("parameters").and_then(Value::as_table).into_iter().flatten() {
            assert!(PARAMETERS.contains(&parameter.as_str()), "{name}: {parameter}");
            let support = support.as_table().unwrap();
            only(support, &["sent-as", "unsupported"], name);
            assert_eq!(support.len(), 1, "{name}: {parameter}");
        }
        let mut ids = BTreeSet::new();
        for model in preset.get("models").and_then(Value::as_array).into_iter().flatten() {
            let model = model.as_table().unwrap();
            let id = model["id"].as_str().unwrap();
            assert!(ids.insert(id), "{name}: {id} twice");
            let known = [
                "id",
                "tasks",
                "capabilities",
                "context-window",
                "max-output",
                "efforts",
                "thinking-optional",
                "rejects",
                "rejects-while-thinking",
            ];
            only(model, &known, id);
            let capabilities = words(model.get("capabilities"));
            assert!(capabilities.iter().all(|word| CAPABILITIES.contains(word)), "{id}: {capabilities:?}");
            if let Some(tasks) = model.get("tasks") {
                assert_eq!(words(Some(tasks)), ["embedding"], "{id}");
                assert!(capabilities.is_empty(), "{id} embeds and does nothing else");
            }
            let thinks = capabilities.contains(&"thinking");
            assert!(thinks || words(model.get("efforts")).is_empty(), "{id} has efforts but does not think");
            assert_eq!(thinks, model.contains_key("thinking-optional"), "{id}");
            for list in ["rejects", "rejects-while-thinking"] {
                assert!(words(model.get(list)).iter().all(|word| PARAMETERS.contains(word)), "{id}: {list}");
            }
        }
    }
}

#[test]
fn the_component_describes_itself() {
    let description = <OpenAiCompat as aimu_sdk::Provider>::describe();
    assert_eq!((description.id.as_str(), description.default_base_url), ("openai-compat", None));
    assert!(description.open_catalog && description.models.is_empty());
    let credential = &description.credentials[0];
    assert!(!credential.required);
    assert_eq!(credential.fields[0].env, ["OPENAI_COMPAT_API_KEY"]);
    assert_eq!(description.parameters.len(), PARAMETERS.len());
    let schema: serde_json::Value = serde_json::from_str(&description.settings_schema.unwrap()).unwrap();
    assert_eq!(schema["additionalProperties"], false);
}
