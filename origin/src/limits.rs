//! How many failed attempts an account and an address have. Counted before the attempt and given
//! back if it was none: a thousand guesses at once are a thousand attempts. Kept in Redis, or in
//! the database where there is no Redis or it is away.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::Pipeline;
use sha2::{Digest, Sha256};

use crate::accounts::parse_email;
use crate::app::App;
use crate::cache::RedisCache;
use crate::error::ApiError;
use crate::store::limits;

const WINDOW_SECS: u64 = 60;
const PER_ACCOUNT: u64 = 10;
const PER_ADDRESS: u64 = 60;

/// One attempt that counts as failed until it is forgiven.
#[derive(Debug)]
pub struct Attempt {
    counted: [(String, Kept); 2],
}

#[derive(Debug, Clone, Copy)]
enum Kept {
    InRedis,
    InDatabase,
}

impl Attempt {
    /// The address first: one that is refused must not use up the attempts of an account.
    pub async fn begin(app: &App, account: &str, address: &str) -> Result<Self, ApiError> {
        Ok(Self {
            counted: [
                count(app, key("address", address), PER_ADDRESS).await?,
                count(app, account_key(account), PER_ACCOUNT).await?,
            ],
        })
    }

    /// It was no failure.
    pub async fn forgive(self, app: &App) -> Result<(), ApiError> {
        for (key, kept) in self.counted {
            match (kept, &app.cache) {
                (Kept::InRedis, Some(cache)) => give_back(cache, &key).await,
                _ => limits::decrement(&app.pool, &key).await?,
            }
        }
        Ok(())
    }
}

/// The account by a hash of its address: neither Redis nor a log need to know whom it is about.
#[must_use]
pub fn account_key(email: &str) -> String {
    key(
        "account",
        &parse_email(email).unwrap_or_else(|_| email.to_owned()),
    )
}

fn key(kind: &str, name: &str) -> String {
    let digest = Sha256::digest(name);
    format!("limit:{kind}:{}", URL_SAFE_NO_PAD.encode(&digest[..16]))
}

async fn count(app: &App, key: String, limit: u64) -> Result<(String, Kept), ApiError> {
    let (count, window_left_secs, kept) = match &app.cache {
        Some(cache) => match count_in_redis(cache, &key).await {
            Some((count, left_secs)) => (count, left_secs, Kept::InRedis),
            None => count_in_database(app, &key).await?,
        },
        None => count_in_database(app, &key).await?,
    };
    if count > limit {
        metrics::counter!("portcullis_limited_total").increment(1);
        return Err(ApiError::TooManyAttempts {
            retry_after_secs: window_left_secs.max(1),
        });
    }
    Ok((key, kept))
}

async fn count_in_database(app: &App, key: &str) -> Result<(u64, u64, Kept), ApiError> {
    let now = app.clock.now();
    let counted = limits::increment(&app.pool, key, WINDOW_SECS, now).await?;
    let passed_secs = now
        .as_secs()
        .saturating_sub(counted.window_started_at.as_secs());
    Ok((
        counted.count,
        WINDOW_SECS.saturating_sub(passed_secs),
        Kept::InDatabase,
    ))
}

/// The count and the seconds left in its window.
async fn count_in_redis(cache: &RedisCache, key: &str) -> Option<(u64, u64)> {
    let mut pipeline = Pipeline::new();
    pipeline.atomic();
    pipeline
        .cmd("SET")
        .arg(key)
        .arg(0)
        .arg("NX")
        .arg("EX")
        .arg(WINDOW_SECS)
        .ignore();
    pipeline.cmd("INCR").arg(key);
    pipeline.cmd("TTL").arg(key);
    let (count, left_secs): (u64, i64) = cache.query(&pipeline).await?;
    Some((count, u64::try_from(left_secs).unwrap_or(WINDOW_SECS)))
}

/// Not below zero, and not into a key without an end. A failure costs the caller one attempt.
async fn give_back(cache: &RedisCache, key: &str) {
    const SCRIPT: &str = "
        if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
        return 1";
    let mut pipeline = Pipeline::new();
    pipeline.cmd("EVAL").arg(SCRIPT).arg(1).arg(key).ignore();
    cache.query::<()>(&pipeline).await;
}
