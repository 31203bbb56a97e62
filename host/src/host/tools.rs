//! What tools there are, from all sources, and those of them that a conversation offers.
//!
//! A pattern is a glob over a tool's name or its source's. A source that fails costs its own tools only; what nothing fits
//! is an error, since nobody would notice that a tool is missing.

use super::Host;
use crate::builtin::{self, FILES, Folder};
use crate::model::{Failure, FailureKind, Result, ToolDefinition};
use crate::openai::fields::nearest;
use crate::tools::{Approval, Callable, Pattern, SourceTools, ToolSource, Toolbox};
use std::path::Path;
use std::sync::Arc;

/// A tool that there is, or a source that has none now.
#[derive(Clone, Debug)]
pub struct ToolEntry {
    /// The name of its source.
    pub source: String,
    /// What sort of source that is.
    pub kind: ToolSource,
    /// What it is for models, and whether somebody is asked before a call unless a rule says otherwise; or what is wrong
    /// with the source.
    pub tool: Result<(ToolDefinition, Approval)>,
}

impl Host {
    /// The tools that fit one of these patterns, or all: globs over a tool's name or its source's. The built-in sources
    /// are `time`, `calculator`, `files` and `web`.
    ///
    /// # Errors
    /// A pattern is none, or nothing fits it.
    pub async fn tools(&self, patterns: &[impl AsRef<str> + Sync]) -> Result<Vec<ToolEntry>> {
        let wanted = if patterns.is_empty() { Wanted::parse(&["*"])? } else { Wanted::parse(patterns)? };
        let sources = self.wanted_tools(&wanted).await?;
        let mut entries = Vec::new();
        for SourceTools { source, kind, outcome } in sources {
            let entry = |tool| ToolEntry { source: source.clone(), kind, tool };
            match outcome {
                Ok(tools) => entries.extend(
                    tools
                        .iter()
                        .filter(|tool| wanted.fits(&source, tool))
                        .map(|tool| entry(Ok((tool.definition().clone(), tool.approval())))),
                ),
                Err(failure) => entries.push(entry(Err(failure))),
            }
        }
        Ok(entries)
    }

    /// A toolbox with the tools that fit one of these patterns. `files=FOLDER` offers the files below a folder. What can't
    /// be offered is said in notices.
    ///
    /// # Errors
    /// A pattern is none, nothing fits it, or nothing of what fits can be offered.
    pub async fn toolbox(&self, patterns: &[impl AsRef<str> + Sync]) -> Result<Toolbox> {
        let mut toolbox = Toolbox::new();
        if patterns.is_empty() {
            return Ok(toolbox);
        }
        let wanted = Wanted::parse(patterns)?;
        let mut sources = self.wanted_tools(&wanted).await?;
        if wanted.folder.is_none() {
            sources.iter_mut().filter(|source| source.source == FILES).for_each(|files| {
                files.outcome =
                    Err(Failure::new(FailureKind::InvalidRequest, "name their folder: `-T files=FOLDER`"));
            });
        }
        let mut problems = Vec::new();
        for SourceTools { source, outcome, .. } in sources {
            match outcome {
                Ok(tools) => problems.extend(
                    tools
                        .into_iter()
                        .filter(|tool| wanted.fits(&source, tool))
                        .filter_map(|tool| toolbox.add_shared(tool).err()),
                ),
                Err(failure) => {
                    let message = format!("the tools of `{source}` are left out: {}", failure.message);
                    problems.push(Failure { message, ..failure });
                }
            }
        }
        if toolbox.is_empty() {
            return Err(problems.into_iter().next().unwrap_or_else(|| {
                Failure::new(
                    FailureKind::NotFound,
                    "these sources have no tools; `aimu-host tools list` lists all",
                )
            }));
        }
        for problem in &problems {
            (self.0.notice)(&problem.message);
        }
        Ok(toolbox)
    }

    /// The sources that are wanted. Fails where nothing fits a pattern.
    async fn wanted_tools(&self, wanted: &Wanted) -> Result<Vec<SourceTools>> {
        let sources = self.tool_sources(wanted).await;
        let Some(vain) = wanted.vain(&sources) else { return Ok(sources) };
        let components = self.tool_components().await;
        let builtin = builtin::sources(None, self.fetcher(), self.limits());
        let names = builtin.iter().flat_map(|(source, tools)| {
            tools.iter().map(|tool| tool.definition().name.as_str()).chain([*source])
        });
        let names = names.chain(components.iter().map(|found| found.plugin.id.as_str()));
        let near = nearest(vain, names.chain(self.0.servers.keys().map(String::as_str)));
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        let what = format!(
            "no tool and no source of tools is called `{vain}`.{near} `aimu-host tools list` lists all"
        );
        Err(Failure::new(FailureKind::NotFound, what))
    }

