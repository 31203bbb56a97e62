//! What is known of a provider's models: its own catalogue, and what the configuration adds or corrects.

use crate::config::{self, InstanceConfig};
use crate::model::{Description, Failure, FailureKind, ModelSpec, Parameter, Result, Support};
use crate::model_string::ModelString;
use crate::openai::fields::nearest;

/// A provider's catalogue.
pub(crate) struct Catalog {
    pub(crate) models: Vec<ModelSpec>,
    /// Ids outside `models` are passed through.
    pub(crate) open: bool,
    pub(crate) parameters: Vec<(Parameter, Support)>,
}

impl Catalog {
    pub(super) fn new(description: &Description, config: Option<&InstanceConfig>) -> Self {
        let mut models = description.models.clone();
        let mut parameters = description.parameters.clone();
        let mut open = description.open_catalog;
        if let Some(config) = config {
            config::overlay(&mut models, &config.models);
            for (parameter, support) in &config.parameters {
                parameters.retain(|(named, _)| named != parameter);
                parameters.push((*parameter, support.clone()));
            }
            open = config.open_catalog.unwrap_or(open);
        }
        Self { models, open, parameters }
    }

    /// What the catalogue says of a model; `None` for an id that it does not have but lets through.
    pub(crate) fn model(&self, string: &ModelString) -> Result<Option<ModelSpec>> {
        let ModelString { provider, model, .. } = string;
        match self.models.iter().find(|spec| spec.id == *model) {
            Some(_) if !string.flags.is_empty() => Err(Failure::new(
                FailureKind::InvalidRequest,
                format!(
                    "`{provider}:{model}` is in the catalogue, which knows what it can do: leave out the flags"
                ),
            )),
            Some(spec) => Ok(Some(spec.clone())),
            None if self.open => Ok(None),
            None => {
                let ids: Vec<&str> = self.models.iter().map(|spec| spec.id.as_str()).collect();
                let near = nearest(model, ids.iter().copied());
                let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
                Err(Failure::new(
                    FailureKind::NotFound,
                    format!("`{provider}` has no model `{model}`.{near} It has {}", ids.join(", ")),
                ))
            }
        }
    }
}
