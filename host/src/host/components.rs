//! Tools of components: in the same folders as providers, under the same grants and limits, told apart by what they export.

use super::{Found, Host};
use crate::config::ToolConfig;
use crate::grants::escaped;
use crate::instance::Instance;
use crate::model::{Failure, FailureKind, Result, ToolDefinition};
use crate::model_string::ModelString;
use crate::plugins::{Loaded, Plugin};
use crate::provider::Call;
use crate::tools::{Callable, Pattern, SourceTools, ToolContext, ToolReply, ToolSource, full_name};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Host {
    /// The tools of one component in the plugin folders, for a [`Toolbox`](crate::Toolbox). Models know each as `ID__TOOL`,
    /// and somebody is asked before a call unless a rule of the toolbox says otherwise. What has become of the component,
    /// and of what it is allowed, is looked at with each call.
    ///
    /// # Errors
    /// There is no such component, it can't be used or has no tools, or it lacks a grant, a setting or a key.
    pub async fn tools_of(&self, component: &str) -> Result<Vec<Arc<dyn Callable>>> {
        let (plugin, loaded) = self.with_tools(component).await?;
        self.callables(&plugin, &loaded).await
    }

    /// The tools of all components that one of these patterns, or none, can mean, by the id or by a tool's name. A component that can't
    /// be used might have tools, and is told of where it is named itself.
    pub(crate) async fn component_tools(&self, wanted: &[Pattern]) -> Vec<SourceTools> {
        let mut sources = Vec::new();
        for plugin in self.0.plugins.third_party().await {
            let outcome = match &plugin.state {
                Err(failure) if wanted.iter().any(|pattern| pattern.is(&plugin.id)) => Err(failure.clone()),
                Ok(loaded)
                    if plugin.has_tools() && means(wanted, &plugin.id, &loaded.description().tools) =>
                {
                    self.callables(&plugin, loaded).await
                }
                _ => continue,
            };
            sources.push(SourceTools { source: plugin.id, kind: ToolSource::Component, outcome });
        }
        sources
    }

    /// The components that have tools, each as it is called.
    pub(super) async fn tool_components(&self) -> Vec<Found<'_>> {
        let files = self.0.plugins.third_party().await;
        files.into_iter().filter(Plugin::has_tools).map(|plugin| self.called(plugin)).collect()
    }

    /// A component of tools with its table of the configuration.
    fn called(&self, plugin: Plugin) -> Found<'_> {
        let config = self.0.config.tools.get(&plugin.id).map(|ToolConfig(config)| config);
        Found { config, is_users: config.is_some(), plugin }
    }

    /// What can be called of a component. One that lacks something says so here, and not first to a model.
    async fn callables(&self, plugin: &Plugin, loaded: &Loaded) -> Result<Vec<Arc<dyn Callable>>> {
        self.tool_instance(plugin, loaded).await?;
        let tools = loaded.description().tools.iter().map(|tool| {
            let definition = ToolDefinition { name: full_name(&plugin.id, &tool.name), ..tool.clone() };
            let (host, component, name) = (self.clone(), plugin.id.clone(), tool.name.clone());
            let tool: Arc<dyn Callable> = Arc::new(ComponentTool { host, component, name, definition });
            tool
        });
        Ok(tools.collect())
    }

    /// A component of tools, as it is now.
    async fn with_tools(&self, id: &str) -> Result<(Plugin, Loaded)> {
        let Some(plugin) = self.0.plugins.find(id).await else { return Err(self.no_plugin(id).await) };
        let loaded = plugin.state.clone()?;
        if !plugin.has_tools() {
            let what = format!("the plugin `{}` has no tools: it is a provider", escaped(id));
            return Err(Failure::new(FailureKind::InvalidRequest, what));
        }
        Ok((plugin, loaded))
    }

    /// How a component of tools is called: by its configuration, with what it is allowed now.
    async fn tool_instance(&self, plugin: &Plugin, loaded: &Loaded) -> Result<Instance> {
        let found = self.called(plugin.clone());
        let string = ModelString {
            provider: plugin.id.clone(),
            model: String::new(),
            base_url: None,
            flags: BTreeSet::new(),
        };
        self.instance(&found, loaded, &string, &Map::new()).await
    }
}

/// Whether one of these patterns can mean a component or a tool of it.
fn means(wanted: &[Pattern], id: &str, tools: &[ToolDefinition]) -> bool {
    let fits = |name: &str| wanted.is_empty() || wanted.iter().any(|pattern| pattern.fits(name));
    fits(id) || tools.iter().any(|tool| fits(&full_name(id, &tool.name)))
}

/// A tool of a component.
struct ComponentTool {
    host: Host,
    /// The component's id.
    component: String,
    /// The component's own name for it.
    name: String,
    definition: ToolDefinition,
}

#[async_trait]
impl Callable for ComponentTool {
    fn definition(&self) -> &ToolDefinition {
        &self.definition
    }

    async fn call(&self, _: &ToolContext, arguments: Map<String, Value>) -> Result<ToolReply> {
        let (plugin, loaded) = self.host.with_tools(&self.component).await?;
        if !loaded.description().tools.iter().any(|tool| tool.name == self.name) {
            let what = format!(
                "the plugin `{}` has changed, and has no tool `{}` any more",
                self.component,
                escaped(&self.name)
            );
            return Err(Failure::new(FailureKind::NotFound, what));
        }
        let instance = self.host.tool_instance(&plugin, &loaded).await?;
        let call = Call::new(Arc::new(instance), self.host.limits());
        loaded.component.call_tool(&call, &self.name, Value::Object(arguments).to_string()).await
    }
}
