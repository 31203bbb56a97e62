//! Structured output: a JSON Schema in, a checked value out.
//!
//! Problem: a schema is a wish. Some models have no word for it on their wire, servers that take it hold the model to
//! it more or less, and a program that gets what does not fit breaks far from the cause. Decision: where the catalogue
//! says that the model has no structured output, the host asks for it in the instructions of the request; whatever way
//! it was asked for, the host looks for the value, checks it, and asks again with the faults that it found, a few times.
//! The history has the question and the answer that fits, nothing of what was between. Price: text is shown as it
//! comes, so what did not fit has been seen by then, and a warning stands between it and the next; and the tokens of all
//! answers are paid for, which the usage says.

mod again;
mod find;
mod form;

pub(crate) use again::{Again, Next, Watch};
pub(crate) use find::value;
pub(crate) use form::{Form, unfinished};
