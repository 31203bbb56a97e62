//! The host runs tools for every provider: what a model calls, what it is told, what the history keeps, and what is not run.
//!
//! Real components speak to servers that say what a test has them say.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "tools/approval.rs"]
mod approval;
#[path = "tools/bounds.rs"]
mod bounds;
#[path = "tools/fallback.rs"]
mod fallback;
#[path = "tools/faults.rs"]
mod faults;
#[path = "tools/rounds.rs"]
mod rounds;
#[path = "tools/script.rs"]
mod script;
mod support;
#[path = "tools/watched.rs"]
mod watched;

use aimu_host::{Client, Function, Host, HostBuilder, ToolContext, Toolbox, schemars};
use script::Script;
use serde::Deserialize;

/// A host in an empty home.
struct Place {
    host: Host,
    _folder: tempfile::TempDir,
}

fn place() -> Place {
    place_with(|builder| builder)
}

fn place_with(set: impl FnOnce(HostBuilder) -> HostBuilder) -> Place {
    watched::spans();
    let folder = tempfile::tempdir().unwrap();
    let builder = Host::builder().home(aimu_host::Home::at(folder.path())).retries(0);
    let builder = builder.plugin_dir(folder.path().join("plugins")).on_notice(|_| {});
    Place { host: set(builder).build().unwrap(), _folder: folder }
}

impl Place {
    async fn client(&self, script: &Script) -> Client {
        self.host.client(script.model()).await.unwrap()
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
struct City {
    /// The city's name, in English
    city: String,
}

/// Says what the weather is like, after some milliseconds where the city is Rome.
fn weather() -> Function {
    Function::new("weather", "The weather, now.", |_: ToolContext, City { city }: City| async move {
        if city == "Rome" {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        match city.as_str() {
            "Rome" => Ok("sunny"),
            "Oslo" => Ok("snow"),
            _ => Err(format!("{city} is nowhere")),
        }
    })
}

fn toolbox(tools: impl IntoIterator<Item = Function>) -> Toolbox {
    let mut toolbox = Toolbox::new();
    tools.into_iter().for_each(|tool| toolbox.add(tool).unwrap());
    toolbox
}
