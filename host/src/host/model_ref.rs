//! The ways to name a model.

use crate::model::{Capability, ModelSpec, Task};
use crate::provider::Provider;
use std::sync::Arc;

/// A model, in any of the three ways to name one.
pub enum ModelRef {
    /// `provider:model_id[@base_url][;flag,flag]`.
    Name(String),
    /// From a query.
    Handle(Box<ModelHandle>),
    /// The provider itself, and an id of its.
    Direct(Arc<dyn Provider>, String),
}

impl From<&str> for ModelRef {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for ModelRef {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<&ModelHandle> for ModelRef {
    fn from(handle: &ModelHandle) -> Self {
        Self::Handle(Box::new(handle.clone()))
    }
}

impl From<ModelHandle> for ModelRef {
    fn from(handle: ModelHandle) -> Self {
        Self::Handle(Box::new(handle))
    }
}

impl From<(Arc<dyn Provider>, &str)> for ModelRef {
    fn from((provider, model): (Arc<dyn Provider>, &str)) -> Self {
        Self::Direct(provider, model.to_owned())
    }
}

/// A model that a query found.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelHandle {
    /// The instance's name.
    pub provider: String,
    /// What is known of the model.
    pub spec: ModelSpec,
}

impl std::fmt::Display for ModelHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.provider, self.spec.id)
    }
}

/// Which models are wanted.
#[derive(Clone, Debug, Default)]
pub struct ModelQuery {
    /// Of this provider alone.
    pub provider: Option<String>,
    /// With all of these.
    pub capabilities: Vec<Capability>,
    /// For this.
    pub task: Option<Task>,
}

impl ModelQuery {
    /// Whether a model is one that is wanted, whatever its provider.
    #[must_use]
    pub fn matches(&self, spec: &ModelSpec) -> bool {
        self.task.is_none_or(|task| spec.tasks.contains(&task))
            && self.capabilities.iter().all(|capability| spec.capabilities.contains(capability))
    }
}
