//! What a caller may say about one call, and how it is merged: per parameter, from the model's card over the client's
//! defaults to the call itself.

use crate::events::RunId;
use crate::host::Catalog;
use crate::model::{
    Capability, ChatRequest, Failure, FailureKind, MediaKind, ModelSpec, Parameter, PartContent,
    ResponseFormat, Result, Sampling, Support, Thinking, ThinkingMode, Tool, ToolChoice,
};
use crate::tools::Toolbox;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Options of one call, or of all calls of a client.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// Sampling parameters by their portable names, and others as the provider has them. `null` cancels what the
    /// model's card or the client would set.
    pub options: Map<String, Value>,
    /// Control of thinking.
    pub thinking: Option<Thinking>,
    /// Tools on offer that the caller runs; `None` takes the client's, an empty list offers none.
    pub tools: Option<Vec<Tool>>,
    /// Tools that the host runs when the model calls them; `None` takes the client's, unless `tools` says what is offered.
    pub toolbox: Option<Arc<Toolbox>>,
    /// Whether tools may, must or must not be called.
    pub tool_choice: ToolChoice,
    /// Whether several calls may come in one turn.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub response_format: ResponseFormat,
    /// How often an answer that does not fit its JSON Schema is asked for again; `None` means twice.
    pub schema_retries: Option<u32>,
    /// Ask for one answer instead of a stream.
    pub no_stream: bool,
    /// Send what the catalogue says the model can't do.
    pub no_check: bool,
    /// Tries after the first, before the first event; `None` takes the host's.
    pub retries: Option<u32>,
    /// Merged into the finished wire request (RFC 7396).
    pub extra: Option<Value>,
    /// The run of a tool that makes this call, for who watches.
    pub parent: Option<RunId>,
}

/// What is known of the model that is called.
pub(crate) struct Known<'a> {
    pub(crate) spec: Option<&'a ModelSpec>,
    /// Of its provider: the other models, and what is done with each parameter.
    pub(crate) catalog: &'a Catalog,
    /// `provider:model`, for messages.
    pub(crate) name: &'a str,
}

/// Splits options into the portable parameters and the provider's own.
pub(crate) fn split(options: &Map<String, Value>) -> Result<(Sampling, Map<String, Value>)> {
    let mut portable = Map::new();
    let mut others = Map::new();
    for (name, value) in options {
        if value.is_null() {
            continue;
        }
        let place = if parameter(name).is_some() { &mut portable } else { &mut others };
        place.insert(name.clone(), value.clone());
    }
    if let Some(stop) = portable.get_mut("stop").filter(|stop| stop.is_string()) {
        *stop = Value::Array(vec![stop.take()]);
    }
    for (name, value) in &portable {
        let one = Map::from_iter([(name.clone(), value.clone())]);
        serde_json::from_value::<Sampling>(Value::Object(one)).map_err(|error| {
            Failure::new(
                FailureKind::InvalidRequest,
                format!("the option `{name}` can't be {value}: {error}"),
            )
        })?;
    }
    let sampling = serde_json::from_value(Value::Object(portable))
        .map_err(|error| Failure::new(FailureKind::InvalidRequest, format!("an option is wrong: {error}")))?;
    Ok((sampling, others))
}

/// The sampling parameter of a portable name.
fn parameter(name: &str) -> Option<Parameter> {
    SAMPLING.iter().find(|(known, _)| *known == name).map(|(_, parameter)| *parameter)
}

const SAMPLING: [(&str, Parameter); 11] = [
    ("temperature", Parameter::Temperature),
    ("top_p", Parameter::TopP),
    ("top_k", Parameter::TopK),
    ("min_p", Parameter::MinP),
    ("presence_penalty", Parameter::PresencePenalty),
    ("frequency_penalty", Parameter::FrequencyPenalty),
    ("repetition_penalty", Parameter::RepetitionPenalty),
    ("max_tokens", Parameter::MaxTokens),
    ("context_length", Parameter::ContextLength),
    ("seed", Parameter::Seed),
    ("stop", Parameter::Stop),
];

/// A sampling parameter's place, to look at, to empty, or to fill from another tier.
struct Slot {
    is_set: bool,
    apply: fn(&mut Sampling, Option<&Sampling>),
}

fn slot(sampling: &Sampling, parameter: Parameter) -> Option<Slot> {
    macro_rules! optional {
        ($field:ident) => {
            Slot {
                is_set: sampling.$field.is_some(),
                apply: |to, from| to.$field = from.and_then(|from| from.$field),
            }
        };
    }
    Some(match parameter {
        Parameter::Temperature => optional!(temperature),
        Parameter::TopP => optional!(top_p),
        Parameter::TopK => optional!(top_k),
        Parameter::MinP => optional!(min_p),
        Parameter::PresencePenalty => optional!(presence_penalty),
        Parameter::FrequencyPenalty => optional!(frequency_penalty),
        Parameter::RepetitionPenalty => optional!(repetition_penalty),
        Parameter::MaxTokens => optional!(max_tokens),
        Parameter::ContextLength => optional!(context_length),
        Parameter::Seed => optional!(seed),
        Parameter::Stop => Slot {
            is_set: !sampling.stop.is_empty(),
            apply: |to, from| to.stop = from.map(|from| from.stop.clone()).unwrap_or_default(),
        },
        Parameter::Thinking | Parameter::ToolChoice => return None,
    })
}

