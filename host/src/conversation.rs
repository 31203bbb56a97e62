//! The history of a conversation: OpenAI-format messages, the truth of what was said.
//!
//! Decision: it grows by whole turns, after they succeeded, and is never rewritten but for its system message; so a
//! failed request leaves no half turn, and a provider's adapter can't change what was said. A provider gets the
//! messages converted, at request time.

use crate::attachment::Attachment;
use serde_json::{Value, json};
use std::borrow::Cow;

/// A conversation with a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    history: Vec<Value>,
    /// What the first message is to be, once there is one.
    system: Option<String>,
}

impl Conversation {
    /// An empty conversation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty conversation under these instructions.
    #[must_use]
    pub fn with_system(system: impl Into<String>) -> Self {
        Self { history: Vec::new(), system: Some(system.into()) }
    }

    /// A conversation that goes on from here. Its system message is the first message, if that is one.
    #[must_use]
    pub fn from_history(history: Vec<Value>) -> Self {
        let system =
            history.first().filter(|first| is_system(first)).and_then(|first| text_of(first.get("content")?));
        Self { history, system }
    }

    /// What was said so far, in OpenAI format.
    #[must_use]
    pub fn history(&self) -> &[Value] {
        &self.history
    }

    /// The instructions that the model has.
    #[must_use]
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// Sets, replaces or removes the instructions. In a history that has begun it is the first message that changes;
    /// before that it is put in front at the first chat.
    pub fn set_system(&mut self, system: Option<impl Into<String>>) {
        self.system = system.map(Into::into);
        if self.history.first().is_some_and(is_system) {
            self.history.remove(0);
        }
        if !self.history.is_empty() {
            self.put_in_front();
        }
    }

    /// Forgets what was said and keeps the instructions; [`Conversation::set_system`] after it changes those too.
    pub fn reset(&mut self) {
        self.history.clear();
    }

    /// The messages of a request that adds `new` ones: nothing is appended yet. Without new messages the model is to
    /// continue.
    pub fn begin<'a>(&'a self, new: &'a [Value]) -> impl Iterator<Item = Cow<'a, Value>> {
        let front = self.system.as_deref().filter(|_| self.history.is_empty()).map(system_message);
        front.into_iter().map(Cow::Owned).chain(self.history.iter().chain(new).map(Cow::Borrowed))
    }

    /// Appends what a request added and what came of it, when it succeeded.
    pub fn commit(&mut self, turn: impl IntoIterator<Item = Value>) {
        if self.history.is_empty() {
            self.put_in_front();
        }
        self.history.extend(turn);
    }

    fn put_in_front(&mut self) {
        if let Some(system) = &self.system {
            self.history.insert(0, system_message(system));
        }
    }
}

fn system_message(text: &str) -> Value {
    json!({"role": "system", "content": text})
}

fn is_system(message: &Value) -> bool {
    matches!(message.get("role").and_then(Value::as_str), Some("system" | "developer"))
}

/// The text of a content in either form.
fn text_of(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().filter_map(|part| part.get("text")?.as_str()).collect()),
        _ => None,
    }
}

/// A user's message of a text and what is attached to it.
pub(crate) fn user_message(text: &str, attachments: &[Attachment]) -> Value {
    if attachments.is_empty() {
        return json!({"role": "user", "content": text});
    }
    let words = (!text.is_empty()).then(|| json!({"type": "text", "text": text}));
    let content: Vec<_> = words.into_iter().chain(attachments.iter().map(Attachment::to_part)).collect();
    json!({"role": "user", "content": content})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PartContent, Role};

    fn user(text: &str) -> Value {
        user_message(text, &[])
    }

    fn assistant(text: &str) -> Value {
        json!({"role": "assistant", "content": text})
    }

    fn request(conversation: &Conversation, new: &[Value]) -> Vec<Value> {
        conversation.begin(new).map(Cow::into_owned).collect()
    }

    #[test]
    fn a_request_appends_nothing_and_a_turn_is_appended_whole() {
        let mut conversation = Conversation::with_system("s");
        let asked = [user("hi")];
        assert_eq!(request(&conversation, &asked), [system_message("s"), user("hi")]);
        assert_eq!(conversation.history(), [] as [Value; 0], "a failed request leaves nothing");
        conversation.commit([user("hi"), assistant("a")]);
        let first = [system_message("s"), user("hi"), assistant("a")];
        assert_eq!(conversation.history(), first);
        assert_eq!(request(&conversation, &[]), first, "no message continues");
        conversation.commit([user("more"), assistant("b")]);
        assert_eq!(conversation.history()[..3], first);
        assert_eq!(conversation.history().len(), 5);
    }

    #[test]
    fn the_system_message_is_inserted_replaced_and_removed() {
        let mut conversation = Conversation::new();
        conversation.set_system(Some("early"));
        assert!(conversation.history().is_empty());
        conversation.set_system(None::<String>);
        conversation.commit([user("hi"), assistant("a")]);
        assert_eq!(conversation.history()[0], user("hi"));
        conversation.set_system(Some("s"));
        assert_eq!(conversation.history()[..2], [system_message("s"), user("hi")]);
        conversation.set_system(Some("t"));
        assert_eq!(conversation.history()[..2], [system_message("t"), user("hi")]);
        assert_eq!(conversation.system(), Some("t"));
        conversation.set_system(None::<String>);
        assert_eq!(conversation.history(), [user("hi"), assistant("a")]);
    }

    #[test]
    fn reset_keeps_the_instructions() {
        let mut conversation = Conversation::with_system("s");
        conversation.commit([user("hi"), assistant("a")]);
        conversation.reset();
        assert!(conversation.history().is_empty());
        assert_eq!(request(&conversation, &[user("x")]), [system_message("s"), user("x")]);
        conversation.reset();
        conversation.set_system(None::<String>);
        assert_eq!(request(&conversation, &[user("x")]), [user("x")]);
    }

    #[test]
    fn a_history_from_elsewhere_goes_on() {
        let first = json!({"role": "developer", "content": [{"type": "text", "text": "s"}]});
        let mut conversation = Conversation::from_history(vec![first.clone(), user("hi")]);
        assert_eq!(conversation.system(), Some("s"));
        assert_eq!(request(&conversation, &[]), [first, user("hi")]);
        conversation.set_system(Some("t"));
        assert_eq!(conversation.history(), [system_message("t"), user("hi")]);
    }

    #[test]
    fn a_message_with_attachments_is_a_list_of_parts() {
        let picture = Attachment::from_url("https://x.test/a.png").unwrap();
        let message = user_message("look", std::slice::from_ref(&picture));
        let read = crate::openai::message(&message).unwrap();
        assert_eq!((read.role, read.parts.len()), (Role::User, 2));
        assert!(matches!(read.parts[1].content, PartContent::Media(_)));
        assert_eq!(user_message("", &[picture])["content"].as_array().unwrap().len(), 1);
    }
}
