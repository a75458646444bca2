//! One connection to one Redis process. The process is named by its run id, which changes with
//! every restart; a connection never outlives its process, so what is true of one is true of both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};

/// Nobody waits for it but the task that connects. A handshake is a few answers.
const CONNECTING_MAY_TAKE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) connection: MultiplexedConnection,
    /// `None`: this Redis may drop keys when memory is short, so a missing key means nothing.
    pub(super) run_id: Option<Arc<str>>,
    /// Tells this connection from those before it.
    pub(super) number: u64,
}

impl Link {
    /// Each answer may take so long; a later one ends the connection.
    pub(super) async fn open(client: &Client, may_take: Duration) -> RedisResult<Self> {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING_MAY_TAKE.max(2 * may_take)))
            .set_response_timeout(Some(may_take));
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let info: String = redis::cmd("INFO").query_async(&mut connection).await?;
        let run_id = keeps_every_key(&info)
            .then(|| field(&info, "run_id"))
            .flatten();
        if run_id.is_none() {
            tracing::warn!("Redis may evict keys (maxmemory-policy): the database answers instead");
        }
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            connection,
            run_id: run_id.map(Arc::from),
            number,
        })
    }

    /// Whether it still keeps every key, or still does not: `info` is what it says of its memory.
    pub(super) fn agrees_with(&self, info: &str) -> bool {
        self.run_id.is_some() == keeps_every_key(info)
    }

    /// What the marker must say for this Redis to be believed at `epoch`.
    pub(super) fn marker(&self, epoch: i64) -> Option<String> {
        self.run_id
            .as_ref()
            .map(|run_id| format!("{epoch}:{run_id}"))
    }
}

/// Without a limit on its memory every policy keeps every key, but the limit can be set at any time.
fn keeps_every_key(info: &str) -> bool {
    field(info, "maxmemory_policy") == Some("noeviction")
}

fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_not_believe_a_redis_that_may_drop_keys() {
        assert!(!keeps_every_key(
            "maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n"
        ));
        assert!(keeps_every_key(
            "maxmemory:1024\r\nmaxmemory_policy:noeviction\r\n"
        ));
        assert!(!keeps_every_key(
            "maxmemory:1024\r\nmaxmemory_policy:volatile-ttl\r\n"
        ));
        assert!(!keeps_every_key("redis_version:7.0.15\r\n"));
    }
}
