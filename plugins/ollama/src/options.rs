//! The members of `options`: sampling, and how the model is run
//! (<https://docs.ollama.com/modelfile#valid-parameters-and-values>).

use aimu_sdk::{Parameter, Sampling, Support, json};
use serde_json::{Map, Value};

/// Options that a caller may give beside the portable parameters, under the API's own names. Callers write them where
/// they write `temperature`, and expect them to arrive there.
const OWN: [&str; 31] = [
    "draft_num_predict",
    "f16_kv",
    "frequency_penalty",
    "logits_all",
    "low_vram",
    "main_gpu",
    "min_p",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "num_batch",
    "num_ctx",
    "num_gpu",
    "num_keep",
    "num_predict",
    "num_thread",
    "numa",
    "penalize_newline",
    "presence_penalty",
    "repeat_last_n",
    "repeat_penalty",
    "seed",
    "stop",
    "temperature",
    "tfs_z",
    "top_k",
    "top_p",
    "typical_p",
    "use_mlock",
    "use_mmap",
    "vocab_only",
];

/// Every parameter, and what becomes of it.
pub(crate) fn table() -> Vec<(Parameter, Support)> {
    let sent = |parameter, name: &str| (parameter, Support::SentAs(name.into()));
    vec![
        sent(Parameter::Temperature, "temperature"),
        sent(Parameter::TopP, "top_p"),
        sent(Parameter::TopK, "top_k"),
        sent(Parameter::MinP, "min_p"),
        sent(Parameter::PresencePenalty, "presence_penalty"),
        sent(Parameter::FrequencyPenalty, "frequency_penalty"),
        sent(Parameter::RepetitionPenalty, "repeat_penalty"),
        sent(Parameter::MaxTokens, "num_predict"),
        sent(Parameter::ContextLength, "num_ctx"),
        sent(Parameter::Seed, "seed"),
        sent(Parameter::Stop, "stop"),
        sent(Parameter::Thinking, "think"),
        (
            Parameter::ToolChoice,
            Support::Unsupported(
                "Ollama leaves the choice to the model; ask for the tool in the prompt".into(),
            ),
        ),
    ]
}

/// The portable parameters.
pub(crate) fn of(sampling: &Sampling) -> Map<String, Value> {
    let mut options = Map::new();
    json::put(&mut options, "temperature", sampling.temperature);
    json::put(&mut options, "top_p", sampling.top_p);
    json::put(&mut options, "top_k", sampling.top_k);
    json::put(&mut options, "min_p", sampling.min_p);
    json::put(&mut options, "presence_penalty", sampling.presence_penalty);
    json::put(&mut options, "frequency_penalty", sampling.frequency_penalty);
    json::put(&mut options, "repeat_penalty", sampling.repetition_penalty);
    json::put(&mut options, "num_predict", sampling.max_tokens);
    json::put(&mut options, "num_ctx", sampling.context_length);
    json::put(&mut options, "seed", sampling.seed);
    if !sampling.stop.is_empty() {
        options.insert("stop".into(), sampling.stop.clone().into());
    }
    options
}

/// Moves options out of the top of a caller's members to where the API has them. What the caller wrote there wins.
pub(crate) fn gather(extra: &mut Map<String, Value>) {
    let (mut moved, mut rest) = (Map::new(), Map::new());
    for (name, value) in std::mem::take(extra) {
        let own = OWN.contains(&name.as_str());
        if own {
            moved.insert(name, value)
        } else {
            rest.insert(name, value)
        };
    }
    if !moved.is_empty() {
        let options = rest.entry("options").or_insert_with(|| Value::Object(Map::new()));
        let given = std::mem::replace(options, Value::Object(moved));
        json::merge(options, given);
    }
    *extra = rest;
}
