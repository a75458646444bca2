//! Accounts: made by registering, carried through a forgotten or changed password, disabled, deleted.
//! It does not log in.

mod deed;
mod every_token;
mod lifecycle;
mod password_change;
mod password_reset;
mod password_set;
mod roles;
mod verification;

use secrecy::SecretString;

pub use deed::Deed;
pub use lifecycle::{delete, disable, enable};
pub use password_change::{Change, change_password};
pub use password_reset::{forget_password, reset_password};
pub use password_set::set_password;
pub use roles::{RolesChange, RolesChanged, change_roles};
pub use verification::verify_email;

use crate::address::{parse_email, parse_name};
use crate::app::App;
use crate::config::Switch;
use crate::error::ApiError;
use crate::passwords::Owner;
use crate::sessions::user_actor;
use crate::store::audit::{self, Event};
use crate::store::mails::Kind;
use crate::store::users::{Inserted, NewUser, User};
use crate::store::{self, users};
use crate::{mail, random};

/// Whoever holds this role may revoke anything; its tokens carry the scope of the same name.
pub const OPERATOR: &str = "operator";

/// An account to be made.
#[derive(Debug)]
pub struct Registration<'a> {
    pub email: &'a str,
    pub password: &'a SecretString,
    pub name: Option<&'a str>,
    pub roles: &'a [String],
    /// Who makes it, for the audit log. `None`: its owner.
    pub actor: Option<&'a str>,
    pub address: Option<&'a str>,
}

/// The account is there when it answers, and where `PORTCULLIS_VERIFY_EMAIL` is on, a mail to confirm
/// its address is on its way.
///
/// Errors: `InvalidEmail`, `InvalidName`, `InvalidRole`, a password that the rules refuse (`Password…`),
/// `EmailTaken`; `PasswordsBusy` where too many wait to be hashed.
pub async fn register(app: &App, registration: &Registration<'_>) -> Result<User, ApiError> {
    let email = parse_email(registration.email)?;
    let name = registration.name.map(parse_name).transpose()?;
    roles::check_roles(registration.roles)?;
    let owner = Owner {
        email: &email,
        name: name.as_deref(),
    };
    let password_hash = app
        .passwords
        .hash_new(registration.password, &owner)
        .await?;
    let new = NewUser {
        id: &random::new_id()?,
        email: &email,
        name: name.as_deref(),
        password_hash: &password_hash,
        roles: registration.roles,
    };
    insert(app, &new, registration).await
}

async fn insert(
    app: &App,
    new: &NewUser<'_>,
    registration: &Registration<'_>,
) -> Result<User, ApiError> {
    let now = app.clock.now();
    let mut tx = store::begin(&app.pool).await?;
    if users::insert(&mut tx, new, now).await? == Inserted::EmailTaken {
        return Err(ApiError::EmailTaken);
    }
    let user = user_actor(new.id);
    let roles = (!new.roles.is_empty()).then(|| format!("roles: {}", new.roles.join(" ")));
    let record = audit::Record {
        actor: Some(registration.actor.unwrap_or(&user)),
        subject: Some(&user),
        address: registration.address,
        detail: roles.as_deref(),
        ..audit::Record::new(random::new_id()?, Event::Registered)
    };
    audit::insert(&mut tx, &record, now).await?;
    if app.config.mail.verify_email == Switch::On {
        mail::enqueue(
            &mut tx,
            Kind::VerifyEmail,
            new.email,
            registration.address,
            now,
        )
        .await?;
    }
    store::commit(tx).await?;
    app.mail_wake.notify_one();
    Ok(User {
        id: new.id.to_owned(),
        email: new.email.to_owned(),
        email_verified_at: None,
        name: new.name.map(str::to_owned),
        roles: new.roles.to_vec(),
        disabled_at: None,
        created_at: now,
    })
}