/// Fills what `sampling` leaves open from a lower tier, but for what the caller cancelled.
pub(crate) fn fill(sampling: &mut Sampling, lower: &Sampling, cancelled: &[String]) {
    for (name, parameter) in SAMPLING {
        let Some(ours) = slot(sampling, parameter).filter(|ours| !ours.is_set) else {
            continue;
        };
        if !cancelled.iter().any(|cancelled| cancelled == name) {
            (ours.apply)(sampling, Some(lower));
        }
    }
}

/// Fits a request to what is known of its model: adds what the card recommends, drops what it does not take, and
/// refuses what it can't do. `cancelled` names options that the caller set to nothing.
///
/// Gives what was dropped although the caller set it, for a warning.
pub(crate) fn fit(
    request: &mut ChatRequest,
    known: &Known<'_>,
    cancelled: &[String],
    check: bool,
) -> Result<Vec<String>> {
    if check {
        refuse(request, known)?;
    }
    let mut warnings = fit_thinking(request, known)?;
    let asked = request.sampling.clone();
    let thinks = request.thinking.as_ref().is_none_or(|thinking| thinking.mode != ThinkingMode::Off);
    if let Some(spec) = known.spec {
        let card = match &spec.sampling_without_thinking {
            Some(profile) if !thinks => profile,
            _ => &spec.sampling,
        };
        fill(&mut request.sampling, card, cancelled);
    }
    let thinking_on = request.thinking.as_ref().is_some_and(|thinking| thinking.mode != ThinkingMode::Off);
    for (name, parameter) in SAMPLING {
        let Some(ours) = slot(&request.sampling, parameter).filter(|slot| slot.is_set) else {
            continue;
        };
        let Some(remedy) = rejected(parameter, known, thinking_on) else {
            continue;
        };
        (ours.apply)(&mut request.sampling, None);
        if slot(&asked, parameter).is_some_and(|slot| slot.is_set) {
            warnings.push(format!("{} does not take `{name}`, which was left out: {remedy}", known.name));
        }
    }
    Ok(warnings)
}

/// Why a parameter can't be sent, and what to do instead.
fn rejected(parameter: Parameter, known: &Known<'_>, thinking_on: bool) -> Option<String> {
    let support =
        known.catalog.parameters.iter().find(|(named, _)| *named == parameter).map(|(_, support)| support);
    if let Some(Support::Unsupported(remedy)) = support {
        return Some(remedy.clone());
    }
    let spec = known.spec?;
    if spec.rejects.contains(&parameter) {
        return Some("this model rejects it".to_owned());
    }
    (thinking_on && spec.rejects_while_thinking.contains(&parameter))
        .then(|| "this model rejects it while it thinks; set it with `--thinking off`".to_owned())
}

fn fit_thinking(request: &mut ChatRequest, known: &Known<'_>) -> Result<Vec<String>> {
    let (Some(thinking), Some(spec)) = (&request.thinking, known.spec) else {
        return Ok(Vec::new());
    };
    let wants = thinking.mode != ThinkingMode::Off;
    if wants && !spec.capabilities.contains(&Capability::Thinking) {
        request.thinking = None;
        return Ok(vec![format!("{} does not think; the wish was left out", known.name)]);
    }
    if let Some(effort) = thinking.effort.as_ref().filter(|_| wants)
        && !spec.efforts.is_empty()
        && !spec.efforts.contains(effort)
    {
        return Err(Failure::new(
            FailureKind::InvalidRequest,
            format!("{} has no thinking level `{effort}`; it has {}", known.name, spec.efforts.join(", ")),
        ));
    }
    if !wants && spec.capabilities.contains(&Capability::Thinking) && !spec.thinking_optional {
        request.thinking = None;
        return Ok(vec![format!("{} always thinks; turning it off was left out", known.name)]);
    }
    Ok(Vec::new())
}

