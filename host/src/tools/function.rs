//! A function of the embedding program as a tool.

use super::{Approval, Callable, ToolContext, ToolReply};
use crate::model::{Failure, FailureKind, Result, ToolDefinition};
use async_trait::async_trait;
use futures::future::BoxFuture;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt::Display;
use std::time::Duration;

type Run = dyn Fn(ToolContext, Value) -> BoxFuture<'static, Result<ToolReply>> + Send + Sync;

/// A function of the program as a tool: its arguments are a type, whose JSON Schema the model gets.
///
/// The doc comments of the type's fields describe the arguments. What the function gives is sent as JSON, text as text. It
/// runs whenever the model calls it; [`Function::ask_first`] has somebody asked.
///
/// ```
/// use aimu_host::{Function, ToolContext, schemars};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Place {
///     /// The city's name, in English
///     city: String,
/// }
///
/// let weather = Function::new("weather", "The weather at a place, now", |_: ToolContext, place: Place| async move {
///     if place.city.is_empty() { Err("no city was named") } else { Ok(format!("{}: 12 °C, rain", place.city)) }
/// });
/// ```
pub struct Function {
    definition: ToolDefinition,
    approval: Approval,
    timeout: Option<Duration>,
    run: Box<Run>,
}

impl Function {
    /// A tool that runs an async function. Several calls of one turn run at once.
    pub fn new<A, T, E, F>(
        name: impl Into<String>,
        description: impl Into<String>,
        function: impl Fn(ToolContext, A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        T: Serialize,
        E: Display,
        F: Future<Output = std::result::Result<T, E>> + Send + 'static,
    {
        Self::replying(name, description, move |context, arguments: A| {
            let called = function(context, arguments);
            async move {
                let given = called.await.map_err(|error| error.to_string())?;
                let value = serde_json::to_value(given);
                value.map(ToolReply::from).map_err(|error| format!("what it gives is no JSON: {error}"))
            }
        })
    }

    /// The same for a function whose answer is more than one value: pictures, several pieces.
    pub fn replying<A, E, F>(
        name: impl Into<String>,
        description: impl Into<String>,
        function: impl Fn(ToolContext, A) -> F + Send + Sync + 'static,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        E: Display,
        F: Future<Output = std::result::Result<ToolReply, E>> + Send + 'static,
    {
        let name = name.into();
        let own = name.clone();
        let run = move |context: ToolContext, arguments: Value| {
            let called = serde_json::from_value::<A>(arguments).map(|read| function(context, read));
            let name = own.clone();
            let future: BoxFuture<'static, Result<ToolReply>> = Box::pin(async move {
                let refused =
                    |what: String| Failure::new(FailureKind::InvalidRequest, format!("{name}: {what}"));
                let called = called.map_err(|error| refused(format!("the arguments do not fit: {error}")))?;
                called.await.map_err(|error| refused(error.to_string()))
            });
            future
        };
        Self {
            definition: ToolDefinition {
                name,
                description: description.into(),
                parameters: schema_of::<A>(),
                strict: None,
                cache_here: false,
                extra: None,
            },
            approval: Approval::Allow,
            timeout: None,
            run: Box::new(run),
        }
    }

    /// Somebody is asked before each call, unless a rule of the toolbox says otherwise.
    #[must_use]
    pub fn ask_first(mut self) -> Self {
        self.approval = Approval::Ask;
        self
    }

    /// How long a call may take, unless the toolbox says otherwise.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// The schema of a type, as models and services like it: self-contained, without the type's name and the dialect.
fn schema_of<A: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = Value::from(settings.into_generator().into_root_schema_for::<A>());
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
        // A type without fields: an object all the same.
        object.entry("type").or_insert_with(|| "object".into());
    }
    schema
}

#[async_trait]
impl Callable for Function {
    fn definition(&self) -> &ToolDefinition {
        &self.definition
    }

    fn approval(&self) -> Approval {
        self.approval
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    async fn call(&self, context: &ToolContext, arguments: Map<String, Value>) -> Result<ToolReply> {
        (self.run)(context.clone(), Value::Object(arguments)).await
    }
}
