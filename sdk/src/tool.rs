//! Tools for models: a component of another kind than a provider, with the same host around it.
//!
//! A tool is the type of its arguments, which serde reads; it is exported with [`export_tools!`](crate::export_tools):
//!
//! ```
//! use aimu_sdk::tool::{Description, Reply, Tool};
//! use aimu_sdk::{Context, Failure};
//! use serde_json::{Value, json};
//!
//! #[derive(serde::Deserialize)]
//! struct Reverse {
//!     text: String,
//! }
//!
//! impl Tool for Reverse {
//!     const NAME: &'static str = "reverse";
//!     const DESCRIPTION: &'static str = "Turns a text around";
//!
//!     fn parameters() -> Value {
//!         json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] })
//!     }
//!
//!     fn run(self, _: &Context) -> Result<Reply, Failure> {
//!         Ok(self.text.chars().rev().collect::<String>().into())
//!     }
//! }
//!
//! fn about() -> Description {
//!     Description::new("reverse", "Reverse", env!("CARGO_PKG_VERSION"))
//! }
//!
//! aimu_sdk::export_tools!(about: Reverse);
//! ```
//!
//! What it needs of the network stands in its [`Description`], and is asked with [`fetch`] or the functions of
//! [`exchange`](crate::exchange); credentials are added by the host.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::{Body, HttpRequest, Response, send};
use crate::{Context, Failure, FailureKind};

pub use aimu_sdk_core::bindings::tool::exports::aimu::tool::tools::{Description, Reply, Tool as Definition};

/// A tool: the arguments of one call, as serde reads them from what the model wrote.
pub trait Tool: DeserializeOwned {
    /// Its name within the component.
    const NAME: &'static str;

    /// For the model: what it does, and when to call it.
    const DESCRIPTION: &'static str;

    /// The JSON Schema of the arguments. The host checks them by it.
    fn parameters() -> Value;

    /// Runs it. A text, or a JSON value, is a [`Reply`] by `into()`.
    ///
    /// # Errors
    /// What went wrong, for the model to read: a wrong argument is [`Failure::invalid`]. A failure of the network is best
    /// passed on as it is, since the host knows more of it.
    fn run(self, ctx: &Context) -> Result<Reply, Failure>;
}

/// Asks a server, and reads no more than about `most` bytes of what it answers, whatever the status.
///
/// # Errors
/// The host refuses the request, or the connection fails or is cut.
pub fn fetch(request: &HttpRequest, most: usize) -> Result<Response<Vec<u8>>, Failure> {
    let mut response = send(request)?;
    let mut body = Vec::new();
    while body.len() < most
        && let Some(more) = response.body.read()?
    {
        body.extend_from_slice(&more);
    }
    Ok(Response { status: response.status, headers: response.headers, body })
}

/// What the host learns of a tool.
#[doc(hidden)]
#[must_use]
pub fn definition<T: Tool>() -> Definition {
    Definition {
        name: T::NAME.into(),
        description: T::DESCRIPTION.into(),
        parameters: T::parameters().to_string(),
    }
}

/// Runs a tool with arguments as the contract has them.
#[doc(hidden)]
pub fn run<T: Tool>(ctx: &Context, arguments: &str) -> Result<Reply, Failure> {
    serde_json::from_str::<T>(arguments)
        .map_err(|error| Failure::invalid(format!("the arguments do not fit: {error}")))?
        .run(ctx)
}

/// The failure of a name that no tool has.
#[doc(hidden)]
#[must_use]
pub fn unknown(name: &str) -> Failure {
    Failure::new(FailureKind::NotFound, format!("there is no tool `{name}`"))
}

/// Exports types that implement [`Tool`](crate::tool::Tool) as the tools of a component. In front of them stands the
/// function that gives its [`Description`](crate::tool::Description), whose `tools` are filled in. Natively it does nothing,
/// so that the crate's tests build.
///
/// ```ignore
/// aimu_sdk::export_tools!(about: Search, Fetch);
/// ```
#[macro_export]
macro_rules! export_tools {
    ($about:path: $($tool:ty),+ $(,)?) => {
        // A component's export names mean nothing to a native linker, which refuses them.
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::tool::Description = $about;
        $(
            #[cfg(not(target_family = "wasm"))]
            const _: fn() -> $crate::tool::Definition = $crate::tool::definition::<$tool>;
        )+
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;

            impl $crate::bindings::tool::exports::aimu::tool::tools::Guest for Component {
                fn describe() -> $crate::tool::Description {
                    let tools = vec![$($crate::tool::definition::<$tool>()),+];
                    $crate::tool::Description { tools, ..$about() }
                }
                fn call(
                    ctx: $crate::Context,
                    name: String,
                    arguments: String,
                ) -> Result<$crate::tool::Reply, $crate::Failure> {
                    match name.as_str() {
                        $(<$tool as $crate::tool::Tool>::NAME => $crate::tool::run::<$tool>(&ctx, &arguments),)+
                        _ => Err($crate::tool::unknown(&name)),
                    }
                }
            }

            $crate::bindings::tool::export_tool_world!(Component with_types_in $crate::bindings::tool);
        };
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ToolOutput;
    use serde_json::json;

    #[derive(Debug, serde::Deserialize)]
    struct Double {
        number: u32,
    }

    impl Tool for Double {
        const NAME: &'static str = "double";
        const DESCRIPTION: &'static str = "Doubles a number";

        fn parameters() -> Value {
            json!({ "type": "object", "properties": { "number": { "type": "integer" } } })
        }

        fn run(self, _: &Context) -> Result<Reply, Failure> {
            Ok(json!(self.number * 2).into())
        }
    }

    #[test]
    fn arguments_are_read_and_wrong_ones_told() {
        let ctx = Context {
            instance: "x".into(),
            base_url: String::new(),
            settings: "{}".into(),
            credentials: Vec::new(),
        };
        let reply = run::<Double>(&ctx, r#"{"number": 21}"#).unwrap();
        assert_eq!(reply, Reply { output: vec![ToolOutput::Json("42".into())], is_error: false });
        let failure = run::<Double>(&ctx, "{}").unwrap_err();
        assert!(failure.kind == FailureKind::InvalidRequest && failure.message.contains("number"));
        let definition = definition::<Double>();
        assert_eq!(definition.name, "double");
        assert!(definition.parameters.contains("integer"));
    }

    #[test]
    fn a_text_is_a_text() {
        assert_eq!(Reply::from("a").output, [ToolOutput::Text("a".into())]);
        assert_eq!(Reply::from(json!("a")).output, [ToolOutput::Text("a".into())]);
    }
}
