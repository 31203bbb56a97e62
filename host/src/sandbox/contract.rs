//! The contracts that this host speaks, by name.

use crate::model::Kind;

/// The package that providers import and export.
pub(crate) const PACKAGE: &str = "aimu:provider";

/// The newest version. Semver-compatible releases of it can be run.
pub(crate) const VERSION: &str = "0.1.0";

/// The package that components of tools export. They import the one of providers, whose data it shares.
pub(crate) const TOOL_PACKAGE: &str = "aimu:tool";

/// Its newest version.
pub(crate) const TOOL_VERSION: &str = "0.1.0";

/// The package that an interface belongs to.
pub(crate) fn package_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Tools => TOOL_PACKAGE,
        Kind::Text | Kind::Embedding | Kind::Tokens | Kind::Library => PACKAGE,
    }
}
