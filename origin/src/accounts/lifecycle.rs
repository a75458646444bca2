//! Disabling, enabling and deleting an account. Whoever loses an account loses every token with it,
//! in one transaction; what the audit log says of them stays.

use super::Deed;
use super::every_token::{Rows, lock, revoke};
use crate::app::App;
use crate::error::ApiError;
use crate::revocation::Receipt;
use crate::store::audit::Event;
use crate::store::{self, mailed_tokens, mails, users};

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
