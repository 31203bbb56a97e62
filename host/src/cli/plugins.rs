//! `aimu-host plugins`: which components there are, what they are, and what they ask for.

use super::exit::{Result, paragraph};
use super::globals::Globals;
use super::table::Table;
use super::terminal::Stdout;
use aimu_host::{CredentialPlacement, Description, Inspection, Kind, PluginEntry};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The arguments of `plugins`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum PluginsVerb {
    /// List the provider components that there are, broken ones with the reason
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Say what a component is and what it asks for, without letting it reach anything
    Inspect {
        /// The component's file, or the id of a plugin in the list
        file: PathBuf,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

impl PluginsVerb {
    /// Lists or inspects.
    pub(super) async fn run(self, globals: &Globals) -> Result<()> {
        let host = globals.host(&[])?;
        let mut stdout = Stdout::new();
        match self {
            Self::List { json } => {
                let plugins = host.plugins().await;
                if json {
                    stdout.json(&plugins.iter().map(object).collect::<Vec<_>>())?;
                } else {
                    stdout.text(&list(&plugins))?;
                }
            }
            Self::Inspect { file, json } => {
                let plugin = match host.plugins().await.into_iter().find(|plugin| is_id_of(&file, plugin)) {
                    Some(plugin) => plugin,
                    None => host.inspect(&file).await,
                };
                if json {
                    stdout.json(&object(&plugin))?;
                }
                let (inspection, description) = plugin.status.as_ref().map_err(|failure| failure.clone())?;
                if !json {
                    stdout.text(&whole(&plugin, inspection, description))?;
                }
            }
        }
        Ok(stdout.flush()?)
    }
}

/// A bare word that is no file names a plugin of the list.
fn is_id_of(file: &Path, plugin: &PluginEntry) -> bool {
    file.as_os_str() == plugin.id.as_str() && !file.exists()
}

fn origin(plugin: &PluginEntry) -> String {
    plugin.file.as_ref().map_or("comes with the program".to_owned(), |file| file.display().to_string())
}

fn list(plugins: &[PluginEntry]) -> String {
    let mut table = Table::new(["PLUGIN", "VERSION", "CONTRACT", "KINDS", "SHA256", "SIZE", "FROM"]);
    for plugin in plugins {
        table.row(match &plugin.status {
            Ok((inspection, description)) => [
                plugin.id.clone(),
                description.version.clone(),
                inspection.contract.clone(),
                kinds(inspection).join(","),
                inspection.digest.chars().take(12).collect(),
                size(inspection.size),
                origin(plugin),
            ],
            Err(_) => {
                let unknown = || "-".to_owned();
                [plugin.id.clone(), unknown(), unknown(), unknown(), unknown(), unknown(), origin(plugin)]
            }
        });
    }
    let mut text = table.to_string();
    for plugin in plugins {
        if let Err(failure) = &plugin.status {
            let _ = write!(text, "\n{} can't be used: {}\n", plugin.id, paragraph(failure));
        }
    }
    text
}

fn whole(plugin: &PluginEntry, inspection: &Inspection, description: &Description) -> String {
    let mut lines: Vec<(&str, String)> = vec![
        ("plugin", format!("{} {} ({})", plugin.id, description.version, description.display_name)),
        ("from", origin(plugin)),
        ("homepage", description.homepage.clone().unwrap_or_default()),
        ("contract", inspection.contract.clone()),
        ("sha256", inspection.digest.clone()),
        ("size", size(inspection.size)),
        ("kinds", kinds(inspection).join(", ")),
        ("models", models(description)),
        ("settings", settings(description).join(", ")),
        ("asks for", asks(description).join("\n")),
        ("imports", inspection.imports.join("\n")),
        ("exports", inspection.exports.join("\n")),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    let mut text = String::new();
    for (name, value) in lines {
        let _ = writeln!(text, "{name:<10}{}", value.replace('\n', "\n          "));
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

fn settings(description: &Description) -> Vec<&str> {
    let schema = description.settings_schema.as_ref();
    let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// What has to be granted, in words.
fn asks(description: &Description) -> Vec<String> {
    let server =
        description.default_base_url.iter().map(|url| format!("network: {url} (its default base URL)"));
    let origins = description.origins.iter().map(|origin| format!("network: {origin}"));
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
    let asks: Vec<String> = server.chain(origins).chain(keys).collect();
    if asks.is_empty() { vec!["nothing: no network, no keys".to_owned()] } else { asks }
}

/// A plugin as scripts get it.
fn object(plugin: &PluginEntry) -> Value {
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
        }
        Err(failure) => object["error"] = json!({ "kind": failure.kind, "message": failure.message }),
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
