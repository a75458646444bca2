//! Disabling, enabling and deleting an account. Whoever loses an account loses every token with it,
//! in one transaction; what the audit log says of them stays.

use shared::{Scope, UnixSeconds};

use super::Deed;
use crate::app::App;
use crate::error::ApiError;
use crate::revocation::{Order, Receipt, Revoking, check_reason, end_every_session};
use crate::store::audit::Event;
use crate::store::users::{self, User};
use crate::store::{self, Transaction, mailed_tokens, mails, sessions};

/// From here on neither a log-in nor a refresh nor an old token works.
pub async fn disable(app: &App, user_id: &str, deed: &Deed<'_>) -> Result<Receipt, ApiError> {
    let (mut tx, user) = lock(app, user_id, deed).await?;
    let since = user.disabled_at.unwrap_or(app.clock.now());
    users::set_disabled(&mut tx, user_id, Some(since)).await?;
    mailed_tokens::void_all(&mut tx, user_id).await?;
    revoke(app, tx, user_id, Event::UserDisabled, deed, Rows::Stay).await
}

/// The old tokens stay revoked; the user may log in.
pub async fn enable(app: &App, user_id: &str, deed: &Deed<'_>) -> Result<(), ApiError> {
    let (mut tx, _) = lock(app, user_id, deed).await?;
    users::set_disabled(&mut tx, user_id, None).await?;
    deed.note(app, &mut tx, user_id, Event::UserEnabled, deed.reason)
        .await?;
    store::commit(tx).await?;
    Ok(())
}

/// The address is free again; whoever registers with it is somebody else.
pub async fn delete(app: &App, user_id: &str, deed: &Deed<'_>) -> Result<Receipt, ApiError> {
    let (mut tx, user) = lock(app, user_id, deed).await?;
    mailed_tokens::void_all(&mut tx, user_id).await?;
    mails::forget_recipient(&mut tx, &user.email).await?;
    revoke(app, tx, user_id, Event::UserDeleted, deed, Rows::Go).await
}

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
