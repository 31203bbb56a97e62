//! Emits more at once than the contract allows: one event of 16 MiB, or, as model `many`, half a million small ones.

use aimu_sdk::bindings::aimu::provider::host::EventSink;
use aimu_sdk::bindings::exports::aimu::provider::{catalog, text};
use aimu_sdk::{ChatRequest, Completion, Context, Description, Failure, GenerateRequest, ModelSpec};
use test_guests::{delta, end, finish, start};

struct Guest;

impl catalog::Guest for Guest {
    fn describe() -> Description {
        test_guests::description("emit-huge")
    }

    fn models(_: Context) -> Result<Vec<ModelSpec>, Failure> {
        Ok(Vec::new())
    }
}

// Not by the SDK's trait, whose events go in batches of the right size.
impl text::Guest for Guest {
    fn chat(_: Context, request: ChatRequest, sink: &EventSink) -> Result<Completion, Failure> {
        let mut events = vec![start(0)];
        if request.model == "many" {
            (0..500_000).for_each(|_| events.push(delta(0, "x")));
        } else {
            events.push(delta(0, "x".repeat(16 << 20)));
        }
        events.push(end(0));
        sink.emit(&events);
        finish()
    }

    fn generate(_: Context, _: GenerateRequest, _: &EventSink) -> Result<Completion, Failure> {
        finish()
    }
}

aimu_sdk::bindings::export_world!(Guest with_types_in aimu_sdk::bindings);
