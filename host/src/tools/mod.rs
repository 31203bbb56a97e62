//! Tools: the host owns them, so that one set works alike with every provider, streamed or not, and nothing that a
//! model says can run a thing that the user did not offer.
//!
//! A [`Callable`] is one tool, wherever it comes from; a [`Toolbox`] is what a conversation offers, with the rules of who
//! may run what.

mod approval;
mod arguments;
mod call;
mod callable;
mod dispatch;
mod function;
mod reply;
mod source;
mod toolbox;

pub(crate) use approval::Pattern;
pub use approval::{Approval, AskedTool};
pub use callable::{Callable, ToolContext};
pub(crate) use dispatch::Dispatch;
pub use function::Function;
pub use reply::ToolReply;
pub use source::ToolSource;
pub(crate) use source::{SourceTools, full_name};
pub use toolbox::Toolbox;
