//! Table `cache_state`: the number that Redis's marker must carry to be believed. Raising it makes
//! every replica ask the database until Redis has been rebuilt.

use sqlx::AnyPool;

use super::Transaction;
use super::in_time::InTime;

pub async fn find_epoch(pool: &AnyPool) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT epoch FROM cache_state WHERE id = 1")
        .fetch_one(pool)
        .in_time()
        .await
}

pub async fn raise_epoch(tx: &mut Transaction) -> sqlx::Result<()> {
    sqlx::query("UPDATE cache_state SET epoch = epoch + 1 WHERE id = 1")
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}
