//! Has two tools of one name, and one whose schema is none.

use aimu_sdk::bindings::tool::export_tool_world;
use aimu_sdk::bindings::tool::exports::aimu::tool::tools::Guest as Tools;
use aimu_sdk::tool::{Definition, Description, Reply};
use aimu_sdk::{Context, Failure};

struct Guest;

impl Tools for Guest {
    fn describe() -> Description {
        let tool = |name: &str, parameters: &str| Definition {
            name: name.into(),
            description: String::new(),
            parameters: parameters.into(),
        };
        Description {
            tools: vec![
                tool("fine", r#"{"type": "object"}"#),
                tool("no schema", r#"{"type": 7}"#),
                tool("fine", r#"{"type": "object", "required": ["more"]}"#),
            ],
            ..Description::new("tool-lies", "Tools that lie", "0.1.0")
        }
    }

    fn call(_: Context, name: String, _: String) -> Result<Reply, Failure> {
        Ok(name.into())
    }
}

export_tool_world!(Guest with_types_in aimu_sdk::bindings::tool);
