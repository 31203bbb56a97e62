//! The same call through the host: `openai-compat` in its sandbox.

use crate::server::Server;
use aimu_host::{Event, Failure, FailureKind, Home, Host, Limits, ModelRef};
use futures::StreamExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

pub struct Client {
    host: Host,
    provider: &'static str,
    /// What follows the model's id in a model string.
    at: String,
}

pub fn host(home: &Path, limits: Limits) -> Host {
    let builder = Host::builder().home(Home::at(home)).plugin_dir(home.join("plugins"));
    builder.limits(limits).retries(0).build().unwrap()
}

impl Client {
    /// A client of a server, with its component compiled: only the first in a home has to.
    pub async fn new(home: &Path, url: &str) -> Self {
        let host = host(home, Limits::default());
        let client = Self { host, provider: "openai-compat", at: format!("@{url}") };
        client.call("n1").await;
        client
    }

    /// The same server by its name, with a key that the host adds to the request and looks for in the answer.
    pub async fn with_key(home: &Path, url: &str) -> Self {
        let key = home.join("key");
        std::fs::write(&key, "sk-0123456789abcdef0123456789abcdef").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "[providers.keyed]\nplugin = \"openai-compat\"\nbase-url = \"{}\"\n\
             credential = {{ source = {{ file = \"{}\" }}, required = true }}\n",
            url.replace("127.0.0.1", "localhost"),
            key.display()
        );
        std::fs::write(home.join("config.toml"), config).unwrap();
        let client = Self { host: host(home, Limits::default()), provider: "keyed", at: String::new() };
        client.call("n1").await;
        client
    }

    pub fn model(&self, model: &str) -> ModelRef {
        format!("{}:{model}{}", self.provider, self.at).into()
    }

    pub fn host(&self) -> &Host {
        &self.host
    }

    /// A client that is there already, for calls that leave nothing in it.
    pub async fn again(&self) -> aimu_host::Client {
        self.host.client(self.model("n1")).await.unwrap()
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
        server.closed().duration_since(dropped).unwrap_or_default().as_secs_f64()
    }
}

/// Calls a guest that never stops computing, with a short deadline; gives the seconds that it ran over it.
pub async fn spin(home: &Path) -> f64 {
    let deadline = Duration::from_millis(300);
    let host = host(home, Limits { total: deadline, ..Limits::default() });
    let plugins = home.join("plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::copy(crate::support::guest("spin"), plugins.join("spin.wasm")).unwrap();
    let mut client = host.client("spin:spin").await.unwrap();
    // Compiles it.
    let _: Result<_, Failure> = client.chat("hi").await;
    let start = Instant::now();
    let failure = client.chat("hi").await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Timeout | FailureKind::Limit), "{failure}");
    start.elapsed().saturating_sub(deadline).as_secs_f64()
}
