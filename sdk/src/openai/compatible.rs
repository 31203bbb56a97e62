//! A provider in a few lines: what a brand says about itself, and the rest done here.

use serde_json::Value;

use super::quirks::{Api, Quirks};
use super::responses::{self, ResponsesDecoder};
use super::{ChatDecoder, embeddings, error, models, request, sampling};
use crate::embedding::in_batches;
use crate::exchange::{fetch_json, run};
use crate::http::HttpRequest;
use crate::json::value;
use crate::{
    ChatRequest, Completion, Context, CountTokens, Credential, CredentialField, CredentialPlacement, Decoder,
    Description, EmbedRequest, Embedding, Embeddings, Event, Events, Failure, ModelSpec, Parameter, Provider,
    Support,
};

/// What a brand says about itself. All but `id` and `display_name` may be left out.
#[derive(Clone, Debug, Default)]
pub struct Brand {
    /// The `provider` in `provider:model`.
    pub id: &'static str,
    /// The name for people.
    pub display_name: &'static str,
    /// The component's version: `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// Where the brand is documented.
    pub homepage: Option<&'static str>,
    /// The API's base, with its version (`https://api.example.com/v1`).
    pub base_url: Option<&'static str>,
    /// Environment variables that may hold the key, in order. None: the server wants no key.
    pub key_env: &'static [&'static str],
    /// The server works without a key.
    pub key_optional: bool,
    /// The models that are known.
    pub models: Vec<ModelSpec>,
    /// Ids outside `models` are refused.
    pub closed_catalog: bool,
    /// Parameters whose support differs from what most servers have.
    pub parameters: Vec<(Parameter, Support)>,
}

impl Brand {
    /// The contract's description of this brand.
    #[must_use]
    pub fn describe(self) -> Description {
        let mut parameters = sampling::table();
        for (parameter, support) in self.parameters {
            parameters.retain(|(have, _)| *have != parameter);
            parameters.push((parameter, support));
        }
        let field = CredentialField {
            name: "api-key".into(),
            env: self.key_env.iter().map(|name| (*name).to_owned()).collect(),
            optional: self.key_optional,
        };
        let credential = Credential {
            name: "api-key".into(),
            fields: vec![field],
            placement: CredentialPlacement::Bearer,
            send_to: Vec::new(),
            required: !self.key_optional,
            group: None,
        };
        Description {
            id: self.id.into(),
            display_name: self.display_name.into(),
            version: self.version.into(),
            homepage: self.homepage.map(Into::into),
            default_base_url: self.base_url.map(Into::into),
            origins: Vec::new(),
            credentials: if self.key_env.is_empty() { Vec::new() } else { vec![credential] },
            settings_schema: Some(Quirks::schema().to_owned()),
            models: self.models,
            open_catalog: !self.closed_catalog,
            parameters,
        }
    }
}

/// A provider whose API is OpenAI's: chat completions, or Responses. Whatever implements it is a [`Provider`], and an
/// [`Embedding`] and a [`CountTokens`] if it exports them.
///
/// ```
/// use aimu_sdk::openai::{Brand, Compatible, Quirks, ReasoningBack};
/// use aimu_sdk::{Capabilities, ModelSpec};
///
/// struct Acme;
///
/// impl Compatible for Acme {
///     fn brand() -> Brand {
///         Brand {
///             id: "acme",
///             display_name: "Acme AI",
///             version: "1.0.0",
///             base_url: Some("https://api.acme.example/v1"),
///             key_env: &["ACME_API_KEY"],
///             models: vec![ModelSpec::new("anvil-2", Capabilities::TOOLS | Capabilities::VISION)],
///             ..Brand::default()
///         }
///     }
///
///     // Only what differs from most servers; an instance's settings can still change it.
///     fn quirks() -> Quirks {
///         Quirks { reasoning_back: ReasoningBack::Member("reasoning_content".into()), ..Quirks::default() }
///     }
/// }
///
/// aimu_sdk::export_provider!(Acme);
/// # fn main() {}
/// ```
pub trait Compatible {
    /// Who it is.
    fn brand() -> Brand;

