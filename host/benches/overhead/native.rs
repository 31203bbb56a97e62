//! The same call without a host: reqwest, and the SDK's own parser and decoder.

use aimu_sdk::openai::{ChatDecoder, Quirks};
use aimu_sdk::sse::SseParser;
use aimu_sdk::{Decoder, Event, Frame};

pub struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    pub fn new(url: &str) -> Self {
        // As the host's own for a server without TLS.
        let tls =
            rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
        let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().tcp_nodelay(true);
        Self { http: http.build().unwrap(), url: format!("{url}/chat/completions") }
    }

    /// Makes one call; gives the number of texts that came.
    pub async fn call(&self, model: &str) -> usize {
        let mut texts = 0;
        self.run(model, |event| texts += usize::from(matches!(event, Event::Delta(_)))).await;
        texts
    }

    pub async fn run(&self, model: &str, mut on_event: impl FnMut(&Event)) {
        let body = format!(
            "{{\"model\":\"{model}\",\"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}"
        );
        let request = self.http.post(&self.url).header("content-type", "application/json").body(body);
        let mut response = request.send().await.unwrap();
        let (mut parser, mut decoder) = (SseParser::default(), ChatDecoder::new(model, &Quirks::default()));
        let mut events = Vec::new();
        while let Some(chunk) = response.chunk().await.unwrap() {
            parser.feed(&chunk, &mut |frame: Frame<'_>| decoder.frame(frame, &mut events)).unwrap();
            events.drain(..).for_each(|event| on_event(&event));
        }
        decoder.finish(&mut events).unwrap();
    }
}
