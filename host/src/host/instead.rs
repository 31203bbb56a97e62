//! What to use instead, for errors: a provider or a model that can do what the one that was asked can't.

use super::{Host, ModelQuery};
use crate::model::{Kind, Task};

/// Names in one message: more would be a list to look at, which a verb prints.
const NAMED: usize = 5;

impl Host {
    /// A sentence that names what answers this kind of call; empty where nothing does.
    pub(crate) async fn instead(&self, kind: Kind) -> String {
        match kind {
            Kind::Text | Kind::Tools => String::new(),
            Kind::Embedding => match self.embedder(None).await {
                Some(model) => format!("`{model}` embeds; `aimu-host models --embedding` lists all that do"),
                None => String::new(),
            },
            Kind::Tokens | Kind::Library => {
                let names = self.answering(kind).await;
                let verb = if kind == Kind::Tokens { "count tokens" } else { "fetch models" };
                if names.is_empty() { String::new() } else { format!("These {verb}: {}", names.join(", ")) }
            }
        }
    }

    /// A model that embeds, of this provider or of any.
    pub(crate) async fn embedder(&self, provider: Option<&str>) -> Option<String> {
        let query = ModelQuery {
            provider: provider.map(str::to_owned),
            task: Some(Task::Embedding),
            ..ModelQuery::default()
        };
        // One for trying things out is not what was looked for, if there is another.
        let models = self.models(&query).await.ok()?;
        let real = models.iter().find(|model| model.provider != "echo");
        real.or_else(|| models.first()).map(ToString::to_string)
    }

    /// Providers whose component exports an interface.
    async fn answering(&self, kind: Kind) -> Vec<String> {
        let mut names = Vec::new();
        for provider in self.providers().await {
            let plugin = self.plugin(&provider.plugin).await;
            let loaded = plugin.and_then(|plugin| plugin.state.ok());
            if loaded.is_some_and(|loaded| loaded.inspection.kinds().contains(&kind)) {
                names.push(provider.name);
            }
        }
        names.truncate(NAMED);
        names
    }
}
