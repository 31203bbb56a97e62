//! Texts to vectors: a client's call for it, and what is checked of every provider's answer.
//!
//! Problem: a vector that is missing, cut short or not a number spoils an index without a word. Decision: whatever a
//! provider gives is checked here, once. What a provider's API takes at once its component knows; how much one call of a
//! component should hold is known here. Price: long lists take several calls.

use crate::caller::Caller;
use crate::client::Client;
use crate::document::EmbedDocument;
use crate::model::{EmbedRequest, Embeddings, Failure, FailureKind, Kind, Purpose, Result, Task, Usage};
use crate::provider::Call;
use crate::retry::Tries;
use crate::turn::failure_json;
use serde::Serialize;
use serde_json::Value;
use std::pin::Pin;

/// Inputs of one call of a provider. The vectors of so many fit a component's memory with room to spare, with the text
/// that they are read from; and it is what most services take at once, at most.
const CALL_INPUTS: usize = 2_048;

/// Texts to embed: options, then `.await`.
#[must_use = "nothing is sent until it is awaited"]
pub struct Embed<'c> {
    client: &'c Client,
    request: EmbedRequest,
    no_check: bool,
    retries: Option<u32>,
}

impl<'c> Embed<'c> {
    pub(crate) fn new(client: &'c Client, inputs: Vec<String>) -> Self {
        let model = client.caller.target.id.clone();
        let request = EmbedRequest { model, inputs, dimensions: None, purpose: None, extra: None };
        Self { client, request, no_check: false, retries: None }
    }

    /// What a document says; one try.
    pub(crate) fn of_document(client: &'c Client, document: EmbedDocument) -> Self {
        let model = client.caller.target.id.clone();
        let request = EmbedRequest { model, ..document.request };
        Self { client, request, no_check: false, retries: Some(0) }
    }

    /// The length of a vector, for models that have several.
    pub fn dimensions(mut self, dimensions: u32) -> Self {
        self.request.dimensions = Some(dimensions);
        self
    }

    /// What the vectors are for. A hint: models that make one sort of vector ignore it.
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.request.purpose = Some(purpose);
        self
    }

    /// Merged into each finished wire request (RFC 7396).
    pub fn extra(mut self, extra: Value) -> Self {
        self.request.extra = Some(extra);
        self
    }

    /// Sends it although the catalogue says that the model embeds nothing.
    pub fn no_check(mut self) -> Self {
        self.no_check = true;
        self
    }

    /// Tries after the first; by default the client's, else the host's.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    async fn run(self) -> Result<Embeddings> {
        let Self { client, mut request, no_check, retries } = self;
        let caller = &client.caller.renewed().await?;
        if request.inputs.is_empty() {
            return Err(Failure::new(
                FailureKind::InvalidRequest,
                "there is nothing to embed: give at least one text",
            ));
        }
        if !(no_check || caller.defaults.no_check) {
            caller.fits(&[Task::Embedding], "makes no embeddings").await?;
        }
        let mut rest = std::mem::take(&mut request.inputs);
        let mut all: Option<Embeddings> = None;
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(CALL_INPUTS));
            let some = EmbedRequest { inputs: std::mem::replace(&mut rest, later), ..request.clone() };
            let some = self::embed(caller, some, caller.retries(retries)).await?;
            match &mut all {
                None => all = Some(some),
                Some(all) => {
                    all.vectors.extend(some.vectors);
                    all.usage = all.usage.plus(some.usage);
                }
            }
        }
        let mut all = all.unwrap_or_default();
        let length = check_lengths(&all.vectors).map_err(|failure| caller.named(failure))?;
        if let Some(asked) = request.dimensions
            && usize::try_from(asked) != Ok(length)
        {
            all.warnings.push(format!(
                "{} gave vectors of {length} numbers, and {asked} were asked for: it does not choose their length",
                client.model()
            ));
        }
        Ok(all)
    }
}

