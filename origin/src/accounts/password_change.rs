//! A changed password: the old one is shown, every other session ends, a mail says so. The session
//! that asks goes on.

use secrecy::SecretString;
use shared::{Claims, SessionId, UnixSeconds};

use crate::app::App;
use crate::error::ApiError;
use crate::limits::Attempt;
use crate::passwords::{Owner, Verdict};
use crate::revocation::{Order, Receipt, end_together};
use crate::sessions::{Caller, user_actor};
use crate::store::audit::{self, Event};
use crate::store::mailed_tokens::{self, Purpose};
use crate::store::mails::Kind;
use crate::store::password_hashes::{self, Replaced};
use crate::store::users::User;
use crate::store::{self, Transaction, last_token, sessions};
use crate::{mail, random};

/// A change as it was asked for.
#[derive(Debug)]
pub struct Change<'a> {
    pub claims: &'a Claims,
    pub sid: &'a SessionId,
    pub current_password: &'a SecretString,
    pub new_password: &'a SecretString,
}

/// The receipts of the other sessions, one each.
pub async fn change_password(
    app: &App,
    change: &Change<'_>,
    caller: &Caller,
) -> Result<Vec<Receipt>, ApiError> {
    let user_id = change.claims.sub.as_str();
    let (user, old_hash) = password_hashes::find(&app.pool, user_id)
        .await?
        .filter(|(user, _)| user.disabled_at.is_none())
        .ok_or(ApiError::UserNotFound)?;
    check_current(app, &user, &old_hash, change.current_password, caller).await?;
    let owner = Owner {
        email: &user.email,
        name: user.name.as_deref(),
    };
    let new_hash = app.passwords.hash_new(change.new_password, &owner).await?;
    let mut tx = store::begin(&app.pool).await?;
    let now = app.clock.now();
    match password_hashes::replace(&mut tx, user_id, &old_hash, &new_hash, now).await? {
        Replaced::Yes => {}
        // Someone else was faster: what was checked is no longer the password.
        Replaced::ChangedMeanwhile => return Err(ApiError::WrongPassword),
    }
    let others = close_others(&mut tx, change, now).await?;
    let last_token = last_token::find_of_subject(&mut tx, user_id).await?;
    note(&mut tx, &user, caller, now).await?;
    let order = Order {
        before_secs: None,
        latest_exp: last_token
            .map_or(now, |last| last.max(now))
            .plus_secs(app.issuer.lifetime_secs()),
        reason: "password_changed",
        actor: &user_actor(user_id),
        event: Event::SessionClosed,
        address: Some(&caller.address),
        token: None,
    };
    let receipts = end_together(app, tx, &others, &order).await?;
    app.mail_wake.notify_one();
    Ok(receipts)
}

/// Whoever has a stolen token must not be able to try passwords: wrong ones count as failed log-ins.
async fn check_current(
    app: &App,
    user: &User,
    hash: &str,
    password: &SecretString,
    caller: &Caller,
) -> Result<(), ApiError> {
    let attempt = Attempt::begin(app, &user.email, &caller.address).await?;
    match app.passwords.verify(password, Some(hash)).await {
        Ok(Verdict::Right | Verdict::RightAndRehashed(_)) => attempt.succeed(app).await,
        Ok(Verdict::Wrong) => {
            attempt.fail(app).await?;
            insert_failure(app, user, caller).await?;
            Err(ApiError::WrongPassword)
        }
        Err(error) => {
            attempt.forgive(app).await?;
            Err(error)
        }
    }
}

async fn insert_failure(app: &App, user: &User, caller: &Caller) -> Result<(), ApiError> {
    let mut tx = store::begin(&app.pool).await?;
    let record = audit::Record {
        actor: Some(&user_actor(&user.id)),
        subject: Some(&user_actor(&user.id)),
        address: Some(&caller.address),
        ..audit::Record::new(random::new_id()?, Event::PasswordChangeFailed)
    };
    audit::insert(&mut tx, &record, app.clock.now()).await?;
    store::commit(tx).await?;
    Ok(())
}

/// The user's row is locked: no session begins meanwhile. The one that asks must still be open.
async fn close_others(
    tx: &mut Transaction,
    change: &Change<'_>,
    now: UnixSeconds,
) -> Result<Vec<String>, ApiError> {
    let (user_id, sid) = (change.claims.sub.as_str(), change.sid.as_str());
    sessions::lock_open(tx, sid, now)
        .await?
        .ok_or(ApiError::SessionClosed)?;
    Ok(sessions::close_others(tx, user_id, sid, now).await?)
}

async fn note(
    tx: &mut Transaction,
    user: &User,
    caller: &Caller,
    now: UnixSeconds,
) -> Result<(), ApiError> {
    mailed_tokens::void(tx, Purpose::ResetPassword, &user.id).await?;
    mail::enqueue(
        tx,
        Kind::PasswordChanged,
        &user.email,
        Some(&caller.address),
        now,
    )
    .await?;
    let record = audit::Record {
        actor: Some(&user_actor(&user.id)),
        subject: Some(&user_actor(&user.id)),
        address: Some(&caller.address),
        ..audit::Record::new(random::new_id()?, Event::PasswordChanged)
    };
    audit::insert(tx, &record, now).await?;
    Ok(())
}
