//! `POST /revoke` (RFC 7009). A token that is unknown or dead already is no error: what the client
//! wants is so. A refresh token takes its whole session along.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use shared::{Claims, RevocationStatus, Scope, TokenError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{GivenToken, no_store};
use crate::app::App;
use crate::error::{ApiError, OAuthError, OAuthErrorBody};
use crate::extract::{Form, authenticate_client};
use crate::revocation::{self, Order, Receipt, Revoking};
use crate::sessions::{self, Caller, token_hash};
use crate::store;
use crate::store::audit::Event;
use crate::store::clients::Client;
use crate::store::refresh_tokens;

pub(super) const PATH: &str = "/revoke";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(revoke))
}

#[derive(Serialize, ToSchema)]
#[schema(as = RevokedToken)]
struct Body {
    /// Null where there was nothing to revoke.
    revocation: Option<Receipt>,
}

#[utoipa::path(
    post, path = PATH, tag = "oauth", security(("client" = []), ()),
    request_body(content = GivenToken, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "RFC 7009: the token is dead, or never lived", body = Body),
        (status = "default", description = "RFC 6749, section 5.2", body = OAuthErrorBody),
    ),
)]
async fn revoke(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    form: Result<Form, ApiError>,
) -> Result<Response, OAuthError> {
    let form = form?;
    let client = authenticate_client(&app, &headers, &form, &caller).await?;
    let token = form.require("token")?;
    // An access token has dots, a refresh token has none: the hint is not needed.
    let revocation = if token.contains('.') {
        revoke_access_token(&app, &client, token, &caller).await?
    } else {
        revoke_session(&app, &client, token, &caller).await?
    };
    Ok(no_store(Body { revocation }))
}

async fn revoke_access_token(
    app: &App,
    client: &Client,
    token: &str,
    caller: &Caller,
) -> Result<Option<Receipt>, ApiError> {
    let valid = match app.issuer.verify(token, app.clock.now()).await {
        Ok(valid) => valid,
        Err(TokenError::EngineFailed) => {
            return Err(ApiError::InvalidToken(TokenError::EngineFailed));
        }
        Err(_) => return Ok(None),
    };
    let claims = valid.claims();
    check_owner(client, claims.client_id.as_deref())?;
    match revocation::status(app, claims).await? {
        RevocationStatus::NotRevoked => record(app, client, claims, caller).await.map(Some),
        RevocationStatus::TokenRevoked
        | RevocationStatus::SessionRevoked
        | RevocationStatus::UserCutOff
        | RevocationStatus::IssuerCutOff => Ok(None),
    }
}

async fn record(
    app: &App,
    client: &Client,
    claims: &Claims,
    caller: &Caller,
) -> Result<Receipt, ApiError> {
    let revoking = Revoking::begin(app, Scope::Token, claims.jti.as_str()).await?;
    let order = Order {
        before_secs: None,
        latest_exp: claims.exp,
        reason: "revoked_by_client",
        actor: &client.actor(),
        event: Event::Revoked,
        address: Some(&caller.address),
        token: None,
    };
    revoking.record(app, &order).await
}

async fn revoke_session(
    app: &App,
    client: &Client,
    token: &str,
    caller: &Caller,
) -> Result<Option<Receipt>, ApiError> {
    let session = match refresh_tokens::find_sid(&app.pool, &token_hash(token)).await? {
        Some(sid) => store::sessions::find(&app.pool, &sid).await?,
        None => None,
    };
    let Some(session) = session.filter(|session| session.revoked_at.is_none()) else {
        return Ok(None);
    };
    check_owner(client, Some(&session.client_id))?;
    let actor = client.actor();
    sessions::close(app, &session.sid, &actor, "revoked_by_client", caller)
        .await
        .map(Some)
}

/// RFC 7009, section 2.1: only the client that a token was given to may revoke it.
fn check_owner(client: &Client, owner: Option<&str>) -> Result<(), ApiError> {
    if owner == Some(&client.id) {
        Ok(())
    } else {
        Err(ApiError::UnauthorizedClient)
    }
}
