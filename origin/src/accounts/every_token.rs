//! The end of every token of an account by a deed, in one transaction with whatever the deed changes.

use shared::{Scope, UnixSeconds};

use super::Deed;
use crate::app::App;
use crate::error::ApiError;
use crate::revocation::{Order, Receipt, Revoking, check_reason, end_every_session};
use crate::store::audit::Event;
use crate::store::users::{self, User};
use crate::store::{self, Transaction, sessions};

/// Begins a transaction in which nobody else changes the user.
pub(super) async fn lock(
    app: &App,
    user_id: &str,
    deed: &Deed<'_>,
) -> Result<(Transaction, User), ApiError> {
    check_reason(deed.reason)?;
    let mut tx = store::begin(&app.pool).await?;
    let user = users::lock_by_id(&mut tx, user_id, app.clock.now())
        .await?
        .ok_or(ApiError::NotFound)?;
    Ok((tx, user))
}

/// Whether the rows of the user and the sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Stay,
    Go,
}

/// Ends `tx`, and with it every session of the user; what it changed before is in it as well.
pub(super) async fn revoke(
    app: &App,
    tx: Transaction,
    user_id: &str,
    event: Event,
    deed: &Deed<'_>,
    rows: Rows,
) -> Result<Receipt, ApiError> {
    let mut revoking = Revoking::begin_in(tx, app, Scope::User, user_id).await?;
    let cut_off_secs = end_every_session(app, &mut revoking.tx, user_id, None).await?;
    if rows == Rows::Go {
        sessions::delete_all(&mut revoking.tx, user_id).await?;
        users::delete(&mut revoking.tx, user_id).await?;
    }
    let order = Order {
        before_secs: Some(cut_off_secs),
        latest_exp: UnixSeconds::from_secs(cut_off_secs).plus_secs(app.issuer.lifetime_secs()),
        reason: deed.reason,
        actor: deed.actor,
        event,
        address: deed.address,
        token: None,
    };
    revoking.record(app, &order).await
}
