//! Grants: what the user has allowed components that did not come with the program.
//!
//! Problem: a component says itself which servers and which keys it wants, and anybody can write one. Decision: it gets
//! nothing of that until the user allows it, for the bytes that the user saw. What was allowed stands in a file of the
//! host's own in the user's configuration, under the plugin's id and the SHA-256 of its bytes, never beside the
//! component; components that come with the program have what they declare. Other bytes under the same id that ask for
//! the same or less keep what was allowed, and a notice says so, since a fixed bug must not cost a question; bytes that
//! ask for more get nothing at all until the user has seen the difference. Price: an id is a name that anybody can take,
//! so a stranger who takes one and asks for no more has its servers and keys. They go nowhere else: the servers, the
//! variables and the place of each key are part of what is compared. Who wants no other bytes at all uses a lock file.
//!
//! A grant can be given by the command line and by [`Host::allow_plugin`](crate::Host::allow_plugin), and by nothing
//! that a model, a component or a server reaches.

mod ask;
mod escape;
mod lock;
mod permit;
mod servers;
mod standing;
mod store;

pub use ask::{CredentialUse, Permissions};
pub use escape::escaped;
pub use lock::{LockedPlugin, PluginLock};
pub(crate) use permit::{Permit, Ticket};
pub(crate) use servers::{ANY, base_origin, declared_origin};
pub(crate) use standing::{Standing, beside, standing};
pub(crate) use store::{Component, GrantStore};
