//! The claim to fill Redis: one replica at a time. What the holder wrote counts only while the claim
//! is there: a flush takes the claim along with the keys.

use redis::Pipeline;

use super::RedisCache;
use super::layout::{COMPLETE, REBUILDING};
use super::link::Link;
use crate::random;

/// A holder that says nothing for so long has died; another may begin.
const LIFE_SECS: u64 = 60;

/// `KEYS`: the claim; `ARGV`: its holder, its life.
const RENEW: &str = "
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    redis.call('EXPIRE', KEYS[1], ARGV[2])
    return 1";

/// `KEYS`: the claim, the marker; `ARGV`: the claim's holder, the marker's value.
const COMPLETE_IF_HELD: &str = "
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[2], ARGV[2])
    return 1";

const RELEASE: &str = "
    if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
    return 1";

pub(super) struct Claim {
    holder: String,
}

/// What became of a step that asks for the claim.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    /// Flushed, run out, or another's; or Redis is away.
    Lost,
}

impl Claim {
    pub(super) async fn take(cache: &RedisCache, link: &mut Link) -> Option<Self> {
        let holder = random::new_id().ok()?;
        let mut take = Pipeline::new();
        take.cmd("SET")
            .arg(REBUILDING)
            .arg(&holder)
            .arg("NX")
            .arg("EX")
            .arg(LIFE_SECS);
        match cache.query_link::<(Option<String>,)>(link, &take).await {
            Some((Some(_),)) => Some(Self { holder }),
            _ => None,
        }
    }

    pub(super) async fn renew(&self, cache: &RedisCache, link: &mut Link) -> Held {
        let mut renew = Pipeline::new();
        renew
            .cmd("EVAL")
            .arg(RENEW)
            .arg(1)
            .arg(REBUILDING)
            .arg(&self.holder)
            .arg(LIFE_SECS);
        held(cache.query_link(link, &renew).await)
    }

    /// Marks Redis as complete in the same step that sees the claim still there.
    pub(super) async fn complete(&self, cache: &RedisCache, link: &mut Link, marker: &str) -> Held {
        let mut complete = Pipeline::new();
        complete
            .cmd("EVAL")
            .arg(COMPLETE_IF_HELD)
            .arg(2)
            .arg(REBUILDING)
            .arg(COMPLETE)
            .arg(&self.holder)
            .arg(marker);
        held(cache.query_link(link, &complete).await)
    }

    /// Where Redis is away the claim runs out by itself.
    pub(super) async fn release(self, cache: &RedisCache, link: &mut Link) {
        let mut release = Pipeline::new();
        release
            .cmd("EVAL")
            .arg(RELEASE)
            .arg(1)
            .arg(REBUILDING)
            .arg(&self.holder)
            .ignore();
        cache.query_link::<()>(link, &release).await;
    }
}

fn held(answer: Option<(i64,)>) -> Held {
    match answer {
        Some((1,)) => Held::Yes,
        _ => Held::Lost,
    }
}
