//! Collects what goes out beside the contract's fields.

use serde_json::{Map, Value};

/// A merge patch (RFC 7396) under construction.
#[derive(Default)]
pub(super) struct Extra(Map<String, Value>);

impl Extra {
    /// Adds a value at a place on the wire.
    pub(super) fn put(&mut self, path: &[&str], value: Value) {
        let nested = path.iter().rev().fold(value, |value, key| {
            let mut map = Map::new();
            map.insert((*key).to_owned(), value);
            Value::Object(map)
        });
        self.merge(nested);
    }

    /// Adds a whole patch; where both say something, it wins.
    pub(super) fn merge(&mut self, patch: Value) {
        if let Value::Object(patch) = patch {
            compose(&mut self.0, patch);
        }
    }

    /// The patch, if there is anything in it.
    pub(super) fn into_value(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Object(self.0))
    }
}

/// Two patches as one. A `null` stays: it removes a member of the request, which is not here yet.
fn compose(base: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(patch)) => compose(base, patch),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patches_merge_at_every_depth_and_keep_null() {
        let mut extra = Extra::default();
        extra.put(&["a", "b"], json!(1));
        extra.put(&["a", "c"], json!({"d": 1}));
        extra.merge(json!({"a": {"b": null, "c": {"e": [2]}}, "f": null}));
        assert_eq!(extra.into_value(), Some(json!({"a": {"b": null, "c": {"d": 1, "e": [2]}}, "f": null})));
        assert_eq!(Extra::default().into_value(), None);
    }
}
