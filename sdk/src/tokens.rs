//! Counting input tokens without running the model.

use serde_json::{Map, Value};

use crate::{ChatRequest, Context, Failure};

/// A provider that counts. Export it with [`export_provider!`](crate::export_provider)`(MyProvider: tokens)`.
pub trait CountTokens {
    /// How many input tokens this chat request would take.
    ///
    /// # Errors
    /// The failure as the provider reported it, mapped to the contract's kinds.
    fn count(ctx: Context, request: ChatRequest) -> Result<u32, Failure>;
}

/// The members of a chat's body that an endpoint for counting takes. These refuse all others, which say how the model
/// is run and have nothing to do with the count.
#[must_use]
pub fn counted(body: Value, members: &[&str]) -> Value {
    let Value::Object(body) = body else { return body };
    Value::Object(
        body.into_iter().filter(|(name, _)| members.contains(&name.as_str())).collect::<Map<_, _>>(),
    )
}

/// The count in an answer, a member of this name.
///
/// # Errors
/// `protocol`: there is none.
pub fn count_in(answer: &Value, member: &str) -> Result<u32, Failure> {
    let count = answer.get(member).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok());
    count.ok_or_else(|| Failure::protocol(format!("the answer has no count in `{member}`: {answer}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_count_is_left_out() {
        let body = json!({"model": "m", "stream": true, "messages": []});
        assert_eq!(counted(body, &["messages", "model", "tools"]), json!({"model": "m", "messages": []}));
    }

    #[test]
    fn an_answer_without_a_count_is_none() {
        assert_eq!(count_in(&json!({"n": 7}), "n").unwrap(), 7);
        for wrong in
            [json!({}), json!({"n": -1}), json!({"n": "7"}), json!({"n": 5_000_000_000_u64}), json!([])]
        {
            assert_eq!(count_in(&wrong, "n").unwrap_err().kind, crate::FailureKind::Protocol, "{wrong}");
        }
    }
}
