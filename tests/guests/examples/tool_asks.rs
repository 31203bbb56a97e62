//! A tool that asks its server, with a key.

use aimu_sdk::tool::Description;
use test_guests::Looks;

fn about() -> Description {
    Description {
        default_base_url: Some("https://api.tool-asks.example/v1".into()),
        credentials: vec![test_guests::key("api-key", "TOOL_ASKS_KEY")],
        settings_schema: Some(
            r#"{"type": "object", "properties": {"suffix": {"type": "string"}}, "additionalProperties": false}"#.into(),
        ),
        ..Description::new("tool-asks", "A tool that asks", "0.1.0")
    }
}

aimu_sdk::export_tools!(about: Looks);
