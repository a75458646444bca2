//! The OAuth client (RFC 6749, section 2.3.1), by the same rules and with the same answer wherever one
//! has to prove who it is. An unknown client and a wrong secret are one answer; only the audit log tells
//! them apart.

mod credentials;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use self::credentials::{Credentials, find_credentials};
use super::Form;
use crate::app::App;
use crate::error::ApiError;
use crate::sessions::Caller;
use crate::store::audit::{self, Event};
use crate::store::clients::{self, Client};
use crate::{limits, random, store};

pub use self::credentials::is_client_id;

/// Who fails counts against its address, and past the limit no failure is written down any more. Who
/// succeeds is never held up: a secret is no password, and nobody behind that address can guess one.
pub async fn authenticate_client(
    app: &App,
    headers: &HeaderMap,
    form: &Form,
    caller: &Caller,
) -> Result<Client, ApiError> {
    let credentials = match find_credentials(headers, form) {
        Ok(credentials) => credentials,
        Err(ApiError::InvalidClient) => {
            limits::count_bad_client(app, &caller.address).await?;
            return Err(ApiError::InvalidClient);
        }
        Err(error) => return Err(error),
    };
    match verify(app, &credentials).await? {
        Ok(client) => Ok(client),
        Err(refusal) => {
            limits::count_bad_client(app, &caller.address).await?;
            insert_failure(app, &refusal, caller).await?;
            Err(ApiError::InvalidClient)
        }
    }
}

#[must_use]
pub fn secret_hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

/// Why somebody is not the client that it says.
enum Refusal {
    /// Its name is a stranger's text, and may be a secret in the wrong place: it is not kept.
    Unknown,
    Disabled(Client),
    WrongSecret(Client),
}

async fn verify(app: &App, given: &Credentials) -> Result<Result<Client, Refusal>, ApiError> {
    let Some(row) = clients::find(&app.pool, &given.id).await? else {
        return Ok(Err(Refusal::Unknown));
    };
    let hash = secret_hash(given.secret.expose_secret());
    let is_secret =
        verify_slices_are_equal(hash.as_bytes(), row.client.secret_hash.as_bytes()).is_ok();
    Ok(match (is_secret, row.disabled_at) {
        (false, _) => Err(Refusal::WrongSecret(row.client)),
        (true, Some(_)) => Err(Refusal::Disabled(row.client)),
        (true, None) => Ok(row.client),
    })
}

async fn insert_failure(app: &App, refusal: &Refusal, caller: &Caller) -> Result<(), ApiError> {
    let (client, detail) = match refusal {
        Refusal::Unknown => (None, "unknown_client"),
        Refusal::Disabled(client) => (Some(client.actor()), "client_disabled"),
        Refusal::WrongSecret(client) => (Some(client.actor()), "wrong_secret"),
    };
    let record = audit::Record {
        subject: client.as_deref(),
        address: Some(&caller.address),
        detail: Some(detail),
        ..audit::Record::new(random::new_id()?, Event::ClientAuthenticationFailed)
    };
    let mut tx = store::begin(&app.pool).await?;
    audit::insert(&mut tx, &record, app.clock.now()).await?;
    store::commit(tx).await?;
    Ok(())
}
