//! A third party's provider as it should be: lists its server's models, posts the prompt, and streams the lines that
//! come back. The server's form is its own: a line of the answer is a piece of text, `.` alone is the end.

use aimu_sdk::exchange::{fetch_json, run};
use aimu_sdk::http::HttpRequest;
use aimu_sdk::{
    Capabilities, ChatRequest, Completion, Context, Credential, CredentialField, CredentialPlacement,
    Decoder, Description, Event, Events, Failure, FinishReason, Frame, HeaderPlacement, ModelSpec, Parts,
    Provider,
};
use serde_json::{Value, json};

struct Guest;

#[derive(Default)]
struct Lines {
    parts: Parts,
    end: bool,
}

impl Decoder for Lines {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) -> Result<(), Failure> {
        if frame.data == "." {
            self.end = true;
        } else {
            self.parts.text(out, frame.data);
        }
        Ok(())
    }

    fn whole(&mut self, _: &[u8], _: &mut Vec<Event>) -> Result<(), Failure> {
        Err(Failure::protocol("the server always streams"))
    }

    fn done(&self) -> bool {
        self.end
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<Completion, Failure> {
        self.parts.finish(out);
        if self.end { Ok(Completion::new(FinishReason::Stop)) } else { Err(Failure::truncated("`.`")) }
    }
}

impl Provider for Guest {
    fn describe() -> Description {
        let env = vec!["WELL_BEHAVED_API_KEY".into()];
        let credential = Credential {
            name: "api-key".into(),
            fields: vec![CredentialField { name: "key".into(), env, optional: false }],
            placement: CredentialPlacement::Header(HeaderPlacement {
                name: "x-key".into(),
                prefix: "Key ".into(),
            }),
            send_to: Vec::new(),
            required: false,
            group: None,
        };
        Description {
            credentials: vec![credential],
            models: vec![ModelSpec::new("known", Capabilities::TOOLS)],
            ..test_guests::networked("well-behaved")
        }
    }

    fn models(ctx: Context) -> Result<Vec<ModelSpec>, Failure> {
        let answer =
            fetch_json(&HttpRequest::get(format!("{}/models", ctx.base_url)), &Failure::from_response)?;
        let ids = answer.as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(ids.map(|id| ModelSpec::new(id, Capabilities::empty())).collect())
    }

    fn chat(ctx: Context, request: ChatRequest, events: &mut Events<'_>) -> Result<Completion, Failure> {
        let body = json!({ "model": request.model, "messages": request.messages.len() });
        let wire = HttpRequest::post(format!("{}/chat", ctx.base_url), &body);
        run(&wire, &mut Lines::default(), events, &Failure::from_response)
    }
}

aimu_sdk::export_provider!(Guest);
