//! A password that an operator sets, for a user who lost theirs where no mail gets through. Every
//! session ends, and the user is told by mail as far as that goes.

use secrecy::SecretString;

use super::Deed;
use super::every_token::{Rows, lock, revoke};
use crate::app::App;
use crate::error::ApiError;
use crate::mail;
use crate::passwords::Owner;
use crate::revocation::Receipt;
use crate::store::audit::Event;
use crate::store::mails::Kind;
use crate::store::users::User;
use crate::store::{mailed_tokens, password_hashes};

/// The rules for passwords hold here, too. A disabled user stays disabled.
pub async fn set_password(
    app: &App,
    user: &User,
    password: &SecretString,
    deed: &Deed<'_>,
) -> Result<Receipt, ApiError> {
    let owner = Owner {
        email: &user.email,
        name: user.name.as_deref(),
    };
    let password_hash = app.passwords.hash_new(password, &owner).await?;
    let (mut tx, user) = lock(app, &user.id, deed).await?;
    let now = app.clock.now();
    password_hashes::set(&mut tx, &user.id, &password_hash, now).await?;
    mailed_tokens::void_all(&mut tx, &user.id).await?;
    mail::enqueue(&mut tx, Kind::PasswordSet, &user.email, deed.address, now).await?;
    let receipt = revoke(app, tx, &user.id, Event::PasswordSet, deed, Rows::Stay).await?;
    app.mail_wake.notify_one();
    Ok(receipt)
}
