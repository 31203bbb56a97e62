//! Embeddings: the trait for providers that have them, and what their wire formats share.
//!
//! Problem: an API takes so many inputs at once, gives vectors in an order of its own or in base64, and a vector that
//! is missing would silently move all that follow to the wrong text. Decision: inputs are split and counted here, once
//! for all providers; an adapter knows its API's maximum and nothing else. Answers are read as JSON values, by the parser
//! that a component has anyway: one for their own types is 20 KiB more of code. Price: a number takes 32 bytes while
//! it is read, so batches stay at some hundred inputs.

use serde_json::Value;

use crate::media::from_base64;
use crate::{Context, EmbedRequest, Embeddings, Failure, Usage};

/// A provider that turns texts into vectors. Export it with
/// [`export_provider!`](crate::export_provider)`(MyProvider: embedding)`.
pub trait Embedding {
    /// A vector for each input, in their order.
    ///
    /// # Errors
    /// The failure as the provider reported it, mapped to the contract's kinds.
    fn embed(ctx: Context, request: EmbedRequest) -> Result<Embeddings, Failure>;
}

/// Splits a request into as many as an API needs that takes at most `most` inputs at once, and joins what `embed` gives
/// for each: vectors in order, usage summed.
///
/// # Errors
/// What `embed` fails with, and `protocol` where an answer has more or fewer vectors than it had inputs.
pub fn in_batches(
    mut request: EmbedRequest,
    most: usize,
    mut embed: impl FnMut(&EmbedRequest) -> Result<Embeddings, Failure>,
) -> Result<Embeddings, Failure> {
    let mut rest = std::mem::take(&mut request.inputs);
    let mut joined: Option<Embeddings> = None;
    loop {
        let later = rest.split_off(rest.len().min(most.max(1)));
        request.inputs = rest;
        let answer = embed(&request)?;
        let (wanted, got) = (request.inputs.len(), answer.vectors.len());
        if wanted != got {
            return Err(Failure::protocol(format!("{wanted} inputs were sent, and {got} vectors came back")));
        }
        let joined = match &mut joined {
            None => joined.insert(answer),
            Some(joined) => {
                joined.vectors.extend(answer.vectors);
                joined.usage = joined.usage.zip(answer.usage).map(|(have, more)| sum(have, more));
                joined
            }
        };
        if later.is_empty() {
            let Embeddings { vectors, usage } = joined;
            return Ok(Embeddings { vectors: std::mem::take(vectors), usage: *usage });
        }
        rest = later;
    }
}

/// Both together; what one of them does not know is not known of the sum.
fn sum(a: Usage, b: Usage) -> Usage {
    let add = |a: Option<u32>, b: Option<u32>| a.zip(b).map(|(a, b)| a.saturating_add(b));
    Usage {
        input: add(a.input, b.input),
        output: add(a.output, b.output),
        reasoning: add(a.reasoning, b.reasoning),
        cache_read: add(a.cache_read, b.cache_read),
        cache_write: add(a.cache_write, b.cache_write),
    }
}

/// A vector as wires write it: a list of numbers, or base64 of its `f32`, little-endian.
///
/// # Errors
/// `protocol`: it is neither.
pub fn vector(written: &Value) -> Result<Vec<f32>, Failure> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "vectors have the precision of `f32`, however they are written"
    )]
    let number = |value: &Value| value.as_f64().map(|number| number as f32);
    let read = match written {
        Value::Array(items) => items.iter().map(number).collect(),
        Value::String(text) => from_base64(text).ok().and_then(|bytes| match bytes.as_chunks() {
            (floats, []) => Some(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()),
            _ => None,
        }),
        _ => None,
    };
    read.ok_or_else(|| Failure::protocol("a vector is neither a list of numbers nor base64 of such"))
}

/// A list of vectors.
///
/// # Errors
/// `protocol`: it is none.
pub fn vectors(written: &Value) -> Result<Vec<Vec<f32>>, Failure> {
    let list = written.as_array().ok_or_else(|| Failure::protocol("the answer's vectors are not a list"))?;
    list.iter().map(vector).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn request(inputs: usize) -> EmbedRequest {
        let inputs = (0..inputs).map(|number| number.to_string()).collect();
        EmbedRequest { model: "m".into(), inputs, dimensions: None, purpose: None, extra: None }
    }

    /// The number of each input as its vector.
    fn numbers(request: &EmbedRequest) -> Embeddings {
        let vectors = request.inputs.iter().map(|input| vec![input.parse().unwrap()]).collect();
        Embeddings { vectors, usage: Some(Usage::of_input(request.inputs.len().try_into().unwrap())) }
    }

    #[test]
    fn batches_are_joined_in_order() {
        for (inputs, most, sizes) in
            [(5, 2, vec![2, 2, 1]), (4, 2, vec![2, 2]), (3, 100, vec![3]), (2, 0, vec![1, 1])]
        {
            let mut seen = Vec::new();
            let all = in_batches(request(inputs), most, |request| {
                seen.push(request.inputs.len());
                Ok(numbers(request))
            })
            .unwrap();
            assert_eq!(seen, sizes);
            assert_eq!(all, numbers(&request(inputs)));
        }
    }

    #[test]
    fn unknown_usage_stays_unknown() {
        let mut calls = 0;
        let all = in_batches(request(2), 1, |request| {
            calls += 1;
            Ok(Embeddings { usage: (calls == 1).then(|| Usage::of_input(3)), ..numbers(request) })
        });
        assert_eq!(all.unwrap().usage, None);
    }

    #[test]
    fn a_missing_vector_is_no_success() {
        let failure = in_batches(request(3), 2, |request| {
            Ok(Embeddings { vectors: numbers(request).vectors.split_off(1), usage: None })
        })
        .unwrap_err();
        assert_eq!(failure, Failure::protocol("2 inputs were sent, and 1 vectors came back"));
    }

    #[test]
    fn vectors_are_numbers_or_base64() {
        let read = vectors(&json!([[1, -0.5, 2e-3], "AACAPwAAAL8=", []])).unwrap();
        assert_eq!(read, [vec![1.0, -0.5, 0.002], vec![1.0, -0.5], vec![]]);
        for wrong in
            [json!(["AACAPwAA"]), json!(["?"]), json!([[null]]), json!([{}]), json!([["1"]]), json!({})]
        {
            assert_eq!(vectors(&wrong).unwrap_err().kind, crate::FailureKind::Protocol, "{wrong}");
        }
    }
}