    /// The sources that one of the patterns can mean: each kind of source has its line here.
    async fn tool_sources(&self, wanted: &Wanted) -> Vec<SourceTools> {
        let mut sources: Vec<SourceTools> = self.builtin_tools(wanted).collect();
        sources.extend(self.component_tools(&wanted.patterns).await);
        sources.extend(self.mcp_tools(|server| wanted.may_be_of(server)).await);
        sources
    }

    fn builtin_tools(&self, wanted: &Wanted) -> impl Iterator<Item = SourceTools> {
        let all = builtin::sources(wanted.folder.clone(), self.fetcher(), self.limits());
        let fits = |(source, tools): &(&'static str, Vec<Arc<dyn Callable>>)| {
            tools.iter().any(|tool| wanted.fits(source, tool))
        };
        all.into_iter().filter(fits).map(|(source, tools)| SourceTools {
            source: source.to_owned(),
            kind: ToolSource::Builtin,
            outcome: Ok(tools),
        })
    }
}

/// What the user asked for.
struct Wanted {
    patterns: Vec<Pattern>,
    folder: Option<Folder>,
}

impl Wanted {
    fn parse(patterns: &[impl AsRef<str>]) -> Result<Self> {
        let mut wanted = Self { patterns: Vec::new(), folder: None };
        let mut named: Option<&str> = None;
        for text in patterns {
            let (text, folder) = match text.as_ref().split_once('=') {
                Some((text, folder)) => (text, Some(folder)),
                None => (text.as_ref(), None),
            };
            let pattern = Pattern::new(text)?;
            if let Some(folder) = folder {
                if folder.is_empty()
                    || ![FILES, "files_list", "files_read"].iter().any(|name| pattern.fits(name))
                {
                    return Err(wrong("a folder is named for the tools of `files` alone: `-T files=FOLDER`"));
                }
                if named.is_some_and(|named| named != folder) {
                    return Err(wrong(
                        "the tools of `files` read below one folder; name the one that holds all",
                    ));
                }
                named = Some(folder);
                wanted.folder = Some(Folder::open(Path::new(folder))?);
            }
            wanted.patterns.push(pattern);
        }
        Ok(wanted)
    }

    fn fits(&self, source: &str, tool: &Arc<dyn Callable>) -> bool {
        let name = &tool.definition().name;
        self.patterns.iter().any(|pattern| pattern.fits(source) || pattern.fits(name))
    }

    /// Whether a source can have what is wanted, before anybody knows its tools.
    fn may_be_of(&self, source: &str) -> bool {
        self.patterns.iter().any(|pattern| may_name_tool_of(pattern, source))
    }

    /// A pattern that nothing fits.
    fn vain(&self, sources: &[SourceTools]) -> Option<&str> {
        let fits = |pattern: &Pattern, source: &SourceTools| match &source.outcome {
            Ok(tools) => {
                let mut names = tools.iter().map(|tool| tool.definition().name.as_str());
                pattern.fits(&source.source) || names.any(|name| pattern.fits(name))
            }
            // It may be a tool of this one, which can't be known now.
            Err(_) => may_name_tool_of(pattern, &source.source),
        };
        let vain = |pattern: &&Pattern| !sources.iter().any(|source| fits(pattern, source));
        self.patterns.iter().find(vain).map(Pattern::text)
    }
}

/// Whether a pattern can fit a source, or a tool of it whatever its name.
fn may_name_tool_of(pattern: &Pattern, source: &str) -> bool {
    let text = pattern.text();
    let tools = format!("{source}__");
    let plain = text.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default();
    pattern.fits(source) || text.starts_with(&tools) || plain.len() < text.len() && tools.starts_with(plain)
}

fn wrong(what: &str) -> Failure {
    Failure::new(FailureKind::InvalidRequest, what)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_may_name_what_is_not_known_yet() {
        let may = |text: &str| may_name_tool_of(&Pattern::new(text).unwrap(), "git");
        assert!(["git", "g*", "git__log", "git__*", "*", "gi?__log", "*log"].into_iter().all(may));
        assert!(!["gi", "github", "hg*", "log", "git_x"].into_iter().any(may));
    }

    #[test]
    fn a_folder_is_one_and_for_files_alone() {
        assert!(Wanted::parse(&["files=/", "files_read=/"]).unwrap().folder.is_some());
        for bad in
            [&["time=/"][..], &["files="], &["files=/", "files_list=/tmp"], &["files=/no/such"], &["a["]]
        {
            assert!(Wanted::parse(bad).is_err(), "{bad:?}");
        }
    }
}
