//! An instance's settings: merged from where they are given, checked against the plugin's schema.

use crate::model::{Description, Failure, FailureKind, Result};
use serde_json::{Map, Value};

/// Settings, the later ones winning: the instance's, then this run's.
pub(crate) fn merge(
    description: &Description,
    configured: Option<&Map<String, Value>>,
    given: &Map<String, Value>,
    name: &str,
) -> Result<Map<String, Value>> {
    let mut settings = configured.cloned().unwrap_or_default();
    for (key, value) in given {
        settings.insert(key.clone(), value.clone());
    }
    let wrong = |what: String| Failure::new(FailureKind::InvalidRequest, what).of_provider(name);
    let Some(schema) = &description.settings_schema else {
        return match settings.keys().next() {
            Some(key) => Err(wrong(format!("`{name}` has no settings, and so no `{key}`"))),
            None => Ok(settings),
        };
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, value) in &mut settings {
        let property = properties.and_then(|properties| properties.get(key));
        if let Some(properties) = properties
            && property.is_none()
            && schema.get("additionalProperties") == Some(&Value::Bool(false))
        {
            let known: Vec<&str> = properties.keys().map(String::as_str).collect();
            return Err(wrong(format!("`{name}` has no setting `{key}`; it has {}", known.join(", "))));
        }
        as_declared(value, property);
    }
    let value = Value::Object(settings);
    if value.as_object().is_some_and(|settings| !settings.is_empty()) {
        let validator = jsonschema::validator_for(schema).map_err(|error| {
            let what =
                format!("the plugin `{}`: its settings-schema is no JSON Schema: {error}", description.id);
            Failure::new(FailureKind::Internal, what)
        })?;
        if let Some(error) = validator.iter_errors(&value).next() {
            let place = error.instance_path().to_string();
            let place = place.trim_start_matches('/').replace('/', ".");
            return Err(wrong(format!("the setting `{place}` of `{name}` is wrong: {error}")));
        }
    }
    match value {
        Value::Object(settings) => Ok(settings),
        _ => Ok(Map::new()),
    }
}

/// On a command line `2024` may be meant as text: a value takes the type that its property has alone.
fn as_declared(value: &mut Value, property: Option<&Value>) {
    let declared = property.and_then(|property| property.get("type")).and_then(Value::as_str);
    if declared == Some("string") && (value.is_number() || value.is_boolean()) {
        *value = Value::String(value.to_string());
    }
}

/// A setting of text, or what the schema has as its default.
pub(crate) fn text<'a>(
    settings: &'a Map<String, Value>,
    schema: Option<&'a Value>,
    key: &str,
) -> Option<&'a str> {
    let declared = || schema?.get("properties")?.get(key)?.get("default");
    settings.get(key).or_else(declared).and_then(Value::as_str)
}

/// Whether a schema names this setting.
pub(crate) fn declares(schema: Option<&Value>, key: &str) -> bool {
    schema.and_then(|schema| schema.get("properties")?.get(key)).is_some()
}

/// The names in braces of a configured base URL that the plugin does not have settings for: they are the URL's own, and
/// the plugin has no use for them.
pub(crate) fn of_url<'a>(url: &'a str, schema: Option<&Value>) -> Vec<&'a str> {
    let names = url.split('{').skip(1).filter_map(|after| after.split_once('}')).map(|(name, _)| name);
    names.filter(|name| !declares(schema, name)).collect()
}

/// Moves some settings out of others, as the text that they are for a URL.
pub(crate) fn take(
    names: &[&str],
    settings: &mut Map<String, Value>,
) -> impl Iterator<Item = (String, Value)> {
    let taken: Vec<_> = names.iter().filter_map(|name| settings.remove_entry(*name)).collect();
    taken.into_iter().map(|(name, value)| match value {
        // On a command line an account's number is a number.
        Value::Number(number) => (name, Value::String(number.to_string())),
        value => (name, value),
    })
}

