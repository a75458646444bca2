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

/// So many in a window, and then no more until its end.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Each kind counts apart.
    kind: &'static str,
    most: u64,
    window_secs: u64,
}

const fn limit(kind: &'static str, most: u64, window_secs: u64) -> Limit {
    Limit {
        kind,
        most,
        window_secs,
    }
}

const BY_ADDRESS: Limit = limit("address", 60, 60);
const BY_ACCOUNT: Limit = limit("account", 10, 60);
/// Mails that a stranger can make us send to one mailbox, and to any number of them.
const FORGOTTEN_BY_ACCOUNT: Limit = limit("forgotten-account", 5, 3600);
const FORGOTTEN_BY_ADDRESS: Limit = limit("forgotten-address", 30, 3600);
const RESET_BY_ADDRESS: Limit = limit("reset-address", 30, 60);

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
                count(app, BY_ADDRESS, address).await?,
                count(app, BY_ACCOUNT, &account_name(account)).await?,
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

/// Every request counts here, whether or not there is such an account. The address first, as above.
pub async fn count_forgotten(app: &App, account: &str, address: &str) -> Result<(), ApiError> {
    count(app, FORGOTTEN_BY_ADDRESS, address).await?;
    count(app, FORGOTTEN_BY_ACCOUNT, &account_name(account)).await?;
    Ok(())
}

pub async fn count_reset(app: &App, address: &str) -> Result<(), ApiError> {
    count(app, RESET_BY_ADDRESS, address).await?;
    Ok(())
}

/// The account by a hash of its address: neither Redis nor a log need to know whom it is about.
#[must_use]
pub fn account_key(email: &str) -> String {
    format!("account:{}", digest(&account_name(email)))
}

fn account_name(email: &str) -> String {
    parse_email(email).unwrap_or_else(|_| email.to_owned())
}

fn digest(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(name)[..16])
}

async fn count(app: &App, limit: Limit, name: &str) -> Result<(String, Kept), ApiError> {
    let key = format!("limit:{}:{}", limit.kind, digest(name));
    let (count, window_left_secs, kept) = match &app.cache {
        Some(cache) => match count_in_redis(cache, &key, limit).await {
            Some((count, left_secs)) => (count, left_secs, Kept::InRedis),
            None => count_in_database(app, &key, limit).await?,
        },
        None => count_in_database(app, &key, limit).await?,
    };
    if count > limit.most {
        metrics::counter!("portcullis_limited_total", "kind" => limit.kind).increment(1);
        return Err(ApiError::TooManyAttempts {
            retry_after_secs: window_left_secs.max(1),
        });
    }
    Ok((key, kept))
}

async fn count_in_database(
    app: &App,
    key: &str,
    limit: Limit,
) -> Result<(u64, u64, Kept), ApiError> {
    let now = app.clock.now();
    let counted = limits::increment(&app.pool, key, limit.window_secs, now).await?;
    let passed_secs = now
        .as_secs()
        .saturating_sub(counted.window_started_at.as_secs());
    Ok((
        counted.count,
        limit.window_secs.saturating_sub(passed_secs),
        Kept::InDatabase,
    ))
}

/// The count and the seconds left in its window.
async fn count_in_redis(cache: &RedisCache, key: &str, limit: Limit) -> Option<(u64, u64)> {
    let mut pipeline = Pipeline::new();
    pipeline.atomic();
    pipeline
        .cmd("SET")
        .arg(key)
        .arg(0)
        .arg("NX")
        .arg("EX")
        .arg(limit.window_secs)
        .ignore();
    pipeline.cmd("INCR").arg(key);
    pipeline.cmd("TTL").arg(key);
    let (count, left_secs): (u64, i64) = cache.query(&pipeline).await?;
    Some((count, u64::try_from(left_secs).unwrap_or(limit.window_secs)))
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
