//! Breaks one law of the event stream. The model says which.

use aimu_sdk::{
    ChatRequest, Completion, Context, Description, Event, Events, Failure, FailureKind, MediaKind,
    MediaStart, PartBytes, PartKind, PartStart, Provider,
};
use test_guests::{delta, end, start};

struct Guest;

impl Provider for Guest {
    fn describe() -> Description {
        test_guests::description("bad-events")
    }

    fn chat(_: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let bytes = |index| Event::Bytes(PartBytes { index, data: vec![1, 2, 3] });
        let media = |index| {
            let kind = PartKind::Media(MediaStart { kind: MediaKind::Image, mime_type: "image/png".into() });
            Event::Start(PartStart { index, kind })
        };
        let broken = match request.model.as_str() {
            "delta-without-start" => vec![delta(0, "x")],
            "bytes-without-start" => vec![bytes(0)],
            "end-without-start" => vec![end(0)],
            "other-index" => vec![start(0), delta(1, "x"), end(0)],
            "start-twice" => vec![start(0), start(0), delta(0, "x"), end(0)],
            "delta-after-end" => vec![start(0), end(0), delta(0, "x")],
            "end-twice" => vec![start(0), delta(0, "x"), end(0), end(0)],
            "never-ended" => vec![start(0), delta(0, "x")],
            "bytes-for-text" => vec![start(0), bytes(0), end(0)],
            "text-for-media" => vec![media(0), delta(0, "x"), end(0)],
            other => {
                return Err(Failure::new(FailureKind::NotFound, format!("no law is called {other}")));
            }
        };
        broken.into_iter().for_each(|event| events.push(event));
        test_guests::finish()
    }
}

aimu_sdk::export_provider!(Guest);
