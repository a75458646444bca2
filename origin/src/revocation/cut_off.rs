//! The cut-off that ends every token that a user, a client for itself, or everyone holds now. A clock
//! is not enough: the replica that made the last token may be ahead of this one, by as much as a token
//! is still accepted.

use shared::UnixSeconds;

use crate::app::App;
use crate::clock::CLOCK_ERROR_SECS;
use crate::error::ApiError;
use crate::iso_time;
use crate::store::{Transaction, clients, last_token, sessions, users};

/// Closes the subject's sessions, and answers with the whole second before which each of their tokens
/// was issued. `known_iat` is the time of a token in hand.
pub(crate) async fn end_every_session(
    app: &App,
    tx: &mut Transaction,
    subject: &str,
    known_iat: Option<UnixSeconds>,
) -> Result<u64, ApiError> {
    users::lock(tx, subject, app.clock.now()).await?;
    clients::lock(tx, subject).await?;
    sessions::close_all(tx, subject, app.clock.now()).await?;
    let last = last_token::find_of_subject(tx, subject).await?;
    Ok(after(app, last.max(known_iat)))
}

/// The same second for a user whose sessions go on: their next tokens come after it, by refreshing.
/// Call it with the user's row locked.
pub(crate) async fn cut_off_tokens(
    app: &App,
    tx: &mut Transaction,
    user_id: &str,
) -> Result<u64, ApiError> {
    sessions::lock_all(tx, user_id).await?;
    Ok(after(app, last_token::find_of_subject(tx, user_id).await?))
}

/// The same second for everyone. Sessions go on: they get new tokens, signed with a new key. A token
/// that is made at the same time by a replica that is ahead counts as one made after it.
pub(super) async fn cut_off_everyone(app: &App, tx: &mut Transaction) -> Result<u64, ApiError> {
    Ok(after(app, last_token::find_of_everyone(tx).await?))
}

/// For one subject, call it with every lock held: no token can be dated later and still be older. A
/// clock that was far off must not keep everybody out until its time has come.
fn after(app: &App, last_token: Option<UnixSeconds>) -> u64 {
    let now = app.clock.now();
    let last = last_token.map_or(now, |last| last.max(now));
    let latest = now.plus_secs(CLOCK_ERROR_SECS);
    if last > latest {
        tracing::error!(
            dated = %iso_time::format(last),
            "a token is dated far ahead: the cut-off does not reach it; revoke its session, and look at the clocks"
        );
    }
    last.min(latest).as_secs() + 1
}
