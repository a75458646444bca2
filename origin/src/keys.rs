//! The token key and the list key.
