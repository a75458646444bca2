//! Table `mails`: the outbox. A row is claimed by one sender at a time, and what is not known to
//! have been sent is sent again: at least once. Pauses and ends are decided in `mail`.

use shared::UnixSeconds;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use super::in_time::InTime;
use super::{Transaction, foreign_value, from_millis, to_millis};

/// What a mail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How to set a new password, if there is an account with this address.
    ResetLink,
    /// How to confirm the address.
    VerifyEmail,
    /// The password was set anew with a mailed token.
    PasswordWasReset,
    /// An operator set a password.
    PasswordSet,
    /// The password was changed by its owner.
    PasswordChanged,
}

/// How a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    GivenUp,
    /// There was nobody to send it to.
    NoAccount,
}

#[derive(Debug)]
pub struct NewMail<'a> {
    pub id: String,
    pub kind: Kind,
    pub recipient: &'a str,
    /// Where the request came from that causes it.
    pub cause_address: Option<&'a str>,
    pub give_up_at: UnixSeconds,
}

#[derive(Debug, Clone)]
pub struct Mail {
    pub id: String,
    pub kind: Kind,
    /// `None`: there was no account, so nothing is kept of the address.
    pub recipient: Option<String>,
    pub cause_address: Option<String>,
    pub created_at: UnixSeconds,
    pub give_up_at: UnixSeconds,
    /// Times that it was claimed to be sent.
    pub attempts: u64,
    pub next_attempt_at: UnixSeconds,
    pub last_error: Option<String>,
    pub outcome: Option<Outcome>,
    pub ended_at: Option<UnixSeconds>,
}

macro_rules! columns {
    () => {
        "id, kind, recipient, cause_address, created_at, give_up_at, attempts, next_attempt_at,
         last_error, outcome, ended_at"
    };
}

pub async fn insert(
    tx: &mut Transaction,
    mail: &NewMail<'_>,
    now: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO mails (id, kind, recipient, cause_address, created_at, give_up_at,
                            next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $5)",
    )
    .bind(&mail.id)
    .bind(mail.kind.as_str())
    .bind(mail.recipient)
    .bind(mail.cause_address)
    .bind(to_millis(now))
    .bind(to_millis(mail.give_up_at))
    .execute(&mut **tx)
    .in_time()
    .await?;
    Ok(())
}

/// The mail that has been due longest; until `lease_ends_at` nobody else gets it.
pub async fn claim_due(
    pool: &AnyPool,
    now: UnixSeconds,
    lease_ends_at: UnixSeconds,
) -> sqlx::Result<Option<Mail>> {
    // Said twice: of two who chose the same row, the second finds it taken.
    sqlx::query(concat!(
        "UPDATE mails SET attempts = attempts + 1, next_attempt_at = $2
         WHERE id = (SELECT id FROM mails WHERE outcome IS NULL AND next_attempt_at <= $1
                     ORDER BY next_attempt_at, id LIMIT 1)
           AND outcome IS NULL AND next_attempt_at <= $1
         RETURNING ",
        columns!()
    ))
    .bind(to_millis(now))
    .bind(to_millis(lease_ends_at))
    .try_map(|row| mail(&row))
    .fetch_optional(pool)
    .in_time()
    .await
}

/// It is over. Of an address without an account nothing is kept.
pub async fn finish(
    pool: &AnyPool,
    id: &str,
    outcome: Outcome,
    error: Option<&str>,
    now: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE mails
         SET outcome = $2, ended_at = $3, last_error = COALESCE($4, last_error),
             recipient = CASE WHEN $2 = 'no_account' THEN NULL ELSE recipient END
         WHERE id = $1",
    )
    .bind(id)
    .bind(outcome.as_str())
    .bind(to_millis(now))
    .bind(error)
    .execute(pool)
    .in_time()
    .await?;
    Ok(())
}

/// Puts a claimed mail back until `at`, unless its lease ended and another has claimed it.
pub async fn put_back(
    pool: &AnyPool,
    claimed: &Mail,
    error: &str,
    at: UnixSeconds,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE mails SET next_attempt_at = $3, last_error = $4
         WHERE id = $1 AND attempts = $2 AND outcome IS NULL",
    )
    .bind(&claimed.id)
    .bind(claimed.attempts.cast_signed())
    .bind(to_millis(at))
    .bind(error)
    .execute(pool)
    .in_time()
    .await?;
    Ok(())
}

