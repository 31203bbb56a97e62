//! The models that a server keeps: fetching one.

use serde_json::{Map, Value};

use crate::json::put;
use crate::{Context, Detail, Event, Events, Failure};

/// A provider whose server fetches models. Export it with
/// [`export_provider!`](crate::export_provider)`(MyProvider: library)`.
pub trait Pull {
    /// The server fetches a model. Push a [`progress`] now and then; returning is the end.
    ///
    /// # Errors
    /// The failure as the server reported it, mapped to the contract's kinds.
    fn pull(ctx: Context, model: String, events: &mut Events<'_>) -> Result<(), Failure>;
}

/// How far a server is: what it does, and bytes where it tells them.
#[must_use]
pub fn progress(status: &str, completed: Option<u64>, total: Option<u64>) -> Event {
    let mut data = Map::new();
    data.insert("status".into(), status.into());
    put(&mut data, "completed", completed);
    put(&mut data, "total", total);
    Event::Detail(Detail { index: None, kind: "progress".into(), data: Value::Object(data).to_string() })
}
