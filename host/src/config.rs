//! Instances as data: `[providers.NAME]` and `[tools.ID]` in the user's `config.toml`, and the brands that come with the program in
//! the same form, read by the same parser.

use crate::limits::parse_duration;
use crate::mcp::{self, ServerConfig};
use crate::model::{
    Capability, CredentialPlacement, Failure, FailureKind, ModelSpec, Parameter, Result, Sampling, Support,
    Task,
};
use crate::ownership::{is_ours, others_can_write};
use crate::secrets::{CommandLine, Secret};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;
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

    /// Adds the servers of the file that it names; its own go before those.
    fn add_servers(&mut self) -> Result<()> {
        let Some(path) = &self.mcp_servers else { return Ok(()) };
        let failed = |kind, what: &dyn std::fmt::Display| {
            let what = format!(
                "the MCP servers {}, which `mcp-servers` of the configuration names: {what}",
                path.display()
            );
            Failure::new(kind, what)
        };
        let wrong = FailureKind::InvalidRequest;
        let mut text = String::new();
        let read = |file: File| Ok((file.metadata()?, file.take(MOST_BYTES + 1).read_to_string(&mut text)?));
        let (metadata, _) =
            crate::plain_file::open(path).and_then(read).map_err(|error| failed(wrong, &error))?;
        if text.len() as u64 > MOST_BYTES {
            return Err(failed(wrong, &"it is larger than 4 MiB"));
        }
        let servers = mcp::parse_file(&text).map_err(|what| failed(wrong, &what))?;
        if servers.values().any(ServerConfig::names_programs)
            && let Some(what) = open_to_others(path, &metadata)
        {
            return Err(failed(FailureKind::Denied, &format!("it names a program to run, and {what}")));
        }
        for (name, mut server) in servers {
            server.resolve_paths(path.parent().unwrap_or(Path::new("")));
            self.mcp.entry(name).or_insert(server);
        }
        Ok(())
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

/// Where an instance's key comes from, and how it is added.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialConfig {
    pub(crate) source: CredentialSource,
    pub(crate) placement: Option<CredentialPlacement>,
    /// A call without it can't succeed.
    #[serde(default)]
    pub(crate) required: bool,
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

/// Where a key comes from: one of these.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "SourceTable")]
pub(crate) enum CredentialSource {
    /// Environment variables.
    Env(Names),
    /// Files.
    File(Names),
    /// Keys that `aimu-host keys` keeps, under their names.
    Keyring(Names),
    /// A program that prints it.
    Command(CommandLine),
}

/// The names of a key in one place.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Names {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
    /// Those of each field, for a credential of several.
    Fields(BTreeMap<String, OneOrMany>),
}

/// One name, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Many(names) => names.clone(),
        }
    }
}

/// A source as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SourceTable {
    env: Option<Names>,
    file: Option<Names>,
    keyring: Option<Names>,
    /// A line as for a shell, or words.
    command: Option<OneOrMany>,
    expires_in: Option<String>,
    timeout: Option<String>,
}

impl TryFrom<SourceTable> for CredentialSource {
    type Error = String;

    fn try_from(table: SourceTable) -> std::result::Result<Self, String> {
        let SourceTable { env, file, keyring, command, expires_in, timeout } = table;
        let times = expires_in.is_some() || timeout.is_some();
        let time = |name: &str, text: Option<String>| {
            let time = text.map(|text| {
                parse_duration(&text).ok_or_else(|| {
                    format!("`{name}` of a credential's source is a time such as 30s, 50m or 1h")
                })
            });
            time.transpose()
        };
        match (env, file, keyring, command) {
            (None, None, None, Some(command)) => {
                let words = match command {
                    OneOrMany::One(line) => shlex::split(&line)
                        .ok_or("`command` of a credential's source has a quotation mark without its other")?,
                    OneOrMany::Many(words) => words,
                };
                let line = CommandLine::configured(
                    words,
                    time("expires-in", expires_in)?,
                    time("timeout", timeout)?,
                );
                line.map(Self::Command).map_err(|what| format!("`command` of a credential's source {what}"))
            }
            _ if times => {
                Err("`expires-in` and `timeout` of a credential's source are for a `command`".to_owned())
            }
            (Some(names), None, None, None) => Ok(Self::Env(names)),
            (None, Some(names), None, None) => Ok(Self::File(names)),
            (None, None, Some(names), None) => Ok(Self::Keyring(names)),
            _ => Err("a credential's `source` is one of `env`, `command`, `file` and `keyring`".to_owned()),
        }
    }
}

