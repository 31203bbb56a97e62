//! Vectors without a model: texts that share words are near each other, and the same text always has the same vector.

use aimu_sdk::{EmbedRequest, Embeddings, Failure, Usage};

/// The length where none is asked for: enough to tell words apart, short enough to look at.
const DIMENSIONS: u32 = 64;

/// The greatest length, beyond any real model's.
const MOST_DIMENSIONS: u32 = 16_384;

/// A vector for each input.
pub(crate) fn embed(request: &EmbedRequest) -> Result<Embeddings, Failure> {
    let dimensions = request.dimensions.unwrap_or(DIMENSIONS);
    if dimensions == 0 || dimensions > MOST_DIMENSIONS {
        return Err(Failure::invalid(format!(
            "echo's vectors have 1 to {MOST_DIMENSIONS} numbers, not {dimensions}"
        )));
    }
    let vectors = request.inputs.iter().map(|input| vector(input, dimensions)).collect();
    let words: usize = request.inputs.iter().map(|input| input.split_whitespace().count()).sum();
    Ok(Embeddings { vectors, usage: Some(Usage::of_input(u32::try_from(words).unwrap_or(u32::MAX))) })
}

/// The sum of a direction for each word, of length 1.
fn vector(text: &str, dimensions: u32) -> Vec<f32> {
    let mut sum: Vec<f32> = (0..dimensions).map(|_| 0.0).collect();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words.map(str::to_lowercase) {
        add(&mut sum, &word);
    }
    if sum.iter().all(|number| *number == 0.0) {
        // No word in it, or words that cancel each other out.
        add(&mut sum, text);
    }
    let length = sum.iter().map(|number| number * number).sum::<f32>().sqrt();
    sum.into_iter().map(|number| number / length).collect()
}

/// Adds the direction of a word: plus or minus one in each place, by its hash (FNV-1a, then xorshift64).
fn add(sum: &mut [f32], word: &str) {
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut state = hash | 1;
    for number in sum {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *number += if state >> 63 == 0 { 1.0 } else { -1.0 };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cosine(a: &str, b: &str) -> f32 {
        vector(a, 256).iter().zip(vector(b, 256)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn what_shares_words_is_near() {
        assert!((cosine("The red fox", "the RED fox!") - 1.0).abs() < 1e-5);
        assert!(cosine("the red fox", "the red dog") > 0.4);
        assert!(cosine("the red fox", "an old house").abs() < 0.4);
    }

    #[test]
    fn lengths_and_counts() {
        let request = |inputs: &[&str], dimensions| EmbedRequest {
            model: "embed".into(),
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            dimensions,
            purpose: None,
            extra: None,
        };
        let all = embed(&request(&["a b", "?", "c"], Some(5))).unwrap();
        assert!(all.vectors.iter().all(|vector| vector.len() == 5 && vector.iter().all(|n| n.is_finite())));
        assert_eq!(all.usage, Some(Usage::of_input(4)));
        assert_eq!(embed(&request(&["a"], None)).unwrap().vectors[0].len(), 64);
        assert!(embed(&request(&["a"], Some(0))).is_err() && embed(&request(&["a"], Some(20_000))).is_err());
    }
}
