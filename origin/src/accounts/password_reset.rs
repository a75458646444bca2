//! A forgotten password: asking for a mail, and setting a new password with the token in it. Asking
//! does the same for every address; whether there is an account is found out when the mail is sent.

use secrecy::SecretString;
use shared::{Scope, UnixSeconds};

use crate::address::parse_email;
use crate::app::App;
use crate::error::ApiError;
use crate::limits::{self, account_key};
use crate::passwords::Owner;
use crate::revocation::{Order, Receipt, Revoking, end_every_session};
use crate::sessions::{Caller, user_actor};
use crate::store::audit::{self, Event};
use crate::store::mailed_tokens::{self, Purpose};
use crate::store::mails::Kind;
use crate::store::users::{self, User};
use crate::store::{self, Transaction, password_hashes};
use crate::{mail, mailed_token, random};

/// Orders a mail to this address.
pub async fn forget_password(app: &App, email: &str, caller: &Caller) -> Result<(), ApiError> {
    let email = parse_email(email)?;
    limits::count_forgotten(app, &email, &caller.address).await?;
    let now = app.clock.now();
    let mut tx = store::begin(&app.pool).await?;
    mail::enqueue(&mut tx, Kind::ResetLink, &email, Some(&caller.address), now).await?;
    let record = audit::Record {
        subject: Some(&account_key(&email)),
        address: Some(&caller.address),
        ..audit::Record::new(random::new_id()?, Event::PasswordForgotten)
    };
    audit::insert(&mut tx, &record, now).await?;
    store::commit(tx).await?;
    app.mail_wake.notify_one();
    Ok(())
}

/// Sets a new password, ends every session, and says so by mail. Of two who use one token at once,
/// one succeeds.
pub async fn reset_password(
    app: &App,
    token: &SecretString,
    new_password: &SecretString,
    caller: &Caller,
) -> Result<Receipt, ApiError> {
    limits::count_mailed_token(app, &caller.address).await?;
    let token_hash = mailed_token::hash(token);
    let user = find_user(app, &token_hash).await?;
    let owner = Owner {
        email: &user.email,
        name: user.name.as_deref(),
    };
    let password_hash = app.passwords.hash_new(new_password, &owner).await?;
    let mut tx = store::begin(&app.pool).await?;
    let now = app.clock.now();
    redeem(&mut tx, &user, &token_hash, now).await?;
    let proven_address = &caller.address;
    password_hashes::reset(&mut tx, &user.id, &password_hash, proven_address, now).await?;
    mail::enqueue(
        &mut tx,
        Kind::PasswordWasReset,
        &user.email,
        Some(&caller.address),
        now,
    )
    .await?;
    let receipt = end_sessions(app, tx, &user.id, caller).await?;
    app.mail_wake.notify_one();
    // The new password holds, whatever becomes of counters.
    if let Err(uncounted) = limits::forget_failures(app, &user.email, &caller.address).await {
        tracing::debug!(error = %uncounted, "failures before a reset stay counted");
    }
    Ok(receipt)
}

/// Before anything is hashed: who has no token costs us a look-up.
async fn find_user(app: &App, token_hash: &[u8]) -> Result<User, ApiError> {
    let now = app.clock.now();
    let id = mailed_tokens::find_user(&app.pool, Purpose::ResetPassword, token_hash, now)
        .await?
        .ok_or(ApiError::InvalidMailedToken)?;
    users::find(&app.pool, &id)
        .await?
        .ok_or(ApiError::InvalidMailedToken)
}

/// The user's row first, as everywhere; then the token, and with it every other one of the user.
async fn redeem(
    tx: &mut Transaction,
    user: &User,
    token_hash: &[u8],
    now: UnixSeconds,
) -> Result<(), ApiError> {
    users::lock_enabled(tx, &user.id, now)
        .await?
        .ok_or(ApiError::InvalidMailedToken)?;
    mailed_tokens::take(tx, Purpose::ResetPassword, token_hash, now)
        .await?
        .ok_or(ApiError::InvalidMailedToken)?;
    mailed_tokens::void_all(tx, &user.id).await?;
    Ok(())
}

async fn end_sessions(
    app: &App,
    tx: Transaction,
    user_id: &str,
    caller: &Caller,
) -> Result<Receipt, ApiError> {
    let mut revoking = Revoking::begin_in(tx, app, Scope::User, user_id).await?;
    let cut_off_secs = end_every_session(app, &mut revoking.tx, user_id, None).await?;
    let order = Order {
        before_secs: Some(cut_off_secs),
        latest_exp: UnixSeconds::from_secs(cut_off_secs).plus_secs(app.issuer.lifetime_secs()),
        reason: "password_reset",
        actor: &user_actor(user_id),
        event: Event::PasswordReset,
        address: Some(&caller.address),
        token: None,
    };
    revoking.record(app, &order).await
}
