//! Echo.
use aimu_sdk::*;
struct Echo;
impl Provider for Echo {
    fn describe() -> Description { Description { id: "echo".into(), display_name: "Echo".into(), version: "0.1.0".into(), homepage: None, default_base_url: None, origins: vec![], credentials: vec![], settings_schema: None, models: vec![], open_catalog: true, parameters: vec![] } }
    fn chat(_ctx: Context, _request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        events.push(Event::Warning("x".into()));
        Ok(Completion { finish: FinishReason::Stop, raw_finish: None, usage: None, response_id: None, request_id: None, model: None, metadata: None })
    }
}
aimu_sdk::export_provider!(Echo);
