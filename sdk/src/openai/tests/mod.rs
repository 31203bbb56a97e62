//! What each difference between servers does, without any recording.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod errors;
mod requests;