/// Makes a mail due now, if it waits or was given up.
pub async fn make_due(
    pool: &AnyPool,
    id: &str,
    give_up_at: UnixSeconds,
    now: UnixSeconds,
) -> sqlx::Result<Option<()>> {
    let done = sqlx::query(
        "UPDATE mails SET next_attempt_at = $3, outcome = NULL, ended_at = NULL,
             give_up_at = CASE WHEN give_up_at > $2 THEN give_up_at ELSE $2 END
         WHERE id = $1 AND (outcome IS NULL OR outcome = 'given_up')",
    )
    .bind(id)
    .bind(to_millis(give_up_at))
    .bind(to_millis(now))
    .execute(pool)
    .in_time()
    .await?;
    Ok((done.rows_affected() == 1).then_some(()))
}

pub async fn find(pool: &AnyPool, id: &str) -> sqlx::Result<Option<Mail>> {
    sqlx::query(concat!("SELECT ", columns!(), " FROM mails WHERE id = $1"))
        .bind(id)
        .try_map(|row| mail(&row))
        .fetch_optional(pool)
        .in_time()
        .await
}

/// The newest first, those that are over only where asked for.
pub async fn find_newest(pool: &AnyPool, which: Which, count: u32) -> sqlx::Result<Vec<Mail>> {
    let statement = match which {
        Which::Waiting => concat!(
            "SELECT ",
            columns!(),
            " FROM mails WHERE outcome IS NULL ORDER BY created_at DESC, id DESC LIMIT $1"
        ),
        Which::All => concat!(
            "SELECT ",
            columns!(),
            " FROM mails ORDER BY created_at DESC, id DESC LIMIT $1"
        ),
    };
    sqlx::query(statement)
        .bind(i64::from(count))
        .try_map(|row| mail(&row))
        .fetch_all(pool)
        .in_time()
        .await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Waiting,
    All,
}

/// Deletes what ended before this time.
pub async fn delete_ended(pool: &AnyPool, time: UnixSeconds) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM mails WHERE ended_at < $1")
        .bind(to_millis(time))
        .execute(pool)
        .in_time()
        .await?;
    Ok(())
}

/// Drops what was to be sent to an address, and forgets it where mail was sent before.
pub async fn forget_recipient(tx: &mut Transaction, recipient: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM mails WHERE recipient = $1")
        .bind(recipient)
        .execute(&mut **tx)
        .in_time()
        .await?;
    Ok(())
}

fn mail(row: &AnyRow) -> sqlx::Result<Mail> {
    let kind: String = row.try_get("kind")?;
    let outcome: Option<String> = row.try_get("outcome")?;
    let ended_at: Option<i64> = row.try_get("ended_at")?;
    Ok(Mail {
        id: row.try_get("id")?,
        kind: Kind::parse(&kind).ok_or_else(|| foreign_value("kind", &kind))?,
        recipient: row.try_get("recipient")?,
        cause_address: row.try_get("cause_address")?,
        created_at: from_millis(row.try_get("created_at")?),
        give_up_at: from_millis(row.try_get("give_up_at")?),
        attempts: row.try_get::<i64, _>("attempts")?.cast_unsigned(),
        next_attempt_at: from_millis(row.try_get("next_attempt_at")?),
        last_error: row.try_get("last_error")?,
        outcome: outcome
            .map(|text| Outcome::parse(&text).ok_or_else(|| foreign_value("outcome", &text)))
            .transpose()?,
        ended_at: ended_at.map(from_millis),
    })
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::ResetLink,
        Self::VerifyEmail,
        Self::PasswordWasReset,
        Self::PasswordSet,
        Self::PasswordChanged,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetLink => "reset_password",
            Self::VerifyEmail => "verify_email",
            Self::PasswordWasReset => "password_reset",
            Self::PasswordSet => "password_set",
            Self::PasswordChanged => "password_changed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Sent, Self::GivenUp, Self::NoAccount];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::GivenUp => "given_up",
            Self::NoAccount => "no_account",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|there| there.as_str() == text)
    }
}
