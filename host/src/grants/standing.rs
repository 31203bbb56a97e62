//! Where a component stands: never seen, allowed, changed, or asking for more than it was allowed.

use super::ask::Permissions;
use super::store::Grant;

/// What the user's grants say of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It asks for nothing.
    Nothing,
    /// Nobody has decided about any component of this id.
    New,
    /// Decided, for these very bytes: what is allowed of what it asks for.
    Allowed(Permissions),
    /// Other bytes were allowed, and these ask for the same or less: what stays allowed, and the digest before.
    Changed { granted: Permissions, before: String },
    /// Other bytes were allowed, and these ask for more.
    Suspended { granted: Permissions, more: Permissions },
}

/// What grants say of the component of an id and a digest that asks for this.
pub(crate) fn standing(grants: &[Grant], plugin: &str, sha256: &str, asked: &Permissions) -> Standing {
    if asked.is_empty() {
        return Standing::Nothing;
    }
    let of_plugin = || grants.iter().filter(|grant| grant.plugin == plugin);
    if let Some(own) = of_plugin().find(|grant| grant.sha256 == sha256) {
        return Standing::Allowed(asked.within(&own.granted));
    }
    // The last that was decided: what the user saw last is what these bytes are measured by.
    let Some(last) = of_plugin().next_back() else { return Standing::New };
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

    fn grant(sha256: &str, granted: &[&str], declined: &[&str]) -> Grant {
        Grant {
            plugin: "x".to_owned(),
            sha256: sha256.to_owned(),
            granted: servers(granted),
            declined: servers(declined),
            ..Grant::default()
        }
    }

    #[test]
    fn the_same_bytes_have_what_was_allowed() {
        let grants = [grant("1", &["a", "b"], &[]), grant("2", &["a"], &[])];
        let of = |sha256, asked: &[&str]| standing(&grants, "x", sha256, &servers(asked));
        assert_eq!(of("1", &["a", "b"]), Standing::Allowed(servers(&["a", "b"])));
        // Never more than was allowed, whatever the description says now.
        assert_eq!(of("1", &["b", "c"]), Standing::Allowed(servers(&["b"])));
        assert_eq!(of("1", &[]), Standing::Nothing);
        assert_eq!(standing(&grants, "y", "1", &servers(&["a"])), Standing::New);
    }

    #[test]
    fn other_bytes_are_measured_by_what_was_decided_last() {
        let grants = [grant("1", &["a", "b"], &[]), grant("2", &["a"], &["c"])];
        let of = |asked: &[&str]| standing(&grants, "x", "3", &servers(asked));
        let before = "2".to_owned();
        assert_eq!(of(&["a"]), Standing::Changed { granted: servers(&["a"]), before: before.clone() });
        assert_eq!(of(&["a", "c"]), Standing::Changed { granted: servers(&["a"]), before });
        assert_eq!(of(&["a", "b"]), Standing::Suspended { granted: servers(&["a"]), more: servers(&["b"]) });
    }
}
