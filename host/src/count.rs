//! How many tokens a request would take, counted by the provider without running the model.

use crate::caller::{Caller, Prepared};
use crate::client::Client;
use crate::document::RequestDocument;
use crate::media_urls::by_url;
use crate::model::{Kind, Result};
use crate::openai;
use crate::options::CallOptions;
use crate::provider::Call;
use crate::retry::Tries;
use serde_json::Value;
use std::borrow::Cow;
use std::pin::Pin;
use std::time::Instant;

/// A turn to count: options, then `.await`.
#[must_use = "nothing is sent until it is awaited"]
pub struct Count<'c> {
    client: &'c Client,
    new: Vec<Value>,
    options: CallOptions,
}

impl<'c> Count<'c> {
    pub(crate) fn new(client: &'c Client, new: Vec<Value>) -> Self {
        Self { client, new, options: CallOptions::default() }
    }

    /// Options of the turn, such as its tools, which count too.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    async fn run(self) -> Result<u32> {
        let Self { client, new, options } = self;
        let messages: Vec<Cow<'_, Value>> = client.conversation().begin(&new).collect();
        let messages = openai::messages(messages.iter().map(|message| &**message))?;
        let caller = client.caller.renewed().await?;
        count(&caller, caller.request(messages, options, Instant::now())?).await
    }
}

impl<'c> IntoFuture for Count<'c> {
    type Output = Result<u32>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<u32>> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Exactly one request, as a document says it.
pub(crate) async fn count_document(client: &Client, document: RequestDocument, check: bool) -> Result<u32> {
    let caller = client.caller.renewed().await?;
    count(&caller, caller.document(document, check)?).await
}

async fn count(caller: &Caller, mut prepared: Prepared) -> Result<u32> {
    let mut request = prepared.chat();
    let manner = prepared.manner;
    let mut call = Call::new(caller.target.instance.clone(), caller.host.limits());
    let mut tries = Tries::new(&call, manner.retries);
    let mut media = caller.media_urls(manner.check);
    loop {
        let outcome = match media.fetch(by_url(&mut request.messages), &mut call).await {
            Ok(()) => caller.target.provider.count(&call, request.clone()).await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Err(failure) if media.refused(&failure, &by_url(&mut request.messages), &call) => {}
            Err(failure) if tries.left() && failure.kind.can_heal() => {
                tries.pause(&mut call, failure).await?
            }
            Err(failure) => return Err(caller.instead(failure, Kind::Tokens).await),
            Ok(count) => return Ok(count),
        }
    }
}
