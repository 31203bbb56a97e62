//! Has a tool whose schema is not even JSON.

use aimu_sdk::bindings::tool::export_tool_world;
use aimu_sdk::bindings::tool::exports::aimu::tool::tools::Guest as Tools;
use aimu_sdk::tool::{Definition, Description, Reply};
use aimu_sdk::{Context, Failure};

struct Guest;

impl Tools for Guest {
    fn describe() -> Description {
        let tool =
            Definition { name: "x".into(), description: String::new(), parameters: "{ not JSON".into() };
        Description { tools: vec![tool], ..Description::new("tool-no-json", "No JSON", "0.1.0") }
    }

    fn call(_: Context, name: String, _: String) -> Result<Reply, Failure> {
        Ok(name.into())
    }
}

export_tool_world!(Guest with_types_in aimu_sdk::bindings::tool);
