//! The cut-off that ends every token a user, or a client for itself, holds now. A clock is not enough: the replica that issued
//! the last token may be ahead of this one, by as much as a token is still accepted.

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
    // Read with every lock held: no token of the user can be dated later and still be older.
    let now = app.clock.now();
    let latest = [known_iat, last_token, last_client_token]
        .into_iter()
        .flatten()
        .fold(now, UnixSeconds::max);
    Ok(latest.as_secs() + 1)
}
