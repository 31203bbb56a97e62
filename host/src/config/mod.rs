//! Instances as data: `[providers.NAME]` and `[tools.ID]` in the user's `config.toml`, and the brands that come with the
//! program in the same form, read by the same parser.

mod credential;
mod file;

pub(crate) use credential::{CredentialConfig, CredentialSource, Names, OneOrMany};
pub(crate) use file::{load, without_text};

use crate::mcp::ServerConfig;
use crate::model::{Capability, Failure, FailureKind, ModelSpec, Parameter, Result, Sampling, Support, Task};
use crate::secrets::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// A configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) providers: BTreeMap<String, InstanceConfig>,
    /// Components of tools, by their ids.
    #[serde(default)]
    pub(crate) tools: BTreeMap<String, ToolConfig>,
    /// The way to all servers.
    #[serde(default)]
    pub(crate) network: NetworkConfig,
    /// MCP servers, by name.
    #[serde(default)]
    pub(crate) mcp: BTreeMap<String, ServerConfig>,
    /// A file of further ones, in the form that many programs read.
    #[serde(rename = "mcp-servers")]
    mcp_servers: Option<PathBuf>,
}

impl Config {
    /// Files are named from where the configuration is.
    fn resolve_paths(&mut self, folder: &Path) {
        let tools = self.tools.values_mut().map(|ToolConfig(instance)| instance);
        let own = self.providers.values_mut().chain(tools).map(|instance| &mut instance.ca_file);
        for file in own.chain([&mut self.network.ca_file, &mut self.mcp_servers]).flatten() {
            *file = folder.join(&*file);
        }
        self.mcp.values_mut().for_each(|server| server.resolve_paths(folder));
    }

    /// Whether it has programs run, or names another file that may.
    fn names_programs(&self) -> bool {
        let tools = self.tools.values().map(|ToolConfig(instance)| instance);
        let mut credentials =
            self.providers.values().chain(tools).filter_map(|instance| instance.credential.as_ref());
        credentials.any(|own| matches!(own.source, CredentialSource::Command(_)))
            || self.mcp.values().any(ServerConfig::names_programs)
            || self.mcp_servers.is_some()
    }
}

/// One instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct InstanceConfig {
    /// A plugin's id, or the path of a component.
    pub(crate) plugin: String,
    pub(crate) base_url: Option<String>,
    /// Headers of every request to the base URL, which the plugin does not see. A key is no header: see `credential`.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) settings: Map<String, Value>,
    /// Entries that are added to the plugin's catalogue, or correct it.
    #[serde(default)]
    pub(crate) models: Vec<ModelEntry>,
    pub(crate) open_catalog: Option<bool>,
    /// Support that differs from the plugin's: `{ sent-as = "name" }` or `{ unsupported = "remedy" }`.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<Parameter, Support>,
    pub(crate) credential: Option<CredentialConfig>,
    /// In place of that of `[network]`.
    proxy: Option<ProxyUrl>,
    /// Beside that of `[network]`.
    ca_file: Option<PathBuf>,
    /// Calls that run at once; others wait.
    pub(crate) max_concurrent: Option<NonZeroUsize>,
}

impl InstanceConfig {
    /// The way to its own servers.
    pub(crate) fn network(&self) -> NetworkConfig {
        NetworkConfig { proxy: self.proxy.clone(), ca_file: self.ca_file.clone() }
    }
}

/// `[tools.ID]`: how the component of tools that has this id is called. An instance, less what is about models.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "ToolTable")]
pub(crate) struct ToolConfig(pub(crate) InstanceConfig);

/// Such a table as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ToolTable {
    base_url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    settings: Map<String, Value>,
    credential: Option<CredentialConfig>,
    proxy: Option<ProxyUrl>,
    ca_file: Option<PathBuf>,
    max_concurrent: Option<NonZeroUsize>,
}

impl From<ToolTable> for ToolConfig {
    fn from(table: ToolTable) -> Self {
        let ToolTable { base_url, headers, settings, credential, proxy, ca_file, max_concurrent } = table;
        Self(InstanceConfig {
            // The table's own name.
            plugin: String::new(),
            base_url,
            headers,
            settings,
            models: Vec::new(),
            open_catalog: None,
            parameters: BTreeMap::new(),
            credential,
            proxy,
            ca_file,
            max_concurrent,
        })
    }
}

