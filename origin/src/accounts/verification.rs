//! Confirming an address with the token that was mailed to it. A new password by a mailed token
//! confirms it as well: see `password_reset`.

use secrecy::SecretString;

use crate::app::App;
use crate::error::ApiError;
use crate::sessions::{Caller, user_actor};
use crate::store::audit::{self, Event};
use crate::store::mailed_tokens::{self, Purpose};
use crate::store::{self, users};
use crate::{limits, mailed_token, random};

/// The next token of the user says `email_verified`.
pub async fn verify_email(
    app: &App,
    token: &SecretString,
    caller: &Caller,
) -> Result<(), ApiError> {
    limits::count_mailed_token(app, &caller.address).await?;
    let now = app.clock.now();
    let hash = mailed_token::hash(token);
    let user_id = mailed_tokens::find_user(&app.pool, Purpose::VerifyEmail, &hash, now)
        .await?
        .ok_or(ApiError::InvalidMailedToken)?;
    let mut tx = store::begin(&app.pool).await?;
    users::lock_enabled(&mut tx, &user_id, now)
        .await?
        .ok_or(ApiError::InvalidMailedToken)?;
    mailed_tokens::take(&mut tx, Purpose::VerifyEmail, &hash, now)
        .await?
        .ok_or(ApiError::InvalidMailedToken)?;
    users::verify_email(&mut tx, &user_id, now).await?;
    let user = user_actor(&user_id);
    let record = audit::Record {
        actor: Some(&user),
        subject: Some(&user),
        address: Some(&caller.address),
        ..audit::Record::new(random::new_id()?, Event::EmailVerified)
    };
    audit::insert(&mut tx, &record, now).await?;
    store::commit(tx).await?;
    Ok(())
}
