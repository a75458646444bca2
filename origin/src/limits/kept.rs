//! Where counters are kept: in Redis, or in the database where there is no Redis or it is away. Both
//! by compare and swap, so that the rules are in one place and in one language. The two do not know of
//! each other: a Redis that goes away takes its count along, and within a window both may be used up.

use redis::Pipeline;

use crate::app::App;
use crate::cache::RedisCache;
use crate::error::ApiError;
use crate::rate_window::{Limit, Window};
use crate::store::limits;

/// Contention so long means a flood at one counter.
const TRIES: usize = 200;

/// A place that was taken.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) limit: Limit,
    pub(super) kept: Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    InRedis,
    InDatabase,
}

impl Place {
    /// Changes the counter that the place was taken at. A Redis that is gone took it along.
    pub(super) async fn settle(
        &self,
        app: &App,
        next: impl Fn(Window) -> Window,
    ) -> Result<(), ApiError> {
        let step = |window| ((), next(window));
        match (self.kept, &app.cache) {
            (Kept::InRedis, Some(cache)) => {
                let changed = change_in_redis(cache, &self.key, self.limit, step).await;
                changed.unwrap_or(Ok(()))
            }
            _ => change_in_database(app, &self.key, step).await,
        }
    }
}

/// Replaces the counter by what `step` makes of it; answers what else it said, and where.
pub(super) async fn change<T>(
    app: &App,
    key: &str,
    limit: Limit,
    step: impl Fn(Window) -> (T, Window),
) -> Result<(T, Kept), ApiError> {
    if let Some(cache) = &app.cache
        && let Some(said) = change_in_redis(cache, key, limit, &step).await
    {
        return Ok((said?, Kept::InRedis));
    }
    Ok((change_in_database(app, key, step).await?, Kept::InDatabase))
}

async fn change_in_database<T>(
    app: &App,
    key: &str,
    step: impl Fn(Window) -> (T, Window),
) -> Result<T, ApiError> {
    for _ in 0..TRIES {
        let old = limits::find(&app.pool, key).await?;
        let (said, new) = step(old.unwrap_or_default());
        if old == Some(new) || limits::swap(&app.pool, key, old, new).await? == limits::Swapped::Yes
        {
            return Ok(said);
        }
    }
    Err(CONTENDED)
}

/// `None`: there is no connection, or there is none any more.
async fn change_in_redis<T>(
    cache: &RedisCache,
    key: &str,
    limit: Limit,
    step: impl Fn(Window) -> (T, Window),
) -> Option<Result<T, ApiError>> {
    const SWAP: &str = "
        if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
        return 1";
    for _ in 0..TRIES {
        let mut get = Pipeline::new();
        get.cmd("GET").arg(key);
        let (old,): (Option<String>,) = cache.query(&get).await?;
        let old = old.unwrap_or_default();
        let (said, new) = step(parse(&old));
        let mut swap = Pipeline::new();
        let swap_command = swap.cmd("EVAL").arg(SWAP).arg(1).arg(key);
        swap_command
            .arg(&old)
            .arg(print(new))
            .arg(limit.kept_secs());
        let (swapped,): (u8,) = cache.query(&swap).await?;
        if swapped == 1 {
            return Some(Ok(said));
        }
    }
    Some(Err(CONTENDED))
}

fn print(window: Window) -> String {
    format!(
        "{} {} {} {}",
        window.started_at_millis, window.failures, window.pending, window.doublings
    )
}

/// What is not a counter of ours is none.
fn parse(text: &str) -> Window {
    let mut numbers = text.split(' ').map(str::parse::<u64>);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or_default();
    Window {
        started_at_millis: next(),
        failures: next(),
        pending: next(),
        doublings: u32::try_from(next()).unwrap_or_default(),
    }
}

/// Nobody gets a place by a flood.
const CONTENDED: ApiError = ApiError::LimitsBusy;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_read_as_it_was_written() {
        let window = Window {
            started_at_millis: 1_700_000_000_123,
            failures: 7,
            pending: 2,
            doublings: 3,
        };
        assert_eq!(parse(&print(window)), window);
        for foreign in ["", "12", "a b c d"] {
            assert_eq!(parse(foreign).failures, 0, "{foreign}");
        }
    }
}
