//! What a person says: text, and what goes with it.

use crate::attachment::Attachment;
use crate::conversation::user_message;
use crate::model::Media;
use serde_json::Value;

/// A message of the user: text, with images, sound or documents.
///
/// ```
/// let plain: aimu_host::UserMessage = "What is this?".into();
/// ```
#[derive(Clone, Debug, Default)]
pub struct UserMessage {
    text: String,
    attachments: Vec<Attachment>,
}

impl UserMessage {
    /// A message of text alone.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), attachments: Vec::new() }
    }

    /// The same with one more attachment.
    #[must_use]
    pub fn attach(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    pub(crate) fn into_value(self) -> Value {
        user_message(&self.text, &self.attachments)
    }

    pub(crate) fn media(&self) -> impl Iterator<Item = &Media> {
        self.attachments.iter().map(Attachment::media)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl<T: Into<String>> From<T> for UserMessage {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}
