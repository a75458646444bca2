//! `POST /token`, the token endpoint of RFC 6749: `password` and `refresh_token`, for authenticated
//! clients only.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use secrecy::SecretString;

use super::no_store;
use crate::app::App;
use crate::error::{ApiError, OAuthError};
use crate::extract::{Form, authenticate_client};
use crate::sessions::{self, Caller, Credentials, TokenPair};
use crate::store::clients::Client;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/token", post(token))
}

async fn token(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    form: Result<Form, ApiError>,
) -> Result<Response, OAuthError> {
    let form = form?;
    let client = authenticate_client(&app, &headers, &form).await?;
    let grant_type = form.require("grant_type")?;
    let pair = match grant_type {
        "password" | "refresh_token" if !client.grants.iter().any(|grant| grant == grant_type) => {
            return Err(ApiError::UnauthorizedClient.into());
        }
        "password" => by_password(&app, &client, &form, &caller).await?,
        "refresh_token" => by_refresh_token(&app, &client, &form, &caller).await?,
        _ => return Err(ApiError::UnsupportedGrantType.into()),
    };
    Ok(no_store(pair))
}

async fn by_password(
    app: &App,
    client: &Client,
    form: &Form,
    caller: &Caller,
) -> Result<TokenPair, ApiError> {
    let scope = requested_scope(client, form)?;
    let password = SecretString::from(form.require("password")?);
    let credentials = Credentials {
        email: form.require("username")?,
        password: &password,
        client_id: &client.id,
        scope: Some(&scope),
    };
    sessions::log_in(app, &credentials, caller).await
}

async fn by_refresh_token(
    app: &App,
    client: &Client,
    form: &Form,
    caller: &Caller,
) -> Result<TokenPair, ApiError> {
    let token = SecretString::from(form.require("refresh_token")?);
    // The scope was settled at log-in; to ask for it again, or for less, is allowed.
    requested_scope(client, form)?;
    sessions::refresh(app, &token, &client.id, caller).await
}

/// All that the client may have unless it asks for less. What the user lacks falls away later.
fn requested_scope(client: &Client, form: &Form) -> Result<String, ApiError> {
    let Some(wanted) = form.get("scope") else {
        return Ok(client.scopes.join(" "));
    };
    let allowed = |scope: &str| client.scopes.iter().any(|there| there == scope);
    if wanted.split(' ').all(allowed) {
        Ok(wanted.to_owned())
    } else {
        Err(ApiError::InvalidScope)
    }
}