    /// How its API differs from most.
    fn quirks() -> Quirks {
        Quirks::default()
    }

    /// How its API differs for one model: by default not at all.
    fn quirks_of(_model: &str) -> Quirks {
        Self::quirks()
    }
}

impl<T: Compatible> Provider for T {
    fn describe() -> Description {
        Self::brand().describe()
    }

    fn models(ctx: Context) -> Result<Vec<ModelSpec>, Failure> {
        let quirks = Self::quirks().with_settings(&ctx.settings)?;
        if quirks.models_path.is_empty() {
            return Ok(Self::describe().models);
        }
        let url = format!("{}/{}", ctx.base_url.trim_end_matches('/'), quirks.models_path);
        let listed = models::parse(&fetch_json(&HttpRequest::get(url), &error::from_response)?);
        // A server's list says little but ids: what the brand knows stands.
        let mut known = Self::brand().models;
        let place = |known: &[ModelSpec], id: &str| known.iter().position(|model| model.id == id);
        let spec = |spec: ModelSpec| place(&known, &spec.id).map_or(spec, |place| known.swap_remove(place));
        Ok(listed.into_iter().map(spec).collect())
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let quirks = quirks_of::<Self>(&ctx, &request.model)?;
        let prepared = match quirks.api {
            Api::ChatCompletions => request::request(&ctx, &request, &quirks)?,
            Api::Responses => responses::request(&ctx, &request, &quirks)?,
        };
        for warning in prepared.warnings {
            events.push(Event::Warning(warning));
        }
        let mut decoder = decoder(request, &quirks);
        run(&prepared.http, decoder.as_mut(), events, &error::from_response)
    }
}

impl<T: Compatible> Embedding for T {
    fn embed(ctx: Context, request: EmbedRequest) -> Result<Embeddings, Failure> {
        let quirks = quirks_of::<Self>(&ctx, &request.model)?;
        in_batches(request, quirks.embeddings.batch as usize, |batch| {
            embeddings::answer(&fetch_json(
                &embeddings::request(&ctx, batch, &quirks)?,
                &error::from_response,
            )?)
        })
    }
}

/// By the Responses API, the only one of the two that counts; for models of either.
impl<T: Compatible> CountTokens for T {
    fn count(ctx: Context, request: ChatRequest) -> Result<u32, Failure> {
        let quirks = quirks_of::<Self>(&ctx, &request.model)?;
        responses::count_in(&fetch_json(
            &responses::count_request(&ctx, &request, &quirks)?,
            &error::from_response,
        )?)
    }
}

/// How the API differs for a model of an instance.
///
/// Large values are made in functions that are not inlined: on the guest's stack, each page that was ever used counts
/// for as long as the stream.
#[inline(never)]
fn quirks_of<T: Compatible>(ctx: &Context, model: &str) -> Result<Box<Quirks>, Failure> {
    T::quirks_of(model).with_settings(&ctx.settings).map(Box::new)
}

/// The decoder for a request's answer.
#[inline(never)]
fn decoder(request: ChatRequest, quirks: &Quirks) -> Box<dyn Decoder> {
    match quirks.api {
        Api::ChatCompletions => Box::new(chat_decoder(request, quirks)),
        Api::Responses => Box::new(ResponsesDecoder::new(request.model)),
    }
}

fn chat_decoder(request: ChatRequest, quirks: &Quirks) -> ChatDecoder {
    let extra = request.extra.as_deref().and_then(|extra| value(extra).ok());
    let format = extra.as_ref().and_then(|extra| extra.pointer("/audio/format")).and_then(Value::as_str);
    let decoder = ChatDecoder::new(request.model, quirks);
    match format {
        Some(format) => decoder.with_audio_format(format),
        None => decoder,
    }
}
