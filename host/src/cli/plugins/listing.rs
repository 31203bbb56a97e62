//! `plugins list` and `plugins inspect`: which components there are, what they are, what they ask for and may use.

use crate::cli::exit::{self, Result, paragraph};
use crate::cli::table::Table;
use crate::cli::terminal::{Stderr, Stdout};
use aimu_host::{
    CredentialPlacement, Description, GrantState, Host, Inspection, Kind, PluginEntry, PluginGrants,
    ToolDefinition, escaped,
};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Lists all.
pub(super) async fn list(host: &Host, json: bool, stdout: &mut Stdout) -> Result<()> {
    let plugins = host.plugins().await;
    if json {
        return Ok(stdout.json(&plugins.iter().map(object).collect::<Vec<_>>())?);
    }
    stdout.text(&table(&plugins))?;
    // The same file is wrong for all of them.
    if let Some(failure) = plugins.iter().find_map(|plugin| grants(plugin)?.as_ref().err()) {
        Stderr::new().warning(&paragraph(failure));
    }
    Ok(())
}

/// Shows one.
pub(super) async fn inspect(host: &Host, file: PathBuf, json: bool, stdout: &mut Stdout) -> Result<()> {
    let plugins = host.plugins().await;
    let mut of_id = plugins.into_iter().filter(|plugin| is_id_of(&file, plugin)).collect::<Vec<_>>();
    // The one that is used.
    of_id.sort_by_key(|plugin| plugin.status.is_err());
    let plugin = match of_id.into_iter().next() {
        Some(plugin) => plugin,
        None => host.inspect(&file).await,
    };
    if json {
        stdout.json(&object(&plugin))?;
    }
    let (inspection, description) = plugin.status.as_ref().map_err(|failure| failure.clone())?;
    if !json {
        stdout.text(&whole(&plugin, inspection, description))?;
        if let Some(Err(failure)) = grants(&plugin) {
            Stderr::new().warning(&paragraph(failure));
        }
    }
    Ok(())
}

/// A bare word that is no file names a plugin of the list.
fn is_id_of(file: &Path, plugin: &PluginEntry) -> bool {
    file.as_os_str() == plugin.id.as_str() && !file.exists()
}

fn grants(plugin: &PluginEntry) -> Option<&aimu_host::Result<PluginGrants>> {
    plugin.grants.as_ref()
}

fn origin(plugin: &PluginEntry) -> String {
    let file = plugin.file.as_ref().map(|file| file.display().to_string());
    file.map_or("comes with the program".to_owned(), |file| escaped(&file).into_owned())
}

fn table(plugins: &[PluginEntry]) -> String {
    let mut table =
        Table::new(["PLUGIN", "VERSION", "CONTRACT", "KINDS", "SHA256", "SIZE", "ALLOWED", "FROM"]);
    for plugin in plugins {
        table.row(match &plugin.status {
            Ok((inspection, description)) => [
                escaped(&plugin.id).into_owned(),
                escaped(&description.version).into_owned(),
                escaped(&inspection.contract).into_owned(),
                kinds(inspection).join(","),
                inspection.digest.chars().take(12).collect(),
                size(inspection.size),
                allowed(plugin).to_owned(),
                origin(plugin),
            ],
            Err(_) => {
                let unknown = || "-".to_owned();
                let [a, b, c, d, e, f] = [(); 6].map(|()| unknown());
                [escaped(&plugin.id).into_owned(), a, b, c, d, e, f, origin(plugin)]
            }
        });
    }
    let mut text = table.to_string();
    for plugin in plugins {
        if let Err(failure) = &plugin.status {
            let _ =
                write!(text, "\n{} can't be used: {}\n", escaped(&plugin.id), escaped(&paragraph(failure)));
        }
    }
    text
}

/// A word for how far a component is allowed what it asks for.
fn allowed(plugin: &PluginEntry) -> &'static str {
    match grants(plugin) {
        Some(Ok(grants)) => match grants.state {
            GrantState::FirstParty => "always",
            GrantState::NothingAsked => "asks nothing",
            GrantState::Allowed => "yes",
            GrantState::PartlyAllowed => "in part",
            GrantState::NotAllowed => "no",
            GrantState::Suspended => "suspended",
        },
        Some(Err(_)) => "?",
        None => "-",
    }
}

/// What of it is allowed, in words.
fn decided(plugin: &PluginEntry) -> Vec<String> {
    let Some(Ok(grants)) = grants(plugin) else { return Vec::new() };
    let command = format!("`aimu-host plugins allow {}` allows it", escaped(&plugin.id));
    let since = grants.allowed.as_deref().unwrap_or_default();
    match grants.state {
        GrantState::FirstParty => vec!["all, since it comes with the program".to_owned()],
        GrantState::NothingAsked => Vec::new(),
        GrantState::Allowed => vec![format!("all, since {}", escaped(since))],
        GrantState::PartlyAllowed => grants.granted.lines(),
        GrantState::NotAllowed => vec![format!("nothing; {command}")],
        GrantState::Suspended => {
            vec![format!("nothing: it has changed since {}, and asks for more; {command}", escaped(since))]
        }
    }
}

/// What of it is not allowed, where that is not all of it.
fn missing(plugin: &PluginEntry) -> Vec<String> {
    match grants(plugin) {
        Some(Ok(grants)) if grants.state == GrantState::PartlyAllowed => grants.missing.lines(),
        Some(Ok(grants)) if grants.state == GrantState::Suspended => grants.new.lines(),
        _ => Vec::new(),
    }
}

