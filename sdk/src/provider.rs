//! The trait that an author implements.

use crate::{
    ChatRequest, Completion, Context, Description, Events, Failure, GenerateRequest, Message, ModelSpec,
    Part, PartContent, Role,
};

/// A provider of text models: what a plugin is. Export it with [`export_provider!`](crate::export_provider).
pub trait Provider {
    /// Who the provider is and what its models can do. Static, made without network.
    fn describe() -> Description;

    /// The models that the instance's server offers now; by default those of the description.
    ///
    /// # Errors
    /// The server could not be asked, or refused.
    fn models(_ctx: Context) -> Result<Vec<ModelSpec>, Failure> {
        Ok(Self::describe().models)
    }

    /// One turn over a whole conversation. Push the answer's events; the return value ends it.
    ///
    /// # Errors
    /// The failure as the provider reported it, mapped to the contract's kinds.
    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure>;

    /// One prompt without a history; by default a chat of one user message.
    ///
    /// # Errors
    /// As [`Provider::chat`].
    fn generate(
        ctx: Context,
        request: GenerateRequest,
        events: &mut Events<'_>,
    ) -> Result<Completion, Failure> {
        Self::chat(ctx, chat_from_generate(request), events)
    }
}

/// A prompt and its media as a chat of one user message.
#[must_use]
pub fn chat_from_generate(request: GenerateRequest) -> ChatRequest {
    let mut parts: Vec<Part> =
        request.media.into_iter().map(|media| PartContent::Media(media).into()).collect();
    parts.push(PartContent::Text(request.prompt).into());
    ChatRequest {
        response_format: request.response_format,
        thinking: request.thinking,
        sampling: request.sampling,
        streaming: request.streaming,
        extra: request.extra,
        ..ChatRequest::new(request.model, vec![Message::new(Role::User, parts)])
    }
}
