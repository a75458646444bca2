//! The SQLite file before a pool opens it: that nobody else may read it, and whether it is a database
//! at all. A pool would try again until its time is over, and forget what was wrong.

use std::io;
use std::path::Path;
use std::str::FromStr;

use sqlx::any::AnyConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::private_file;

/// In a URL: a file that is not there is made.
pub(super) const MAY_CREATE: &str = "mode=rwc";

/// SQLite would make its file by the umask, and makes those beside it (`-wal`, `-shm`) with the mode
/// of that one: so an empty one, which is an empty database, is there before. What belongs to
/// somebody else stays as it is.
pub(super) fn make_private(options: &AnyConnectOptions) -> sqlx::Result<()> {
    let url = options.database_url.as_str();
    let options = SqliteConnectOptions::from_str(url)?;
    let file = options.get_filename();
    // What is kept in memory has a name of this kind.
    if file.to_string_lossy().starts_with("file:") {
        return Ok(());
    }
    if url.contains(MAY_CREATE) {
        private_file::create_empty(file)?;
    }
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", file.display());
        match private_file::make_private(Path::new(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::debug!(%error, path, "a file of the database keeps its mode");
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

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
