//! Table `audit_log`: who did what, when, from where. Written in the transaction of the deed.

use shared::UnixSeconds;

use super::{Transaction, to_millis};

/// What is worth remembering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Registered,
    LoggedIn,
    LogInFailed,
    LoggedOut,
    LoggedOutEverywhere,
    SessionClosed,
    RefreshTokenReused,
    Revoked,
    ClientCreated,
    ClientDisabled,
    ClientSecretReplaced,
    ClientTokenIssued,
    KeyRotated,
    KeyRevoked,
    PasswordForgotten,
    PasswordReset,
    PasswordChanged,
    PasswordChangeFailed,
    EmailVerified,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    RolesChanged,
}

impl Event {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::LoggedIn => "logged_in",
            Self::LogInFailed => "log_in_failed",
            Self::LoggedOut => "logged_out",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::SessionClosed => "session_closed",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::Revoked => "revoked",
            Self::ClientCreated => "client_created",
            Self::ClientDisabled => "client_disabled",
            Self::ClientSecretReplaced => "client_secret_replaced",
            Self::ClientTokenIssued => "client_token_issued",
            Self::KeyRotated => "key_rotated",
            Self::KeyRevoked => "key_revoked",
            Self::PasswordForgotten => "password_forgotten",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::PasswordChangeFailed => "password_change_failed",
            Self::EmailVerified => "email_verified",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserDeleted => "user_deleted",
            Self::RolesChanged => "roles_changed",
        }
    }
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
    /// An event of which no more is known; name what is with `..`.
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
    .await?;
    Ok(())
}
