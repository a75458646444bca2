//! Where things are in the checkout. Knows the layout of the tree, not what is in the files.

use std::path::{Path, PathBuf};

/// The top folder of the checkout that this crate was compiled in.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Cargo's output folder: `CARGO_TARGET_DIR` where it is set, as cargo itself decides.
#[must_use]
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || workspace().join("target"),
        |folder| workspace().join(folder),
    )
}

/// The folder that `npm ci` fills.
#[must_use]
pub fn node_modules() -> PathBuf {
    workspace().join("tests/node_modules")
}

/// A tool that an npm package brings.
#[must_use]
pub fn npm_tool(name: &str) -> PathBuf {
    node_modules().join(".bin").join(name)
}

/// The Python environment of the OAuth clients that the end-to-end tests run.
#[must_use]
pub fn client_environment() -> PathBuf {
    target().join("client-python")
}

/// Logs of what our commands ran.
#[must_use]
pub fn logs() -> PathBuf {
    target().join("logs")
}
