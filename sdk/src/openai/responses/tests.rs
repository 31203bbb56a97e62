//! What no recording shows.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod requests;
