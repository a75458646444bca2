//! Reading the KV namespace `LIST`, with a time-out. The edge never writes to it.

use std::pin::pin;
use std::time::Duration;

use super::{Bindings, clock};
use crate::lanes::LaneError;
use futures_util::future::{Either, select};

const BINDING: &str = "LIST";
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long a place of the network may serve its copy: the smallest value that KV takes.
const CACHE_TTL_SECS: u64 = 30;

/// The value of `key`, if it has at most `max_bytes`.
pub async fn fetch_value(
    bindings: &Bindings,
    key: &str,
    max_bytes: usize,
) -> Result<Vec<u8>, LaneError> {
    let fetch = pin!(read_value(bindings, key, max_bytes));
    match select(fetch, pin!(clock::sleep(TIMEOUT))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(((), _)) => Err(LaneError::TimedOut),
    }
}

async fn read_value(
    bindings: &Bindings,
    key: &str,
    max_bytes: usize,
) -> Result<Vec<u8>, LaneError> {
    let namespace = bindings.env.kv(BINDING).map_err(|_| LaneError::NotBound)?;
    // In one piece: a value of KV has at most 25 MiB, and the chunks of a stream are small.
    let value = namespace.get(key).cache_ttl(CACHE_TTL_SECS).bytes().await;
    let bytes = value
        .map_err(|_| LaneError::Unreachable)?
        .ok_or(LaneError::Absent)?;
    if bytes.len() > max_bytes {
        return Err(LaneError::TooLong);
    }
    Ok(bytes)
}
