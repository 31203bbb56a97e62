//! The components that come with the program, and the only ones whose declared origins and keys are granted unasked.

/// A component that was built with the program.
pub(crate) struct Embedded {
    /// The plugin's id, and the name of its folder under `plugins/`.
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
    /// SHA-256, hexadecimal.
    pub(crate) sha256: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
