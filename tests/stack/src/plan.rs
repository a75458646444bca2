//! What to start: which stores, which ports, which settings.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::port;
use crate::stores::Stores;

/// What to start. `Plan::new` is the smallest whole.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Logs, keys, databases and the local KV.
    pub folder: PathBuf,
    /// The built Worker.
    pub worker: PathBuf,
    pub stores: Stores,
    pub origin_port: u16,
    pub edge_port: u16,
    /// The `portcullis` to run; see `OriginSettings`.
    pub origin_binary: Option<PathBuf>,
    /// Added to the origin's environment.
    pub origin_environment: Vec<(String, String)>,
    /// Over the Worker's `vars`; `UPSTREAM_URL` is the origin unless named here.
    pub edge_vars: Map<String, Value>,
}

impl Plan {
    /// Embedded stores, free ports, defaults everywhere else.
    pub fn new(folder: PathBuf, worker: PathBuf) -> anyhow::Result<Self> {
        Ok(Self {
            folder,
            worker,
            stores: Stores::Embedded,
            origin_port: port::find_free()?,
            edge_port: port::find_free()?,
            origin_binary: None,
            origin_environment: Vec::new(),
            edge_vars: Map::new(),
        })
    }
}
