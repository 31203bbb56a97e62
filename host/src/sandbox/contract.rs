//! The contract that this host speaks, by name.

/// The package that components import and export.
pub(crate) const PACKAGE: &str = "aimu:provider";

/// The newest version. Semver-compatible releases of it can be run.
pub(crate) const VERSION: &str = "0.1.0";
