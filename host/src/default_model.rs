//! The model that is taken when none is named: one that is already there, never a cloud's, never a download.

use crate::host::{Host, ModelHandle, ModelQuery};
use crate::model::{Capability, Failure, FailureKind, Result, Task};
use futures::future::join_all;
use serde_json::Map;
use std::time::Duration;

/// Names the model to take when none is named.
pub const DEFAULT_MODEL_VARIABLE: &str = "AIMU_LANGUAGE_MODEL";

/// Names the model that embeds when none is named. There is no other default: vectors of different models don't mix.
pub const DEFAULT_EMBEDDING_MODEL_VARIABLE: &str = "AIMU_EMBEDDING_MODEL";

/// A server of this machine that is there answers at once.
const PATIENCE: Duration = Duration::from_millis(500);

/// A model that was found, and what to say aloud about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultModel {
    /// `provider:model`.
    pub model: String,
    /// Says which model was chosen and how to choose another; `None` when the user's environment named it.
    pub notice: Option<String>,
}

impl Host {
    /// The default model: `AIMU_LANGUAGE_MODEL`, else the first model of a server that runs on this machine (Ollama
    /// first), those that call tools before the others.
    ///
    /// # Errors
    /// Nothing is named and nothing runs.
    pub async fn default_model(&self) -> Result<DefaultModel> {
        if let Some(model) =
            std::env::var(DEFAULT_MODEL_VARIABLE).ok().filter(|model| !model.trim().is_empty())
        {
            return Ok(DefaultModel { model: model.trim().to_owned(), notice: None });
        }
        let answers = join_all(self.local_providers().map(|provider| self.model_of(provider))).await;
        let chosen = answers.into_iter().flatten().next();
        match chosen {
            Some(handle) => Ok(DefaultModel {
                notice: Some(format!(
                    "no model was named; taking {handle}, which runs on this machine. Name one, or set \
                     {DEFAULT_MODEL_VARIABLE}"
                )),
                model: handle.to_string(),
            }),
            None => Err(Failure::new(
                FailureKind::NotFound,
                format!(
                    "no model was named, and no server of this machine has one. Name one as `provider:model-id` \
                     (`aimu-host models` lists them), or set {DEFAULT_MODEL_VARIABLE}"
                ),
            )),
        }
    }

    /// The model to take of a server of this machine, if it runs and has one.
    async fn model_of(&self, provider: &str) -> Option<ModelHandle> {
        // A component that is new here is compiled first, which says nothing of its server.
        let query = ModelQuery { provider: Some(provider.to_owned()), ..ModelQuery::default() };
        self.models(&query).await.ok()?;
        let settings = Map::new();
        first(tokio::time::timeout(PATIENCE, self.refresh(provider, &settings)).await.ok()?.ok()?)
    }
}

/// The first model that calls tools, else the first; of those that chat, since servers list their others too.
fn first(mut models: Vec<ModelHandle>) -> Option<ModelHandle> {
    models.retain(|model| model.spec.tasks.contains(&Task::Chat));
    let tools = models.iter().position(|model| model.spec.capabilities.contains(&Capability::Tools));
    (!models.is_empty()).then(|| models.swap_remove(tools.unwrap_or(0)))
}
