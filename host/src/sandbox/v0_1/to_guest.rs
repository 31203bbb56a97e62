//! The host's requests as the contract's.

use super::exports::embedding::exports::aimu::provider::embedding;
use super::wire;
use crate::model as host;
use crate::provider::Call;
use serde_json::Value;

/// What the guest learns of the instance that it is called for.
pub(crate) fn context(call: &Call) -> wire::Context {
    wire::Context {
        instance: call.instance.name.clone(),
        base_url: call.instance.base_url().to_owned(),
        settings: call.instance.settings.to_string(),
        credentials: call.instance.credentials.iter().map(|credential| credential.name.clone()).collect(),
    }
}

pub(crate) fn chat_request(request: host::ChatRequest) -> wire::ChatRequest {
    wire::ChatRequest {
        model: request.model,
        messages: request.messages.into_iter().map(message).collect(),
        tools: request.tools.into_iter().map(tool).collect(),
        tool_choice: match request.tool_choice {
            host::ToolChoice::Auto => wire::ToolChoice::Auto,
            host::ToolChoice::None => wire::ToolChoice::None,
            host::ToolChoice::Required => wire::ToolChoice::Required,
            host::ToolChoice::Named(name) => wire::ToolChoice::Named(name),
        },
        parallel_tool_calls: request.parallel_tool_calls,
        response_format: response_format(request.response_format),
        thinking: request.thinking.map(thinking),
        sampling: sampling(request.sampling),
        logprobs: request.logprobs,
        streaming: request.streaming,
        extra: json(request.extra),
    }
}

pub(crate) fn generate_request(request: host::GenerateRequest) -> wire::GenerateRequest {
    wire::GenerateRequest {
        model: request.model,
        prompt: request.prompt,
        media: request.media.into_iter().map(media).collect(),
        response_format: response_format(request.response_format),
        thinking: request.thinking.map(thinking),
        sampling: sampling(request.sampling),
        streaming: request.streaming,
        extra: json(request.extra),
    }
}

pub(crate) fn embed_request(request: host::EmbedRequest) -> embedding::EmbedRequest {
    embedding::EmbedRequest {
        model: request.model,
        inputs: request.inputs,
        dimensions: request.dimensions,
        purpose: request.purpose.map(|purpose| match purpose {
            host::Purpose::Query => embedding::Purpose::Query,
            host::Purpose::Document => embedding::Purpose::Document,
            host::Purpose::Classification => embedding::Purpose::Classification,
            host::Purpose::Clustering => embedding::Purpose::Clustering,
            host::Purpose::Similarity => embedding::Purpose::Similarity,
        }),
        extra: json(request.extra),
    }
}

fn json(value: Option<Value>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn message(message: host::Message) -> wire::Message {
    wire::Message {
        role: match message.role {
            host::Role::System => wire::Role::System,
            host::Role::User => wire::Role::User,
            host::Role::Assistant => wire::Role::Assistant,
            host::Role::Tool => wire::Role::Tool,
        },
        parts: message.parts.into_iter().map(part).collect(),
        extra: json(message.extra),
        origin: message.origin.map(|origin| wire::Origin { provider: origin.provider, model: origin.model }),
    }
}

fn part(part: host::Part) -> wire::Part {
    wire::Part {
        content: match part.content {
            host::PartContent::Text(text) => wire::PartContent::Text(text),
            host::PartContent::Refusal(text) => wire::PartContent::Refusal(text),
            host::PartContent::Reasoning(reasoning) => wire::PartContent::Reasoning(match reasoning {
                host::Reasoning::Text(text) => wire::Reasoning::Text(text),
                host::Reasoning::Summary(text) => wire::Reasoning::Summary(text),
                host::Reasoning::Redacted(data) => wire::Reasoning::Redacted(data),
            }),
            host::PartContent::Media(content) => wire::PartContent::Media(media(content)),
            host::PartContent::ToolCall(call) => wire::PartContent::ToolCall(wire::ToolCall {
                id: call.id,
                name: call.name,
                arguments: call.arguments,
                server_executed: call.server_executed,
            }),
            host::PartContent::ToolResult(result) => wire::PartContent::ToolResult(wire::ToolResult {
                call_id: result.call_id,
                name: result.name,
                output: result.output.into_iter().map(tool_output).collect(),
                is_error: result.is_error,
            }),
            host::PartContent::Opaque(block) => wire::PartContent::Opaque(opaque(block)),
        },
        replay: part.replay.map(|replay| wire::Replay {
            signature: replay.signature,
            item_id: replay.item_id,
            data: json(replay.data),
        }),
        cache_here: part.cache_here,
        extra: json(part.extra),
    }
}

fn tool_output(output: host::ToolOutput) -> wire::ToolOutput {
    match output {
        host::ToolOutput::Text(text) => wire::ToolOutput::Text(text),
        host::ToolOutput::Json(value) => wire::ToolOutput::Json(value.to_string()),
        host::ToolOutput::Media(content) => wire::ToolOutput::Media(media(content)),
    }
}

fn opaque(block: host::Opaque) -> wire::Opaque {
    wire::Opaque { kind: block.kind, data: block.data.to_string() }
}

fn media(media: host::Media) -> wire::Media {
    wire::Media {
        kind: match media.kind {
            host::MediaKind::Image => wire::MediaKind::Image,
            host::MediaKind::Audio => wire::MediaKind::Audio,
            host::MediaKind::Video => wire::MediaKind::Video,
            host::MediaKind::Document => wire::MediaKind::Document,
        },
        mime_type: media.mime_type,
        source: match media.source {
            host::MediaSource::Bytes(bytes) => wire::MediaSource::Bytes(bytes),
            host::MediaSource::Url(url) => wire::MediaSource::Url(url),
            host::MediaSource::FileId(id) => wire::MediaSource::FileId(id),
        },
        name: media.name,
        detail: media.detail,
    }
}

fn tool(tool: host::Tool) -> wire::Tool {
    match tool {
        host::Tool::Function(definition) => wire::Tool::Function(wire::ToolDefinition {
            name: definition.name,
            description: definition.description,
            parameters: definition.parameters.to_string(),
            strict: definition.strict,
            cache_here: definition.cache_here,
            extra: json(definition.extra),
        }),
        host::Tool::ProviderDefined(block) => wire::Tool::ProviderDefined(opaque(block)),
    }
}

fn response_format(format: host::ResponseFormat) -> wire::ResponseFormat {
    match format {
        host::ResponseFormat::Text => wire::ResponseFormat::Text,
        host::ResponseFormat::Json => wire::ResponseFormat::Json,
        host::ResponseFormat::Schema(schema) => wire::ResponseFormat::Schema(wire::SchemaFormat {
            name: schema.name,
            schema: schema.schema.to_string(),
            strict: schema.strict,
        }),
    }
}

fn thinking(thinking: host::Thinking) -> wire::Thinking {
    wire::Thinking {
        mode: match thinking.mode {
            host::ThinkingMode::Off => wire::ThinkingMode::Off,
            host::ThinkingMode::On => wire::ThinkingMode::On,
            host::ThinkingMode::Adaptive => wire::ThinkingMode::Adaptive,
        },
        effort: thinking.effort,
        budget_tokens: thinking.budget_tokens,
        summary: thinking.summary,
    }
}

fn sampling(sampling: host::Sampling) -> wire::Sampling {
    wire::Sampling {
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
