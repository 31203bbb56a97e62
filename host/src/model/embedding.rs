//! Vectors of texts.

use super::Usage;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What vectors are for, where a model makes different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Looking for documents.
    Query,
    /// Being found.
    Document,
    /// Sorting into classes.
    Classification,
    /// Finding groups.
    Clustering,
    /// Comparing texts with each other.
    Similarity,
}

impl Purpose {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 5] =
        [Self::Query, Self::Document, Self::Classification, Self::Clustering, Self::Similarity];

    /// The contract's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Document => "document",
            Self::Classification => "classification",
            Self::Clustering => "clustering",
            Self::Similarity => "similarity",
        }
    }
}

/// Texts to turn into vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedRequest {
    /// The model's id.
    pub model: String,
    /// The texts, at least one.
    pub inputs: Vec<String>,
    /// The length of a vector, for models that have several.
    pub dimensions: Option<u32>,
    /// What the vectors are for.
    pub purpose: Option<Purpose>,
    /// Merged into each finished wire request (RFC 7396).
    pub extra: Option<Value>,
}

/// A vector for each text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    /// One for each input, in their order, all of one length.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens; unknown is unknown.
    pub usage: Usage,
    /// What the caller should know of them.
    pub warnings: Vec<String>,
}
