//! The same call through the host: `openai-compat` in its sandbox.

use crate::server::Server;
use aimu_host::{Event, Failure, FailureKind, Home, Host, Limits, ModelRef};
use futures::StreamExt;
use std::time::{Duration, Instant, SystemTime};

pub struct Client {
    host: Host,
    url: String,
    _home: tempfile::TempDir,
}

pub fn host(limits: Limits) -> (Host, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let builder = Host::builder()
        .home(Home::at(home.path()))
        .plugin_dir(home.path().join("plugins"));
    (builder.limits(limits).retries(0).build().unwrap(), home)
}

impl Client {
    pub async fn new(url: &str) -> Self {
        let (host, home) = host(Limits::default());
        let client = Self {
            host,
            url: url.to_owned(),
            _home: home,
        };
        // Compiles the component, which is not what is measured.
        client.call("n1").await;
        client
    }

    pub fn model(&self, model: &str) -> ModelRef {
        format!("openai-compat:{model}@{}", self.url).into()
    }

    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Makes one call; gives the number of texts that came.
    pub async fn call(&self, model: &str) -> usize {
        let mut client = self.host.client(self.model(model)).await.unwrap();
        let mut answering = client.chat("hi").stream().unwrap();
        let mut texts = 0;
        while let Some(event) = answering.next().await {
            texts += usize::from(matches!(event.unwrap(), Event::Delta { .. }));
        }
        texts
    }

    /// Drops a call that waits; gives the seconds until the server saw its connection close.
    pub async fn cancel(&self, server: &Server, before_first_byte: bool) -> f64 {
        let model = if before_first_byte { "silent" } else { "hold" };
        let mut client = self.host.client(self.model(model)).await.unwrap();
        let mut answering = client.chat("hi").stream().unwrap();
        if before_first_byte {
            let wait = tokio::time::timeout(Duration::from_millis(100), answering.next()).await;
            assert!(wait.is_err());
        } else {
            while !matches!(answering.next().await.unwrap().unwrap(), Event::Delta { .. }) {}
        }
        let dropped = SystemTime::now();
        drop(answering);
        server
            .closed()
            .duration_since(dropped)
            .unwrap_or_default()
            .as_secs_f64()
    }
}

/// Calls a guest that never stops computing, with a short deadline; gives the seconds that it ran over it.
pub async fn spin() -> f64 {
    let deadline = Duration::from_millis(300);
    let (host, home) = host(Limits {
        total: deadline,
        ..Limits::default()
    });
    let plugins = home.path().join("plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::copy(crate::support::guest("spin"), plugins.join("spin.wasm")).unwrap();
    let mut client = host.client("spin:spin").await.unwrap();
    // Compiles it.
    let _: Result<_, Failure> = client.chat("hi").await;
    let start = Instant::now();
    let failure = client.chat("hi").await.unwrap_err();
    assert!(
        matches!(failure.kind, FailureKind::Timeout | FailureKind::Limit),
        "{failure}"
    );
    start.elapsed().saturating_sub(deadline).as_secs_f64()
}
