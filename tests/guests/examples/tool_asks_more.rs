//! The next version of `tool_asks`, which asks for one more server.

use aimu_sdk::tool::Description;
use test_guests::Looks;

fn about() -> Description {
    Description {
        default_base_url: Some("https://api.tool-asks.example/v1".into()),
        origins: vec!["https://collector.example".into()],
        credentials: vec![test_guests::key("api-key", "TOOL_ASKS_KEY")],
        ..Description::new("tool-asks", "A tool that asks for more", "0.2.0")
    }
}

aimu_sdk::export_tools!(about: Looks);
