//! The request document of embeddings: `input` in place of a chat's `messages`.

use super::extra::Extra;
use crate::model::{EmbedRequest, Failure, FailureKind, Purpose, Result};
use crate::openai::fields::{Fields, invalid};
use serde_json::{Map, Value};

/// The keys of a document.
const KEYS: [&str; 6] = ["model", "input", "dimensions", "purpose", "options", "extra"];

/// A request for embeddings as one JSON object.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedDocument {
    /// The model string, as the caller wrote it; a model given elsewhere wins.
    pub model: Option<String>,
    /// The request. Its `model` is empty until the model string is resolved.
    pub request: EmbedRequest,
}

impl EmbedDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// `invalid-request` with the place, what is wrong there and what is accepted.
    pub fn parse(document: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_value(&super::json(document.as_ref())?).map_err(|mut failure| {
            failure.message = format!("the request document is wrong: {}", failure.message);
            failure
        })
    }

    fn from_value(value: &Value) -> Result<Self> {
        let fields = Fields::of(value, "")?;
        if fields.has("messages") {
            let what = "`messages` belong to a chat; embeddings have `input`";
            return Err(Failure::new(FailureKind::InvalidRequest, what));
        }
        fields.only(&KEYS)?;
        let inputs = inputs(&fields)?;
        let mut extra = Extra::default();
        let (mut dimensions, mut purpose) = (fields.count("dimensions")?, self::purpose(&fields)?);
        if let Some(options) = fields.object("options")? {
            dimensions = dimensions.or(options.count("dimensions")?);
            purpose = purpose.or(self::purpose(&options)?);
            let others: Map<String, Value> = options.others(&["dimensions", "purpose"]);
            extra.merge(Value::Object(others));
        }
        if let Some(own) = fields.get("extra") {
            Fields::of(own, fields.at("extra"))?;
            extra.merge(own.clone());
        }
        let request =
            EmbedRequest { model: String::new(), inputs, dimensions, purpose, extra: extra.into_value() };
        Ok(Self { model: fields.text("model")?.map(str::to_owned), request })
    }
}

/// A text, or a list of them.
fn inputs(fields: &Fields<'_>) -> Result<Vec<String>> {
    const ACCEPTED: &str = "a text, or a list of at least one";
    let text = |(place, value): (usize, &Value)| {
        let wrong = || invalid(&format!("input[{place}]"), "must be a text: other inputs can't be embedded");
        value.as_str().map(str::to_owned).ok_or_else(wrong)
    };
    match fields.get("input") {
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(items)) if !items.is_empty() => items.iter().enumerate().map(text).collect(),
        Some(_) => Err(invalid(&fields.at("input"), format_args!("must be {ACCEPTED}"))),
        None => Err(fields.missing("input", ACCEPTED)),
    }
}

fn purpose(fields: &Fields<'_>) -> Result<Option<Purpose>> {
    let Some(word) = fields.text("purpose")? else { return Ok(None) };
    match Purpose::ALL.into_iter().find(|purpose| purpose.as_str() == word) {
        Some(purpose) => Ok(Some(purpose)),
        None => Err(invalid(
            &fields.at("purpose"),
            format_args!("must be one of {}, not `{word}`", Purpose::ALL.map(Purpose::as_str).join(", ")),
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_has_a_field_goes_there_and_the_rest_to_extra() {
        let document = json!({
            "model": "p:m", "input": ["a", "b"], "purpose": "query",
            "options": {"dimensions": 8, "input_type": "x", "truncate": "END"}, "extra": {"truncate": "NONE"},
        });
        let read = EmbedDocument::parse(document.to_string()).unwrap();
        assert_eq!(read.model.as_deref(), Some("p:m"));
        let request = read.request;
        assert_eq!(
            (request.inputs.len(), request.dimensions, request.purpose),
            (2, Some(8), Some(Purpose::Query))
        );
        assert_eq!(request.extra, Some(json!({"input_type": "x", "truncate": "NONE"})));
        let one = EmbedDocument::parse(r#"{"input": "a", "options": {}, "model": null}"#).unwrap();
        assert_eq!((one.model, one.request.inputs, one.request.extra), (None, vec!["a".to_owned()], None));
    }

    #[test]
    fn a_wrong_document_says_where() {
        for (document, word) in [
            ("{}", "`input` is missing"),
            (r#"{"input": []}"#, "input: must be"),
            (r#"{"input": [1]}"#, "input[0]"),
            (r#"{"input": "a", "inputs": 1}"#, "Did you mean `input`"),
            (r#"{"input": "a", "purpose": "fun"}"#, "clustering"),
            (r#"{"input": "a", "dimensions": -1}"#, "dimensions"),
            (r#"{"input": "a", "messages": []}"#, "belong to a chat"),
            ("[", "not JSON"),
        ] {
            let failure = EmbedDocument::parse(document).unwrap_err();
            assert!(failure.message.contains(word), "{document}: {}", failure.message);
            assert_eq!(failure.kind, FailureKind::InvalidRequest);
        }
    }
}