impl<'c> IntoFuture for Embed<'c> {
    type Output = Result<Embeddings>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Embeddings>> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// One call of the provider, with its tries.
async fn embed(caller: &Caller, request: EmbedRequest, retries: u32) -> Result<Embeddings> {
    let mut call = Call::new(caller.target.instance.clone(), caller.host.limits());
    let mut tries = Tries::new(&call, retries);
    let wanted = request.inputs.len();
    let embeddings = loop {
        match caller.target.provider.embed(&call, request.clone()).await {
            Err(failure) if tries.left() && failure.kind.can_heal() => {
                tries.pause(&mut call, failure).await?
            }
            Err(failure) => return Err(caller.instead(failure, Kind::Embedding).await),
            Ok(embeddings) => break embeddings,
        }
    };
    let got = embeddings.vectors.len();
    if got == wanted {
        Ok(embeddings)
    } else {
        let what = format!("{wanted} texts were to embed, and {got} vectors came back");
        Err(caller.named(Failure::new(FailureKind::Protocol, what)))
    }
}

/// The length that all vectors have.
fn check_lengths(vectors: &[Vec<f32>]) -> Result<usize> {
    let wrong = |what: String| Err(Failure::new(FailureKind::Protocol, what));
    let length = vectors.first().map_or(0, Vec::len);
    for (place, vector) in vectors.iter().enumerate() {
        if vector.is_empty() {
            return wrong(format!("the vector of text {} is empty", place + 1));
        }
        if vector.len() != length {
            return wrong(format!(
                "the vector of text {} has {} numbers, and the first has {length}",
                place + 1,
                vector.len()
            ));
        }
        if vector.iter().any(|number| !number.is_finite()) {
            return wrong(format!("the vector of text {} holds what is no number", place + 1));
        }
    }
    Ok(length)
}

/// The object that `embed --json` prints, whatever has become of the call.
///
/// To be serialised as it is: as a `Value`, each number would get the digits of an `f64`.
#[derive(Debug, Serialize)]
pub struct EmbedResult<'a> {
    model: &'a str,
    dimensions: Option<usize>,
    vectors: &'a [Vec<f32>],
    usage: Usage,
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

impl<'a> EmbedResult<'a> {
    /// Of a call of `model`.
    #[must_use]
    pub fn new(model: &'a str, result: Result<&'a Embeddings, &Failure>) -> Self {
        let none = Self {
            model,
            dimensions: None,
            vectors: &[],
            usage: Usage::default(),
            warnings: &[],
            error: None,
        };
        match result {
            Ok(Embeddings { vectors, usage, warnings }) => {
                Self { dimensions: vectors.first().map(Vec::len), vectors, usage: *usage, warnings, ..none }
            }
            Err(failure) => Self { error: Some(failure_json(failure)), ..none },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn vectors_that_would_spoil_an_index_are_refused() {
        assert_eq!(check_lengths(&[vec![1.0, 2.0], vec![3.0, 4.0]]).unwrap(), 2);
        for (wrong, word) in [
            (vec![vec![1.0], vec![]], "text 2 is empty"),
            (vec![vec![]], "text 1 is empty"),
            (vec![vec![1.0], vec![1.0, 2.0]], "text 2 has 2 numbers"),
            (vec![vec![1.0], vec![f32::NAN]], "no number"),
            (vec![vec![f32::INFINITY]], "no number"),
        ] {
            let failure = check_lengths(&wrong).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Protocol);
            assert!(failure.message.contains(word), "{}", failure.message);
        }
    }

    #[test]
    fn numbers_are_printed_as_short_as_they_are() {
        let embeddings = Embeddings { vectors: vec![vec![0.1, -2.5e-9]], ..Embeddings::default() };
        let text = serde_json::to_string(&EmbedResult::new("p:m", Ok(&embeddings))).unwrap();
        assert!(text.contains(r#""vectors":[[0.1,-2.5e-9]]"#), "{text}");
    }
}
