//! The provider `openai-compat`: any server that speaks OpenAI's chat completions, or Responses.
//!
//! Problem: local servers and most brands speak one wire format, each a little differently. Decision: one component
//! for all of them; a server is an instance of it, with a base URL and the settings that name its differences. The
//! host's presets are such instances, in the same form as a user's own. The setting `api` chooses the wire format.

use aimu_sdk::openai::{Brand, Compatible};

/// The component.
#[derive(Debug)]
pub struct OpenAiCompat;

impl Compatible for OpenAiCompat {
    fn brand() -> Brand {
        Brand {
            id: "openai-compat",
            display_name: "OpenAI-compatible server",
            version: env!("CARGO_PKG_VERSION"),
            homepage: Some("https://platform.openai.com/docs/api-reference/chat"),
            // Only the instance knows where its server is.
            base_url: None,
            key_env: &["OPENAI_COMPAT_API_KEY"],
            key_optional: true,
            ..Brand::default()
        }
    }
}

aimu_sdk::export_provider!(OpenAiCompat: embedding);

#[cfg(test)]
mod tests;
