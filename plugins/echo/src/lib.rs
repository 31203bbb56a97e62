//! `echo`: a provider without a network, for demos and tests.
//!
//! Each model does one thing that a real one does, predictably: it streams text, thinks, calls a tool, takes its
//! time, goes on for long, or fails. Tokens are words.

mod answer;
mod embedding;
mod schema;
mod settings;

use std::thread::sleep;

use aimu_sdk::{
    Capabilities, ChatRequest, Completion, Context, CountTokens, Description, EmbedRequest, Embedding,
    Embeddings, Events, Failure, FailureKind, FinishReason, ModelSpec, Parameter, Parts, Provider,
    ResponseFormat, Support, Tasks, Usage,
};

use answer::{Answer, Said};
use settings::Settings;

/// The provider.
struct Echo;

impl Provider for Echo {
    fn describe() -> Description {
        Description {
            id: "echo".into(),
            display_name: "Echo".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            homepage: None,
            default_base_url: None,
            origins: Vec::new(),
            credentials: Vec::new(),
            settings_schema: Some(settings::SCHEMA.into()),
            models: models(),
            open_catalog: false,
            parameters: parameters(),
        }
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let settings = Settings::of(&ctx)?;
        match request.model.as_str() {
            "echo" => say(&request, Answer::echo(&request), settings, events),
            "think" => say(&request, Answer::thought(&request), settings, events),
            "tool" => say(&request, Answer::tool(&request)?, settings, events),
            "slow" => say(&request, Answer::echo(&request), settings.slowed(), events),
            "long" => say(&request, Answer::long(&request, settings.count), settings, events),
            "fail" => Err(answer::failure(&request)),
            "embed" => Err(Failure::unsupported("this model embeds and does not chat")),
            other => Err(Failure::new(FailureKind::NotFound, format!("echo has no model {other}"))),
        }
    }
}

impl Embedding for Echo {
    fn embed(_: Context, request: EmbedRequest) -> Result<Embeddings, Failure> {
        match request.model.as_str() {
            "embed" => embedding::embed(&request),
            other => {
                Err(Failure::unsupported(format!("echo's model {other} has no embeddings; `embed` has")))
            }
        }
    }
}

impl CountTokens for Echo {
    fn count(_: Context, request: ChatRequest) -> Result<u32, Failure> {
        Ok(answer::words_in(&request))
    }
}

/// Gives an answer piece by piece, as the settings pace it.
fn say(
    request: &ChatRequest,
    answer: Answer,
    settings: Settings,
    events: &mut Events<'_>,
) -> Result<Completion, Failure> {
    let mut parts = Parts::default();
    let (mut reasoning, mut output, mut cut) = (0_u32, 0_u32, false);
    let limit = request.sampling.max_tokens.unwrap_or(u32::MAX);
    let input = answer::words_in(request);
    for said in &answer.said {
        match said {
            Said::Call { id, name, arguments } => {
                output = output.saturating_add(1);
                parts.whole_call(&mut events.pending, id.clone(), name.clone(), arguments.clone());
            }
            Said::Reasoning(text) | Said::Text(text) => {
                let thinks = matches!(said, Said::Reasoning(_));
                // One answer without a stream is one piece, but the limit counts its words all the same.
                let whole = !request.streaming;
                let mut kept = 0;
                for piece in text.split_inclusive(char::is_whitespace) {
                    if output >= limit {
                        cut = true;
                        break;
                    }
                    output = output.saturating_add(1);
                    reasoning = reasoning.saturating_add(u32::from(thinks));
                    kept += piece.len();
                    if !whole {
                        grow(&mut parts, events, thinks, piece);
                        if output.is_multiple_of(settings.batch) {
                            events.flush();
                        }
                        if !settings.delay.is_zero() {
                            events.flush();
                            sleep(settings.delay);
                        }
                    }
                }
                if whole {
                    grow(&mut parts, events, thinks, text.get(..kept).unwrap_or(text));
                }
            }
        }
        if cut {
            break;
        }
    }
    parts.finish(&mut events.pending);
    let finish = match (cut, answer.calls()) {
        (true, _) => FinishReason::Length,
        (false, true) => FinishReason::ToolCalls,
        (false, false) => FinishReason::Stop,
    };
    let usage = Usage {
        input: Some(input),
        output: Some(output),
        reasoning: (reasoning > 0).then_some(reasoning),
        cache_read: None,
        cache_write: None,
    };
    Ok(Completion { usage: Some(usage), ..Completion::new(finish) })
}

fn grow(parts: &mut Parts, events: &mut Events<'_>, thinks: bool, text: &str) {
    if thinks {
        parts.reasoning(&mut events.pending, text);
    } else {
        parts.text(&mut events.pending, text);
    }
}

fn models() -> Vec<ModelSpec> {
    let media =
        Capabilities::VISION | Capabilities::AUDIO | Capabilities::DOCUMENTS | Capabilities::MEDIA_URLS;
    let structured = Capabilities::STRUCTURED_OUTPUT;
    let spec = |id: &str, name: &str, capabilities| ModelSpec {
        display_name: Some(name.into()),
        context_window: Some(1_000_000),
        ..ModelSpec::new(id, capabilities)
    };
    vec![
        spec("echo", "Says what you say", media | structured),
        ModelSpec {
            efforts: ["low", "medium", "high"].map(str::to_owned).to_vec(),
            ..spec("think", "Thinks about it first", Capabilities::THINKING | structured)
        },
        spec("tool", "Calls the first tool it is offered", Capabilities::TOOLS | structured),
        spec("slow", "Says it word by word, with pauses", Capabilities::empty()),
        spec("long", "Counts as far as you say", Capabilities::empty()),
        spec("fail", "Fails in the way you name", Capabilities::empty()),
        ModelSpec {
            tasks: Tasks::EMBEDDING,
            ..spec("embed", "Makes vectors out of words", Capabilities::empty())
        },
    ]
}

fn parameters() -> Vec<(Parameter, Support)> {
    let ignored = || Support::Unsupported("echo always says the same; leave it out".into());
    let mut list = vec![
        (Parameter::MaxTokens, Support::SentAs("max_tokens".into())),
        (Parameter::Thinking, Support::SentAs("thinking".into())),
        (Parameter::ToolChoice, Support::SentAs("tool_choice".into())),
    ];
    list.extend(
        [
            Parameter::Temperature,
            Parameter::TopP,
            Parameter::TopK,
            Parameter::MinP,
            Parameter::PresencePenalty,
            Parameter::FrequencyPenalty,
            Parameter::RepetitionPenalty,
            Parameter::ContextLength,
            Parameter::Seed,
            Parameter::Stop,
        ]
        .map(|parameter| (parameter, ignored())),
    );
    list
}

/// Whether a JSON document is asked for, and its schema.
fn json_format(format: &ResponseFormat) -> Option<&str> {
    match format {
        ResponseFormat::Text => None,
        ResponseFormat::Json => Some("{}"),
        ResponseFormat::Schema(schema) => Some(&schema.schema),
    }
}

aimu_sdk::export_provider!(Echo: embedding, tokens);

#[cfg(test)]
mod tests;
