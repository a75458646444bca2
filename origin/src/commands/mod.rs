//! The subcommands of `portcullis`.
