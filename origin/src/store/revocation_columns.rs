//! Columns of the table `revocations` that more than one view of it reads.

use shared::Scope;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::foreign_value;

pub(super) fn scope(row: &AnyRow) -> sqlx::Result<Scope> {
    let scope: String = row.try_get("scope")?;
    Scope::parse(&scope).ok_or_else(|| foreign_value("scope", &scope))
}

/// Tokens issued before this whole second are revoked; `None`: all of them.
pub(super) fn before_secs(row: &AnyRow) -> sqlx::Result<Option<u64>> {
    let before: Option<i64> = row.try_get("before")?;
    Ok(before.map(i64::cast_unsigned))
}
