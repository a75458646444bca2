//! The only modules that know the Workers platform. Each does one kind of effect and decides
//! nothing: what to send, when, and what an answer means is settled by the pure modules.

pub mod call;
pub mod clock;
pub mod digest;
pub mod guard;
pub mod http;
pub mod introspect;
pub mod kv;
pub mod log;
pub mod pull;
pub mod reply;
#[cfg(feature = "test-routes")]
pub mod test_routes;
pub mod upstream;
mod wait;
pub mod web_crypto;

pub use call::{Bindings, Call, Inbound};
pub use reply::Reply;
