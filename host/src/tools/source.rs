//! Where tools come from.

use super::Callable;
use crate::model::Result;
use crate::sandbox::Digest;
use serde::Serialize;
use std::sync::Arc;

/// What sort of source a tool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolSource {
    /// A part of this program.
    Builtin,
    /// A component in the folder of plugins.
    Component,
    /// An MCP server.
    Mcp,
}

/// The tools of one source, or why it has none. A source that fails costs its own tools only.
pub(crate) struct SourceTools {
    /// Its name: of the component, of the server.
    pub(crate) source: String,
    pub(crate) kind: ToolSource,
    pub(crate) outcome: Result<Vec<Arc<dyn Callable>>>,
}

/// The name under which models know a tool of a source: what services take, 64 characters at most, and no other tool's of
/// the same source where names differ.
pub(crate) fn full_name(source: &str, tool: &str) -> String {
    const LONGEST: usize = 64;
    let whole = format!("{source}__{tool}");
    let plain: String =
        whole.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    if plain.len() <= LONGEST && plain == whole {
        return plain;
    }
    // What was changed may be another's name now.
    let mark = format!("_{}", &Digest::of(whole.as_bytes()).to_string()[..8]);
    format!("{}{mark}", &plain[..plain.len().min(LONGEST - mark.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_services_take_and_stays_apart() {
        assert_eq!(full_name("time", "convert-time"), "time__convert-time");
        let (dotted, other) = (full_name("s", "a.b"), full_name("s", "a/b"));
        assert!(dotted.starts_with("s__a_b_") && other.starts_with("s__a_b_") && dotted != other);
        let (long, longer) = (full_name("s", &"x".repeat(80)), full_name("s", &"x".repeat(81)));
        assert!(long.len() == 64 && longer.len() == 64 && long != longer);
    }
}
