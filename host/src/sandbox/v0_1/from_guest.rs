//! The contract's answers as the host's.

use super::exports::embedding::exports::aimu::provider::embedding;
use super::{bad_json, wire};
use crate::model as host;
use serde_json::Value;
use std::time::Duration;

type Result<T> = std::result::Result<T, host::Failure>;

pub(super) fn json(text: Option<String>, what: &str) -> Result<Option<Value>> {
    text.map(|text| required_json(&text, what)).transpose()
}

pub(super) fn required_json(text: &str, what: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| bad_json(what, &error))
}

/// Roughly the bytes that the host keeps for a whole part.
pub(super) fn part_size(part: &wire::Part) -> usize {
    let replay = part.replay.as_ref().map_or(0, replay_size) + texts([&part.extra]);
    let content = match &part.content {
        wire::PartContent::Text(text) | wire::PartContent::Refusal(text) => text.len(),
        wire::PartContent::Reasoning(
            wire::Reasoning::Text(text) | wire::Reasoning::Summary(text) | wire::Reasoning::Redacted(text),
        ) => text.len(),
        wire::PartContent::Media(media) => media_size(media),
        wire::PartContent::ToolCall(call) => call.id.len() + call.name.len() + call.arguments.len(),
        wire::PartContent::ToolResult(result) => {
            let output = result.output.iter().map(|output| match output {
                wire::ToolOutput::Text(text) | wire::ToolOutput::Json(text) => text.len(),
                wire::ToolOutput::Media(media) => media_size(media),
            });
            result.call_id.len() + result.name.len() + output.sum::<usize>()
        }
        wire::PartContent::Opaque(block) => block.kind.len() + block.data.len(),
    };
    replay + content
}

fn media_size(media: &wire::Media) -> usize {
    let source = match &media.source {
        wire::MediaSource::Bytes(bytes) => bytes.len(),
        wire::MediaSource::Url(text) | wire::MediaSource::FileId(text) => text.len(),
    };
    source + media.mime_type.len() + texts([&media.name, &media.detail])
}

pub(super) fn replay_size(replay: &wire::Replay) -> usize {
    texts([&replay.signature, &replay.item_id, &replay.data])
}

/// Bytes of texts that may be there.
pub(super) fn texts<const N: usize>(texts: [&Option<String>; N]) -> usize {
    texts.into_iter().flatten().map(String::len).sum()
}

pub(super) fn event(event: wire::Event) -> Result<host::Event> {
    Ok(match event {
        wire::Event::Delta(delta) => host::Event::Delta { index: delta.index, text: delta.text },
        wire::Event::Start(start) => host::Event::Start {
            index: start.index,
            kind: match start.kind {
                wire::PartKind::Text => host::PartKind::Text,
                wire::PartKind::Refusal => host::PartKind::Refusal,
                wire::PartKind::ReasoningText => host::PartKind::ReasoningText,
                wire::PartKind::ReasoningSummary => host::PartKind::ReasoningSummary,
                wire::PartKind::ToolCall(call) => host::PartKind::ToolCall {
                    id: call.id,
                    name: call.name,
                    server_executed: call.server_executed,
                },
                wire::PartKind::Media(media) => {
                    host::PartKind::Media { media: media_kind(media.kind), mime_type: media.mime_type }
                }
            },
        },
        wire::Event::Bytes(bytes) => host::Event::Bytes { index: bytes.index, data: bytes.data },
        wire::Event::End(end) => {
            host::Event::End { index: end.index, replay: end.replay.map(replay).transpose()? }
        }
        wire::Event::Whole(whole) => host::Event::Whole { part: Box::new(part(whole)?) },
        wire::Event::Usage(totals) => host::Event::Usage(usage(totals)),
        wire::Event::Citation(citation) => host::Event::Citation(host::Citation {
            index: citation.index,
            span: citation.span,
            url: citation.url,
            title: citation.title,
            quote: citation.quote,
        }),
        wire::Event::Detail(detail) => host::Event::Detail(host::Detail {
            index: detail.index,
            kind: detail.kind,
            data: required_json(&detail.data, "`detail.data`")?,
        }),
        wire::Event::Warning(message) => host::Event::Warning { message },
    })
}

