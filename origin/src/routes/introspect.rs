//! `POST /introspect` (RFC 7662): for clients, and for edges that have no fresh list. Whatever is not
//! active, not known, or not the caller's business is `{"active": false}` and nothing more.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use shared::{Claims, RevocationStatus, TokenError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{GivenToken, no_store};
use crate::app::App;
use crate::error::{ApiError, OAuthError, OAuthErrorBody};
use crate::extract::{Edge, Form, authenticate_client};
use crate::publisher::published_list::PublishedList;
use crate::revocation;
use crate::sessions::Caller;

pub(super) const PATH: &str = "/introspect";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(introspect))
}

/// Whose tokens the caller may ask about.
enum Sight {
    /// An edge, which is also told for how long it may believe the answer.
    Edge,
    All,
    OfClient(String),
}

#[utoipa::path(
    post, path = PATH, tag = "oauth", security(("client" = []), ("edge" = []), ()),
    request_body(content = GivenToken, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "RFC 7662, section 2.2: `{\"active\": false}` and no more, or what is known"),
        (status = "default", description = "RFC 6749, section 5.2", body = OAuthErrorBody),
    ),
)]
async fn introspect(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    form: Result<Form, ApiError>,
) -> Result<Response, OAuthError> {
    let form = form?;
    let sight = authorize(&app, &headers, &form, &caller).await?;
    // Before the look at the token: a list that comes between the two has what the look has missed.
    let newest = app.pull_lane.newest();
    let claims = find_active(&app, form.require("token")?).await?;
    let visible = claims.filter(|claims| match &sight {
        Sight::Edge | Sight::All => true,
        Sight::OfClient(id) => claims.client_id.as_ref() == Some(id),
    });
    Ok(match (&sight, &visible) {
        (Sight::Edge, Some(claims)) => answer_edge(&app, newest.as_deref(), Known::of(claims)),
        (Sight::Edge, None) => answer_edge(&app, newest.as_deref(), json!({ "active": false })),
        (_, Some(claims)) => no_store(Known::of(claims)),
        (_, None) => no_store(json!({ "active": false })),
    })
}

fn answer_edge(app: &App, newest: Option<&PublishedList>, body: impl Serialize) -> Response {
    let secs = newest.map_or(0, |newest| newest.secs_to_believe(app.clock.now()));
    let may_keep = match secs {
        0 => "no-store".to_owned(),
        secs => format!("private, max-age={secs}"),
    };
    ([(CACHE_CONTROL, may_keep)], Json(body)).into_response()
}

async fn authorize(
    app: &App,
    headers: &HeaderMap,
    form: &Form,
    caller: &Caller,
) -> Result<Sight, ApiError> {
    if Edge::identify(app, headers).is_ok() {
        return Ok(Sight::Edge);
    }
    let client = authenticate_client(app, headers, form, caller).await?;
    Ok(if client.may_introspect_all {
        Sight::All
    } else {
        Sight::OfClient(client.id)
    })
}

async fn find_active(app: &App, token: &str) -> Result<Option<Claims>, ApiError> {
    let valid = match app.issuer.verify(token, app.clock.now()).await {
        Ok(valid) => valid,
        // Our own fault: "inactive" would be a lie.
        Err(TokenError::EngineFailed) => {
            return Err(ApiError::InvalidToken(TokenError::EngineFailed));
        }
        Err(_) => return Ok(None),
    };
    let claims = valid.claims().clone();
    match revocation::status(app, &claims).await? {
        RevocationStatus::NotRevoked => Ok(Some(claims)),
        RevocationStatus::TokenRevoked
        | RevocationStatus::SessionRevoked
        | RevocationStatus::UserCutOff
        | RevocationStatus::IssuerCutOff => Ok(None),
    }
}

/// RFC 7662, section 2.2; a member that the token has nothing for is left out.
#[derive(Serialize)]
struct Known<'a> {
    active: bool,
    token_type: &'static str,
    #[serde(flatten)]
    claims: &'a Claims,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
}

impl<'a> Known<'a> {
    fn of(claims: &'a Claims) -> Self {
        Self {
            active: true,
            token_type: "Bearer",
            claims,
            username: claims.email.as_deref(),
        }
    }
}