const PRESETS: &str = include_str!("../data/presets.toml");

/// The brands that come with the program.
pub(crate) fn presets() -> Result<Config> {
    parse(PRESETS).map_err(|error| {
        Failure::new(
            FailureKind::Internal,
            format!("the presets that come with the program are damaged: {error}"),
        )
    })
}

/// The most that is read of a configuration.
const MOST_BYTES: u64 = 4 << 20;

/// The user's configuration; an absent file is an empty one.
pub(crate) fn load(path: &Path, must_exist: bool) -> Result<Config> {
    let failed = |what: &dyn std::fmt::Display| {
        Failure::new(FailureKind::InvalidRequest, format!("the configuration {}: {what}", path.display()))
    };
    let mut text = String::new();
    // One that was named may be what another program prints.
    let opened = if must_exist { File::open(path) } else { crate::plain_file::open(path) };
    let read = |file: File| Ok((file.metadata()?, file.take(MOST_BYTES + 1).read_to_string(&mut text)?));
    match opened.and_then(read) {
        Ok(_) if text.len() as u64 > MOST_BYTES => Err(failed(&"it is larger than 4 MiB")),
        Ok((metadata, _)) => {
            let mut config = parse(&text).map_err(|what| failed(&what))?;
            if config.names_programs()
                && let Some(what) = open_to_others(path, &metadata)
            {
                let why = format!("it names a program to run, and {what}");
                return Err(Failure { kind: FailureKind::Denied, ..failed(&why) });
            }
            config.resolve_paths(path.parent().unwrap_or(Path::new("")));
            config.add_servers()?;
            Ok(config)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Ok(Config::default()),
        Err(error) => Err(failed(&error)),
    }
}

/// Whether somebody else could have written a file, and what to do about it. What is no file, a pipe from another program,
/// is what the user named.
fn open_to_others(path: &Path, metadata: &Metadata) -> Option<String> {
    if !metadata.is_file() {
        return None;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let of_folder = std::fs::metadata(folder).ok();
    let named = [(path, Some(metadata)), (folder, of_folder.as_ref())];
    for (path, metadata) in named.into_iter().filter_map(|(path, metadata)| Some((path, metadata?))) {
        if !is_ours(metadata) {
            return Some(format!("{} belongs to another user", path.display()));
        }
        // In a folder such as /tmp nobody exchanges the files of others.
        let sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        if others_can_write(metadata) && !sticky {
            return Some(format!(
                "others can write {0}: `chmod go-w {0}`, once you have read it",
                path.display()
            ));
        }
    }
    None
}

/// What is wrong with a file, and where; nothing of its text, since a line may hold a key that does not belong there.
fn told(error: &toml::de::Error, text: &str) -> String {
    let message = without_text(error.message());
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return message };
    let number = before.matches('\n').count();
    match text.lines().nth(number).and_then(key_of) {
        Some(key) => format!("line {}, `{key}`: {message}", number + 1),
        None => format!("line {}: {message}", number + 1),
    }
}

/// A parser's message without a text that it quotes: `invalid type: string "…", expected a table`.
pub(crate) fn without_text(message: &str) -> String {
    let quoted = message.find("string \"").zip(message.rfind("\", expected"));
    match quoted.and_then(|(start, end)| message.get(..start).zip(message.get(end + 1..))) {
        Some((before, after)) => format!("{before}string{after}"),
        None => message.to_owned(),
    }
}

/// The key of a line, if it is one without quotation marks.
fn key_of(line: &str) -> Option<&str> {
    let key = line.split_once('=')?.0.trim();
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!key.is_empty() && key.len() <= 64 && key.chars().all(bare)).then_some(key)
}

/// Reads a configuration. The error says what is wrong with it, and nothing of its text.
pub(crate) fn parse(text: &str) -> std::result::Result<Config, String> {
    toml::from_str(text).map_err(|error| told(&error, text))
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
