//! `aimu-host models`: which models there are, and what they can do.

use super::capabilities::Capabilities;
use super::exit::{Exit, Result};
use super::globals::Globals;
use super::interrupt;
use super::table::Table;
use super::terminal::{Stderr, Stdout};
use aimu_host::{Host, ModelHandle, ModelQuery, Task};
use futures::future::join_all;
use serde_json::{Map, Value, json};

/// The arguments of `models`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aimu-host models --tools --vision
  aimu-host models --provider anthropic --json
  aimu-host models --provider openai-compat@http://localhost:9000/v1 --refresh")]
pub(super) struct ModelsArgs {
    /// Only this provider's models; with --refresh it may carry a base URL, as in name@http://localhost:9000/v1
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,

    /// Ask the servers which models they have now, instead of reading what the providers say of themselves
    #[arg(long)]
    refresh: bool,

    /// Print a JSON array
    #[arg(long)]
    json: bool,

    /// turn texts into vectors
    #[arg(long, help_heading = "Only models that")]
    embedding: bool,

    #[command(flatten)]
    capabilities: Capabilities,
}

impl ModelsArgs {
    /// Lists them.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let host = globals.host(&[])?;
        let mut stderr = Stderr::new();
        let models = if self.refresh {
            interrupt::unless(self.ask_servers(&host, &mut stderr)).await??
        } else {
            self.catalogued(&host, &mut stderr).await?
        };
        let mut stdout = Stdout::new();
        if self.json {
            stdout.json(&models.iter().map(object).collect::<Vec<_>>())?;
        } else {
            stdout.text(&table(&models))?;
            stdout.flush()?;
            self.remarks(&host, &models, &mut stderr).await;
        }
        Ok(stdout.flush()?)
    }

    /// The models that are wanted.
    fn query(&self) -> ModelQuery {
        ModelQuery {
            provider: self.provider.clone(),
            capabilities: self.capabilities.0.clone(),
            task: self.embedding.then_some(Task::Embedding),
        }
    }

    async fn catalogued(&self, host: &Host, stderr: &mut Stderr) -> Result<Vec<ModelHandle>> {
        let models = host.models(&self.query()).await.map_err(Exit::of_lookup)?;
        if self.provider.is_none() {
            for provider in host.providers().await {
                if let Err(failure) = provider.status {
                    stderr.warning(&format!("{} is left out: {}", provider.name, failure.message));
                }
            }
        }
        Ok(models)
    }

    async fn ask_servers(&self, host: &Host, stderr: &mut Stderr) -> Result<Vec<ModelHandle>> {
        let settings = Map::new();
        let mut models = Vec::new();
        if let Some(provider) = &self.provider {
            models = host.refresh(provider, &settings).await.map_err(Exit::of_lookup)?;
        } else {
            let providers = host.providers().await;
            let asked = providers.iter().filter(|provider| provider.status.is_ok());
            let answers = join_all(
                asked.map(async |provider| (&provider.name, host.refresh(&provider.name, &settings).await)),
            );
            for (name, answer) in answers.await {
                match answer {
                    Ok(served) => models.extend(served),
                    Err(failure) => stderr.warning(&format!("{name} is left out: {}", failure.message)),
                }
            }
        }
        let query = self.query();
        models.retain(|model| query.matches(&model.spec));
        Ok(models)
    }

    /// Says why the table may have less than one looked for.
    async fn remarks(&self, host: &Host, models: &[ModelHandle], stderr: &mut Stderr) {
        let all = self.capabilities.0.is_empty() && !self.embedding;
        if models.is_empty() && !all {
            return stderr.line("note: no model is known to do all of that");
        }
        if self.refresh || !all {
            return;
        }
        let providers = host.providers().await;
        let silent: Vec<&str> = providers
            .iter()
            .filter(|provider| provider.status.is_ok())
            .map(|provider| provider.name.as_str())
            .filter(|name| self.provider.as_deref().is_none_or(|wanted| wanted == *name))
            .filter(|name| !models.iter().any(|model| model.provider == *name))
            .collect();
        if !silent.is_empty() {
            let what = "no models are known; `--refresh` asks for them, and any id can be tried";
            stderr.line(&format!("note: of {} {what}", silent.join(", ")));
        }
    }
}

fn table(models: &[ModelHandle]) -> String {
    let mut table = Table::new(["MODEL", "CONTEXT", "CAN"]);
    for model in models {
        let context = model.spec.context_window.map_or("?".to_owned(), |tokens| tokens.to_string());
        // That a model takes a conversation goes without saying.
        let special = |task: &&Task| !matches!(task, Task::Chat | Task::Generate);
        let tasks = model.spec.tasks.iter().filter(special).map(|task| task.as_str());
        let capabilities = model.spec.capabilities.iter().map(|capability| capability.as_str());
        let can: Vec<&str> = tasks.chain(capabilities).collect();
        table.row([model.to_string(), context, can.join(" ")]);
    }
    table.to_string()
}

/// A model as scripts get it: its string, its provider, and all that is known of it.
fn object(model: &ModelHandle) -> Value {
    let mut object = Map::from_iter([
        ("model".to_owned(), json!(model.to_string())),
        ("provider".to_owned(), json!(model.provider)),
    ]);
    if let Value::Object(spec) = json!(model.spec) {
        object.extend(spec);
    }
    Value::Object(object)
}