fn replay(replay: wire::Replay) -> Result<host::Replay> {
    Ok(host::Replay {
        signature: replay.signature,
        item_id: replay.item_id,
        data: json(replay.data, "`replay.data`")?,
    })
}

fn part(part: wire::Part) -> Result<host::Part> {
    Ok(host::Part {
        content: match part.content {
            wire::PartContent::Text(text) => host::PartContent::Text(text),
            wire::PartContent::Refusal(text) => host::PartContent::Refusal(text),
            wire::PartContent::Reasoning(reasoning) => host::PartContent::Reasoning(match reasoning {
                wire::Reasoning::Text(text) => host::Reasoning::Text(text),
                wire::Reasoning::Summary(text) => host::Reasoning::Summary(text),
                wire::Reasoning::Redacted(data) => host::Reasoning::Redacted(data),
            }),
            wire::PartContent::Media(content) => host::PartContent::Media(media(content)),
            wire::PartContent::ToolCall(call) => host::PartContent::ToolCall(host::ToolCall {
                id: call.id,
                name: call.name,
                arguments: call.arguments,
                server_executed: call.server_executed,
            }),
            wire::PartContent::ToolResult(result) => host::PartContent::ToolResult(host::ToolResult {
                call_id: result.call_id,
                name: result.name,
                output: result.output.into_iter().map(tool_output).collect::<Result<_>>()?,
                is_error: result.is_error,
            }),
            wire::PartContent::Opaque(block) => host::PartContent::Opaque(host::Opaque {
                data: required_json(&block.data, "`opaque.data`")?,
                kind: block.kind,
            }),
        },
        replay: part.replay.map(replay).transpose()?,
        cache_here: part.cache_here,
        extra: json(part.extra, "`part.extra`")?,
    })
}

pub(super) fn tool_output(output: wire::ToolOutput) -> Result<host::ToolOutput> {
    Ok(match output {
        wire::ToolOutput::Text(text) => host::ToolOutput::Text(text),
        wire::ToolOutput::Json(text) => host::ToolOutput::Json(required_json(&text, "`tool-output.json`")?),
        wire::ToolOutput::Media(content) => host::ToolOutput::Media(media(content)),
    })
}

fn media_kind(kind: wire::MediaKind) -> host::MediaKind {
    match kind {
        wire::MediaKind::Image => host::MediaKind::Image,
        wire::MediaKind::Audio => host::MediaKind::Audio,
        wire::MediaKind::Video => host::MediaKind::Video,
        wire::MediaKind::Document => host::MediaKind::Document,
    }
}

fn media(media: wire::Media) -> host::Media {
    host::Media {
        kind: media_kind(media.kind),
        mime_type: media.mime_type,
        source: match media.source {
            wire::MediaSource::Bytes(bytes) => host::MediaSource::Bytes(bytes),
            wire::MediaSource::Url(url) => host::MediaSource::Url(url),
            wire::MediaSource::FileId(id) => host::MediaSource::FileId(id),
        },
        name: media.name,
        detail: media.detail,
    }
}

fn usage(usage: wire::Usage) -> host::Usage {
    host::Usage {
        input: usage.input,
        output: usage.output,
        reasoning: usage.reasoning,
        cache_read: usage.cache_read,
        cache_write: usage.cache_write,
    }
}

pub(crate) fn embeddings(embeddings: embedding::Embeddings) -> host::Embeddings {
    host::Embeddings {
        vectors: embeddings.vectors,
        usage: embeddings.usage.map(usage).unwrap_or_default(),
        warnings: Vec::new(),
    }
}

