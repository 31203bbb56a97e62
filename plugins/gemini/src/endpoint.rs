//! Where requests go (<https://ai.google.dev/api/generate-content#method:-models.generatecontent>). The same format is
//! spoken by the Gemini API and by Vertex AI; which one it is shows in the base URL, as do version and project.

/// The version that has every feature; Google's own libraries ask for it too.
const VERSION: &str = "v1beta";

/// The same on Vertex AI.
const VERTEX_VERSION: &str = "v1beta1";

/// Which of the two speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// The Gemini API.
    Gemini,
    /// Vertex AI.
    Vertex,
}

impl Service {
    /// The one at a base URL: Vertex AI's own, or a proxy's that keeps its paths.
    #[must_use]
    pub(crate) fn of(base_url: &str) -> Self {
        let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let named = path.split('/').any(|segment| segment == "projects" || segment == "publishers");
        if named || host.ends_with("aiplatform.googleapis.com") { Self::Vertex } else { Self::Gemini }
    }
}

/// The URL of a model's method.
pub(crate) fn method(base_url: &str, model: &str, method: &str) -> String {
    let base = models_base(base_url);
    let model = model.trim_start_matches('/');
    match model.split_once('/') {
        // A full name: `tunedModels/x`, `publishers/google/models/x`, `projects/p/locations/l/endpoints/1`.
        Some((kind, name)) if kind != "models" => match kind {
            "projects" => format!("{}/{model}:{method}", version_base(base_url)),
            _ => {
                format!("{}/{kind}/{name}:{method}", base.strip_suffix("/publishers/google").unwrap_or(&base))
            }
        },
        Some((_, name)) => format!("{base}/models/{name}:{method}"),
        None => format!("{base}/models/{model}:{method}"),
    }
}

/// A model's name as bodies of the Gemini API have it: with what it is a resource of.
pub(crate) fn full_name(model: &str) -> String {
    let model = model.trim_start_matches('/');
    if model.contains('/') { model.to_owned() } else { format!("models/{model}") }
}

/// The URL of the list of models; `None` on Vertex AI, which lists none of Google's.
pub(crate) fn models(base_url: &str) -> Option<String> {
    (Service::of(base_url) == Service::Gemini).then(|| format!("{}/models", models_base(base_url)))
}

/// What `/models` follows.
fn models_base(base_url: &str) -> String {
    let base = base_url.trim_end_matches('/');
    let base = base.strip_suffix("/models").unwrap_or(base);
    if Service::of(base) == Service::Gemini {
        return if ends_in_version(base) { base.to_owned() } else { format!("{base}/{VERSION}") };
    }
    if base.ends_with("/publishers/google") {
        return base.to_owned();
    }
    let versioned = base.split('/').skip(3).any(is_version);
    let version = if versioned { String::new() } else { format!("/{VERTEX_VERSION}") };
    match base.split_once("/projects/") {
        Some((front, rest)) => format!("{front}{version}/projects/{rest}/publishers/google"),
        // Express mode: the key names the project.
        None => format!("{base}{version}/publishers/google"),
    }
}

/// The base up to and with its version.
fn version_base(base_url: &str) -> String {
    let base = models_base(base_url);
    let base = base.strip_suffix("/publishers/google").unwrap_or(&base);
    base.split_once("/projects/").map_or(base, |(front, _)| front).to_owned()
}

fn ends_in_version(base: &str) -> bool {
    base.rsplit('/').next().is_some_and(is_version)
}

/// `v1`, `v1beta`, `v1beta1`, `v1alpha`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').and_then(|rest| rest.as_bytes().first()).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_with_and_without_version_and_project() {
        const GEMINI: &str = "https://generativelanguage.googleapis.com";
        const VERTEX: &str = "https://aiplatform.googleapis.com";
        let call = |base: &str, model: &str| method(base, model, "generateContent");
        for base in [
            GEMINI.to_owned(),
            format!("{GEMINI}/"),
            format!("{GEMINI}/v1beta"),
            format!("{GEMINI}/v1beta/models"),
        ] {
            for model in ["gemini-x", "models/gemini-x"] {
                assert_eq!(call(&base, model), format!("{GEMINI}/v1beta/models/gemini-x:generateContent"));
            }
        }
        assert_eq!(call("http://h:1/p/v1", "m"), "http://h:1/p/v1/models/m:generateContent");
        assert_eq!(call(GEMINI, "tunedModels/m"), format!("{GEMINI}/v1beta/tunedModels/m:generateContent"));
        let google = format!(
            "{VERTEX}/v1beta1/projects/p/locations/global/publishers/google/models/m:generateContent"
        );
        for base in [
            format!("{VERTEX}/projects/p/locations/global"),
            format!("{VERTEX}/v1beta1/projects/p/locations/global"),
            format!("{VERTEX}/v1beta1/projects/p/locations/global/publishers/google"),
        ] {
            assert_eq!(call(&base, "m"), google);
            assert_eq!(call(&base, "publishers/google/models/m"), google);
            assert_eq!(
                call(&base, "projects/q/locations/l/endpoints/1"),
                format!("{VERTEX}/v1beta1/projects/q/locations/l/endpoints/1:generateContent")
            );
        }
        assert_eq!(call(VERTEX, "m"), format!("{VERTEX}/v1beta1/publishers/google/models/m:generateContent"));
        assert_eq!(
            call("http://127.0.0.1:1/case/x/v1/projects/p/locations/l", "m"),
            "http://127.0.0.1:1/case/x/v1/projects/p/locations/l/publishers/google/models/m:generateContent"
        );
        assert_eq!(models(GEMINI), Some(format!("{GEMINI}/v1beta/models")));
        assert_eq!(models(VERTEX), None);
    }
}
