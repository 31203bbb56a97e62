//! The models that an account may ask in a region, of the service's other server:
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html> and
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListInferenceProfiles.html>.
//!
//! Listed is each id as it can be asked: a model's own where it is served on demand, and those of inference profiles,
//! which newer models want. Left out are models that do not turn text into streamed text (embeddings, images, speech,
//! reranking), and those that have to be bought by the hour, whose id is an ARN of the account's.

use std::collections::{BTreeMap, BTreeSet};

use aimu_sdk::{Capabilities, ModelSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{catalog, endpoint};

/// The answer of ListFoundationModels.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Models {
    model_summaries: Vec<Model>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Model {
    model_id: String,
    model_name: Option<String>,
    provider_name: Option<String>,
    input_modalities: Vec<String>,
    output_modalities: Vec<String>,
    response_streaming_supported: Option<bool>,
    inference_types_supported: Vec<String>,
    model_lifecycle: Lifecycle,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lifecycle {
    status: String,
}

/// A page of ListInferenceProfiles.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Profiles {
    inference_profile_summaries: Vec<Profile>,
    next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Profile {
    inference_profile_id: String,
    inference_profile_arn: String,
    inference_profile_name: Option<String>,
    models: Vec<ProfileModel>,
    status: String,
    r#type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ProfileModel {
    model_arn: String,
}

/// The kinds of profiles: the service's own, and the account's.
pub(crate) const KINDS: [&str; 2] = ["SYSTEM_DEFINED", "APPLICATION"];

/// The URL of the list of models.
pub(crate) fn models_url(base_url: &str) -> String {
    format!("{}/foundation-models", endpoint::control(base_url))
}

/// The URL of a page of profiles of a kind.
pub(crate) fn profiles_url(base_url: &str, kind: &str, next: Option<&str>) -> String {
    // The most that a page holds.
    let mut url = format!("{}/inference-profiles?maxResults=1000&type={kind}", endpoint::control(base_url));
    if let Some(next) = next {
        url.push_str("&nextToken=");
        endpoint::encode(&mut url, next);
    }
    url
}

/// What the server listed, put together.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Models that answer in text, by their ids.
    models: BTreeMap<String, Model>,
    /// Those of them that are served on demand.
    on_demand: BTreeSet<String>,
    profiles: Vec<Profile>,
}

impl Listing {
    pub(crate) fn new(models: Models) -> Self {
        let mut listing = Self::default();
        for model in models.model_summaries.into_iter().filter(Model::streams_text) {
            // One id may be there several times, with the ways that it is sold.
            if model.inference_types_supported.iter().any(|way| way == "ON_DEMAND") {
                listing.on_demand.insert(model.model_id.clone());
            }
            listing.models.entry(model.model_id.clone()).or_insert(model);
        }
        listing
    }

    /// Takes a page of profiles; gives the token of the next.
    pub(crate) fn add(&mut self, page: Profiles) -> Option<String> {
        self.profiles.extend(page.inference_profile_summaries);
        page.next_token.filter(|next| !next.is_empty())
    }

    /// All that can be asked.
    pub(crate) fn specs(self) -> Vec<ModelSpec> {
        let Self { models, on_demand, profiles } = self;
        let mut specs: Vec<ModelSpec> = on_demand
            .iter()
            .filter_map(|id| models.get(id).map(|model| spec(id.clone(), model, None)))
            .collect();
        for profile in profiles.into_iter().filter(|profile| profile.status != "INACTIVE") {
            let names = profile.models.iter().filter_map(|model| model.model_arn.rsplit('/').next());
            let Some(model) = names.filter_map(|name| models.get(name)).next() else { continue };
            // One of the account's own is asked by its whole name.
            let id = match profile.r#type.as_str() {
                "APPLICATION" => profile.inference_profile_arn,
                _ => profile.inference_profile_id,
            };
            if !id.is_empty() {
                specs.push(spec(id, model, profile.inference_profile_name));
            }
        }
        specs
    }
}

impl Model {
    fn streams_text(&self) -> bool {
        let has = |modalities: &[String]| modalities.iter().any(|modality| modality == "TEXT");
        !self.model_id.is_empty()
            && has(&self.input_modalities)
            && has(&self.output_modalities)
            && self.response_streaming_supported != Some(false)
    }

    fn takes(&self, modality: &str) -> bool {
        self.input_modalities.iter().any(|have| have == modality)
    }
}

