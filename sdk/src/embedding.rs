//! Embeddings: the trait for providers that have them, and what their wire formats share.
//!
//! Problem: an API takes so many inputs at once, gives vectors in an order of its own or in base64, and a vector that
//! is missing would silently move all that follow to the wrong text. Decision: inputs are split and counted here, once
//! for all providers; an adapter knows its API's maximum and nothing else. Numbers are read as `f32` straight from the
//! text: as JSON values, the vectors of one large batch would not fit a component's memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

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

impl Usage {
    /// So many input tokens, and nothing else that is known.
    #[must_use]
    pub fn of_input(input: u32) -> Self {
        Self { input: Some(input), output: None, reasoning: None, cache_read: None, cache_write: None }
    }
}

/// A vector as wires write it: a list of numbers, or base64 of its `f32`, little-endian.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector(pub Vec<f32>);

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Vector;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of numbers, or base64")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Vector, E> {
                let bytes = STANDARD.decode(text).map_err(|_| E::custom("a vector that is not base64"))?;
                match bytes.as_chunks() {
                    (floats, []) => {
                        Ok(Vector(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()))
                    }
                    _ => Err(E::custom("a vector whose base64 is cut off")),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vector, A::Error> {
                let mut vector = Vec::new();
                while let Some(number) = items.next_element()? {
                    vector.push(number);
                }
                Ok(Vector(vector))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
        let read = serde_json::from_str::<Vec<Vector>>;
        let vectors = read(r#"[[1, -0.5, 2e-3], "AACAPwAAAL8=", []]"#).unwrap();
        assert_eq!(vectors, [Vector(vec![1.0, -0.5, 0.002]), Vector(vec![1.0, -0.5]), Vector(vec![])]);
        for wrong in [r#"["AACAPwAA"]"#, r#"["?"]"#, "[[null]]", "[{}]", r#"[["1"]]"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