pub(crate) fn completion(completion: wire::Completion) -> Result<host::Completion> {
    Ok(host::Completion {
        finish: match completion.finish {
            wire::FinishReason::Stop => host::FinishReason::Stop,
            wire::FinishReason::Length => host::FinishReason::Length,
            wire::FinishReason::ToolCalls => host::FinishReason::ToolCalls,
            wire::FinishReason::ContentFilter => host::FinishReason::ContentFilter,
            wire::FinishReason::Refusal => host::FinishReason::Refusal,
            wire::FinishReason::Paused => host::FinishReason::Paused,
            wire::FinishReason::Error => host::FinishReason::Error,
            wire::FinishReason::Other(word) => host::FinishReason::Other(word),
        },
        raw_finish: completion.raw_finish,
        usage: completion.usage.map(usage),
        response_id: completion.response_id,
        request_id: completion.request_id,
        model: completion.model,
        metadata: json(completion.metadata, "`completion.metadata`")?,
    })
}

pub(crate) fn failure(failure: wire::Failure) -> host::Failure {
    use host::FailureKind as Kind;
    let kind = match failure.kind {
        wire::FailureKind::Authentication => Kind::Authentication,
        wire::FailureKind::Permission => Kind::Permission,
        wire::FailureKind::NotFound => Kind::NotFound,
        wire::FailureKind::InvalidRequest => Kind::InvalidRequest,
        wire::FailureKind::ContextLength => Kind::ContextLength,
        wire::FailureKind::RateLimited => Kind::RateLimited,
        wire::FailureKind::Quota => Kind::Quota,
        wire::FailureKind::Overloaded => Kind::Overloaded,
        wire::FailureKind::ContentFilter => Kind::ContentFilter,
        wire::FailureKind::Timeout => Kind::Timeout,
        wire::FailureKind::Network => Kind::Network,
        wire::FailureKind::Denied => Kind::Denied,
        wire::FailureKind::Limit => Kind::Limit,
        wire::FailureKind::Protocol => Kind::Protocol,
        wire::FailureKind::Unsupported => Kind::Unsupported,
        wire::FailureKind::Server => Kind::Server,
        wire::FailureKind::Internal => Kind::Internal,
    };
    host::Failure {
        kind,
        message: failure.message,
        http_status: failure.http_status,
        retry_after: failure.retry_after_ms.map(|ms| Duration::from_millis(u64::from(ms))),
        request_id: failure.request_id,
        provider: None,
        // An error that is not JSON is still worth showing.
        provider_error: failure
            .provider_error
            .map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
    }
}

fn sampling(sampling: wire::Sampling) -> host::Sampling {
    host::Sampling {
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        min_p: sampling.min_p,
        presence_penalty: sampling.presence_penalty,
        frequency_penalty: sampling.frequency_penalty,
        repetition_penalty: sampling.repetition_penalty,
        max_tokens: sampling.max_tokens,
        context_length: sampling.context_length,
        seed: sampling.seed,
        stop: sampling.stop,
    }
}

fn parameter(parameter: wire::Parameter) -> host::Parameter {
    match parameter {
        wire::Parameter::Temperature => host::Parameter::Temperature,
        wire::Parameter::TopP => host::Parameter::TopP,
        wire::Parameter::TopK => host::Parameter::TopK,
        wire::Parameter::MinP => host::Parameter::MinP,
        wire::Parameter::PresencePenalty => host::Parameter::PresencePenalty,
        wire::Parameter::FrequencyPenalty => host::Parameter::FrequencyPenalty,
        wire::Parameter::RepetitionPenalty => host::Parameter::RepetitionPenalty,
        wire::Parameter::MaxTokens => host::Parameter::MaxTokens,
        wire::Parameter::ContextLength => host::Parameter::ContextLength,
        wire::Parameter::Seed => host::Parameter::Seed,
        wire::Parameter::Stop => host::Parameter::Stop,
        wire::Parameter::Thinking => host::Parameter::Thinking,
        wire::Parameter::ToolChoice => host::Parameter::ToolChoice,
    }
}

