//! The handlers, each as short as it can be.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::sessions::{self, User};
use crate::tokens::{self, ACCESS_TOKEN_SECS, Claims};
use crate::{App, passwords};

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/register", post(register))
        .route("/login", post(log_in))
        .route("/refresh", post(refresh))
        .route("/logout", post(log_out))
        .route("/me", get(me))
        .route("/introspect", post(introspect))
        .with_state(app)
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct Refresh {
    refresh_token: String,
}

#[derive(Deserialize)]
struct Introspection {
    token: String,
    client_id: String,
    client_secret: String,
}

fn answer(body: Value) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn pair(app: &App, user: &User, sid: &str, refresh_token: &str) -> Result<Response, Failure> {
    Ok(answer(json!({
        "access_token": app.keys.issue(user, sid)?,
        "refresh_token": refresh_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_SECS,
    })))
}

async fn health(State(app): State<App>) -> Result<Response, Failure> {
    sessions::find_user(&app.pool, "").await?;
    Ok(answer(json!({ "status": "ok" })))
}

async fn register(
    State(app): State<App>,
    Json(body): Json<Credentials>,
) -> Result<Response, Failure> {
    let hash = passwords::hash(body.password).await?;
    let id = sessions::insert_user(&app.pool, &body.email, &hash).await?;
    Ok((StatusCode::CREATED, answer(json!({ "id": id }))).into_response())
}

async fn log_in(
    State(app): State<App>,
    Json(body): Json<Credentials>,
) -> Result<Response, Failure> {
    let found = sessions::find_by_email(&app.pool, &body.email).await?;
    let user = found.ok_or(Failure::Refused)?;
    let right = passwords::is_right(body.password, user.password_hash.clone()).await?;
    if !right || user.disabled {
        return Err(Failure::Refused);
    }
    let (sid, refresh_token) = sessions::begin(&app.pool, &user).await?;
    pair(&app, &user, &sid, &refresh_token)
}

async fn refresh(State(app): State<App>, Json(body): Json<Refresh>) -> Result<Response, Failure> {
    let (sid, user, token) = sessions::rotate(&app.pool, &body.refresh_token).await?;
    pair(&app, &user, &sid, &token)
}

async fn log_out(State(app): State<App>, claims: Claims) -> Result<Response, Failure> {
    let revocation = sessions::end(&app.pool, &claims).await?;
    tokens::blacklist(&app, &claims).await?;
    Ok(answer(json!({
        "message": "Successfully logged out", "revocation": revocation
    })))
}

async fn me(State(app): State<App>, claims: Claims) -> Result<Response, Failure> {
    let found = sessions::find_user(&app.pool, &claims.sub).await?;
    let user = found
        .filter(|user| !user.disabled)
        .ok_or(Failure::Refused)?;
    Ok(answer(json!({
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "roles": user.roles.split_whitespace().collect::<Vec<_>>(),
        "created_at": user.created_at,
    })))
}

async fn introspect(
    State(app): State<App>,
    Form(body): Form<Introspection>,
) -> Result<Response, Failure> {
    let stored = sessions::find_client_secret(&app.pool, &body.client_id).await?;
    let given = sessions::hash(&body.client_secret);
    let stored = stored.ok_or(Failure::Refused)?;
    aws_lc_rs::constant_time::verify_slices_are_equal(&given, &stored)
        .map_err(|_| Failure::Refused)?;
    let mut answered = json!({ "active": false });
    if let Some(claims) = tokens::find_active(&app, &body.token).await? {
        answered = serde_json::to_value(claims)?;
        answered["active"] = true.into();
    }
    Ok(answer(answered))
}
