//! Tokens that a client gets for itself (RFC 6749, section 4.4): no user, no session, no refresh
//! token. Issuing and cutting off take turns on the client's row, as log-ins do on a user's.

use shared::UnixSeconds;

use crate::app::App;
use crate::error::ApiError;
use crate::issuer::{Grant, Holder};
use crate::random;
use crate::sessions::{Caller, TokenResponse, find_later_cut_off, wait_for_cut_off};
use crate::store::audit::{self, Event};
use crate::store::clients::Client;
use crate::store::{self, Transaction, clients, revocations};

/// `scope` is within the client's: that has been checked.
pub async fn issue(
    app: &App,
    client: &Client,
    scope: String,
    caller: &Caller,
) -> Result<TokenResponse, ApiError> {
    loop {
        let now = app.clock.now();
        let mut tx = store::begin(&app.pool).await?;
        if clients::lock_for_token(&mut tx, &client.id, now).await? == clients::Locked::NotThere {
            return Err(ApiError::InvalidClient);
        }
        match revocations::find_cut_off(&mut tx, app.issuer.name(), &client.id).await? {
            Some(cut_off) if cut_off > now.as_secs() => {
                store::rollback(tx).await?;
                wait_for_cut_off(app, UnixSeconds::from_secs(cut_off)).await?;
            }
            _ => {
                let issued = record(app, tx, client, &scope, caller, now).await?;
                let Some(cut_off) = find_later_cut_off(app, now).await? else {
                    return Ok(issued);
                };
                wait_for_cut_off(app, cut_off).await?;
            }
        }
    }
}

async fn record(
    app: &App,
    mut tx: Transaction,
    client: &Client,
    scope: &str,
    caller: &Caller,
    now: UnixSeconds,
) -> Result<TokenResponse, ApiError> {
    let actor = client.actor();
    let record = audit::Record {
        actor: Some(&actor),
        subject: Some(&actor),
        address: Some(&caller.address),
        ..audit::Record::new(random::new_id()?, Event::ClientTokenIssued)
    };
    audit::insert(&mut tx, &record, now).await?;
    let grant = Grant {
        holder: Holder::Client,
        client_id: &client.id,
        scope,
        ends_at: None,
    };
    let token = app.issuer.issue(&grant, now)?;
    let expires_in = app.issuer.expires_in(&grant, now);
    store::commit(tx).await?;
    Ok(TokenResponse::new(token, scope.to_owned(), expires_in))
}
