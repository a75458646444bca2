//! A name between the moment before its revocation is committed and the moment when Redis has it: the
//! cache does not vouch for it, so the database is asked.

use shared::{LEEWAY_SECS, Scope, TokenId, UnixSeconds};
use sqlx::AnyPool;

use crate::app::App;
use crate::cache::{self, Key, RedisCache, Told, Written};
use crate::error::ApiError;
use crate::random;
use crate::store::revocations::NewRevocation;
use crate::store::{self, cache_state};

#[derive(Debug)]
pub(super) struct Doubt {
    /// The revocation's.
    pub(super) id: String,
    pub(super) key: Key,
    /// `None`: there is no cache.
    raised: Option<Told>,
}

impl Doubt {
    pub(super) async fn raise(app: &App, scope: Scope, name: &str) -> Result<Self, ApiError> {
        let id = random::new_id()?;
        let key = Key::new(scope, name);
        let life_secs = app.issuer.lifetime_secs() + LEEWAY_SECS;
        let raised = match &app.cache {
            Some(cache) => Some(
                cache
                    .mark_in_doubt(std::slice::from_ref(&key), &id, life_secs)
                    .await,
            ),
            None => None,
        };
        Ok(Self { id, key, raised })
    }

    /// Redis does not know of the doubt: the revocation's own transaction must say that Redis is not
    /// to be believed. A process without a Redis, such as the command line, cannot know whether
    /// others have one.
    pub(super) fn must_raise_epoch(&self) -> bool {
        self.raised != Some(Told::Yes)
    }

    /// After the commit: Redis gets the keys. If it did not get them, it may have been replaced by
    /// one that never heard of the doubt, so it must not be believed until it was rebuilt; and the
    /// caller may say "revoked" only when no replica still believes it.
    pub(super) async fn settle(
        self,
        app: &App,
        new: &NewRevocation,
        token: Option<(&TokenId, UnixSeconds)>,
        now: UnixSeconds,
    ) {
        let (Some(cache), Some(raised)) = (&app.cache, self.raised) else {
            return;
        };
        let written = write(cache, self.key, new, token, now).await;
        if written == Told::No && raised == Told::Yes {
            raise_epoch(&app.pool).await;
        }
        if written == Told::No || raised == Told::No {
            tokio::time::sleep(cache::EPOCH_MAX_AGE).await;
        }
    }
}

async fn write(
    cache: &RedisCache,
    key: Key,
    new: &NewRevocation,
    token: Option<(&TokenId, UnixSeconds)>,
    now: UnixSeconds,
) -> Told {
    let of_key = |key, before_secs, retain_until| Written {
        key,
        before_secs,
        recorded_at: new.recorded_at,
        retain_until,
    };
    let mut written = vec![of_key(key, new.before_secs, new.retain_until)];
    written.extend(token.map(|(jti, exp)| {
        of_key(
            Key::new(Scope::Token, jti.as_str()),
            None,
            shared::retain_until(exp),
        )
    }));
    cache.write_revoked(&written, &new.id, now).await
}

/// The revocation is committed and cannot be taken back; if this fails as well, both stores have
/// just been lost, and the row without `cached_at` is repaired when they are back.
async fn raise_epoch(pool: &AnyPool) {
    let raised = async {
        let mut tx = store::begin(pool).await?;
        cache_state::raise_epoch(&mut tx).await?;
        store::commit(tx).await
    };
    if let Err(error) = raised.await {
        tracing::error!(%error, "a revocation reached neither Redis nor its epoch");
    }
}
