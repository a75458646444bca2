//! The schema: what brings it up to date, and how it compares with what this program knows. Nearly every
//! migration is one text for both stores; each has a folder for those that cannot be.

use sqlx::AnyPool;
use sqlx::migrate::Migrator;

use super::in_time::InTime;
use super::{StoreError, begin, commit, is_sqlite};

static ON_BOTH: Migrator = sqlx::migrate!("./migrations");
static ON_POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");
static ON_SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");

/// How the database's schema compares with the one this program is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    Current,
    /// Nothing was ever migrated here.
    Missing,
    Older {
        version: i64,
    },
    Newer {
        version: i64,
    },
}

/// One process at a time: on Postgres sqlx takes a lock, on SQLite the transaction around it all is
/// one.
pub async fn migrate(pool: &AnyPool) -> Result<(), StoreError> {
    if !is_sqlite(&pool.connect_options()) {
        return together(&ON_POSTGRES)
            .run(pool)
            .await
            .map_err(StoreError::Migration);
    }
    let mut tx = begin(pool).await.map_err(StoreError::Unreadable)?;
    together(&ON_SQLITE)
        .run(&mut *tx)
        .await
        .map_err(StoreError::Migration)?;
    commit(tx).await.map_err(StoreError::Unreadable)
}

/// In one order, whichever folder they are in.
fn together(of_one_store: &Migrator) -> Migrator {
    Migrator::with_migrations(ON_BOTH.iter().chain(of_one_store.iter()).cloned().collect())
}

/// The version that this program is written for.
#[must_use]
pub fn schema_version() -> i64 {
    let migrations = ON_BOTH.iter().chain(ON_POSTGRES.iter());
    let versions = migrations.map(|migration| migration.version);
    versions.max().unwrap_or_default()
}

/// Looks and changes nothing; `migrate` brings it up to date.
pub async fn find_schema(pool: &AnyPool) -> Schema {
    let known = schema_version();
    let applied: sqlx::Result<Option<i64>> =
        sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
            .fetch_one(pool)
            .in_time()
            .await;
    match applied {
        Ok(Some(version)) if version == known => Schema::Current,
        Ok(Some(version)) if version > known => Schema::Newer { version },
        Ok(Some(version)) => Schema::Older { version },
        // There is no such table.
        Ok(None) | Err(_) => Schema::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_stores_go_through_the_same_versions_in_turn() {
        for of_one_store in [&ON_POSTGRES, &ON_SQLITE] {
            let migrations = together(of_one_store);
            let versions: Vec<i64> = migrations.iter().map(|next| next.version).collect();
            let all: Vec<i64> = (1..=schema_version()).collect();
            assert_eq!(versions, all);
        }
    }
}
