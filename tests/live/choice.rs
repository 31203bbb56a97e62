//! Which models are asked: as they were named, or the provider's best.

use super::steps::told;
use aimu_host::{Capability, Host, ModelHandle, ModelQuery, Task};
use serde_json::Map;
use std::cmp::Reverse;

/// What a model should be able to do, so that no step is skipped.
const WANTED: [Capability; 3] = [Capability::Tools, Capability::Vision, Capability::StructuredOutput];

/// What `AIMU_LIVE` names: a list, by lines or commas. In a line with flags, commas part the flags.
pub fn asked(list: &str) -> Vec<&str> {
    let lines = list.lines().flat_map(|line| {
        let end = if line.contains(';') { '\n' } else { ',' };
        line.split(end)
    });
    lines.map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// The model string of what was named: a model, a provider, or a provider at a server (`provider@url`).
pub async fn choose(host: &Host, named: &str) -> Result<String, String> {
    let (name, url) = match named.find("@http") {
        Some(at) => named.split_at(at),
        None => (named, ""),
    };
    if name.contains(':') {
        return Ok(named.to_owned());
    }
    let query =
        ModelQuery { provider: Some(name.to_owned()), task: Some(Task::Chat), ..ModelQuery::default() };
    let known = host.models(&query).await.map_err(told)?;
    // A server has what was put there, whatever a catalogue knows.
    let models = if url.is_empty() && !is_local(host, name).await && !known.is_empty() {
        known
    } else {
        host.refresh(named, &Map::new()).await.map_err(told)?
    };
    let chats = |model: &&ModelHandle| {
        let tasks = &model.spec.tasks;
        model.spec.deprecated.is_none() && (tasks.is_empty() || tasks.contains(&Task::Chat))
    };
    let has = |model: &&ModelHandle| {
        WANTED.iter().filter(|wanted| model.spec.capabilities.contains(wanted)).count()
    };
    let best = models.iter().filter(chats).min_by_key(|model| Reverse(has(model)));
    best.map(|model| format!("{model}{url}"))
        .ok_or_else(|| format!("`{name}` has no model that chats. Name one: `--live {name}:MODEL`"))
}

async fn is_local(host: &Host, name: &str) -> bool {
    let entry = host.providers().await.into_iter().find(|entry| entry.name == name);
    let url = entry.and_then(|entry| entry.base_url).unwrap_or_default();
    ["http://localhost", "http://127.0.0.1", "http://[::1]"].iter().any(|local| url.starts_with(local))
}