/// What `{setting}` is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// A base URL: a part of its host or its path.
    BaseUrl,
    /// A server that a plugin declares besides: one label of its host, below what the user was shown.
    Origin,
}

/// Fills `{setting}`.
pub(crate) fn fill(
    text: &str,
    place: Filled,
    settings: &Map<String, Value>,
    schema: Option<&Value>,
    name: &str,
) -> Result<String> {
    let wrong = |what| Failure::new(FailureKind::InvalidRequest, what).of_provider(name);
    let (what, dots) = match place {
        Filled::BaseUrl => ("its base URL", true),
        Filled::Origin => ("its server", false),
    };
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((key, after)) = after.split_once('}') else {
            break;
        };
        let value = self::text(settings, schema, key).ok_or_else(|| {
            wrong(format!("`{name}` needs the setting `{key}` for {what} {text}: add `--setting {key}=…`"))
        })?;
        // Nothing that could change what host it is.
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (dots && c == '.');
        if !value.chars().all(fits) || value.is_empty() {
            let signs = if dots { "`-`, `_` and `.`" } else { "`-` and `_`" };
            return Err(wrong(format!(
                "the setting `{key}` of `{name}` is part of {what} {text}, and may hold letters, digits, {signs} only"
            )));
        }
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn described() -> Description {
        Description {
            settings_schema: Some(json!({
                "type": "object", "additionalProperties": false,
                "properties": { "region": {"type": "string"}, "count": {"type": "integer", "minimum": 1} }
            })),
            ..Description::default()
        }
    }

    fn with(settings: Value) -> Result<Map<String, Value>> {
        merge(&described(), None, settings.as_object().unwrap(), "x")
    }

    #[test]
    fn settings_are_checked_and_named() {
        assert!(with(json!({"count": 0})).unwrap_err().message.contains("`count`"));
        assert!(with(json!({"cuont": 1})).unwrap_err().message.contains("region, count"));
        assert_eq!(with(json!({"region": 2024})).unwrap()["region"], "2024");
    }

    #[test]
    fn a_url_is_filled_but_its_host_can_not_be_changed() {
        let settings = json!({"region": "eu-1", "evil": "a.b/c?@", "dots": "a.b"});
        let settings = settings.as_object().unwrap();
        let schema = &json!({ "properties": { "zone": {"default": "z1"}, "region": {"default": "us-1"} } });
        let of = |place| move |text: &str| fill(text, place, settings, Some(schema), "x");
        let fill = of(Filled::BaseUrl);
        assert_eq!(fill("https://api.{region}.x.com").unwrap(), "https://api.eu-1.x.com");
        assert_eq!(fill("https://{zone}.x.com").unwrap(), "https://z1.x.com");
        assert!(fill("https://{evil}").is_err());
        assert!(fill("https://{missing}").unwrap_err().message.contains("--setting missing="));
        assert_eq!(fill("https://{dots}.x.com").unwrap(), "https://a.b.x.com");
        // A declared server's is one label.
        let fill = of(Filled::Origin);
        assert_eq!(fill("https://api.{region}.x.com").unwrap(), "https://api.eu-1.x.com");
        for key in ["dots", "evil"] {
            let failure = fill(&format!("https://{{{key}}}.x.com")).unwrap_err();
            assert!(failure.message.contains(&format!("`{key}`")), "{failure}");
        }
    }

    #[test]
    fn what_only_a_url_needs_is_kept_from_the_plugin() {
        let schema = described().settings_schema;
        let names = of_url("https://{account}.{region}.x.com", schema.as_ref());
        assert_eq!(names, ["account"]);
        let mut settings = json!({"account": 7, "count": 2}).as_object().unwrap().clone();
        let taken: Map<String, Value> = take(&names, &mut settings).collect();
        assert_eq!((json!(taken), json!(settings)), (json!({"account": "7"}), json!({"count": 2})));
        assert!(of_url("https://x.com/{", None).is_empty());
    }
}
