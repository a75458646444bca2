//! Waiting for something to become true: look, pause briefly, look again, until a deadline.

use std::time::{Duration, Instant};

use anyhow::bail;

const PAUSE: Duration = Duration::from_millis(10);

/// Asks `look` until it finds something; `what` says in the error what did not come.
pub async fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("not within {} s: {what}", patience.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
