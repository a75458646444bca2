//! Listening and answering.
