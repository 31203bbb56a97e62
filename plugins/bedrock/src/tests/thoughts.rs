//! How each maker's models are asked to think.

use aimu_sdk::*;
use serde_json::{Value, json};

use crate::request;

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA: &str = "us.amazon.nova-2-lite-v1:0";

fn thinking(mode: ThinkingMode, effort: Option<&str>, budget: Option<u32>) -> Thinking {
    Thinking { mode, effort: effort.map(str::to_owned), budget_tokens: budget, summary: None }
}

/// The model's own fields, the limit, and the warnings.
fn thinks(model: &str, thinking: Thinking, sampling: Sampling) -> (Value, Value, usize) {
    let request = ChatRequest {
        thinking: Some(thinking),
        sampling,
        ..ChatRequest::new(model, vec![Message::text(Role::User, "a")])
    };
    let request::Body { body, warnings } = request::body(&request).unwrap();
    (body["additionalModelRequestFields"].clone(), body["inferenceConfig"].clone(), warnings.len())
}

#[test]
fn claude_thinks_as_each_model_can() {
    use ThinkingMode::{Adaptive, Off, On};
    let fields = |model: &str, mode, effort, budget| {
        let (fields, _, warnings) = thinks(model, thinking(mode, effort, budget), Sampling::default());
        (fields, warnings)
    };
    let enabled = |budget: u32| json!({"thinking": {"type": "enabled", "budget_tokens": budget}});
    assert_eq!(fields(CLAUDE, On, None, Some(2000)), (enabled(2000), 0));
    assert_eq!(fields(CLAUDE, On, Some("low"), None), (enabled(2048), 0));
    assert_eq!(fields(CLAUDE, Adaptive, None, None), (enabled(8192), 0));
    assert_eq!(fields(CLAUDE, Off, None, None), (Value::Null, 0));
    let both = "us.anthropic.claude-sonnet-4-6";
    assert_eq!(fields(both, On, None, Some(2000)), (enabled(2000), 0));
    let adaptive = json!({"thinking": {"type": "adaptive"}});
    assert_eq!(fields(both, Adaptive, None, None), (adaptive.clone(), 0));
    let with_effort = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}});
    assert_eq!(fields(both, On, Some("high"), None), (with_effort, 0));
    let newer = "global.anthropic.claude-opus-5";
    assert_eq!(fields(newer, On, None, Some(2000)), (adaptive.clone(), 1));
    assert_eq!(fields(newer, Off, None, None), (json!({"thinking": {"type": "disabled"}}), 0));
    assert_eq!(fields("us.anthropic.claude-fable-5", Off, None, None), (Value::Null, 1));
    let between = json!({"thinking": {"type": "between_tools"}});
    assert_eq!(fields("us.anthropic.claude-sonnet-5-5", Off, None, None), (between, 0));
    // One that the catalogue does not know.
    assert_eq!(fields("us.anthropic.claude-x-9", On, None, None), (adaptive, 0));
    assert_eq!(fields("us.anthropic.claude-x-9", On, None, Some(3000)), (enabled(3000), 0));
}

#[test]
fn limits_and_sampling_give_way_to_claudes_thoughts() {
    let sampling = Sampling {
        max_tokens: Some(1500),
        temperature: Some(0.5),
        top_p: Some(0.5),
        top_k: Some(5),
        ..Sampling::default()
    };
    let on = |budget| thinking(ThinkingMode::On, None, budget);
    let (fields, config, warnings) = thinks(CLAUDE, on(Some(2000)), sampling.clone());
    assert_eq!(fields, json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}));
    assert_eq!((config, warnings), (json!({"maxTokens": 3500}), 4));
    // Our own choice gives way to the limit.
    let limit = Sampling { max_tokens: Some(4000), temperature: Some(1.0), ..Sampling::default() };
    let (fields, config, warnings) = thinks(CLAUDE, on(None), limit);
    assert_eq!(fields["thinking"]["budget_tokens"], 2000);
    assert_eq!((config, warnings), (json!({"maxTokens": 4000, "temperature": 1.0}), 0));
    // Without thoughts all of it is sent.
    let off = thinking(ThinkingMode::Off, None, None);
    let (fields, config, warnings) = thinks(CLAUDE, off, sampling);
    assert_eq!((fields, warnings), (json!({"top_k": 5}), 0));
    assert_eq!(config, json!({"maxTokens": 1500, "temperature": 0.5, "topP": 0.5}));
    let summary = Thinking { summary: Some("none".into()), ..on(Some(1024)) };
    let (fields, ..) = thinks(CLAUDE, summary, Sampling::default());
    assert_eq!(fields["thinking"]["display"], "omitted");
}

#[test]
fn others_think_in_their_own_words() {
    use ThinkingMode::{Off, On};
    let fields = |model: &str, mode, effort| {
        let (fields, _, warnings) = thinks(model, thinking(mode, effort, None), Sampling::default());
        (fields, warnings)
    };
    let gpt = "openai.gpt-oss-120b-1:0";
    assert_eq!(fields(gpt, On, None), (json!({"reasoning_effort": "medium"}), 0));
    assert_eq!(fields(gpt, On, Some("high")), (json!({"reasoning_effort": "high"}), 0));
    assert_eq!(fields(gpt, Off, None), (Value::Null, 1));
    let qwen = "qwen.qwen3-32b-v1:0";
    assert_eq!(fields(qwen, On, None), (json!({"reasoning_config": "high"}), 0));
    assert_eq!(fields(qwen, On, Some("low")), (json!({"reasoning_config": "low"}), 0));
    assert_eq!(fields(qwen, Off, None), (Value::Null, 0));
    let nova = |level: &str| json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": level}});
    assert_eq!(fields(NOVA, On, None), (nova("medium"), 0));
    assert_eq!(fields(NOVA, On, Some("minimal")), (nova("low"), 0));
    assert_eq!(fields(NOVA, Off, None), (Value::Null, 0));
    let limit = Sampling { max_tokens: Some(5), ..Sampling::default() };
    let (high, config, warnings) = thinks(NOVA, thinking(On, Some("high"), None), limit);
    assert_eq!((high, config, warnings), (nova("high"), Value::Null, 1));
    assert_eq!(fields("deepseek.v3.2", On, None), (Value::Null, 1));
    assert_eq!(fields("deepseek.v3.2", Off, None), (Value::Null, 0));
    let (_, _, warnings) = thinks(gpt, thinking(On, None, Some(99)), Sampling::default());
    assert_eq!(warnings, 1);
}
