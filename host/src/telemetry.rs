//! What the program writes to stderr about itself: warnings always, more with `-v` or `RUST_LOG`.
//!
//! Decision: only the host's own targets, and those of plugins, can be turned up beyond `info`. At the finer levels
//! HTTP and TLS crates write header values, and a key in a log is a leaked key; so no setting reaches them there.
//! Price: a wire-level trace needs another tool.

use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, fmt};

/// Targets that never carry what goes over the wire.
const OWN: [&str; 2] = ["aimu_host", "plugin"];

/// The finest level of everything else.
const FOREIGN: Level = Level::INFO;

/// Starts writing. `RUST_LOG` (`target=level`, comma-separated) wins over `verbosity`, the number of `-v`.
pub(crate) fn start(verbosity: u8) {
    let wanted = std::env::var("RUST_LOG").ok().filter(|text| !text.trim().is_empty());
    let (targets, mistake) = match wanted.map(|text| text.parse::<Targets>()) {
        Some(Ok(targets)) => (targets, None),
        Some(Err(error)) => (own(verbosity), Some(error)),
        None => (own(verbosity), None),
    };
    let written = fmt::layer()
        .compact()
        .without_time()
        .with_ansi(
            std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
        )
        .with_target(verbosity > 0)
        .with_writer(std::io::stderr)
        .with_filter(filter_fn(may_be_written));
    // Records of the `log` crate are not taken in: rustls and others write theirs there.
    if tracing::subscriber::set_global_default(Registry::default().with(targets).with(written)).is_ok()
        && let Some(error) = mistake
    {
        tracing::warn!("RUST_LOG is not understood and not used: {error}");
    }
}

fn own(verbosity: u8) -> Targets {
    let level = match verbosity {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    Targets::new().with_targets(OWN.map(|target| (target, level)))
}

fn may_be_written(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= FOREIGN || is_own(metadata.target())
}

fn is_own(target: &str) -> bool {
    OWN.iter()
        .any(|own| target.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_targets_go_beyond_info() {
        assert!(is_own("aimu_host") && is_own("aimu_host::egress") && is_own("plugin"));
        for foreign in ["hyper", "h2::codec", "reqwest", "rustls", "plugins", "aimu_hostile"] {
            assert!(!is_own(foreign), "{foreign}");
        }
    }

    #[test]
    fn each_v_goes_one_level_down() {
        assert!(own(0).would_enable("plugin", &Level::WARN) && !own(0).would_enable("plugin", &Level::INFO));
        assert!(own(2).would_enable("aimu_host::egress", &Level::DEBUG));
        assert!(!own(9).would_enable("hyper", &Level::ERROR));
    }
}
