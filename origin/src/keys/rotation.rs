//! Changes of the token keys, each one transaction under the publisher's lock: lists and keys change
//! one after the other. A new private key is in its file before its row is there, and what a crash
//! leaves between the two is taken up by the next rotation.

use std::sync::Arc;

use shared::{KeySetError, UnixSeconds};

use super::{HeldKeys, KeyFileError, KeyRing, KeySource, SigningKey};
use crate::app::App;
use crate::error::ApiError;
use crate::random;
use crate::revocation::check_reason;
use crate::store::audit::{self, Event};
use crate::store::token_keys::{self, TokenKeyRow};
use crate::store::{self, Transaction, lease};

/// A key that was noted in use this long ago has a replica that still holds it.
const IN_USE_SECS: u64 = 180;

#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error("a rotation is under way: {kid} does not sign yet")]
    UnderWay { kid: String },
    #[error(
        "the keys are a setting: append a new one to PORTCULLIS_SIGNING_KEY on every replica and \
         restart them; each goes on with the old key until every edge has the new one"
    )]
    KeysAreASetting,
    #[error("PORTCULLIS_SIGNING_KEY: holds revoked keys only")]
    NoKeyLeft,
    #[error("there is no key {0:?}")]
    UnknownKey(String),
    #[error("the published keys cannot be read")]
    KeySet(#[from] KeySetError),
    #[error(transparent)]
    File(#[from] KeyFileError),
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl From<sqlx::Error> for RotationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Api(error.into())
    }
}

impl RotationError {
    /// One stable name for each kind of failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnderWay { .. } => "rotation_under_way",
            Self::KeysAreASetting => "keys_are_a_setting",
            Self::NoKeyLeft => "no_key_left",
            Self::UnknownKey(_) => "unknown_key",
            Self::KeySet(_) => "key_set_damaged",
            Self::File(error) => error.code(),
            Self::Api(error) => error.code(),
        }
    }

    /// Whether what was asked for or set is at fault, not a part of ours.
    #[must_use]
    pub fn is_misuse(&self) -> bool {
        match self {
            Self::UnderWay { .. }
            | Self::KeysAreASetting
            | Self::NoKeyLeft
            | Self::UnknownKey(_) => true,
            Self::Api(error) => error.status().is_client_error(),
            Self::KeySet(_) | Self::File(_) => false,
        }
    }
}

/// What `revoke` did besides revoking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Successor {
    /// Another key was signing, or could.
    Known,
    /// A new key signs from now on; edges have it with the list that lacks the old one.
    Made { kid: String },
}

/// Publishes what this replica holds and the table lacks: at its start.
pub async fn register_held(app: &App) -> Result<(), RotationError> {
    let mut tx = begin(app).await?;
    let rows = token_keys::find_all(&mut *tx).await?;
    for key in keys_to_register(app, &rows)? {
        save(app, &mut tx, &key).await?;
    }
    store::commit(tx).await?;
    Ok(())
}

/// Who changes the keys, and why: for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    pub actor: &'a str,
    pub reason: Option<&'a str>,
}

/// Publishes a new key; it signs once every edge has it. Answers with its name.
pub async fn rotate(app: &App, cause: Cause<'_>) -> Result<String, RotationError> {
    cause.reason.map_or(Ok(()), check_reason)?;
    let mut tx = begin(app).await?;
    let rows = token_keys::find_all(&mut *tx).await?;
    let ring = KeyRing::new(&rows, &app.keys.token.all())?;
    let now = app.clock.now();
    if let Some(newest) = ring.newest_held()
        && !newest.may_sign(now)
    {
        return Err(RotationError::UnderWay {
            kid: newest.kid.clone(),
        });
    }
    let key = find_unregistered_or_make(app, &rows)?;
    save(app, &mut tx, &key).await?;
    note(app, &mut tx, Event::KeyRotated, &key.kid, cause).await?;
    store::commit(tx).await?;
    Ok(key.kid.clone())
}

/// Lists carry the key no more, from the next on. Doing so again changes nothing.
pub async fn revoke(app: &App, kid: &str, cause: Cause<'_>) -> Result<Successor, RotationError> {
    cause.reason.map_or(Ok(()), check_reason)?;
    let mut tx = begin(app).await?;
    let rows = token_keys::find_all(&mut *tx).await?;
    let row = rows
        .iter()
        .find(|row| row.kid == kid)
        .ok_or_else(|| RotationError::UnknownKey(kid.to_owned()))?;
    let successor = if row.revoked_at.is_none() {
        let successor = find_successor(app, &mut tx, &rows, kid).await?;
        token_keys::revoke(&mut tx, kid, app.clock.now()).await?;
        note(app, &mut tx, Event::KeyRevoked, kid, cause).await?;
        successor
    } else {
        Successor::Known
    };
    store::commit(tx).await?;
    app.keys.token.destroy(kid)?;
    Ok(successor)
}

