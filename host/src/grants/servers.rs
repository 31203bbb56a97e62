//! Servers that components ask for, each in the one form that it is shown, kept and compared in.

use super::escaped;
use crate::egress::parse_origin;
use crate::model::Description;
use crate::settings;
use std::collections::BTreeSet;

/// Any server of the internet, in the place of one. A component of tools may ask for it, and have in its place the
/// servers that the user names.
pub(crate) const ANY: &str = "*";

/// Whether a server is one of these.
pub(super) fn covers(these: &BTreeSet<String>, origin: &str) -> bool {
    these.contains(origin) || these.contains(ANY)
}

/// The servers that are in both.
pub(super) fn common(one: &BTreeSet<String>, other: &BTreeSet<String>) -> BTreeSet<String> {
    let of_one = one.iter().filter(|origin| covers(other, origin));
    of_one.chain(other.iter().filter(|origin| covers(one, origin))).cloned().collect()
}

/// An origin in the one form that it has here.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let origin = parse_origin(text)
        .ok_or_else(|| format!("its origin `{}` is not `https://host[:port]`", escaped(text)));
    Ok(origin?.ascii_serialization())
}

/// A declared server, or one that a credential goes to. A setting may stand for labels of its name, but not for the last
/// two: what the user sees there is whose server it is.
pub(crate) fn declared_origin(description: &Description, text: &str) -> Result<String, String> {
    if text == ANY && description.is_of_tools() {
        return Ok(ANY.to_owned());
    }
    if !text.contains('{') {
        return origin(text);
    }
    let wrong = |what: &str| format!("its origin `{}` {what}", escaped(text));
    let asked = templated(description, text).map_err(|what| wrong(&what))?;
    let end = asked.rsplit_once('}').map_or("", |(_, end)| end);
    let end = end.split(':').next().unwrap_or_default();
    if end.split('.').filter(|label| !label.is_empty()).count() < 2 || !end.starts_with('.') {
        return Err(wrong(
            "may have settings only before the last two names of its host, `https://{x}.example.com`",
        ));
    }
    Ok(asked)
}

/// The server of the default base URL.
pub(crate) fn base_origin(description: &Description) -> Result<Option<String>, String> {
    let Some(text) = &description.default_base_url else { return Ok(None) };
    let wrong = |what: &str| format!("its default base URL `{}` {what}", escaped(text));
    let start = text.find("://").map_or(0, |colon| colon + 3);
    // What ends the host in a URL of these schemes.
    let end = text.get(start..).and_then(|rest| rest.find(['/', '\\', '?', '#'])).map(|end| start + end);
    let server = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    if server.contains('{') {
        return templated(description, server).map(Some).map_err(|what| wrong(&what));
    }
    origin(server).map(Some).map_err(|_| wrong("is not `https://host[:port]/path`"))
}

/// A server with settings in its host. They stay in braces, with their defaults: a new default is another server. The
/// error says in words what is wrong.
fn templated(description: &Description, text: &str) -> Result<String, String> {
    let schema = description.settings_schema.as_ref();
    let wrong = || "is not `https://host[:port]`".to_owned();
    let (scheme, mut rest) = text.split_once("://").ok_or_else(wrong)?;
    if !matches!(scheme, "http" | "https") {
        return Err(wrong());
    }
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
    let mut asked = format!("{scheme}://");
    while let Some((before, after)) = rest.split_once('{') {
        let (key, after) = after.split_once('}').ok_or_else(wrong)?;
        if !settings::declares(schema, key) {
            let key = escaped(key);
            return Err(format!("holds the setting `{key}`, which its settings-schema does not have"));
        }
        let default = settings::text(&serde_json::Map::new(), schema, key)
            .map(|default| format!("={default}"))
            .unwrap_or_default();
        let value = default.strip_prefix('=').unwrap_or_default();
        if key.is_empty() || ![before, key, value].into_iter().all(plain) {
            return Err(wrong());
        }
        asked += &format!("{}{{{key}{default}}}", before.to_ascii_lowercase());
        rest = after;
    }
    if !plain(rest) {
        return Err(wrong());
    }
    Ok(asked + &rest.to_ascii_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub(in crate::grants) fn described(base: &str, origins: &[&str]) -> Description {
        Description {
            default_base_url: Some(base.to_owned()),
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            settings_schema: Some(
                json!({ "properties": { "region": { "default": "eu-1" }, "account": {} } }),
            ),
            ..Description::default()
        }
    }

    #[test]
    fn a_setting_in_a_host_is_shown_with_its_default() {
        let of = |base: &str| base_origin(&described(base, &[]));
        assert_eq!(
            of("https://{account}.{region}.x.test:8443/v1").unwrap().unwrap(),
            "https://{account}.{region=eu-1}.x.test:8443"
        );
        for bad in [
            "https://{region",
            "https://a@{region}",
            "https://\u{1b}{region}",
            "{region}://x",
            "https:///{region}",
            "https://{other}.x.test",
            "x",
        ] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
        assert!(of("https://u:p@x.test").is_err());
    }

    #[test]
    fn a_setting_in_a_declared_server_is_below_what_the_user_sees() {
        let of = |text: &str| declared_origin(&described("https://x.test", &[]), text);
        assert_eq!(of("https://a.{region}.x.test").unwrap(), "https://a.{region=eu-1}.x.test");
        assert_eq!(of("https://a-{account}.x.test:8443").unwrap(), "https://a-{account}.x.test:8443");
        for (bad, word) in [
            ("https://{account}", "last two names"),
            ("https://{account}.test", "last two names"),
            ("https://{account}x.test.x", "last two names"),
            ("https://x.test.{account}", "last two names"),
            ("https://x.test:{account}", "last two names"),
            ("https://{account}.:x.test", "last two names"),
            ("https://{other}.x.test", "`other`, which its settings-schema does not have"),
            ("https://{}.x.test", "settings-schema"),
            ("https://{account.x.test", "is not"),
            ("https://{account}.x.test/path", "is not"),
            ("https://u@{account}.x.test", "is not"),
            ("ftp://{account}.x.test", "is not"),
        ] {
            let error = of(bad).unwrap_err();
            assert!(error.contains(word) && error.contains(bad), "{bad}: {error}");
        }
    }
}
