//! OAuth clients as the operator makes and unmakes them. How one proves who it is, is in `extract`.

use secrecy::{ExposeSecret, SecretString};
use shared::{Scope, UnixSeconds};

use crate::app::App;
use crate::error::ApiError;
use crate::extract::{is_client_id, secret_hash};
use crate::grant_type::GrantType;
use crate::random;
use crate::revocation::{Order, Receipt, Revoking, check_reason, end_every_session};
use crate::sessions::scope::is_scope_token;
use crate::sessions::{self, Caller, FIRST_PARTY};
use crate::store::audit::{self, Event};
use crate::store::clients::{self, Client, Inserted, Locked};
use crate::store::{self, Transaction, users};

/// A secret is hashed quickly, so it must not be one that can be guessed.
const MIN_SECRET_BYTES: usize = 16;
const ACTOR: &str = "command-line";

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("an id has 1 to 64 letters, digits, '-', '_' and '.'")]
    InvalidId,
    #[error("this id is taken: {0:?}")]
    IdTaken(String),
    #[error("a secret has at least {MIN_SECRET_BYTES} bytes")]
    SecretTooShort,
    #[error("a scope is visible ASCII without quotes and backslashes: {0:?} is not")]
    InvalidScope(String),
    #[error("there is no such client: {0:?}")]
    NotFound(String),
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl ClientError {
    /// One stable name for each kind of failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidId => "invalid_client_id",
            Self::IdTaken(_) => "client_id_taken",
            Self::SecretTooShort => "client_secret_too_short",
            Self::InvalidScope(_) => "invalid_scope",
            Self::NotFound(_) => "client_not_found",
            Self::Api(error) => error.code(),
        }
    }

    /// Whether what was asked for is at fault, not a part of ours.
    #[must_use]
    pub fn is_misuse(&self) -> bool {
        match self {
            Self::Api(error) => error.status().is_client_error(),
            _ => true,
        }
    }
}

impl From<sqlx::Error> for ClientError {
    fn from(error: sqlx::Error) -> Self {
        Self::Api(error.into())
    }
}

/// A client to be made; nothing of it has been checked.
#[derive(Debug)]
pub struct NewClient<'a> {
    pub id: String,
    pub secret: &'a SecretString,
    pub grants: Vec<GrantType>,
    pub scopes: Vec<String>,
    pub may_introspect_all: bool,
    /// For the audit log.
    pub reason: Option<&'a str>,
}

/// What `disable` did.
#[derive(Debug, Clone, Copy)]
pub struct Disabled {
    pub sessions_closed: usize,
    /// Until then a token of it may still pass an edge that hears of nothing.
    pub effective_by: UnixSeconds,
}

/// The secret is kept as a hash, and cannot be shown again.
///
/// Errors: `InvalidId`, `IdTaken` (by a client or a user), `SecretTooShort`, `InvalidScope`, and
/// `InvalidReason`.
pub async fn create(app: &App, new: NewClient<'_>) -> Result<Client, ClientError> {
    new.reason.map_or(Ok(()), check_reason)?;
    check_id(app, &new.id).await?;
    check_secret(new.secret)?;
    if let Some(bad) = new.scopes.iter().find(|scope| !is_scope_token(scope)) {
        return Err(ClientError::InvalidScope(bad.clone()));
    }
    let client = Client {
        id: new.id,
        secret_hash: secret_hash(new.secret.expose_secret()),
        grants: new.grants,
        scopes: new.scopes,
        may_introspect_all: new.may_introspect_all,
    };
    let mut tx = store::begin(&app.pool).await?;
    if clients::insert(&mut tx, &client, app.clock.now()).await? == Inserted::IdTaken {
        return Err(ClientError::IdTaken(client.id));
    }
    note(app, &mut tx, &client.id, Event::ClientCreated, new.reason).await?;
    store::commit(tx).await?;
    Ok(client)
}

/// Both a user's and a client's id is the `sub` of tokens, so no name may be both (RFC 9068,
/// section 5): what is revoked of one would be revoked of the other.
async fn check_id(app: &App, id: &str) -> Result<(), ClientError> {
    if !is_client_id(id) {
        return Err(ClientError::InvalidId);
    }
    if id == FIRST_PARTY || users::find(&app.pool, id).await?.is_some() {
        return Err(ClientError::IdTaken(id.to_owned()));
    }
    Ok(())
}

fn check_secret(secret: &SecretString) -> Result<(), ClientError> {
    if secret.expose_secret().len() < MIN_SECRET_BYTES {
        return Err(ClientError::SecretTooShort);
    }
    Ok(())
}

/// From here on the old secret is refused; tokens that were given for it live on.
///
/// Errors: `SecretTooShort`, `NotFound`, and `InvalidReason`.
pub async fn replace_secret(
    app: &App,
    id: &str,
    secret: &SecretString,
    reason: Option<&str>,
) -> Result<(), ClientError> {
    reason.map_or(Ok(()), check_reason)?;
    check_secret(secret)?;
    let hash = secret_hash(secret.expose_secret());
    let mut tx = store::begin(&app.pool).await?;
    if clients::replace_secret(&mut tx, id, &hash).await? == Locked::NotThere {
        return Err(ClientError::NotFound(id.to_owned()));
    }
    note(app, &mut tx, id, Event::ClientSecretReplaced, reason).await?;
    store::commit(tx).await?;
    Ok(())
}

async fn note(
    app: &App,
    tx: &mut Transaction,
    id: &str,
    event: Event,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let record = audit::Record {
        actor: Some(ACTOR),
        subject: Some(&format!("client:{id}")),
        detail: reason,
        ..audit::Record::new(random::new_id()?, event)
    };
    audit::insert(tx, &record, app.clock.now()).await?;
    Ok(())
}

/// The client first, so that no new token comes after; then its own tokens; then the sessions that
/// were begun through it, one by one. Whatever was interrupted is finished by the next run.
pub async fn disable(app: &App, id: &str, reason: &str) -> Result<Disabled, ClientError> {
    check_reason(reason)?;
    let own = end_own_tokens(app, id, reason).await?;
    let mut disabled = Disabled {
        sessions_closed: 0,
        effective_by: own.effective_by,
    };
    let open = store::sessions::find_open_of_client(&app.pool, id, app.clock.now()).await?;
    for sid in open {
        let receipt = sessions::close(app, &sid, ACTOR, reason, &Caller::default()).await?;
        disabled.sessions_closed += 1;
        disabled.effective_by = disabled.effective_by.max(receipt.effective_by);
    }
    Ok(disabled)
}

async fn end_own_tokens(app: &App, id: &str, reason: &str) -> Result<Receipt, ClientError> {
    let mut revoking = Revoking::begin(app, Scope::User, id).await?;
    if clients::disable(&mut revoking.tx, id, app.clock.now()).await? == Locked::NotThere {
        return Err(ClientError::NotFound(id.to_owned()));
    }
    let cut_off_secs = end_every_session(app, &mut revoking.tx, id, None).await?;
    let order = Order {
        before_secs: Some(cut_off_secs),
        latest_exp: UnixSeconds::from_secs(cut_off_secs).plus_secs(app.issuer.lifetime_secs()),
        reason,
        actor: ACTOR,
        event: Event::ClientDisabled,
        address: None,
        token: None,
    };
    Ok(revoking.record(app, &order).await?)
}
