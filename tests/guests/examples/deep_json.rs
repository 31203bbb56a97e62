//! Gives JSON that is nested 200,000 deep, or is no JSON. The model says where: `metadata`, `detail`, `replay`,
//! `arguments`, `failure`; with `bad-` in front, no JSON.

use aimu_sdk::{
    CallStart, ChatRequest, Completion, Context, Description, Detail, Event, Events, Failure, FailureKind,
    PartEnd, PartKind, PartStart, Provider, Replay,
};
use test_guests::{delta, end, start};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("deep-json")
    }

    fn chat(_: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let (place, json) = match request.model.strip_prefix("bad-") {
            Some(place) => (place, "{ not JSON".to_owned()),
            None => (&*request.model, format!("{}{}", "[".repeat(200_000), "]".repeat(200_000))),
        };
        let mut replay = None;
        let mut completion = test_guests::finish()?;
        events.push(start(0));
        events.push(delta(0, "x"));
        match place {
            "metadata" => completion.metadata = Some(json),
            "detail" => events.push(Event::Detail(Detail { index: None, kind: "deep".into(), data: json })),
            "replay" => replay = Some(Replay { signature: None, item_id: None, data: Some(json) }),
            "arguments" => {
                let call = CallStart { id: "c".into(), name: "f".into(), server_executed: false };
                events.push(Event::Start(PartStart { index: 1, kind: PartKind::ToolCall(call) }));
                events.push(delta(1, json));
                events.push(end(1));
            }
            _ => {
                let failure = Failure::new(FailureKind::Server, "deep");
                return Err(Failure { provider_error: Some(json), ..failure });
            }
        }
        events.push(Event::End(PartEnd { index: 0, replay }));
        Ok(completion)
    }
}

aimu_sdk::export_provider!(Guest);
