//! Limits that the engine itself keeps, and how it is told apart at which of them it has ended a guest.

use crate::limits::{Limits, reached};
use crate::model::Failure;
use wasmtime::Trap;

/// What a guest may pass to the host at once, which the host has to hold.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) bytes: usize,
    /// The limit that sets it, if one does.
    pub(super) limit: Option<&'static str>,
}

impl Room {
    /// For events, and the small results of calls.
    pub(super) fn event(limits: &Limits) -> Self {
        Self { bytes: limits.event, limit: Some("event") }
    }

    /// For descriptions and lists of models.
    pub(super) fn catalog(limits: &Limits) -> Self {
        Self { bytes: limits.catalog, limit: Some("catalog") }
    }

    /// For what a tool answers.
    pub(super) fn tool_reply(limits: &Limits) -> Self {
        Self { bytes: limits.tool_reply, limit: Some("tool-reply") }
    }
}

/// The limit that the engine itself has ended a guest at. It says so in words alone.
pub(super) fn beyond(error: &wasmtime::Error, limits: &Limits, room: Room) -> Option<Failure> {
    if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        let what = format!("it called itself until its stack of {} KiB was full", limits.stack >> 10);
        return Some(reached("stack", &what));
    }
    let words = error.root_cause().to_string();
    if words.starts_with("resource limit exceeded") {
        let what = format!("it is made of more than {} instances, memories or tables", limits.instances);
        return Some(reached("instances", &what));
    }
    let limit = room.limit.filter(|_| words.starts_with("too much data is being copied"))?;
    Some(reached(limit, &format!("it passed more than {} bytes to the host at once", room.bytes)))
}