/// What the catalogue knows of a model, with what the server says; of one that it does not know, the server's word alone.
fn spec(id: String, model: &Model, profile: Option<String>) -> ModelSpec {
    let mut spec = catalog::known(&model.model_id, &id).unwrap_or_else(|| {
        let image = model.output_modalities.iter().any(|modality| modality == "IMAGE");
        let capabilities = Capabilities::empty()
            .with(Capabilities::VISION, model.takes("IMAGE"))
            .with(Capabilities::AUDIO, model.takes("AUDIO") || model.takes("SPEECH"))
            .with(Capabilities::IMAGE_OUTPUT, image);
        ModelSpec::new(id, capabilities)
    });
    spec.display_name = profile.or_else(|| model.model_name.clone()).or(spec.display_name);
    if model.model_lifecycle.status == "LEGACY" && spec.deprecated.is_none() {
        spec.deprecated = Some("Amazon lists it as legacy".into());
    }
    let said = [
        ("provider", model.provider_name.clone().map(Value::from)),
        ("model", (spec.id != model.model_id).then(|| json!(model.model_id))),
    ];
    let said: serde_json::Map<String, Value> =
        said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    spec.metadata = (!said.is_empty()).then(|| Value::Object(said).to_string());
    spec
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn model(id: &str, input: &[&str], output: &[&str], streams: bool, sold: &[&str]) -> Value {
        json!({
            "modelArn": format!("arn:aws:bedrock:us-east-1::foundation-model/{id}"), "modelId": id,
            "modelName": format!("Name of {id}"), "providerName": "Maker", "inputModalities": input,
            "outputModalities": output, "responseStreamingSupported": streams, "customizationsSupported": [],
            "inferenceTypesSupported": sold, "modelLifecycle": { "status": "ACTIVE" }
        })
    }

    fn profile(id: &str, kind: &str, models: &[&str]) -> Value {
        let models: Vec<Value> = models
            .iter()
            .map(|id| json!({ "modelArn": format!("arn:aws:bedrock:us-west-2::foundation-model/{id}") }))
            .collect();
        json!({
            "inferenceProfileId": id, "inferenceProfileArn": format!("arn:aws:bedrock:us-east-1:1:p/{id}"),
            "inferenceProfileName": format!("Profile {id}"), "models": models, "status": "ACTIVE", "type": kind
        })
    }

    fn specs(models: Value, profiles: &[Value]) -> Vec<ModelSpec> {
        let mut listing = Listing::new(serde_json::from_value(models).unwrap());
        for page in profiles {
            listing.add(serde_json::from_value(page.clone()).unwrap());
        }
        listing.specs()
    }

    #[test]
    fn ids_are_those_that_can_be_asked() {
        let text = &["TEXT"][..];
        let models = json!({ "modelSummaries": [
            model("amazon.nova-pro-v1:0", &["TEXT", "IMAGE", "VIDEO"], text, true, &["PROVISIONED"]),
            model("amazon.nova-pro-v1:0", &["TEXT", "IMAGE", "VIDEO"], text, true, &["ON_DEMAND"]),
            model("anthropic.claude-sonnet-4-6", &["TEXT", "IMAGE"], text, true, &["INFERENCE_PROFILE"]),
            model("new.sees-1", &["TEXT", "IMAGE"], text, true, &["ON_DEMAND", "INFERENCE_PROFILE"]),
            model("amazon.titan-embed", text, &["EMBEDDING"], false, &["ON_DEMAND"]),
            model("amazon.nova-sonic-v1:0", &["SPEECH"], &["SPEECH", "TEXT"], true, &["ON_DEMAND"]),
            model("cohere.rerank-v3-5:0", text, text, false, &["ON_DEMAND"]),
            model("stability.image", text, &["IMAGE"], true, &["ON_DEMAND"]),
            model("meta.hourly", text, text, true, &["PROVISIONED"]),
        ] });
        let pages = [
            json!({ "nextToken": "n", "inferenceProfileSummaries": [
                profile("us.anthropic.claude-sonnet-4-6", "SYSTEM_DEFINED", &["anthropic.claude-sonnet-4-6"]),
                profile("us.stability.image", "SYSTEM_DEFINED", &["stability.image"]),
            ] }),
            json!({ "inferenceProfileSummaries": [profile("ab12", "APPLICATION", &["gone", "new.sees-1"])] }),
        ];
        let specs = specs(models, &pages);
        let ids: Vec<&str> = specs.iter().map(|spec| spec.id.as_str()).collect();
        let profile = "arn:aws:bedrock:us-east-1:1:p/ab12";
        assert_eq!(ids, ["amazon.nova-pro-v1:0", "new.sees-1", "us.anthropic.claude-sonnet-4-6", profile]);
        // The catalogue knows more than the server says.
        assert!(specs[0].capabilities.contains(Capabilities::VISION | Capabilities::TOOLS));
        assert_eq!(specs[0].display_name.as_deref(), Some("Name of amazon.nova-pro-v1:0"));
        let claude = &specs[2];
        assert_eq!((claude.context_window, claude.max_output), (Some(1_000_000), Some(64_000)));
        assert!(claude.capabilities.contains(Capabilities::THINKING));
        assert_eq!(claude.display_name.as_deref(), Some("Profile us.anthropic.claude-sonnet-4-6"));
        // Of what it does not know, no more than the server says.
        for new in [&specs[1], &specs[3]] {
            assert_eq!(new.capabilities, Capabilities::VISION, "{}", new.id);
        }
        assert_eq!(specs[3].metadata.as_deref(), Some(r#"{"provider":"Maker","model":"new.sees-1"}"#));
    }

    #[test]
    fn old_models_and_pages_are_told() {
        let mut old = model("a.old", &["TEXT"], &["TEXT"], true, &["ON_DEMAND"]);
        old["modelLifecycle"]["status"] = json!("LEGACY");
        let mut listing = Listing::new(serde_json::from_value(json!({ "modelSummaries": [old] })).unwrap());
        let next = |page: Value, listing: &mut Listing| listing.add(serde_json::from_value(page).unwrap());
        assert_eq!(next(json!({ "nextToken": "a/b=" }), &mut listing).as_deref(), Some("a/b="));
        assert_eq!(next(json!({ "nextToken": null }), &mut listing), None);
        assert!(listing.specs()[0].deprecated.as_deref().unwrap().contains("legacy"));
        assert!(specs(json!({}), &[json!({})]).is_empty());
        let base = "https://bedrock-runtime.eu-west-1.amazonaws.com";
        assert_eq!(models_url(base), "https://bedrock.eu-west-1.amazonaws.com/foundation-models");
        assert_eq!(
            profiles_url("http://127.0.0.1:1", KINDS[1], Some("a/b=")),
            "http://127.0.0.1:1/inference-profiles?maxResults=1000&type=APPLICATION&nextToken=a%2Fb%3D"
        );
    }
}
