//! Deleting what is over: sessions and refresh tokens past their end, windows of limits past theirs.
//! What the audit log keeps is said in `retention`.

use shared::UnixSeconds;
use sqlx::AnyPool;

use super::in_time::InTime;
use super::{limits, to_millis};

/// Kept this long past its end, so that "expired" can be told from "unknown" for a while.
const KEPT_SECS: u64 = 24 * 3600;

pub async fn forget_ended(pool: &AnyPool, now: UnixSeconds) -> sqlx::Result<()> {
    let ended_before = to_millis(now.minus_secs(KEPT_SECS));
    for statement in [
        "DELETE FROM refresh_tokens WHERE expires_at < $1",
        "DELETE FROM sessions WHERE expires_at < $1",
    ] {
        sqlx::query(statement)
            .bind(ended_before)
            .execute(pool)
            .in_time()
            .await?;
    }
    limits::delete_ended(pool, now.minus_secs(KEPT_SECS)).await
}
