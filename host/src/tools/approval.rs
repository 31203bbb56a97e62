//! Who may run what.

use crate::model::{Failure, FailureKind, Result, ToolCall, ToolDefinition};
use futures::future::BoxFuture;
use globset::{GlobBuilder, GlobMatcher};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Whether a tool may be run when a model calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// It may.
    Allow,
    /// Somebody is asked, each time. Where nobody can be asked, it may not.
    Ask,
    /// It may not.
    Deny,
}

impl std::fmt::Display for Approval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        })
    }
}

impl std::str::FromStr for Approval {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "allow" => Ok(Self::Allow),
            "ask" => Ok(Self::Ask),
            "deny" => Ok(Self::Deny),
            _ => {
                let what = format!("`{text}` is none of allow, ask and deny");
                Err(Failure::new(FailureKind::InvalidRequest, what))
            }
        }
    }
}

/// What somebody is asked about: one call of a tool. Its arguments fit the tool's schema; they and the names are the
/// model's and the tool's words, so show them with [`escaped`](crate::escaped).
#[derive(Clone, Debug)]
pub struct AskedTool {
    /// The call.
    pub call: ToolCall,
    /// Its arguments, all of them.
    pub arguments: Map<String, Value>,
    /// The tool.
    pub definition: ToolDefinition,
}

/// Asks somebody.
pub(super) type Ask = Arc<dyn Fn(AskedTool) -> BoxFuture<'static, bool> + Send + Sync>;

/// Names of tools, by a glob of `*`, `?` and `[…]`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(GlobMatcher);

impl Pattern {
    /// # Errors
    /// It is no glob.
    pub(crate) fn new(text: &str) -> Result<Self> {
        let glob = GlobBuilder::new(text).build().map_err(|error| {
            let what = format!("`{text}` is no pattern of tools' names: {}", error.kind());
            Failure::new(FailureKind::InvalidRequest, what)
        })?;
        Ok(Self(glob.compile_matcher()))
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        self.0.glob().glob()
    }

    pub(crate) fn fits(&self, name: &str) -> bool {
        self.0.is_match(name)
    }

    /// Whether it is this very name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.0.glob().glob() == name
    }
}

/// Rules by name; a later one goes before an earlier one.
#[derive(Clone, Debug)]
pub(super) struct Rules<T>(Vec<(Pattern, T)>);

impl<T> Default for Rules<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Rules<T> {
    pub(super) fn add(&mut self, pattern: &str, rule: T) -> Result<()> {
        self.0.push((Pattern::new(pattern)?, rule));
        Ok(())
    }

    pub(super) fn of(&self, name: &str) -> Option<T> {
        self.0.iter().rev().find(|(pattern, _)| pattern.fits(name)).map(|(_, rule)| *rule)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_fits_holds() {
        let mut rules = Rules::default();
        rules.add("files_*", Approval::Allow).unwrap();
        rules.add("files_w*", Approval::Deny).unwrap();
        assert_eq!(rules.of("files_read"), Some(Approval::Allow));
        assert_eq!(rules.of("files_write"), Some(Approval::Deny));
        assert_eq!(rules.of("shell"), None);
        assert!(rules.add("a[", Approval::Ask).unwrap_err().message.contains("`a[`"));
    }
}