/// From here to the transaction's end no list is made.
async fn begin(app: &App) -> Result<Transaction, RotationError> {
    let mut tx = store::begin(&app.pool).await?;
    lease::lock(&mut tx).await?;
    Ok(tx)
}

/// Of a setting every key; of a folder one of the configured algorithm, unless that is what it has.
fn keys_to_register(
    app: &App,
    rows: &[TokenKeyRow],
) -> Result<Vec<Arc<SigningKey>>, RotationError> {
    let held = app.keys.token.all();
    let ring = KeyRing::new(rows, &held)?;
    if matches!(app.keys.token.source(), KeySource::Folder(_)) {
        let algorithm = app.config.keys.signing_algorithm;
        return match ring.newest_held() {
            Some(newest) if newest.algorithm == algorithm => Ok(Vec::new()),
            _ => Ok(vec![find_unregistered_or_make(app, rows)?]),
        };
    }
    let find = |key: &SigningKey| rows.iter().find(|row| row.kid == key.kid);
    let usable = |key: &Arc<SigningKey>| find(key).is_none_or(|row| row.revoked_at.is_none());
    let usable: Vec<_> = held.into_iter().filter(usable).collect();
    if usable.is_empty() {
        return Err(RotationError::NoKeyLeft);
    }
    let is_new = |key: &Arc<SigningKey>| find(key).is_none_or(|row| !row.is_live());
    Ok(usable.into_iter().filter(is_new).collect())
}

/// A key in the folder of which no row speaks is what a rotation left that was interrupted.
fn find_unregistered_or_make(
    app: &App,
    rows: &[TokenKeyRow],
) -> Result<Arc<SigningKey>, RotationError> {
    let keys: &HeldKeys = &app.keys.token;
    if *keys.source() == KeySource::Setting {
        return Err(RotationError::KeysAreASetting);
    }
    let algorithm = app.config.keys.signing_algorithm;
    let is_left = |key: &Arc<SigningKey>| {
        key.algorithm == algorithm && rows.iter().all(|row| row.kid != key.kid)
    };
    match keys.all().into_iter().find(is_left) {
        Some(key) => Ok(key),
        None => keys.make(algorithm)?.ok_or(RotationError::KeysAreASetting),
    }
}

/// Where no key signs yet there is nothing to wait for: no token is out, and no edge decides.
async fn save(app: &App, tx: &mut Transaction, key: &SigningKey) -> Result<(), RotationError> {
    let rows = token_keys::find_all(&mut **tx).await?;
    let someone_signs = rows
        .iter()
        .any(|row| row.is_live() && row.signs_from.is_some());
    let signs_from = (!someone_signs).then_some(UnixSeconds::EPOCH);
    let now = app.clock.now();
    token_keys::save(tx, &key.kid, &key.public_jwk(), signs_from, now).await?;
    Ok(())
}

/// Who signs once `kid` does not: another that may, one that was about to, or a new one. In an
/// emergency it is not waited for edges: they get the new key in the list that lacks the old one.
async fn find_successor(
    app: &App,
    tx: &mut Transaction,
    rows: &[TokenKeyRow],
    kid: &str,
) -> Result<Successor, RotationError> {
    let now = app.clock.now();
    let held = app.keys.token.all();
    let is_somewhere = |row: &TokenKeyRow| {
        held.iter().any(|key| key.kid == row.kid)
            || row
                .last_signed_at
                .is_some_and(|at| at.plus_secs(IN_USE_SECS) > now)
    };
    let others: Vec<&TokenKeyRow> = rows
        .iter()
        .filter(|row| row.is_live() && row.kid != kid && is_somewhere(row))
        .collect();
    if others.iter().any(|row| row.may_sign(now)) {
        return Ok(Successor::Known);
    }
    if let Some(next) = others.first() {
        token_keys::let_sign(tx, &next.kid, now).await?;
        return Ok(Successor::Known);
    }
    let key = find_unregistered_or_make(app, rows)?;
    token_keys::save(tx, &key.kid, &key.public_jwk(), Some(now), now).await?;
    Ok(Successor::Made {
        kid: key.kid.clone(),
    })
}

async fn note(
    app: &App,
    tx: &mut Transaction,
    event: Event,
    kid: &str,
    cause: Cause<'_>,
) -> Result<(), ApiError> {
    let record = audit::Record {
        actor: Some(cause.actor),
        subject: Some(&format!("key:{kid}")),
        detail: cause.reason,
        ..audit::Record::new(random::new_id()?, event)
    };
    audit::insert(tx, &record, app.clock.now()).await?;
    Ok(())
}
