//! What an access token is, when it is valid, and what the revocation list is.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