fn whole(plugin: &PluginEntry, inspection: &Inspection, description: &Description) -> String {
    let mut lines: Vec<(&str, String)> = vec![
        (
            "plugin",
            escaped(&format!("{} {} ({})", plugin.id, description.version, description.display_name))
                .into_owned(),
        ),
        ("from", origin(plugin)),
        ("homepage", escaped(description.homepage.as_deref().unwrap_or_default()).into_owned()),
        ("contract", inspection.contract.clone()),
        ("sha256", inspection.digest.clone()),
        ("size", size(inspection.size)),
        ("kinds", kinds(inspection).join(", ")),
        ("models", escaped(&models(description)).into_owned()),
        ("tools", description.tools.iter().map(told).collect::<Vec<_>>().join("\n")),
        ("settings", escaped(&settings(description).join(", ")).into_owned()),
        ("asks for", asks(description).join("\n")),
        ("allowed", decided(plugin).join("\n")),
        ("missing", missing(plugin).join("\n")),
        ("imports", inspection.imports.join("\n")),
        ("exports", inspection.exports.join("\n")),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    let mut text = String::new();
    for (name, value) in lines {
        // Line ends are ours; what a plugin says was escaped before, or is now.
        let value: Vec<_> = value.split('\n').map(escaped).collect();
        let _ = writeln!(text, "{name:<10}{}", value.join("\n          "));
    }
    text
}

/// The kinds of calls that it answers.
fn kinds(inspection: &Inspection) -> Vec<&'static str> {
    inspection.kinds().into_iter().map(Kind::as_str).collect()
}

fn models(description: &Description) -> String {
    let ids: Vec<&str> = description.models.iter().map(|model| model.id.as_str()).collect();
    let others = if description.open_catalog { "any other id passes through" } else { "" };
    [ids.join(", ").as_str(), others]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

/// A tool, in a line.
fn told(tool: &ToolDefinition) -> String {
    escaped(&format!("{}: {}", tool.name, tool.description)).into_owned()
}

fn settings(description: &Description) -> Vec<&str> {
    let schema = description.settings_schema.as_ref();
    let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// What has to be granted, in words.
fn asks(description: &Description) -> Vec<String> {
    let server =
        description.default_base_url.iter().map(|url| format!("network: {url} (its default base URL)"));
    let origins = description.origins.iter().map(|origin| match origin.as_str() {
        "*" => "network: any server of the internet".to_owned(),
        origin => format!("network: {origin}"),
    });
    let keys = description.credentials.iter().map(|credential| {
        // What may be left out stands in brackets.
        let variables: Vec<String> = credential
            .fields
            .iter()
            .map(|field| match field.env.join(" or ") {
                names if field.optional && credential.fields.len() > 1 => format!("[{names}]"),
                names => names,
            })
            .collect();
        let place = match &credential.placement {
            CredentialPlacement::Bearer => "the header authorization".to_owned(),
            CredentialPlacement::Header { name, .. } => format!("the header {name}"),
            CredentialPlacement::AwsSigv4 { service, region_setting } => format!(
                "a signature for {service} (region: the setting {region_setting}, else AWS_REGION or AWS_DEFAULT_REGION)"
            ),
        };
        let need = if credential.required { "" } else { ", optional" };
        let to = if credential.send_to.is_empty() {
            "the base URL".to_owned()
        } else {
            credential.send_to.join(", ")
        };
        format!("key: {} from {}, sent to {to} as {place}{need}", credential.name, variables.join(" and "))
    });
    let asks = server.chain(origins).chain(keys).map(|line| escaped(&line).into_owned());
    let asks: Vec<String> = asks.collect();
    if asks.is_empty() { vec!["nothing: no network, no keys".to_owned()] } else { asks }
}

/// A plugin as scripts get it.
pub(super) fn object(plugin: &PluginEntry) -> Value {
    let mut object = json!({
        "id": plugin.id,
        "file": plugin.file,
        "embedded": plugin.file.is_none(),
        "ok": plugin.status.is_ok(),
    });
    match &plugin.status {
        Ok((inspection, description)) => {
            object["contract"] = json!(inspection.contract);
            object["kinds"] = json!(inspection.kinds());
            object["digest"] = json!(inspection.digest);
            object["size"] = json!(inspection.size);
            object["imports"] = json!(inspection.imports);
            object["exports"] = json!(inspection.exports);
            object["description"] = json!(description);
            object["grants"] = match grants(plugin) {
                Some(Ok(grants)) => json!(grants),
                Some(Err(failure)) => json!({ "error": exit::object(failure) }),
                None => Value::Null,
            };
        }
        Err(failure) => object["error"] = exit::object(failure),
    }
    object
}

/// Bytes, for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimu_host::Credential;

    #[test]
    fn sizes_are_short() {
        assert_eq!([999, 240_123, 18_250_000].map(size), ["999 B", "240 kB", "18.2 MB"]);
    }

    #[test]
    fn what_a_plugin_asks_for_is_said_in_words() {
        assert_eq!(asks(&Description::default()), ["nothing: no network, no keys"]);
        let credential = Credential {
            name: "api-key".into(),
            fields: vec![aimu_host::CredentialField {
                name: "k".into(),
                env: vec!["A_KEY".into()],
                optional: false,
            }],
            placement: CredentialPlacement::Header { name: "x-api-key".into(), prefix: String::new() },
            send_to: Vec::new(),
            required: true,
            group: None,
        };
        let description = Description {
            default_base_url: Some("https://api.x.test".into()),
            credentials: vec![credential],
            ..Description::default()
        };
        assert_eq!(
            asks(&description),
            [
                "network: https://api.x.test (its default base URL)",
                "key: api-key from A_KEY, sent to the base URL as the header x-api-key"
            ]
        );
    }
}
