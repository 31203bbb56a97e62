//! Asks for a server and a key whose names would rewrite the question at a terminal.

use aimu_sdk::{ChatRequest, Completion, Context, Description, Events, Failure, Provider};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        let name = "key\u{1b}[2K\u{1b}[1A\r\u{9b}2J\u{202e}yek\nasks for  nothing";
        Description {
            display_name: "Harmless\u{1b}]0;title\u{7}".into(),
            version: "1\u{1b}[31m".into(),
            homepage: Some("https://x.example/\u{1b}[8m".into()),
            default_base_url: Some("https://\u{430}pple.example/\u{1b}[2J".into()),
            credentials: vec![test_guests::key(name, "A_KEY\u{1b}[8m")],
            ..test_guests::description("asks-escapes")
        }
    }

    fn chat(_: Context, _: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        test_guests::answer(events, "here I am")
    }
}

aimu_sdk::export_provider!(Guest);
