//! Table `audit_log`: who did what, when, from where, why. Written in the transaction of the deed; the
//! database refuses to change a row, and only its age deletes it.

use shared::UnixSeconds;
use sqlx::AnyPool;

use super::in_time::InTime;
use super::{Transaction, to_millis};

macro_rules! events {
    ($($event:ident = $name:literal,)*) => {
        /// What is worth remembering.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Event {
            $($event,)*
        }

        impl Event {
            pub const ALL: &[Self] = &[$(Self::$event),*];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$event => $name,)*
                }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($name => Some(Self::$event),)*
                    _ => None,
                }
            }
        }
    };
}

events! {
    Registered = "registered",
    LoggedIn = "logged_in",
    LogInFailed = "log_in_failed",
    LoggedOut = "logged_out",
    LoggedOutEverywhere = "logged_out_everywhere",
    SessionClosed = "session_closed",
    RefreshTokenReused = "refresh_token_reused",
    Revoked = "revoked",
    ClientCreated = "client_created",
    ClientDisabled = "client_disabled",
    ClientSecretReplaced = "client_secret_replaced",
    ClientAuthenticationFailed = "client_authentication_failed",
    ClientTokenIssued = "client_token_issued",
    KeyRotated = "key_rotated",
    KeyRevoked = "key_revoked",
    PasswordForgotten = "password_forgotten",
    PasswordReset = "password_reset",
    PasswordChanged = "password_changed",
    PasswordSet = "password_set",
    PasswordChangeFailed = "password_change_failed",
    EmailVerified = "email_verified",
    UserDisabled = "user_disabled",
    UserEnabled = "user_enabled",
    UserDeleted = "user_deleted",
    RolesChanged = "roles_changed",
}

#[derive(Debug)]
pub struct Record<'a> {
    pub id: String,
    pub event: Event,
    /// `user:{id}`, `client:{id}` or `command-line`.
    pub actor: Option<&'a str>,
    /// Whom or what it is about: `user:{id}`, `session:{sid}` and so on; never a token.
    pub subject: Option<&'a str>,
    pub address: Option<&'a str>,
    /// Why, or what was changed; never a secret.
    pub detail: Option<&'a str>,
    pub revocation_id: Option<&'a str>,
}

impl Record<'_> {
    /// An event with nothing else known; set the other members with struct update (`..`).
    #[must_use]
    pub fn new(id: String, event: Event) -> Self {
        Self {
            id,
            event,
            actor: None,
            subject: None,
            address: None,
            detail: None,
            revocation_id: None,
        }
    }
}

pub async fn insert(
    tx: &mut Transaction,
    record: &Record<'_>,
    now: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO audit_log (id, at, event, actor, subject, address, detail, revocation_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&record.id)
    .bind(to_millis(now))
    .bind(record.event.as_str())
    .bind(record.actor)
    .bind(record.subject)
    .bind(record.address)
    .bind(record.detail)
    .bind(record.revocation_id)
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// Deletes at most `most` rows from before this time; answers how many there were.
pub async fn delete_before(pool: &AnyPool, time: UnixSeconds, most: u32) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "DELETE FROM audit_log
         WHERE id IN (SELECT id FROM audit_log WHERE at < $1 ORDER BY at LIMIT $2)",
    )
    .bind(to_millis(time))
    .bind(i64::from(most))
    .execute(pool)
    .in_time()
    .await?;
    Ok(done.rows_affected())
}