pub(crate) fn model_spec(spec: wire::ModelSpec) -> Result<host::ModelSpec> {
    use wire::{Capabilities as C, Tasks as T};
    let capabilities = [
        C::TOOLS,
        C::PARALLEL_TOOLS,
        C::THINKING,
        C::VISION,
        C::AUDIO,
        C::DOCUMENTS,
        C::STRUCTURED_OUTPUT,
        C::IMAGE_OUTPUT,
        C::AUDIO_OUTPUT,
        C::PROMPT_CACHE,
        C::MEDIA_URLS,
        C::SERVER_TOOLS,
    ];
    let tasks = [
        (T::CHAT, host::Task::Chat),
        (T::GENERATE, host::Task::Generate),
        (T::EMBEDDING, host::Task::Embedding),
        (T::IMAGE, host::Task::Image),
        (T::SPEECH, host::Task::Speech),
        (T::TRANSCRIPTION, host::Task::Transcription),
        (T::RERANK, host::Task::Rerank),
    ];
    Ok(host::ModelSpec {
        id: spec.id,
        display_name: spec.display_name,
        tasks: tasks
            .into_iter()
            .filter(|(flag, _)| spec.tasks.contains(*flag))
            .map(|(_, task)| task)
            .collect(),
        capabilities: capabilities
            .into_iter()
            .zip(host::Capability::ALL)
            .filter(|(flag, _)| spec.capabilities.contains(*flag))
            .map(|(_, capability)| capability)
            .collect(),
        context_window: spec.context_window,
        max_output: spec.max_output,
        efforts: spec.efforts,
        thinking_optional: spec.thinking_optional,
        sampling: sampling(spec.sampling),
        sampling_without_thinking: spec.sampling_without_thinking.map(sampling),
        deprecated: spec.deprecated,
        rejects: spec.rejects.into_iter().map(parameter).collect(),
        rejects_while_thinking: spec.rejects_while_thinking.into_iter().map(parameter).collect(),
        metadata: json(spec.metadata, "`model-spec.metadata`")?,
    })
}

pub(crate) fn description(description: wire::Description) -> Result<host::Description> {
    Ok(host::Description {
        id: description.id,
        display_name: description.display_name,
        version: description.version,
        homepage: description.homepage,
        default_base_url: description.default_base_url,
        origins: description.origins,
        credentials: description.credentials.into_iter().map(credential).collect(),
        settings_schema: json(description.settings_schema, "`settings-schema`")?,
        models: description.models.into_iter().map(model_spec).collect::<Result<_>>()?,
        open_catalog: description.open_catalog,
        parameters: description
            .parameters
            .into_iter()
            .map(|(name, support)| {
                let support = match support {
                    wire::Support::SentAs(name) => host::Support::SentAs(name),
                    wire::Support::Unsupported(remedy) => host::Support::Unsupported(remedy),
                };
                (parameter(name), support)
            })
            .collect(),
        tools: Vec::new(),
    })
}

pub(super) fn credential(credential: wire::Credential) -> host::Credential {
    host::Credential {
        name: credential.name,
        fields: credential
            .fields
            .into_iter()
            .map(|field| host::CredentialField { name: field.name, env: field.env, optional: field.optional })
            .collect(),
        placement: match credential.placement {
            wire::CredentialPlacement::Bearer => host::CredentialPlacement::Bearer,
            wire::CredentialPlacement::Header(header) => {
                host::CredentialPlacement::Header { name: header.name, prefix: header.prefix }
            }
            wire::CredentialPlacement::AwsSigv4(sigv4) => host::CredentialPlacement::AwsSigv4 {
                service: sigv4.service,
                region_setting: sigv4.region_setting,
            },
        },
        send_to: credential.send_to,
        required: credential.required,
        group: credential.group,
    }
}
