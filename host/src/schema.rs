//! JSON Schemas from anywhere, and what of a value does not fit one, in words for a model.

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// Faults of one value that are told: a model that mends three has most often seen the pattern.
const FAULTS: usize = 3;

/// Bytes of what is told of one fault, which may quote all that the model wrote.
const FAULT_LENGTH: usize = 300;

/// The validator of a schema. References to other documents are not resolved: a schema may come from anywhere. The error
/// says what is wrong with it.
pub(crate) fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::validator_for(schema)
        .map_err(|error| format!("is no JSON Schema by itself: {}", short(&error)))
}

/// What of a value does not fit, with its places; nothing where all fits.
pub(crate) fn faults(validator: &Validator, value: &Value) -> Option<String> {
    let told: Vec<String> = validator
        .iter_errors(value)
        .take(FAULTS)
        .map(|error| match error.instance_path().to_string() {
            place if place.is_empty() => short(&error),
            place => format!("at {place}: {}", short(&error)),
        })
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// A fault in few words.
fn short(error: &ValidationError<'_>) -> String {
    let mut text = error.to_string();
    if text.len() > FAULT_LENGTH {
        // The end says what is wrong, the start quotes the value.
        let end = (text.len() - FAULT_LENGTH..).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        text.replace_range(..end, "…");
    }
    text
}
