//! The cut-off that ends every token a user, or a client for itself, holds now. A clock is not
//! enough: the replica that issued the last token may be ahead of this one, by as much as a token
//! is still accepted.

use shared::UnixSeconds;

use crate::app::App;
use crate::error::ApiError;
use crate::store::{Transaction, clients, sessions, users};

/// Closes the subject's sessions, and answers with the whole second before which each of their tokens
/// was issued. `known_iat` is the time of a token in hand.
pub(crate) async fn end_every_session(
    app: &App,
    tx: &mut Transaction,
    user_id: &str,
    known_iat: Option<UnixSeconds>,
) -> Result<u64, ApiError> {
    users::lock(tx, user_id, app.clock.now()).await?;
    let last_token = sessions::close_all(tx, user_id, app.clock.now()).await?;
    // A client's own tokens bear its id as their subject.
    let last_client_token = clients::lock(tx, user_id).await?;
    Ok(after(app, &[known_iat, last_token, last_client_token]))
}

/// The same second for a user whose sessions go on: their next tokens come after it, by refreshing.
/// Call it with the user's row locked.
pub(crate) async fn cut_off_tokens(
    app: &App,
    tx: &mut Transaction,
    user_id: &str,
) -> Result<u64, ApiError> {
    let last_token = sessions::lock_all(tx, user_id).await?;
    Ok(after(app, &[last_token]))
}

/// Read with every lock held: no token of the user can be dated later and still be older.
fn after(app: &App, tokens: &[Option<UnixSeconds>]) -> u64 {
    let latest = tokens
        .iter()
        .flatten()
        .fold(app.clock.now(), |latest, token| latest.max(*token));
    latest.as_secs() + 1
}
