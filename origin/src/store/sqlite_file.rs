//! The SQLite file before a pool opens it: whether it is a database at all. A pool would try again
//! until its time is over, and forget what was wrong.

use sqlx::any::AnyConnectOptions;
use sqlx::{ConnectOptions, Connection};

/// Makes one connection and makes it ready, once.
pub(super) async fn try_to_open(options: &AnyConnectOptions) -> sqlx::Result<()> {
    let mut connection = options.connect().await?;
    match super::prepare_connection(&mut connection, true).await {
        Err(error) if !is_busy(&error) => Err(error),
        // Busy: another process makes it ready at this moment, and the pool waits for that.
        _ => connection.close().await,
    }
}

/// `SQLITE_BUSY` (5), whatever its extended code says in the higher bytes.
fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: i32 = 5;
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == BUSY)
}