/// A model, or a correction of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ModelEntry {
    id: String,
    display_name: Option<String>,
    tasks: Option<Vec<Task>>,
    capabilities: Option<Vec<Capability>>,
    context_window: Option<u32>,
    max_output: Option<u32>,
    efforts: Option<Vec<String>>,
    thinking_optional: Option<bool>,
    sampling: Option<Sampling>,
    sampling_without_thinking: Option<Sampling>,
    deprecated: Option<String>,
    rejects: Option<Vec<Parameter>>,
    rejects_while_thinking: Option<Vec<Parameter>>,
    metadata: Option<Value>,
}

/// Lays entries over a catalogue: known ids are corrected, others are added.
pub(crate) fn overlay(models: &mut Vec<ModelSpec>, entries: &[ModelEntry]) {
    for entry in entries {
        match models.iter_mut().find(|model| model.id == entry.id) {
            Some(model) => entry.correct(model),
            None => {
                let mut model = ModelSpec {
                    id: entry.id.clone(),
                    tasks: [Task::Chat, Task::Generate].into(),
                    ..ModelSpec::default()
                };
                entry.correct(&mut model);
                models.push(model);
            }
        }
    }
}

impl ModelEntry {
    fn correct(&self, model: &mut ModelSpec) {
        let entry = self.clone();
        if let Some(tasks) = entry.tasks {
            model.tasks = tasks.into_iter().collect();
        }
        if let Some(capabilities) = entry.capabilities {
            model.capabilities = capabilities.into_iter().collect();
        }
        model.efforts = entry.efforts.unwrap_or(std::mem::take(&mut model.efforts));
        model.thinking_optional = entry.thinking_optional.unwrap_or(model.thinking_optional);
        model.sampling = entry.sampling.unwrap_or(std::mem::take(&mut model.sampling));
        model.rejects = entry.rejects.unwrap_or(std::mem::take(&mut model.rejects));
        model.rejects_while_thinking =
            entry.rejects_while_thinking.unwrap_or(std::mem::take(&mut model.rejects_while_thinking));
        let keep = |new: &mut Option<String>, old: Option<String>| *new = old.or(new.take());
        keep(&mut model.display_name, entry.display_name);
        keep(&mut model.deprecated, entry.deprecated);
        model.context_window = entry.context_window.or(model.context_window);
        model.max_output = entry.max_output.or(model.max_output);
        model.sampling_without_thinking =
            entry.sampling_without_thinking.or(model.sampling_without_thinking.take());
        model.metadata = entry.metadata.or(model.metadata.take());
    }
}

/// What a configuration says of the way to servers: for all of them, or for an instance's own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct NetworkConfig {
    /// `http://[user:password@]host[:port]`, or `none`.
    pub(crate) proxy: Option<ProxyUrl>,
    /// A PEM file of authorities beside the machine's own.
    pub(crate) ca_file: Option<PathBuf>,
}

/// A proxy's URL as it was written. It may hold a password, and prints as `…`.
#[derive(Clone, Debug)]
pub(crate) struct ProxyUrl(pub(crate) Secret);

