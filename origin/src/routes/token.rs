//! `POST /token`, the token endpoint of RFC 6749, for authenticated clients only. One function a
//! grant; what a grant is good for is decided elsewhere.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use secrecy::SecretString;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_store;
use crate::app::App;
use crate::client_tokens;
use crate::error::{ApiError, OAuthError, OAuthErrorBody};
use crate::extract::{Form, authenticate_client};
use crate::grant_type::GrantType;
use crate::sessions::{
    self, Caller, Credentials, Presented, Renewal, TokenResponse, Wanted, scope,
};
use crate::store::clients::Client;

pub(super) const PATH: &str = "/token";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(token))
}

/// RFC 6749, sections 4.3.2, 4.4.2 and 6. What a grant does not need may be left out.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is for the description only")]
struct TokenForm {
    grant_type: String,
    username: Option<String>,
    #[schema(format = Password)]
    password: Option<String>,
    #[schema(format = Password)]
    refresh_token: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
}

#[utoipa::path(
    post, path = PATH, tag = "oauth", security(("client" = []), ()),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "RFC 6749, section 5.1", body = TokenResponse),
        (status = "default", description = "RFC 6749, section 5.2", body = OAuthErrorBody),
    ),
)]
async fn token(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    form: Result<Form, ApiError>,
) -> Result<Response, OAuthError> {
    let form = form?;
    let client = authenticate_client(&app, &headers, &form, &caller).await?;
    let grant = parse_grant_type(&app, form.require("grant_type")?)?;
    if !client.may(grant) {
        return Err(ApiError::UnauthorizedClient.into());
    }
    let request = Request {
        app: &app,
        client: &client,
        scope: requested_scope(&client, &form)?,
        form: &form,
        caller: &caller,
    };
    let response = match grant {
        GrantType::Password => by_password(&request).await?,
        GrantType::RefreshToken => by_refresh_token(&request).await?,
        GrantType::ClientCredentials => by_client_credentials(&request).await?,
    };
    Ok(no_store(response))
}

/// A token request by a client that may use its grant.
struct Request<'a> {
    app: &'a App,
    client: &'a Client,
    /// Within what the client may ask for; `None`: it asks for nothing in particular.
    scope: Option<&'a str>,
    form: &'a Form,
    caller: &'a Caller,
}

async fn by_password(request: &Request<'_>) -> Result<TokenResponse, ApiError> {
    let all_of_client = request.client.scopes.join(" ");
    let password = SecretString::from(request.form.require("password")?);
    let credentials = Credentials {
        email: request.form.require("username")?,
        password: &password,
        client_id: &request.client.id,
        scope: match request.scope {
            Some(scope) => Wanted::Exactly(scope),
            None => Wanted::AtMost(&all_of_client),
        },
        renewal: if request.client.may(GrantType::RefreshToken) {
            Renewal::ByRefreshToken
        } else {
            Renewal::None
        },
    };
    sessions::log_in(request.app, &credentials, request.caller).await
}

async fn by_refresh_token(request: &Request<'_>) -> Result<TokenResponse, ApiError> {
    let token = SecretString::from(request.form.require("refresh_token")?);
    let presented = Presented {
        token: &token,
        client_id: &request.client.id,
        scope: request.scope,
    };
    sessions::refresh(request.app, &presented, request.caller).await
}

async fn by_client_credentials(request: &Request<'_>) -> Result<TokenResponse, ApiError> {
    let scope = match request.scope {
        Some(scope) => scope::without_doubles(scope),
        None => request.client.scopes.join(" "),
    };
    client_tokens::issue(request.app, request.client, scope, request.caller).await
}

fn parse_grant_type(app: &App, text: &str) -> Result<GrantType, ApiError> {
    GrantType::offered(&app.config)
        .find(|grant| grant.as_str() == text)
        .ok_or(ApiError::UnsupportedGrantType)
}

fn requested_scope<'a>(client: &Client, form: &'a Form) -> Result<Option<&'a str>, ApiError> {
    match form.get("scope") {
        Some(wanted) if !scope::contains(&client.scopes.join(" "), wanted) => {
            Err(ApiError::InvalidScope)
        }
        wanted => Ok(wanted),
    }
}
