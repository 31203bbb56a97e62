//! Where a component stands: never seen, allowed, changed, or asking for more than it was allowed.

use super::ask::Permissions;
use super::store::{Component, Grant};
use std::path::Path;

/// What the user's grants say of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It asks for nothing.
    Nothing,
    /// Nobody has decided about these bytes, or about any of this id in their folder.
    New,
    /// Decided, for these very bytes: what is allowed of what it asks for.
    Allowed(Permissions),
    /// Other bytes were allowed, and these ask for the same or less: what stays allowed, and the digest before.
    Changed { granted: Permissions, before: String },
    /// Other bytes were allowed, and these ask for more.
    Suspended { granted: Permissions, more: Permissions },
}

/// Whether two components lie in one folder. Other bytes of an id are a new build of what was there before; in another
/// folder they may be anybody's, who knows which ids are allowed.
pub(crate) fn beside(one: &str, other: &str) -> bool {
    Path::new(one).parent() == Path::new(other).parent()
}

/// What grants say of a component.
pub(crate) fn standing(grants: &[Grant], component: Component<'_>) -> Standing {
    let Component { plugin, sha256, source, asked } = component;
    if asked.is_empty() {
        return Standing::Nothing;
    }
    let of_plugin = || grants.iter().filter(|grant| grant.plugin == plugin);
    if let Some(own) = of_plugin().find(|grant| grant.sha256 == sha256) {
        return Standing::Allowed(asked.within(&own.granted));
    }
    // The last that was decided: what the user saw last is what these bytes are measured by.
    let Some(last) = of_plugin().rfind(|grant| beside(&grant.source, source)) else { return Standing::New };
    let granted = asked.within(&last.granted);
    // What was left out on purpose stays left out, and is nothing new.
    let more = asked.minus(&last.granted).minus(&last.declined);
    if more.is_empty() {
        Standing::Changed { granted, before: last.sha256.clone() }
    } else {
        Standing::Suspended { granted, more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(names: &[&str]) -> Permissions {
        Permissions {
            origins: names.iter().map(|name| format!("https://{name}.test")).collect(),
            ..Permissions::default()
        }
    }

    fn of(grants: &[Grant], plugin: &str, sha256: &str, source: &str, asked: &[&str]) -> Standing {
        standing(grants, Component { plugin, sha256, source, asked: &servers(asked) })
    }

    fn grant(sha256: &str, granted: &[&str], declined: &[&str]) -> Grant {
        Grant {
            plugin: "x".to_owned(),
            sha256: sha256.to_owned(),
            source: "/p/x.wasm".to_owned(),
            granted: servers(granted),
            declined: servers(declined),
            ..Grant::default()
        }
    }

    #[test]
    fn the_same_bytes_have_what_was_allowed() {
        let grants = [grant("1", &["a", "b"], &[]), grant("2", &["a"], &[])];
        let of_x = |sha256, asked: &[&str]| of(&grants, "x", sha256, "/q/y.wasm", asked);
        assert_eq!(of_x("1", &["a", "b"]), Standing::Allowed(servers(&["a", "b"])));
        // Never more than was allowed, whatever the description says now.
        assert_eq!(of_x("1", &["b", "c"]), Standing::Allowed(servers(&["b"])));
        assert_eq!(of_x("1", &[]), Standing::Nothing);
        assert_eq!(of(&grants, "y", "1", "/p/x.wasm", &["a"]), Standing::New);
    }

    #[test]
    fn other_bytes_are_measured_by_what_was_decided_last() {
        let grants = [grant("1", &["a", "b"], &[]), grant("2", &["a"], &["c"])];
        let of_3 = |asked: &[&str]| of(&grants, "x", "3", "/p/x-3.wasm", asked);
        let before = "2".to_owned();
        assert_eq!(of_3(&["a"]), Standing::Changed { granted: servers(&["a"]), before: before.clone() });
        assert_eq!(of_3(&["a", "c"]), Standing::Changed { granted: servers(&["a"]), before });
        assert_eq!(
            of_3(&["a", "b"]),
            Standing::Suspended { granted: servers(&["a"]), more: servers(&["b"]) }
        );
    }

    #[test]
    fn other_bytes_in_another_folder_take_nothing_over() {
        let grants = [grant("1", &["a"], &[])];
        for source in ["/q/x.wasm", "/p/deeper/x.wasm", "", "x.wasm"] {
            assert_eq!(of(&grants, "x", "2", source, &["a"]), Standing::New, "{source}");
        }
    }
}
