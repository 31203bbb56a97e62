//! The form that an answer is to have: asked for, and checked.

use super::find;
use crate::model::{
    ChatRequest, Failure, FailureKind, FinishReason, Message, Part, PartContent, ResponseFormat, Result, Role,
};
use crate::schema;
use crate::turn::Answer;
use jsonschema::Validator;
use serde_json::Value;

/// A JSON Schema, and how it is asked for.
pub(crate) struct Form {
    schema: Value,
    validator: Validator,
    /// In the prompt, since the model has no other way.
    by_prompt: bool,
}

/// What an answer is, measured by its form.
#[derive(Debug)]
pub(crate) enum Measured {
    /// It has the form.
    Fits(Value),
    /// It has not, and why.
    Wrong(String),
    /// It never will: the model declined, or it was cut.
    Never(Failure),
    /// It is no last answer: calls of tools, a pause, an end in failure.
    Open,
}

impl Form {
    /// The form of a request, if it has one. Where the model has structured output by prompt alone, the request is
    /// changed to ask for text.
    ///
    /// # Errors
    /// `invalid-request`: the schema is none.
    pub(crate) fn of(format: &mut ResponseFormat, by_prompt: bool) -> Result<Option<Self>> {
        let ResponseFormat::Schema(asked) = &*format else { return Ok(None) };
        let validator = schema::validator(&asked.schema).map_err(|what| {
            Failure::new(FailureKind::InvalidRequest, format!("the schema of the answer {what}"))
        })?;
        let form = Self { schema: asked.schema.clone(), validator, by_prompt };
        if by_prompt {
            *format = ResponseFormat::Text;
        }
        Ok(Some(form))
    }

    /// Asks for the form in the instructions of a request, if there is no other way.
    pub(crate) fn instruct(&self, request: &mut ChatRequest) {
        if !self.by_prompt {
            return;
        }
        let text = self.instruction(!request.tools.is_empty());
        let Some(system) = request.messages.first_mut().filter(|first| first.role == Role::System) else {
            let parts = vec![PartContent::Text(text).into()];
            request.messages.insert(0, Message { role: Role::System, parts, extra: None, origin: None });
            return;
        };
        // Servers that know instructions as a string alone get one.
        match system.parts.last_mut() {
            Some(Part { content: PartContent::Text(last), replay: None, cache_here: false, extra: None }) => {
                last.push_str("\n\n");
                last.push_str(&text);
            }
            _ => system.parts.push(PartContent::Text(text).into()),
        }
    }

    /// The same for a prompt, which has no instructions.
    pub(crate) fn in_prompt(&self, prompt: String) -> String {
        if self.by_prompt { format!("{prompt}\n\n{}", self.instruction(false)) } else { prompt }
    }

    fn instruction(&self, tools: bool) -> String {
        let what = if tools { "Apart from calls of tools, answer" } else { "Answer" };
        format!(
            "{what} with one JSON value that is valid against the following JSON Schema, and with nothing else: no words \
             around it, no code fence.\n\n{}",
            self.schema
        )
    }

    /// Measures an answer.
    pub(crate) fn measure(&self, answer: &Answer) -> Measured {
        if !answer.tool_calls.is_empty() {
            return Measured::Open;
        }
        if let Some(failure) = unfinished(answer) {
            return Measured::Never(failure);
        }
        match answer.finish {
            FinishReason::ToolCalls | FinishReason::Paused | FinishReason::Error => return Measured::Open,
            _ => {}
        }
        let value = match find::value(&answer.text, self.schema.get("type") == Some(&"array".into())) {
            Ok(value) => value,
            Err(why) => return Measured::Wrong(why),
        };
        schema::faults(&self.validator, &value).map_or(Measured::Fits(value), Measured::Wrong)
    }
}

/// Why an answer has no value, whatever form was asked for: it was declined or cut.
pub(crate) fn unfinished(answer: &Answer) -> Option<Failure> {
    let failure = |kind, message: String| Some(Failure::new(kind, message));
    match (&answer.refusal, &answer.finish) {
        (Some(words), _) => failure(FailureKind::ContentFilter, format!("the model refused: {words}")),
        (_, FinishReason::Refusal) => failure(FailureKind::ContentFilter, "the model refused".to_owned()),
        (_, FinishReason::ContentFilter) => failure(
            FailureKind::ContentFilter,
            "the provider's filter ended the answer before its JSON was complete".to_owned(),
        ),
        (_, FinishReason::Length) => failure(
            FailureKind::Protocol,
            "the answer was cut by a length limit before its JSON was complete; `-o max_tokens N` sets a higher one"
                .to_owned(),
        ),
        _ => None,
    }
}