impl<'de> Deserialize<'de> for ProxyUrl {
    /// Takes any text: what is wrong with it is told later, without quoting it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

const PRESETS: &str = include_str!("../../data/presets.toml");

/// The brands that come with the program.
pub(crate) fn presets() -> Result<Config> {
    parse(PRESETS).map_err(|error| {
        Failure::new(
            FailureKind::Internal,
            format!("the presets that come with the program are damaged: {error}"),
        )
    })
}

/// Reads a configuration. The error says what is wrong with it, and nothing of its text.
pub(crate) fn parse(text: &str) -> std::result::Result<Config, String> {
    toml::from_str(text).map_err(|error| file::told(&error, text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_presets_are_whole() {
        let presets = presets().unwrap();
        for name in
            ["lmstudio", "llamaserver", "sglang", "vllm", "hf-openai", "omlx", "ollama-openai", "groq"]
        {
            let preset = presets.providers.get(name).unwrap_or_else(|| panic!("no preset {name}"));
            crate::model_string::parse_url(preset.base_url.as_deref().unwrap(), name).unwrap();
        }
    }

    #[test]
    fn a_compatible_server_is_two_lines() {
        let config =
            parse("[providers.mine]\nplugin = \"openai-compat\"\nbase-url = \"http://localhost:9000/v1\"")
                .unwrap();
        assert_eq!(config.providers["mine"].plugin, "openai-compat");
    }

    #[test]
    fn a_tool_has_what_an_instance_has_but_models() {
        let config = parse(
            "[tools.search]\nbase-url = 'http://localhost:1'\nsettings = { safe = true }\n\
             credential = { source = { command = 'x' } }",
        );
        let config = config.unwrap();
        assert!(config.names_programs() && config.tools["search"].0.settings["safe"] == true);
        for wrong in ["plugin = 'x'", "models = []", "base_url = ''"] {
            assert!(parse(&format!("[tools.search]\n{wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_source_is_one_of_four() {
        let of = |source: &str| {
            parse(&format!("[providers.m]\nplugin='x'\ncredential={{ source = {source} }}"))
                .map(|config| config.providers["m"].credential.clone().unwrap().source)
        };
        assert!(matches!(of("{ env = 'A' }"), Ok(CredentialSource::Env(Names::One(name))) if name == "A"));
        assert!(
            matches!(of("{ file = ['a', 'b'] }"), Ok(CredentialSource::File(Names::Many(names))) if names.len() == 2)
        );
        assert!(matches!(of("{ keyring = { a = 'b' } }"), Ok(CredentialSource::Keyring(Names::Fields(_)))));
        let line = |source: &str| match of(source) {
            Ok(CredentialSource::Command(line)) => line,
            other => panic!("{source}: {other:?}"),
        };
        assert_eq!(line("{ command = \"op read 'a b'\" }"), line("{ command = ['op', 'read', 'a b'] }"));
        assert_ne!(line("{ command = 'x' }"), line("{ command = 'x', expires-in = '50m' }"));
        for (source, word) in [
            ("{}", "one of"),
            ("{ env = 'A', file = 'b' }", "one of"),
            ("{ vault = 'A' }", "vault"),
            ("{ command = \"op 'read\" }", "quotation mark"),
            ("{ command = [] }", "no program"),
            ("{ command = 'x', expires-in = 'soon' }", "`expires-in`"),
            ("{ env = 'A', timeout = '1s' }", "for a `command`"),
        ] {
            let error = of(source).unwrap_err();
            assert!(error.contains(word), "{source}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_without_its_text() {
        let wrong = |line: &str| {
            let text = format!("[providers.mine]\nplugin = \"x\"\n{line}\n");
            let told = parse(&text).unwrap_err();
            assert!(told.contains("line 3") && !told.contains("hunter2"), "{told}");
            told
        };
        assert!(wrong("base_url = \"hunter2\"").contains("base_url"));
        assert!(wrong("api-key = \"hunter2\"").contains("api-key"));
        assert!(wrong("credential = \"hunter2\"").contains("string, expected"));
        wrong("proxy = \"http://me:hunter2@p:1\" x");
        wrong("headers = { a = \"hunter2 }");
        wrong("headers = [\"hunter2\\\", expected\"]");
        wrong("max-concurrent = \"\\\", expected hunter2\"");
        let config = parse("[providers.mine]\nplugin = 'x'\nproxy = 'http://me:hunter2@p:1'").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_pipe_in_its_place_makes_nobody_wait() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.toml");
        assert!(load(&path, false).unwrap().providers.is_empty());
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(load(&path, false).unwrap_err().message.contains("not a file"));
    }

    #[test]
    fn an_entry_corrects_only_what_it_says() {
        let mut models = vec![ModelSpec {
            id: "a".into(),
            context_window: Some(5),
            max_output: Some(7),
            ..ModelSpec::default()
        }];
        let config = parse(
            "[providers.m]\nplugin='x'\nmodels=[{id='a',context-window=9},{id='b',capabilities=['tools']}]",
        )
        .unwrap();
        overlay(&mut models, &config.providers["m"].models);
        assert_eq!((models[0].context_window, models[0].max_output), (Some(9), Some(7)));
        assert!(models[1].capabilities.contains(&Capability::Tools));
    }
}
