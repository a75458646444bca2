//! From a request to what a handler works with: strict bodies, the caller, the bearer of a token,
//! the client. Everything that is refused before a handler runs is refused here.

mod bearer;
mod body;
mod caller;
mod client;
mod edge;
mod path;

pub use bearer::{Authenticated, Operator};
pub use body::{Form, JsonBody};
pub use client::{authenticate_client, is_client_id, secret_hash};
pub use edge::Edge;
pub use path::PathName;
