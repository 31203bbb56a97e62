//! Asking again for an answer that has not the form that was asked for.

use super::form::{Form, Measured};
use crate::answering::Running;
use crate::caller::{Caller, Manner};
use crate::model::{Failure, FailureKind, GenerateRequest, Message, PartContent, Role};
use crate::openai;
use crate::provider::Call;
use crate::retry::Asked;
use crate::turn::Answer;

/// Watches over the answers of one call until one has its form.
pub(crate) struct Watch {
    form: Form,
    /// `None` for a call that is one request, exactly.
    again: Option<Again>,
    asked: u32,
}

/// What is needed to ask again.
pub(crate) struct Again {
    pub(crate) caller: Caller,
    /// What was asked first. With its media, a second time in memory.
    pub(crate) asked: Asked,
    pub(crate) manner: Manner,
    /// How often.
    pub(crate) left: u32,
}

/// What becomes of an answer.
pub(crate) enum Next {
    /// It is the caller's.
    Given,
    /// It is the caller's, with this warning.
    Warned(String),
    /// Another one is on its way; the warning says why.
    Again(Box<Running>, String),
    /// There is none.
    Failed(Failure),
}

impl Watch {
    pub(crate) fn new(form: Form, again: Option<Again>) -> Self {
        Self { form, again, asked: 1 }
    }

    /// Decides about an answer that has ended well.
    pub(crate) fn judge(&mut self, answer: &mut Answer, call: &Call) -> Next {
        let fault = match self.form.measure(answer) {
            Measured::Open => return Next::Given,
            Measured::Fits(value) => {
                answer.value = Some(value);
                return Next::Given;
            }
            Measured::Never(_) if self.again.is_none() => return Next::Given,
            Measured::Never(failure) => return Next::Failed(failure),
            Measured::Wrong(fault) => fault,
        };
        let Some(again) = &mut self.again else {
            return Next::Warned(format!("the answer does not fit its JSON Schema: {fault}"));
        };
        if again.left == 0 {
            let often = if self.asked == 1 { String::new() } else { format!(", asked {} times", self.asked) };
            let what = format!(
                "the model gave no answer that fits the JSON Schema{often}: {fault}. `--schema-retries N` asks more often"
            );
            return Next::Failed(Failure::new(FailureKind::Protocol, what));
        }
        again.left -= 1;
        self.asked += 1;
        let running = again.ask(answer, &fault, call);
        Next::Again(
            Box::new(running),
            format!("the answer does not fit its JSON Schema, and was asked for again: {fault}"),
        )
    }
}

impl Again {
    fn ask(&self, answer: &Answer, fault: &str, call: &Call) -> Running {
        let mut asked = self.asked.clone();
        let again = format!(
            "This is not valid against the JSON Schema: {fault}. Answer again, with the JSON value alone."
        );
        match &mut asked {
            Asked::Chat(request) => {
                // What was said is read as a history is; an answer of nothing is none.
                request
                    .messages
                    .extend(openai::message(&answer.message).ok().filter(|said| !said.parts.is_empty()));
                let parts = vec![PartContent::Text(again).into()];
                request.messages.push(Message { role: Role::User, parts, extra: None, origin: None });
            }
            Asked::Generate(GenerateRequest { prompt, .. }) => {
                *prompt = format!("{prompt}\n\nYour last answer was:\n\n{}\n\n{again}", answer.text);
            }
        }
        self.caller.running(asked, self.manner, call.clone())
    }
}