/// Refuses, before any request, what the catalogue says that the model can't do.
fn refuse(request: &ChatRequest, known: &Known<'_>) -> Result<()> {
    let Some(spec) = known.spec else { return Ok(()) };
    let media =
        request.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match &part.content {
            PartContent::Media(media) => Some(media.kind),
            _ => None,
        });
    let mut needs: Vec<(Capability, &str)> = media
        .filter_map(|kind| match kind {
            MediaKind::Image => Some((Capability::Vision, "see images")),
            MediaKind::Audio => Some((Capability::Audio, "hear")),
            MediaKind::Document => Some((Capability::Documents, "read documents")),
            MediaKind::Video => None,
        })
        .collect();
    if !request.tools.is_empty() {
        needs.push((Capability::Tools, "call tools"));
    }
    match needs.iter().find(|(capability, _)| !spec.capabilities.contains(capability)) {
        None => Ok(()),
        Some((capability, verb)) => {
            let can = known.catalog.models.iter().find(|model| model.capabilities.contains(capability));
            let can =
                can.map(|model| format!(" `{}` of the same provider can;", model.id)).unwrap_or_default();
            Err(Failure::new(
                FailureKind::Unsupported,
                format!(
                    "{} can't {verb}.{can} `aimu-host models --{capability}` lists all that can, and `--no-check` \
                     sends it anyway",
                    known.name
                ),
            ))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn options(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn catalog(parameters: &[(Parameter, Support)]) -> Catalog {
        let able = ModelSpec {
            id: "able".to_owned(),
            capabilities: Capability::ALL.into_iter().collect(),
            ..ModelSpec::default()
        };
        Catalog { models: vec![able], open: true, parameters: parameters.to_vec() }
    }

    fn request(sampling: Sampling) -> ChatRequest {
        ChatRequest { sampling, ..ChatRequest::new("m", Vec::new()) }
    }

    #[test]
    fn portable_names_are_told_from_the_providers_own() {
        let (sampling, others) =
            split(&options(json!({"temperature": 0.5, "stop": "x", "venice": {"a": 1}, "top_k": null})))
                .unwrap();
        assert_eq!((sampling.temperature, sampling.stop.len(), sampling.top_k), (Some(0.5), 1, None));
        assert_eq!(Value::Object(others), json!({"venice": {"a": 1}}));
        let error = split(&options(json!({"top_k": "many"}))).unwrap_err();
        assert!(error.message.contains("`top_k`"), "{}", error.message);
    }

    #[test]
    fn the_card_fills_what_nobody_said_and_null_cancels_it() {
        let card =
            Sampling { temperature: Some(0.6), top_p: Some(0.95), top_k: Some(20), ..Sampling::default() };
        let plain = Sampling { temperature: Some(0.7), ..Sampling::default() };
        let spec = ModelSpec {
            capabilities: [Capability::Thinking].into(),
            thinking_optional: true,
            sampling: card,
            sampling_without_thinking: Some(plain),
            ..ModelSpec::default()
        };
        let catalog = catalog(&[]);
        let known = Known { spec: Some(&spec), catalog: &catalog, name: "p:m" };
        let mut asked = request(Sampling { temperature: Some(0.1), ..Sampling::default() });
        fit(&mut asked, &known, &["top_k".to_owned()], true).unwrap();
        let got = asked.sampling;
        assert_eq!((got.temperature, got.top_p, got.top_k), (Some(0.1), Some(0.95), None));

        let mut off = request(Sampling::default());
        off.thinking =
            Some(Thinking { mode: ThinkingMode::Off, effort: None, budget_tokens: None, summary: None });
        fit(&mut off, &known, &[], true).unwrap();
        assert_eq!((off.sampling.temperature, off.sampling.top_p), (Some(0.7), None));
    }

    #[test]
    fn what_is_not_supported_is_dropped_and_said_only_if_it_was_asked_for() {
        let parameters = [(Parameter::TopK, Support::Unsupported("use top_p".to_owned()))];
        let spec = ModelSpec {
            sampling: Sampling { top_k: Some(20), ..Sampling::default() },
            rejects: vec![Parameter::Seed],
            ..ModelSpec::default()
        };
        let catalog = catalog(&parameters);
        let known = Known { spec: Some(&spec), catalog: &catalog, name: "p:m" };
        let mut silent = request(Sampling::default());
        assert!(fit(&mut silent, &known, &[], true).unwrap().is_empty());
        assert_eq!(silent.sampling.top_k, None);

        let mut asked = request(Sampling { top_k: Some(5), seed: Some(1), ..Sampling::default() });
        let warnings = fit(&mut asked, &known, &[], true).unwrap();
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].contains("use top_p"));
        assert_eq!((asked.sampling.top_k, asked.sampling.seed), (None, None));
    }

    #[test]
    fn a_catalogued_no_refuses_unless_told_not_to() {
        let spec = ModelSpec::default();
        let catalog = catalog(&[]);
        let known = Known { spec: Some(&spec), catalog: &catalog, name: "p:m" };
        let definition = serde_json::from_value(json!({"name": "f", "parameters": {}})).unwrap();
        let mut asked =
            ChatRequest { tools: vec![Tool::Function(definition)], ..request(Sampling::default()) };
        let error = fit(&mut asked, &known, &[], true).unwrap_err();
        assert!(error.message.contains("`able`"), "{}", error.message);
        assert!(
            error.message.contains("--no-check") && error.message.contains("--tools"),
            "{}",
            error.message
        );
        assert!(fit(&mut asked, &known, &[], false).is_ok());
        let unknown = Known { spec: None, catalog: &catalog, name: "p:m" };
        assert!(fit(&mut asked, &unknown, &[], true).is_ok());
    }
}
